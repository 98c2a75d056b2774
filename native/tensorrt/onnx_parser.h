// libnvonnxparser: an ONNX model into a network that the builder can work on.
#pragma once

#include <cstddef>
#include <memory>
#include <string>

#include "base/library.h"
#include "base/status.h"
#include "tensorrt/journal.h"
#include "tensorrt/table.h"

namespace im::trt {

class OnnxParser {
 public:
  // The parser has to be of the library's major version. `network` outlives it.
  static Result<std::unique_ptr<OnnxParser>> Create(const Caller& caller, const std::string& configured, NetworkObject* network,
                                                    Journal& journal);
  ~OnnxParser();
  OnnxParser(const OnnxParser&) = delete;
  OnnxParser& operator=(const OnnxParser&) = delete;

  // `path`: where the model comes from, beside which files with its weights are looked for; "" = none. Constants of the network
  // stay in the parser's memory and in `model`: both are needed until the engine is built.
  Status Parse(const void* model, std::size_t size, const std::string& path);

 private:
  OnnxParser(const Caller& caller, ParserObject* parser, Journal& journal)
      : caller_(caller), parser_(parser), journal_(journal) {}
  Status Failure();

  const Caller caller_;
  ParserObject* const parser_;
  Journal& journal_;
};

}  // namespace im::trt

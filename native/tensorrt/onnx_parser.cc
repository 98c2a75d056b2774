#include "onnx_parser.h"

#include <algorithm>

#include "tensorrt/library.h"

namespace im::trt {
namespace {

constexpr char kOpenStage[] = "tensorrt.open-parser";
constexpr char kStage[] = "tensorrt.parse";
// One node that is not supported often makes all that follow it fail too.
constexpr std::int32_t kMaximumErrors = 5;

std::string Text(const char* text) { return text == nullptr ? "" : text; }

}  // namespace

Result<std::unique_ptr<OnnxParser>> OnnxParser::Create(const Caller& caller, const std::string& configured,
                                                       NetworkObject* network, Journal& journal) {
  const Result<Library> library = Library::Open(ParserSearch(caller.major(), configured));
  if (!library.ok()) {
    return Status(Code::kTensorRt, kOpenStage,
                  "Building an engine needs the ONNX parser of TensorRT " + std::to_string(caller.major()) +
                      ": install it, or name its folder with INFERENCE_MODELS_TENSORRT_LIBRARY_PATH. " +
                      library.status().message())
        .With(library.status().reason() == Reason::kLibraryMissing ? Reason::kParserMissing : Reason::kParserNotLoadable);
  }
  const auto version = library.value().Find<int (*)()>("getNvOnnxParserVersion");
  const auto create =
      library.value().Find<ParserObject* (*)(NetworkObject*, void* logger, int version)>("createNvOnnxParser_INTERNAL");
  if (version == nullptr || create == nullptr) {
    return Status(Code::kTensorRt, kOpenStage,
                  library.value().path() + " has no createNvOnnxParser_INTERNAL: it cannot read models.")
        .With(Reason::kParserNotLoadable);
  }
  (void)TakeThreadLog();
  ParserObject* parser = create(network, LoggerOf(caller.major()), version());
  if (parser == nullptr) return journal.Failure(kOpenStage, "The ONNX parser does not start.", "createNvOnnxParser");
  return std::unique_ptr<OnnxParser>(new OnnxParser(caller, parser, journal));
}

OnnxParser::~OnnxParser() {
  const int slot = caller_.major() >= 11 ? kParserDeletingSlot11 : kParserDeletingSlot10;
  reinterpret_cast<void (*)(ParserObject*)>(parser_->vtable[slot])(parser_);
}

Status OnnxParser::Parse(const void* model, std::size_t size, const std::string& path) {
  (void)TakeThreadLog();
  if (caller_.Call<method::Parser_parse>(parser_, model, size, path.empty() ? nullptr : path.c_str())) return {};
  return Failure();
}

Status OnnxParser::Failure() {
  const std::int32_t count = caller_.Call<method::Parser_getNbErrors>(parser_);
  if (count <= 0) return journal_.Failure(kStage, "The ONNX parser does not take this model.", "parse");
  std::string message = "The ONNX parser does not take this model.";
  std::int32_t code = 0;
  for (std::int32_t i = 0; i < std::min(count, kMaximumErrors); ++i) {
    const ParserErrorObject* error = caller_.Call<method::Parser_getError>(parser_, i);
    if (error == nullptr) continue;
    if (code == 0) code = caller_.Call<method::ParserError_code>(error);
    const std::string operation = Text(caller_.Call<method::ParserError_nodeOperator>(error));
    const std::string name = Text(caller_.Call<method::ParserError_nodeName>(error));
    message += " Node " + std::to_string(caller_.Call<method::ParserError_node>(error));
    if (!operation.empty() || !name.empty()) message += " (" + operation + (name.empty() ? "" : ", \"" + name + "\"") + ")";
    message += ": " + Text(caller_.Call<method::ParserError_desc>(error)) + ".";
  }
  if (count > kMaximumErrors) message += " And " + std::to_string(count - kMaximumErrors) + " more.";
  journal_.clear();
  (void)TakeThreadLog();
  return {Code::kTensorRt, kStage, message, {"parse", code}};
}

}  // namespace im::trt

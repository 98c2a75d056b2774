// A stand-in for libnvonnxparser: reads a model's inputs, outputs, name and kinds of nodes, and nothing of what it computes. A
// node of a kind that begins with "Unsupported" is refused.
#include <dlfcn.h>

#include <map>

#include "fake_objects.h"

namespace fake {

// The libnvinfer beside this file.
FakeTrtState& State() {
  static FakeTrtState* state = [] {
    Dl_info own{};
    dladdr(reinterpret_cast<void*>(&State), &own);
    const std::string path = own.dli_fname;
    const std::string sibling = path.substr(0, path.rfind('/') + 1) + "libnvinfer.so." + std::to_string(kMajor);
    return FakeTrtState::Attach(sibling.c_str());
  }();
  return *state;
}

}  // namespace fake

namespace {

using namespace fake;

struct Dims {
  std::int32_t rank;
  std::int64_t sizes[8];
};

// Protocol buffers, as far as an ONNX file needs them.
class Reader {
 public:
  explicit Reader(std::string bytes) : bytes_(std::move(bytes)) {}

  // The next field; false at the end or in rubbish.
  bool Next() {
    std::uint64_t tag = 0;
    if (damaged_ || position_ >= bytes_.size() || !Varint(tag)) return false;
    number = static_cast<int>(tag >> 3);
    content.clear();
    value = 0;
    switch (tag & 7) {
      case 0: return Varint(value);
      case 1: return Skip(8);
      case 5: return Skip(4);
      case 2: {
        std::uint64_t length = 0;
        if (!Varint(length) || length > bytes_.size() - position_) return Damaged();
        content = bytes_.substr(position_, length);
        position_ += length;
        return true;
      }
      default: return Damaged();
    }
  }
  bool damaged() const { return damaged_; }

  int number = 0;
  std::uint64_t value = 0;
  std::string content;

 private:
  bool Damaged() {
    damaged_ = true;
    return false;
  }
  bool Skip(std::size_t bytes) {
    position_ += bytes;
    return position_ <= bytes_.size() || Damaged();
  }
  bool Varint(std::uint64_t& result) {
    result = 0;
    for (int shift = 0; position_ < bytes_.size() && shift < 64; shift += 7) {
      const auto byte = static_cast<unsigned char>(bytes_[position_++]);
      result |= static_cast<std::uint64_t>(byte & 0x7f) << shift;
      if (byte < 0x80) return true;
    }
    return Damaged();
  }

  const std::string bytes_;
  std::size_t position_ = 0;
  bool damaged_ = false;
};

std::string FieldOf(const std::string& bytes, int number) {
  Reader reader(bytes);
  while (reader.Next()) {
    if (reader.number == number) return reader.content;
  }
  return "";
}

struct Value {
  std::string name;
  int type = 0;
  Dims dims{};
};

// ValueInfoProto with a tensor in it.
Value ReadValue(const std::string& bytes) {
  static const std::map<int, int> kTypes = {{1, 0}, {10, 1}, {3, 2}, {6, 3}, {9, 4}, {2, 5}, {16, 7}, {7, 8}};
  Value value;
  value.name = FieldOf(bytes, 1);
  Reader tensor(FieldOf(FieldOf(bytes, 2), 1));
  while (tensor.Next()) {
    if (tensor.number == 1)
      value.type = kTypes.count(static_cast<int>(tensor.value)) == 0 ? 6 : kTypes.at(static_cast<int>(tensor.value));
    if (tensor.number != 2) continue;
    Reader shape(tensor.content);
    while (shape.Next() && value.dims.rank < 8) {
      Reader dimension(shape.content);
      std::int64_t size = -1;
      while (dimension.Next()) {
        if (dimension.number == 1) size = static_cast<std::int64_t>(dimension.value);
      }
      value.dims.sizes[value.dims.rank++] = size;
    }
  }
  return value;
}

struct ParserError {
  void* const* table;
  int code;
  std::string text;
  int node;
  std::string name;
  std::string operation;
};

std::int32_t ErrorCode(void* self) { return static_cast<ParserError*>(self)->code; }
const char* ErrorText(void* self) { return static_cast<ParserError*>(self)->text.c_str(); }
std::int32_t ErrorNode(void* self) { return static_cast<ParserError*>(self)->node; }
const char* ErrorNodeName(void* self) { return static_cast<ParserError*>(self)->name.c_str(); }
const char* ErrorOperation(void* self) { return static_cast<ParserError*>(self)->operation.c_str(); }

struct Parser {
  void* const* table;
  Reporter reporter;
  Public* network;
  std::vector<std::unique_ptr<ParserError>> errors;
};

// A call of the network that belongs to the other library.
template <typename Result, typename... Arguments>
Result CallNetwork(Public* network, const char* method, Arguments... arguments) {
  void* self = network->implementation;
  void* const* table = *static_cast<void* const**>(self);
  return reinterpret_cast<Result (*)(void*, Arguments...)>(table[SlotOf("VNetworkDefinition", method)])(self, arguments...);
}

void AddError(Parser& parser, ParserError error) {
  static const Table table = TableBuilder("IParserError")
                                 .Add("code", ErrorCode)
                                 .Add("desc", ErrorText)
                                 .Add("node", ErrorNode)
                                 .Add("nodeName", ErrorNodeName)
                                 .Add("nodeOperator", ErrorOperation)
                                 .Take();
  error.table = table.data();
  parser.errors.push_back(std::make_unique<ParserError>(std::move(error)));
}

bool Parse(void* self, const void* bytes, std::size_t size, const char*) {
  Parser& parser = *static_cast<Parser*>(self);
  if (parser.reporter.Injected("parse")) return false;
  Reader model(std::string(static_cast<const char*>(bytes), size));
  std::string graph;
  while (model.Next()) {
    if (model.number == 7) graph = model.content;
  }
  if (model.damaged() || graph.empty()) {
    AddError(parser, {nullptr, 3, "the bytes are no ONNX model", -1, "", ""});
    return false;
  }
  Reader parts(graph);
  int index = 0;
  while (parts.Next()) {
    if (parts.number == 1) {
      const std::string operation = FieldOf(parts.content, 4);
      if (operation.rfind("Unsupported", 0) == 0)
        AddError(parser, {nullptr, 8, "the operator is not supported", index, FieldOf(parts.content, 3), operation});
      // Layers of the stand-in have a kind and nothing else.
      CallNetwork<void*>(parser.network, "addIdentity", operation.c_str());
      ++index;
    }
    if (parts.number == 2) CallNetwork<void>(parser.network, "setName", parts.content.c_str());
    if (parts.number == 11 || parts.number == 12) {
      const Value value = ReadValue(parts.content);
      auto* tensor = CallNetwork<Public*>(parser.network, "addInput", value.name.c_str(), std::int32_t{value.type},
                                          static_cast<const void*>(&value.dims));
      if (parts.number == 12) CallNetwork<void>(parser.network, "markOutput", tensor);
    }
  }
  return parser.errors.empty();
}

std::int32_t ErrorCount(void* self) { return static_cast<std::int32_t>(static_cast<Parser*>(self)->errors.size()); }
void* ErrorAt(void* self, std::int32_t index) {
  return static_cast<Parser*>(self)->errors[static_cast<std::size_t>(index)].get();
}

void DeleteParser(void* self) {
  --State().build_objects;
  delete static_cast<Parser*>(self);
}

}  // namespace

EXPORT int getNvOnnxParserVersion() { return 100; }

EXPORT void* createNvOnnxParser_INTERNAL(void* network, void* logger, int version) {
  static const Table table = [] {
    Table made = TableBuilder("IParser").Add("parse", Parse).Add("getNbErrors", ErrorCount).Add("getError", ErrorAt).Take();
    const auto* destructor = im::trt::abi::Find(im::trt::abi::kDestructors, kMajor, "IParser");
    made[static_cast<std::size_t>(destructor->second)] = reinterpret_cast<void*>(DeleteParser);
    return made;
  }();
  if (version != 100) std::abort();
  Reporter reporter;
  reporter.logger = logger;
  if (reporter.Injected("createNvOnnxParser")) return nullptr;
  ++State().build_objects;
  return new Parser{table.data(), reporter, static_cast<Public*>(network), {}};
}

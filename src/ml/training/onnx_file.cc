#include "ml/training/onnx_file.h"

#include <iterator>
#include <set>
#include <string>

#include "base/protobuf.h"
#include "base/text.h"

namespace gyre::training {
namespace {

// Numbers are those of the members in onnx.proto.
constexpr int kDepthMax = 8;                  // of types within types
constexpr std::size_t kMembersMax = 100'000;  // inputs, outputs, dimensions

// Of TensorProto.DataType, in the order of their numbers.
constexpr std::string_view kElements[] = {
    "undefined",      "float",      "uint8",          "int8",       "uint16",   "int16",
    "int32",          "int64",      "string",         "bool",       "float16",  "double",
    "uint32",         "uint64",     "complex64",      "complex128", "bfloat16", "float8e4m3fn",
    "float8e4m3fnuz", "float8e5m2", "float8e5m2fnuz", "uint4",      "int4",     "float4e2m1"};

Error Unreadable(std::string_view what) {
  return InvalidArgument("GY3547", "the model file cannot be read: {}", what)
      .Fix("onnx.checker.check_model(path)    (where it was made: says what is wrong with it)");
}

// Calls `take` with each member of a message.
template <typename Take>
Result<> ForEach(std::string_view message, Take take) {
  ProtoReader reader(message);
  ProtoField field;
  while (reader.Next(&field)) GYRE_DO(take(field));
  if (!reader.ok()) return Unreadable("it is no whole ONNX model");
  return {};
}

Result<std::string> TextOf(std::string_view bytes) {
  if (!IsValidUtf8(bytes)) return Unreadable("a name in it is no UTF-8");
  return std::string(bytes);
}

std::string ElementName(std::uint64_t number) {
  return number < std::size(kElements) ? std::string(kElements[number])
                                       : fmt::format("type {}", number);
}

Result<Json> ShapeOf(std::string_view shape) {
  Json dimensions = Json::Arr();
  GYRE_DO(ForEach(shape, [&](const ProtoField& field) -> Result<> {
    if (field.number != 1) return {};
    if (dimensions.size() >= kMembersMax) return Unreadable("a shape in it has no end");
    Json size;  // unknown
    GYRE_DO(ForEach(field.bytes, [&](const ProtoField& part) -> Result<> {
      if (part.number == 1) size = part.AsInt();
      if (part.number == 2) {
        GYRE_TRY(std::string name, TextOf(part.bytes));
        size = std::move(name);
      }
      return {};
    }));
    dimensions.Push(std::move(size));
    return {};
  }));
  return dimensions;
}

struct TypeText {
  std::string text = "undefined";
  Json shape;  // of a tensor; null when it is not said
};

Result<TypeText> TypeOf(std::string_view type, int depth);

// seq(...), optional(...): around the type that member 1 holds.
Result<std::string> Around(std::string_view word, std::string_view message, int depth) {
  std::string inside = "undefined";
  GYRE_DO(ForEach(message, [&](const ProtoField& field) -> Result<> {
    if (field.number != 1) return {};
    GYRE_TRY(const TypeText of, TypeOf(field.bytes, depth + 1));
    inside = of.text;
    return {};
  }));
  return fmt::format("{}({})", word, inside);
}

Result<std::string> MapText(std::string_view message, int depth) {
  std::string key = "undefined", value = "undefined";
  GYRE_DO(ForEach(message, [&](const ProtoField& field) -> Result<> {
    if (field.number == 1) key = ElementName(field.value);
    if (field.number != 2) return {};
    GYRE_TRY(const TypeText of, TypeOf(field.bytes, depth + 1));
    value = of.text;
    return {};
  }));
  return fmt::format("map({},{})", key, value);
}

Result<TypeText> TensorOf(std::string_view word, std::string_view message) {
  TypeText type;
  type.text = fmt::format("{}(undefined)", word);
  GYRE_DO(ForEach(message, [&](const ProtoField& field) -> Result<> {
    if (field.number == 1) type.text = fmt::format("{}({})", word, ElementName(field.value));
    if (field.number == 2) {
      GYRE_TRY(type.shape, ShapeOf(field.bytes));
    }
    return {};
  }));
  return type;
}

Result<TypeText> TypeOf(std::string_view type, int depth) {
  if (depth > kDepthMax) return Unreadable("a type in it has no end");
  TypeText found;
  GYRE_DO(ForEach(type, [&](const ProtoField& field) -> Result<> {
    if (field.number == 1 || field.number == 8) {
      GYRE_TRY(found, TensorOf(field.number == 1 ? "tensor" : "sparse_tensor", field.bytes));
    } else if (field.number == 4 || field.number == 9) {
      GYRE_TRY(found.text, Around(field.number == 4 ? "seq" : "optional", field.bytes, depth));
    } else if (field.number == 5) {
      GYRE_TRY(found.text, MapText(field.bytes, depth));
    }
    return {};
  }));
  return found;
}

// A ValueInfoProto: an input or output.
Result<Json> ValueOf(std::string_view message) {
  std::string name;
  TypeText type;
  GYRE_DO(ForEach(message, [&](const ProtoField& field) -> Result<> {
    if (field.number == 1) {
      GYRE_TRY(name, TextOf(field.bytes));
    }
    if (field.number == 2) {
      GYRE_TRY(type, TypeOf(field.bytes, 0));
    }
    return {};
  }));
  return Json::Obj({{"name", name}, {"type", type.text}, {"shape", std::move(type.shape)}});
}

struct Graph {
  Json inputs = Json::Arr(), outputs = Json::Arr();
  std::set<std::string, std::less<>> operators, weights;
  bool external = false;  // weights in files beside this one
};

// A TensorProto that is part of the graph.
Result<> AddWeight(std::string_view message, Graph* graph) {
  return ForEach(message, [&](const ProtoField& field) -> Result<> {
    if (field.number == 8) {
      GYRE_TRY(std::string name, TextOf(field.bytes));
      graph->weights.insert(std::move(name));
    }
    graph->external = graph->external || (field.number == 14 && field.value == 1);
    return {};
  });
}

Result<> AddNode(std::string_view message, Graph* graph) {
  std::string name, domain;
  GYRE_DO(ForEach(message, [&](const ProtoField& field) -> Result<> {
    if (field.number == 4) {
      GYRE_TRY(name, TextOf(field.bytes));
    }
    if (field.number == 7) {
      GYRE_TRY(domain, TextOf(field.bytes));
    }
    return {};
  }));
  graph->operators.insert(domain.empty() ? name : domain + "." + name);
  return {};
}

Result<> ReadGraph(std::string_view message, Graph* graph) {
  return ForEach(message, [&](const ProtoField& field) -> Result<> {
    if (field.number == 1) return AddNode(field.bytes, graph);
    if (field.number == 5) return AddWeight(field.bytes, graph);
    if (field.number != 11 && field.number != 12) return {};
    Json& list = field.number == 11 ? graph->inputs : graph->outputs;
    if (list.size() >= kMembersMax) return Unreadable("it has too many inputs or outputs");
    GYRE_TRY(Json value, ValueOf(field.bytes));
    list.Push(std::move(value));
    return {};
  });
}

// Two texts, or a text and a number: members 1 and 2.
Result<std::pair<std::string, ProtoField>> PairOf(std::string_view message) {
  std::pair<std::string, ProtoField> pair;
  GYRE_DO(ForEach(message, [&](const ProtoField& field) -> Result<> {
    if (field.number == 1) {
      GYRE_TRY(pair.first, TextOf(field.bytes));
    }
    if (field.number == 2) pair.second = field;
    return {};
  }));
  return pair;
}

Result<> AddToModel(const ProtoField& field, Json* facts, Json* opsets, Json* metadata) {
  constexpr std::size_t kMetadataMax = 1000;
  if (field.number == 1) facts->Set("ir_version", field.AsInt());
  if (field.number == 2 || field.number == 3) {
    GYRE_TRY(std::string text, TextOf(field.bytes));
    facts->Set(field.number == 2 ? "producer" : "producer_version", std::move(text));
  }
  if (field.number == 8 && opsets->size() < kMetadataMax) {
    GYRE_TRY(const auto pair, PairOf(field.bytes));
    opsets->Push(Json::Obj({{"domain", pair.first.empty() ? "ai.onnx" : pair.first},
                            {"version", pair.second.AsInt()}}));
  }
  if (field.number == 14 && metadata->members().size() < kMetadataMax) {
    GYRE_TRY(const auto pair, PairOf(field.bytes));
    GYRE_TRY(std::string value, TextOf(pair.second.bytes));
    metadata->Set(pair.first, std::move(value));
  }
  return {};
}

Json OperatorsOf(const Graph& graph) {
  constexpr std::size_t kShown = 1000;
  Json list = Json::Arr();
  for (const std::string& name : graph.operators) {
    if (list.size() < kShown) list.Push(name);
  }
  return list;
}

}  // namespace

// The first member of an ONNX model is the version of its format, a small number.
bool MayBeOnnx(std::string_view bytes) {
  constexpr char kVersionMax = 32;
  return bytes.size() > 8 && bytes[0] == '\x08' && bytes[1] > 0 && bytes[1] < kVersionMax;
}

Result<Json> InspectOnnx(std::string_view bytes) {
  Json facts = Json::Obj(), opsets = Json::Arr(), metadata = Json::Obj(), inputs = Json::Arr();
  std::string_view message;
  GYRE_DO(ForEach(bytes, [&](const ProtoField& field) -> Result<> {
    if (field.number == 7) message = field.bytes;
    return AddToModel(field, &facts, &opsets, &metadata);
  }));
  if (message.empty()) return Unreadable("it is no whole ONNX model");
  Graph graph;
  GYRE_DO(ReadGraph(message, &graph));
  // Older files list the weights among the inputs.
  for (const Json& input : graph.inputs.items()) {
    if (!graph.weights.contains(input["name"].AsString())) inputs.Push(input);
  }
  facts.Set("opsets", std::move(opsets))
      .Set("inputs", std::move(inputs))
      .Set("outputs", std::move(graph.outputs))
      .Set("operators", OperatorsOf(graph))
      .Set("metadata", std::move(metadata))
      .Set("external_data", graph.external);
  return facts;
}

}  // namespace gyre::training

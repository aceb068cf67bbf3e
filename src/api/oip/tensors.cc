#include "api/oip/tensors.h"

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstring>
#include <functional>
#include <limits>
#include <optional>
#include <utility>

#include "base/limits.h"
#include "base/text.h"
#include "base/time.h"

namespace gyre::oip {

namespace {

using table::Column;
using table::Type;

enum class Kind : unsigned char { kBool, kSigned, kUnsigned, kFloat, kBytes };
struct DataType {
  std::string_view name;
  Kind kind;
  std::size_t bytes;  // 0 = varies
};
constexpr DataType kDataTypes[] = {
    {"BOOL", Kind::kBool, 1},       {"INT8", Kind::kSigned, 1},     {"INT16", Kind::kSigned, 2},
    {"INT32", Kind::kSigned, 4},    {"INT64", Kind::kSigned, 8},    {"UINT8", Kind::kUnsigned, 1},
    {"UINT16", Kind::kUnsigned, 2}, {"UINT32", Kind::kUnsigned, 4}, {"UINT64", Kind::kUnsigned, 8},
    {"FP16", Kind::kFloat, 2},      {"FP32", Kind::kFloat, 4},      {"FP64", Kind::kFloat, 8},
    {"BYTES", Kind::kBytes, 0},
};

// One element of a tensor, whatever its spelling was.
struct Element {
  bool is_null = false;
  std::optional<std::int64_t> whole;
  std::optional<double> real;
  std::optional<std::string_view> text;
};

struct Tensor {
  std::string_view name;
  const DataType* type = nullptr;
  std::int64_t rows = 0;
  std::string_view binary;
  bool is_binary = false;
  const Json* data = nullptr;
  const Json* null_mask = nullptr;
};

template <class... Args>
Error Wrong(std::string_view tensor, fmt::format_string<Args...> format, Args&&... args) {
  return InvalidArgument("GY3831", "input `{}`: {}", tensor,
                         fmt::format(format, std::forward<Args>(args)...))
      .Where(fmt::format("inputs.{}", tensor));
}

Result<std::int64_t> RowsOf(std::string_view name, const Json& shape, std::int64_t rows_max) {
  const auto& sizes = shape.items();
  bool fine =
      sizes.size() == 1 || (sizes.size() == 2 && sizes[1].is_int() && sizes[1].AsInt() == 1);
  fine = fine && sizes[0].is_int() && sizes[0].AsInt() >= 0;
  if (!fine)
    return Wrong(name, "the shape must be [n] or [n, 1], not {}", shape.Dump().substr(0, 60));
  if (sizes[0].AsInt() > rows_max) return Wrong(name, "more than {} rows in one request", rows_max);
  return sizes[0].AsInt();
}

Result<Tensor> ReadTensor(const Json& json, std::int64_t rows_max, std::string_view* binary) {
  Tensor tensor;
  tensor.name = json["name"].AsString();
  if (tensor.name.empty()) return InvalidArgument("GY3830", "an input has no name").Where("inputs");
  for (const DataType& type : kDataTypes) {
    if (type.name == json["datatype"].AsString()) tensor.type = &type;
  }
  if (tensor.type == nullptr)
    return Wrong(tensor.name, "datatype {} is not known", json["datatype"].Dump().substr(0, 40));
  GYRE_TRY(tensor.rows, RowsOf(tensor.name, json["shape"], rows_max));
  const Json& parameters = json["parameters"];
  tensor.null_mask = parameters.Find("null_mask");
  if (const Json* size = parameters.Find("binary_data_size")) {
    const std::int64_t bytes = size->AsInt(-1);
    if (bytes < 0 || bytes > static_cast<std::int64_t>(binary->size())) {
      return Wrong(tensor.name, "`binary_data_size` goes beyond the body");
    }
    if (json.Has("data")) return Wrong(tensor.name, "it has both `data` and `binary_data_size`");
    tensor.is_binary = true;
    tensor.binary = binary->substr(0, static_cast<std::size_t>(bytes));
    binary->remove_prefix(static_cast<std::size_t>(bytes));
  } else {
    tensor.data = json.Find("data");
    if (tensor.data == nullptr || !tensor.data->is_array())
      return Wrong(tensor.name, "`data` is missing");
  }
  return tensor;
}

double HalfToDouble(std::uint16_t half) {
  const int sign = half >> 15, exponent = (half >> 10) & 31, fraction = half & 1023;
  double value = 0;
  if (exponent == 31)
    value = fraction == 0 ? std::numeric_limits<double>::infinity()
                          : std::numeric_limits<double>::quiet_NaN();
  else if (exponent == 0)
    value = std::ldexp(fraction, -24);
  else
    value = std::ldexp(1024 + fraction, exponent - 25);
  return sign != 0 ? -value : value;
}

template <class T>
T Load(const char* bytes) {
  T value;
  std::memcpy(&value, bytes, sizeof value);
  return value;
}

Element FixedElement(const DataType& type, const char* bytes) {
  Element element;
  std::uint64_t raw = 0;
  std::memcpy(&raw, bytes, type.bytes);
  switch (type.kind) {
    case Kind::kBool:
      element.whole = raw != 0 ? 1 : 0;
      break;
    case Kind::kSigned: {
      const int shift = static_cast<int>(64 - 8 * type.bytes);
      element.whole = static_cast<std::int64_t>(raw << shift) >> shift;
      break;
    }
    case Kind::kUnsigned:
      if (raw <= static_cast<std::uint64_t>(INT64_MAX))
        element.whole = static_cast<std::int64_t>(raw);
      else
        element.real = static_cast<double>(raw);
      break;
    case Kind::kFloat:
      element.real = type.bytes == 2   ? HalfToDouble(Load<std::uint16_t>(bytes))
                     : type.bytes == 4 ? static_cast<double>(Load<float>(bytes))
                                       : Load<double>(bytes);
      break;
    case Kind::kBytes:
      break;
  }
  return element;
}

using Take = std::function<Result<>(std::int64_t row, Element element)>;

Result<> EachBinary(const Tensor& tensor, const Take& take) {
  std::string_view rest = tensor.binary;
  if (tensor.type->kind != Kind::kBytes) {
    if (rest.size() != static_cast<std::size_t>(tensor.rows) * tensor.type->bytes) {
      return Wrong(tensor.name, "{} bytes do not hold {} values of {}", rest.size(), tensor.rows,
                   tensor.type->name);
    }
    for (std::int64_t row = 0; row < tensor.rows; ++row) {
      GYRE_DO(take(row, FixedElement(*tensor.type, rest.data() + static_cast<std::size_t>(row) *
                                                                     tensor.type->bytes)));
    }
    return {};
  }
  for (std::int64_t row = 0; row < tensor.rows; ++row) {
    if (rest.size() < 4) return Wrong(tensor.name, "the binary data ends inside value {}", row);
    const auto length = Load<std::uint32_t>(rest.data());
    rest.remove_prefix(4);
    if (length > rest.size())
      return Wrong(tensor.name, "the binary data ends inside value {}", row);
    Element element;
    element.text = rest.substr(0, length);
    if (!IsValidUtf8(*element.text)) return Wrong(tensor.name, "value {} is not UTF-8", row);
    GYRE_DO(take(row, element));
    rest.remove_prefix(length);
  }
  if (!rest.empty()) return Wrong(tensor.name, "{} bytes are left over", rest.size());
  return {};
}

constexpr std::pair<std::string_view, double> kNotNumbers[] = {
    {"NaN", std::numeric_limits<double>::quiet_NaN()},
    {"Infinity", std::numeric_limits<double>::infinity()},
    {"-Infinity", -std::numeric_limits<double>::infinity()}};

std::optional<double> NotANumber(std::string_view text) {
  for (const auto& [name, value] : kNotNumbers) {
    if (name == text) return value;
  }
  return std::nullopt;
}

// Clients in Python write NaN and Infinity bare, which JSON has no word for: they become texts.
std::string QuoteNotNumbers(std::string_view json) {
  std::string quoted;
  bool in_text = false;
  for (std::size_t i = 0; i < json.size(); ++i) {
    const char c = json[i];
    if (in_text && c == '\\' && i + 1 < json.size()) {
      quoted += c;
      quoted += json[++i];
      continue;
    }
    if (c == '"') in_text = !in_text;
    const auto* const found =
        in_text ? std::end(kNotNumbers) : std::ranges::find_if(kNotNumbers, [&](const auto& word) {
          return json.substr(i).starts_with(word.first);
        });
    if (found == std::end(kNotNumbers)) {
      quoted += c;
    } else {
      quoted += fmt::format("\"{}\"", found->first);
      i += found->first.size() - 1;
    }
  }
  return quoted;
}

Result<Json> ParseDocument(std::string_view text) {
  const bool plain = !text.contains("NaN") && !text.contains("Infinity");
  return plain ? Json::Parse(text) : Json::Parse(QuoteNotNumbers(text));
}

Result<> EachJson(const Tensor& tensor, const Take& take) {
  const auto& data = tensor.data->items();
  if (static_cast<std::int64_t>(data.size()) != tensor.rows) {
    return Wrong(tensor.name, "`data` holds {} values, its shape says {}", data.size(),
                 tensor.rows);
  }
  for (std::int64_t row = 0; row < tensor.rows; ++row) {
    const Json* value = &data[static_cast<std::size_t>(row)];
    if (value->is_array()) {
      if (value->size() != 1)
        return Wrong(tensor.name, "data[{}] holds {} values, not 1", row, value->size());
      value = &value->items()[0];
    }
    Element element;
    if (value->is_null())
      element.is_null = true;
    else if (value->is_bool())
      element.whole = value->AsBool() ? 1 : 0;
    else if (value->is_int())
      element.whole = value->AsInt();
    else if (value->is_number())
      element.real = value->AsDouble();
    else if (value->is_string())
      element.text = value->AsString();
    else
      return Wrong(tensor.name, "data[{}] holds an object", row);
    if (element.text && tensor.type->kind == Kind::kFloat) {
      element.real = NotANumber(*element.text);
      if (element.real) element.text.reset();
    }
    if (element.text.has_value() != (tensor.type->kind == Kind::kBytes) && !element.is_null) {
      return Wrong(tensor.name, "data[{}] does not hold a value of {}", row, tensor.type->name);
    }
    GYRE_DO(take(row, element));
  }
  return {};
}

// The element as a value of the column's type; false when it is none.
bool Push(const Element& element, table::TextFormat format, Column* column) {
  const bool is_nan = element.real && std::isnan(*element.real);
  if (element.is_null || is_nan) return column->PushNull(), true;
  std::optional<std::int64_t> whole = element.whole;
  if (!whole && element.real && *element.real == std::floor(*element.real) &&
      std::fabs(*element.real) < 9.2e18) {
    whole = static_cast<std::int64_t>(*element.real);
  }
  switch (column->type) {
    case Type::kDouble:
      if (element.text) return false;
      return column->PushDouble(element.real ? *element.real : static_cast<double>(*element.whole)),
             true;
    case Type::kInt:
      if (!whole) return false;
      return column->PushInt(*whole), true;
    case Type::kBool:
      if (!whole || (*whole != 0 && *whole != 1)) return false;
      return column->PushInt(*whole), true;
    case Type::kText:
      if (element.text) return column->PushText(*element.text), true;
      if (element.whole) return column->PushText(std::to_string(*element.whole)), true;
      return false;
    case Type::kDate:
    case Type::kTimestamp: {
      const auto days = element.text && column->type == Type::kDate
                            ? table::ParseDate(*element.text, format)
                            : std::nullopt;
      if (days) return column->PushInt(*days), true;
      const auto time = element.text ? table::ParseTimestamp(*element.text) : std::nullopt;
      if (!time) return false;
      const std::int64_t day_start =
          *time - ((*time % kMicrosPerDay) + kMicrosPerDay) % kMicrosPerDay;
      return column->PushInt(column->type == Type::kDate ? day_start / kMicrosPerDay : *time), true;
    }
  }
  return false;
}

Result<std::vector<bool>> ReadNullMask(const Tensor& tensor) {
  std::vector<bool> mask;
  if (tensor.null_mask == nullptr) return mask;
  bool fine = true;
  if (tensor.null_mask->is_string()) {
    for (const char c : tensor.null_mask->AsString()) {
      fine &= c == '0' || c == '1';
      mask.push_back(c == '1');
    }
  } else {
    for (const Json& item : tensor.null_mask->items()) {
      fine &= item.is_bool();
      mask.push_back(item.AsBool());
    }
  }
  if (!fine || static_cast<std::int64_t>(mask.size()) != tensor.rows) {
    return Wrong(tensor.name, "`null_mask` must be {} digits 0 or 1, or as many booleans",
                 tensor.rows);
  }
  return mask;
}

Result<> FillColumn(const Tensor& tensor, table::TextFormat format, Column* column) {
  GYRE_TRY(const std::vector<bool> mask, ReadNullMask(tensor));
  const Take take = [&](std::int64_t row, Element element) -> Result<> {
    if (!mask.empty() && mask[static_cast<std::size_t>(row)])
      element = Element{.is_null = true, .whole = {}, .real = {}, .text = {}};
    if (Push(element, format, column)) return {};
    return Wrong(tensor.name, "data[{}]: a value of {} is no {}", row, tensor.type->name,
                 table::TypeName(column->type));
  };
  return tensor.is_binary ? EachBinary(tensor, take) : EachJson(tensor, take);
}

std::string_view DataTypeOf(Type type) {
  switch (type) {
    case Type::kBool:
      return "BOOL";
    case Type::kInt:
      return "INT64";
    case Type::kDouble:
      return "FP64";
    default:
      return "BYTES";
  }
}

void AppendBinary(std::string_view text, std::string* out) {
  const auto length = static_cast<std::uint32_t>(text.size());
  char bytes[4];
  std::memcpy(bytes, &length, sizeof bytes);
  out->append(bytes, sizeof bytes);
  out->append(text);
}

void AppendBinary(const std::vector<double>& values, std::string* out) {
  for (const double value : values) {
    char bytes[8];
    std::memcpy(bytes, &value, sizeof bytes);
    out->append(bytes, sizeof bytes);
  }
}

struct Wanted {
  std::string_view name;
  bool binary = false;
};

Result<std::vector<Wanted>> WantedOutputs(const Json& request, bool has_probability) {
  const bool all_binary = request["parameters"]["binary_data_output"].AsBool(false);
  std::vector<Wanted> wanted;
  if (!request.Has("outputs") || request["outputs"].size() == 0) {
    wanted.push_back({"prediction", all_binary});
    if (has_probability) wanted.push_back({"probability", all_binary});
    return wanted;
  }
  for (const Json& output : request["outputs"].items()) {
    const std::string& name = output["name"].AsString();
    const bool known = name == "prediction" || (name == "probability" && has_probability);
    if (!known) return InvalidArgument("GY3832", "there is no output `{}`", name).Where("outputs");
    for (const Wanted& other : wanted) {
      if (other.name == name)
        return InvalidArgument("GY3832", "output `{}` is asked for twice", name).Where("outputs");
    }
    wanted.push_back({name, output["parameters"]["binary_data"].AsBool(all_binary)});
  }
  return wanted;
}

}  // namespace

Result<InferBody> SplitBody(std::string_view body, std::string_view header_length) {
  std::size_t length = body.size();
  if (!header_length.empty()) {
    const auto given = ParseInt(header_length);
    if (!given || *given <= 0 || static_cast<std::size_t>(*given) > body.size()) {
      return InvalidArgument(
          "GY3830", "Inference-Header-Content-Length must be from 1 to the size of the body");
    }
    length = static_cast<std::size_t>(*given);
  }
  InferBody split;
  GYRE_TRY(split.document, ParseDocument(body.substr(0, length)));
  if (!split.document.is_object()) return InvalidArgument("GY3830", "the body is no JSON object");
  split.binary = body.substr(length);
  return split;
}

Result<table::Frame> FrameOfInputs(const InferBody& body, const table::Schema& schema,
                                   const table::Formats& formats, std::int64_t rows_max) {
  const Json& inputs = body.document["inputs"];
  if (!inputs.is_array() || inputs.size() == 0)
    return InvalidArgument("GY3830", "`inputs` must be an array of tensors").Where("inputs");
  table::Frame frame;
  for (const table::Field& field : schema) {
    frame.columns.emplace_back();
    frame.columns.back().name = field.name;
    frame.columns.back().type = field.type;
  }
  std::vector<bool> filled(schema.size(), false);
  std::string_view binary = body.binary;
  std::int64_t rows = -1;
  for (const Json& input : inputs.items()) {
    GYRE_TRY(const Tensor tensor, ReadTensor(input, rows_max, &binary));
    if (rows >= 0 && tensor.rows != rows)
      return Wrong(tensor.name, "it has {} rows, the inputs before it {}", tensor.rows, rows);
    rows = tensor.rows;
    std::size_t column = 0;
    while (column < schema.size() && schema[column].name != tensor.name) ++column;
    if (column == schema.size()) return Wrong(tensor.name, "the model has no such input");
    if (filled[column]) return Wrong(tensor.name, "it is sent twice");
    filled[column] = true;
    const auto known = formats.find(tensor.name);
    const auto format = known == formats.end() ? table::TextFormat::kUsual : known->second.text;
    GYRE_DO(FillColumn(tensor, format, &frame.columns[column]));
  }
  if (!binary.empty())
    return InvalidArgument("GY3830", "{} bytes follow the last binary tensor", binary.size());
  for (std::size_t i = 0; i < schema.size(); ++i) {
    for (std::int64_t row = 0; !filled[i] && row < rows; ++row) frame.columns[i].PushNull();
  }
  return frame;
}

Json InputsMetadata(const table::Schema& schema) {
  Json inputs = Json::Arr();
  for (const table::Field& field : schema) {
    inputs.Push(Json::Obj({{"name", field.name},
                           {"datatype", DataTypeOf(field.type)},
                           {"shape", Json::Arr({-1, 1})}}));
  }
  return inputs;
}

Json OutputsMetadata(const predictors::Scorer& scorer) {
  const bool classes = !scorer.classes().empty();
  Json outputs = Json::Arr();
  outputs.Push(Json::Obj({{"name", "prediction"},
                          {"datatype", classes ? "BYTES" : "FP64"},
                          {"shape", Json::Arr({-1})}}));
  if (!classes) return outputs;
  Json names = Json::Arr();
  for (const std::string& name : scorer.classes()) names.Push(name);
  outputs.Push(Json::Obj({{"name", "probability"},
                          {"datatype", "FP64"},
                          {"shape", Json::Arr({-1, scorer.classes().size()})},
                          {"parameters", Json::Obj({{"classes", names.Dump()}})}}));
  return outputs;
}

Result<InferAnswer> MakeAnswer(const AnswerHead& head, const Json& request,
                               const predictors::Scorer& scorer, const predictors::Scores& scores) {
  const std::size_t classes = scorer.classes().size();
  GYRE_TRY(const std::vector<Wanted> wanted, WantedOutputs(request, classes != 0));
  Json outputs = Json::Arr();
  std::string binary;
  for (const Wanted& want : wanted) {
    const bool probability = want.name == "probability";
    const bool text = !probability && classes != 0;
    const std::vector<double>& numbers = probability ? scores.probabilities : scores.prediction;
    Json output = Json::Obj(
        {{"name", want.name},
         {"datatype", text ? "BYTES" : "FP64"},
         {"shape", probability ? Json::Arr({scores.rows, classes}) : Json::Arr({scores.rows})}});
    const std::size_t before = binary.size();
    Json data = Json::Arr();
    if (text) {
      for (const std::uint32_t label : scores.label) {
        if (want.binary)
          AppendBinary(scorer.classes()[label], &binary);
        else
          data.Push(scorer.classes()[label]);
      }
    } else if (want.binary) {
      AppendBinary(numbers, &binary);
    } else {
      for (const double value : numbers) data.Push(value);
    }
    if (want.binary)
      output.Set("parameters", Json::Obj({{"binary_data_size", binary.size() - before}}));
    else
      output.Set("data", std::move(data));
    outputs.Push(std::move(output));
  }
  InferAnswer answer;
  answer.body = Json::Obj({{"model_name", head.model},
                           {"model_version", head.version},
                           {"id", head.id},
                           {"outputs", std::move(outputs)}})
                    .Dump();
  if (!binary.empty()) {
    answer.json_bytes = answer.body.size();
    answer.body += binary;
  }
  return answer;
}

}  // namespace gyre::oip

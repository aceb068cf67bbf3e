#include "api/mlflow/arguments.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include "api/mlflow/errors.h"
#include "base/text.h"

namespace gyre::mlflow {
namespace {

using Kind = JsonNode::Kind;
using net::Type;

constexpr double kTwoTo63 = 9223372036854775808.0;

bool ReadsQuery(const net::Route& route) {
  return route.method == net::Method::kGet || route.method == net::Method::kHead;
}

net::Fields FieldsOf(const net::Route& route) {
  return ReadsQuery(route) ? route.query : route.members;
}

// PATCH and DELETE are not asked.
Result<> CheckContentType(const net::Request& request) {
  if (request.method() != net::Method::kPost && request.method() != net::Method::kPut) return {};
  const auto type = request.Header("content-type");
  if (!type) return InvalidArgument("GY5102", "Bad Request. Content-Type header is missing.");
  if (Trim(type->substr(0, type->find(';'))) == "application/json") return {};
  return InvalidArgument("GY5102",
                         "Bad Request. Content-Type must be one of ['application/json'].");
}

// Numbers of experiments are texts on the wire, but people send them as numbers.
bool MayBeNumber(std::string_view name) {
  return name == "experiment_id" || name == "experiment_ids";
}

bool IsText(const net::Field& field, const JsonValue& value) {
  return value.is_text() || (value.kind() == Kind::kWhole && MayBeNumber(field.name));
}

bool IsBool(const JsonValue& value) {
  return value.kind() == Kind::kBool || EqualsIgnoreCase(value.text(), "true") ||
         EqualsIgnoreCase(value.text(), "false");
}

template <class Test>
bool IsListOf(const JsonValue& list, const Test& test) {
  for (const JsonValue item : list.items()) {
    if (!test(item)) return false;
  }
  return list.is_list();
}

bool FitsType(const net::Field& field, const JsonValue& value) {
  switch (field.type) {
    case Type::kText:
    case Type::kTime:
      return IsText(field, value);
    case Type::kWhole:
      return WholeOf(value).has_value();
    case Type::kNumber:
      return NumberOf(value).has_value();
    case Type::kBool:
      return IsBool(value);
    case Type::kObject:
      return value.is_object();
    case Type::kTexts:
      return IsListOf(value, [&](const JsonValue& item) { return IsText(field, item); });
    case Type::kObjects:
      return IsListOf(value, [](const JsonValue& item) { return item.is_object(); });
    case Type::kAny:
      break;
  }
  return true;
}

Result<> CheckField(const net::Field& field, const JsonValue& value, bool of_query) {
  if (!value.there() || (value.is_text() && value.text().empty())) {
    if (!field.required) return {};
    return MissingValue(field.name);
  }
  if (FitsType(field, value)) return {};
  if (of_query && field.type == Type::kBool) {
    return InvalidParameter(
        fmt::format("Invalid boolean value: {}, must be 'true' or 'false'.", value.text()));
  }
  return WrongType(field.name, value);
}

std::string TextIn(const JsonValue& value) {
  return value.is_text() ? std::string(value.text())
         : value.there() ? std::to_string(value.whole())
                         : std::string();
}

}  // namespace

Result<Arguments> Arguments::Read(const net::Request& request) {
  const net::Route& route = *request.route;
  Arguments arguments;
  arguments.route_ = &route;
  if (ReadsQuery(route)) {
    arguments.document_ = RequestDocument::OfQuery(request, route.query);
  } else {
    GYRE_DO(CheckContentType(request));
    GYRE_TRY(arguments.document_, RequestDocument::Parse(request.body()));
  }
  for (const net::Field& field : FieldsOf(route))
    GYRE_DO(CheckField(field, arguments.Value(field.name), ReadsQuery(route)));
  return arguments;
}

JsonValue Arguments::Value(std::string_view name) const {
  const auto listed = [&](const net::Field& field) { return field.name == name; };
  GYRE_CHECK(route_ != nullptr && std::ranges::any_of(FieldsOf(*route_), listed));
  const JsonValue value = document_.root()[name];
  // Its name before 1.0, which some clients still send.
  if (name == "run_id" && !value.there()) return document_.root()["run_uuid"];
  return value;
}

std::string Arguments::Text(std::string_view name) const { return TextIn(Value(name)); }

std::optional<std::string> Arguments::TextIfAny(std::string_view name) const {
  const JsonValue value = Value(name);
  if (!value.there()) return std::nullopt;
  return TextIn(value);
}

std::int64_t Arguments::Whole(std::string_view name, std::int64_t fallback) const {
  return WholeOf(Value(name)).value_or(fallback);
}

double Arguments::Number(std::string_view name, double fallback) const {
  return NumberOf(Value(name)).value_or(fallback);
}

bool Arguments::Bool(std::string_view name, bool fallback) const {
  const JsonValue value = Value(name);
  if (!value.there()) return fallback;
  return value.truth() || EqualsIgnoreCase(value.text(), "true");
}

std::vector<std::string> Arguments::Texts(std::string_view name) const {
  std::vector<std::string> texts;
  for (const JsonValue item : Value(name).items()) texts.push_back(TextIn(item));
  return texts;
}

std::optional<std::int64_t> WholeOf(const JsonValue& value) {
  if (value.kind() == Kind::kWhole) return value.whole();
  if (value.is_text()) return ParseInt(value.text());
  if (value.kind() != Kind::kNumber) return std::nullopt;
  const double number = value.number();
  if (number != std::trunc(number) || number < -kTwoTo63 || number >= kTwoTo63) return std::nullopt;
  return static_cast<std::int64_t>(number);
}

std::optional<double> NumberOf(const JsonValue& value) {
  switch (value.kind()) {
    case Kind::kWhole:
    case Kind::kHuge:
    case Kind::kNumber:
      return value.number();
    case Kind::kBool:
      return value.truth() ? 1 : 0;
    case Kind::kText:
      break;
    default:
      return std::nullopt;
  }
  const std::string_view text = value.text();
  if (text == "NaN") return std::numeric_limits<double>::quiet_NaN();
  if (text == "Infinity") return std::numeric_limits<double>::infinity();
  if (text == "-Infinity") return -std::numeric_limits<double>::infinity();
  const auto number = ParseDouble(text);
  if (!number || !std::isfinite(*number)) return std::nullopt;
  return number;
}

Error InvalidValue(std::string_view path, const JsonValue& value, std::string_view hint) {
  std::string text = "Invalid value ";
  value.PrintTo(&text);
  return InvalidParameter(fmt::format("{} for parameter '{}' supplied: {}", text, path, hint));
}

Error WrongType(std::string_view path, const JsonValue& value) {
  return InvalidValue(
      path, value, fmt::format(" Hint: Value was of type '{}'.{}", value.python_type(), kSeeDocs));
}

Error MissingValue(std::string_view path) {
  return InvalidParameter(
      fmt::format("Missing value for required parameter '{}'.{}", path, kSeeDocs));
}

}  // namespace gyre::mlflow

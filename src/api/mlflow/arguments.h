// What a request says, checked against the fields that its route lists (query of a GET, members of
// the body otherwise), with MLflow's words for what is missing or of the wrong type. Types are
// those of protobuf's JSON: a whole number may come as 5, 5.0 or "5", a number as text, null is
// absent. Fields that a route does not list are passed over.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "api/mlflow/request_document.h"
#include "base/error.h"
#include "platform/net/http.h"

namespace gyre::mlflow {

class Arguments {
 public:
  Arguments() = default;
  // Errors: kInvalidArgument GY5100 a value (MLflow's text), GY5101 no JSON object, GY5102 the
  // Content-Type of a POST or PUT.
  static Result<Arguments> Read(const net::Request& request);

  // Of a field that the route lists (GYRE_CHECK). Absent: empty, or the fallback.
  JsonValue Value(std::string_view name) const;
  bool Has(std::string_view name) const { return Value(name).there(); }
  std::string Text(std::string_view name) const;
  std::optional<std::string> TextIfAny(std::string_view name) const;
  std::int64_t Whole(std::string_view name, std::int64_t fallback = 0) const;
  double Number(std::string_view name, double fallback = 0) const;
  bool Bool(std::string_view name, bool fallback = false) const;
  std::vector<std::string> Texts(std::string_view name) const;
  JsonValue::Items Objects(std::string_view name) const { return Value(name).items(); }

 private:
  RequestDocument document_;
  const net::Route* route_ = nullptr;
};

// Protobuf's reading of one value, for members of objects; empty = not of that type.
std::optional<std::int64_t> WholeOf(const JsonValue& value);
std::optional<double> NumberOf(const JsonValue& value);

// What MLflow's schema check says at its end.
inline constexpr std::string_view kSeeDocs =
    " See the API docs for more information about request parameters.";
// "Invalid value 5 for parameter 'metrics[0].key' supplied: <hint>" and the rest of MLflow's words.
Error InvalidValue(std::string_view path, const JsonValue& value, std::string_view hint);
// The same of a type, with the reference to the documentation that MLflow's schema check adds.
Error WrongType(std::string_view path, const JsonValue& value);
Error MissingValue(std::string_view path);

}  // namespace gyre::mlflow

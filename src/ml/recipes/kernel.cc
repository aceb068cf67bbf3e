#include "ml/recipes/kernel.h"

#include <charconv>

namespace gyre::recipes {

const Operation* FindOperation(std::string_view name) {
  for (const auto table : {NumberOperations(), CategoryOperations(), TargetOperations(),
                           TimeOperations(), TextOperations(), CastOperations()}) {
    for (const Operation& operation : table) {
      if (operation.name == name) return &operation;
    }
  }
  return nullptr;
}

std::vector<std::string> OperationNames() {
  std::vector<std::string> names;
  for (const auto table : {NumberOperations(), CategoryOperations(), TargetOperations(),
                           TimeOperations(), TextOperations(), CastOperations()}) {
    for (const Operation& operation : table) names.emplace_back(operation.name);
  }
  return names;
}

Error BrokenState(std::string_view what) {
  return InvalidArgument("GY3101", "the fitted recipe is broken: {}", what)
      .Why("it was not written by Save, or has been changed since");
}

Json DoubleToJson(double value) {
  return fmt::format("{:016x}", std::bit_cast<std::uint64_t>(value));
}

Result<double> DoubleFromJson(const Json& json) {
  const std::string& hex = json.AsString();
  std::uint64_t bits = 0;
  const auto [end, error] = std::from_chars(hex.data(), hex.data() + hex.size(), bits, 16);
  if (hex.size() != 16 || error != std::errc() || end != hex.data() + hex.size())
    return BrokenState("a number is not 16 hexadecimal digits");
  return std::bit_cast<double>(bits);
}

Json DoublesToJson(std::span<const double> values) {
  Json list = Json(Json::Array());
  for (double value : values) list.Push(DoubleToJson(value));
  return list;
}

Result<std::vector<double>> DoublesFromJson(const Json& json) {
  if (!json.is_array()) return BrokenState("a list of numbers is missing");
  std::vector<double> values;
  values.reserve(json.size());
  for (const Json& item : json.items()) {
    GYRE_TRY(const double value, DoubleFromJson(item));
    values.push_back(value);
  }
  return values;
}

Result<ValueType> GivesNumber(table::Type, const Json&) {
  return ValueType{table::Type::kDouble, false};
}
Result<ValueType> GivesVector(table::Type, const Json&) {
  return ValueType{table::Type::kDouble, true};
}
Result<ValueType> GivesSame(table::Type in, const Json&) {
  return ValueType{in == table::Type::kText ? table::Type::kText : table::Type::kDouble, false};
}
Result<Json> FitsNothing(const FitInput&, std::vector<double>*) { return Json(Json::Object()); }

}  // namespace gyre::recipes

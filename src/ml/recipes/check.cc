// What a recipe asks of the data that it is to be fitted on, as far as names and types can tell.
#include <algorithm>

#include "base/text.h"
#include "ml/recipes/fitted.h"

namespace gyre::recipes {
namespace {

Result<> CheckNotRead(const Spec& spec, std::string_view target) {
  const Spec::Body& body = spec.body();
  for (const Step& step : body.steps) {
    if (!step.from.is_column || body.input[step.from.index].name != target) continue;
    return InvalidArgument("GY3116", "step `{}` reads `{}`, which is to be predicted", step.id,
                           target)
        .Why(
            "a request to the model cannot know it; encode.target and text.bayes learn from it "
            "without reading it")
        .Fix(fmt::format("leave step `{}` out", step.id));
  }
  return {};
}

}  // namespace

bool Serves(table::Type given, table::Type wanted) {
  using enum table::Type;
  if (given == wanted) return true;
  if (wanted == kDouble) return given == kInt || given == kBool;
  if (wanted == kInt) return given == kBool;
  if (wanted == kText) return given == kInt || given == kDouble || given == kBool;
  return wanted == kTimestamp && given == kDate;
}

Error NoSuchColumn(std::string_view name, std::span<const std::string> names) {
  Error error =
      InvalidArgument("GY3111", "the data has no column `{}`, which the recipe reads", name);
  if (const auto close = ClosestMatch(name, names))
    return std::move(error).Fix(fmt::format("did you mean `{}`?", *close));
  return error;
}

Error OtherType(const table::Field& wanted, table::Type given) {
  return InvalidArgument("GY3111", "column `{}` is {}, but the recipe was made for {}", wanted.name,
                         table::TypeName(given), table::TypeName(wanted.type))
      .Fix(fmt::format("gyre add FILE --type {}={}", wanted.name, table::TypeName(wanted.type)));
}

Result<> CheckAgainst(const Spec& spec, const table::Schema& data, std::string_view target) {
  GYRE_DO(CheckNotRead(spec, target));
  for (const table::Field& wanted : spec.input()) {
    const auto given = std::ranges::find(data, wanted.name, &table::Field::name);
    if (given == data.end()) {
      std::vector<std::string> names;
      for (const table::Field& field : data) names.push_back(field.name);
      return NoSuchColumn(wanted.name, names);
    }
    if (!Serves(given->type, wanted.type)) {
      return OtherType(wanted, given->type)
          .Fix(fmt::format("or say `{}: {}` in input.schema", wanted.name,
                           table::TypeName(given->type)));
    }
  }
  return {};
}

}  // namespace gyre::recipes

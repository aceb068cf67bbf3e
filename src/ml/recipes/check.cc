// What a recipe asks of the data that it is to be fitted on, as far as names and types can tell.
#include <algorithm>

#include "base/text.h"
#include "ml/recipes/fitted.h"

namespace gyre::recipes {
namespace {

const Step* ReaderOf(const Spec& spec, std::string_view column) {
  const Spec::Body& body = spec.body();
  for (const Step& step : body.steps) {
    if (step.from.is_column && body.input[step.from.index].name == column) return &step;
  }
  return nullptr;
}

Result<> CheckNotRead(const Spec& spec, std::string_view target) {
  const Step* const step = ReaderOf(spec, target);
  if (step == nullptr) return {};
  return InvalidArgument("GY3116", "step `{}` reads `{}`, which is to be predicted", step->id,
                         target)
      .Why(
          "a request to the model cannot know it; encode.target and text.bayes learn from it "
          "without reading it")
      .Fix(fmt::format("leave step `{}` out", step->id));
}

Error NotInData(const table::Schema& data, std::string_view name) {
  std::vector<std::string> names;
  for (const table::Field& field : data) names.push_back(field.name);
  return NoSuchColumn(name, names);
}

bool Has(const table::Schema& data, std::string_view name) {
  return std::ranges::find(data, name, &table::Field::name) != data.end();
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

std::optional<Spec> LabelLearners(const Spec& spec) {
  const Spec::Body& body = spec.body();
  std::vector<bool> learns(body.steps.size());
  for (std::size_t s = 0; s < body.steps.size(); ++s) {
    const Step& step = body.steps[s];
    learns[s] = step.operation->needs_target || (!step.from.is_column && learns[step.from.index]);
  }
  Json outputs = Json::Arr();
  for (const std::size_t output : body.outputs) {
    if (learns[output]) outputs.Push(body.steps[output].id);
  }
  if (outputs.size() == 0) return std::nullopt;
  Json document = spec.ToJson();
  document.Set("output", Json::Obj({{"vector", std::move(outputs)}}));
  auto part = Spec::FromJson(document);
  GYRE_CHECK(part);  // a part of what was compiled already
  return *std::move(part);
}

Result<> CheckRoles(const Spec& spec, std::string_view target) {
  const Roles& roles = spec.roles();
  if (!roles.label.empty() && !target.empty() && roles.label != target) {
    return InvalidArgument("GY3118", "the recipe predicts `{}`, and `{}` is to be predicted",
                           roles.label, target)
        .Fix(fmt::format("--target {}", roles.label))
        .Fix("leave `label` out of the recipe's `input`");
  }
  GYRE_DO(CheckNotRead(spec, roles.label.empty() ? target : roles.label));
  if (const Step* const step = ReaderOf(spec, roles.key); step != nullptr) {
    return InvalidArgument("GY3116", "step `{}` reads `{}`, the key of the rows", step->id,
                           roles.key)
        .Why("new rows are of new keys, of which the model knows nothing")
        .Fix(fmt::format("leave step `{}` out", step->id))
        .Fix("leave `key` out of the recipe's `input`");
  }
  return {};
}

Result<> CheckAgainst(const Spec& spec, const table::Schema& data, std::string_view target) {
  GYRE_DO(CheckRoles(spec, target));
  for (const std::string& name : {spec.roles().label, spec.roles().time, spec.roles().key}) {
    if (!name.empty() && !Has(data, name)) return NotInData(data, name);
  }
  for (const table::Field& wanted : spec.input()) {
    const auto given = std::ranges::find(data, wanted.name, &table::Field::name);
    if (given == data.end()) return NotInData(data, wanted.name);
    if (!Serves(given->type, wanted.type)) {
      return OtherType(wanted, given->type)
          .Fix(fmt::format("or say `{}: {}` in input.schema", wanted.name,
                           table::TypeName(given->type)));
    }
  }
  return {};
}

}  // namespace gyre::recipes

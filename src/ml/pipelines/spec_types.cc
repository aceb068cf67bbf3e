// What a reference leads to is what is asked for: as far as that can be known before anything runs.
#include <algorithm>

#include "base/text.h"
#include "ml/pipelines/expression.h"
#include "ml/pipelines/plain_text.h"
#include "ml/pipelines/spec_reader.h"

namespace gyre::pipelines {
namespace {

template <class List>
std::optional<ValueType> TypeNamed(const List& list, std::string_view name) {
  for (const auto& one : list) {
    if (one.name == name) return one.type;
  }
  return std::nullopt;
}

}  // namespace

// Nothing when only the value itself tells, as of an item.
std::optional<ValueType> SpecReader::TypeOf(std::string_view path, const Step& reader) const {
  const auto parts = Split(path, '.');
  const std::string_view rest = path.substr(std::min(path.size(), parts[0].size() + 1));
  if (path == "index") return ValueType::kInt;
  if (parts[0] == "item") return std::nullopt;
  if (parts[0] == "params") return TypeNamed(spec_.params, rest);
  if (parts[0] == "inputs")
    return spec_.is_component ? TypeNamed(spec_.params, rest) : TypeNamed(reader.input_types, rest);
  const Step* const source = parts[0] == "steps" ? FindStep(parts[1]) : nullptr;
  if (source == nullptr || parts[2] != "outputs") return ValueType::kText;
  if (source->has_loop()) return ValueType::kList;
  return TypeNamed(source->outputs, path.substr(parts[0].size() + parts[1].size() + 10));
}

Result<> SpecReader::CheckType(const Path& path, const Json& value, ValueType wanted,
                               const Step& reader) const {
  const bool refers = value.is_string() && value.AsString().find("${") != std::string::npos;
  if (!refers) {
    if (Fits(wanted, value)) return {};
    return At(path, InvalidArgument("GY4728", "`{}` is to be {}, and {} is not", Join(path, "."),
                                    ValueTypeName(wanted), PlainText(value.Dump(), 60)));
  }
  const auto only = OnlyPath(value.AsString());
  const auto type = only ? TypeOf(*only, reader) : ValueType::kText;
  if (!type || Suits(*type, wanted)) return {};
  Error error = InvalidArgument("GY4728", "`{}` is to be {}, and `{}` is {}", Join(path, "."),
                                ValueTypeName(wanted), value.AsString(), ValueTypeName(*type));
  const bool of_loop = *type == ValueType::kList && only && only->starts_with("steps.");
  return At(path, of_loop ? std::move(error).Why("a step with for_each makes one for each item")
                          : std::move(error).Fix(fmt::format("declare it as {} where it is made",
                                                             ValueTypeName(wanted))));
}

Result<> SpecReader::CheckTypes() const {
  for (const Step& step : spec_.steps) {
    const Path where = spec_.is_component ? Path{} : Path{"steps", step.name};
    const auto below = [&](std::string_view key, std::string_view name = {}) {
      Path path = where;
      path.emplace_back(key);
      if (!name.empty()) path.emplace_back(name);
      return path;
    };
    for (const OutputSpec& input : step.input_types) {
      if (const Json* value = step.inputs.Find(input.name))
        GYRE_DO(CheckType(below("inputs", input.name), *value, input.type, step));
    }
    for (const KindKey& key : FindKind(step.kind)->keys) {
      const Json* value = step.with.Find(key.name);
      if (value != nullptr && value->is_string() && OnlyPath(value->AsString()))
        GYRE_DO(CheckType(below(key.name), *value, key.type, step));
    }
    if (step.for_each.is_string())
      GYRE_DO(CheckType(below("for_each"), step.for_each, ValueType::kList, step));
  }
  return {};
}

}  // namespace gyre::pipelines

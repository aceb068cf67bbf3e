#include "ml/pipelines/spec.h"

#include <algorithm>
#include <array>
#include <map>
#include <set>

#include "base/text.h"
#include "ml/pipelines/expression.h"
#include "ml/pipelines/plain_text.h"
#include "ml/pipelines/spec_reader.h"

namespace gyre::pipelines {
namespace {

constexpr std::array<std::string_view, 7> kTypeNames = {"text", "int",  "number", "bool",
                                                        "list", "json", "file"};

}  // namespace

std::string_view ValueTypeName(ValueType type) {
  return kTypeNames[static_cast<std::size_t>(type)];
}

std::optional<ValueType> ParseValueType(std::string_view name) {
  const auto found = std::ranges::find(kTypeNames, name);
  if (found == kTypeNames.end()) return std::nullopt;
  return static_cast<ValueType>(found - kTypeNames.begin());
}

bool Fits(ValueType type, const Json& value) {
  switch (type) {
    case ValueType::kText:
    case ValueType::kFile:
      return value.is_string();
    case ValueType::kInt:
      return value.is_int();
    case ValueType::kNumber:
      return value.is_number();
    case ValueType::kBool:
      return value.is_bool();
    case ValueType::kList:
      return value.is_array();
    case ValueType::kJson:
      return true;
  }
  return false;
}

// A file stands for its path; what json holds is seen when it is there.
bool Suits(ValueType from, ValueType to) {
  return from == to || from == ValueType::kJson || to == ValueType::kJson ||
         (from == ValueType::kInt && to == ValueType::kNumber) ||
         (from == ValueType::kFile && to == ValueType::kText);
}

Result<Json> ValueFromText(ValueType type, std::string_view name, std::string_view text) {
  if (type == ValueType::kText || type == ValueType::kFile) return Json(text);
  const std::string_view trimmed = Trim(text);
  if (type == ValueType::kInt) {
    if (const auto whole = ParseInt(trimmed)) return Json(*whole);
  } else if (type == ValueType::kNumber) {
    if (const auto number = ParseDouble(trimmed)) return Json(*number);
  } else if (type == ValueType::kBool) {
    if (trimmed == "true" || trimmed == "false") return Json(trimmed == "true");
  } else if (auto parsed = Json::Parse(trimmed); parsed && Fits(type, *parsed)) {
    return *std::move(parsed);
  } else if (type == ValueType::kList && !trimmed.starts_with('[')) {
    Json list = Json::Arr();  // a,b,c
    for (const std::string_view part : Split(trimmed, ',')) {
      const auto whole = ParseInt(Trim(part));
      list.Push(whole ? Json(*whole) : Json(Trim(part)));
    }
    return list;
  }
  return InvalidArgument("GY4706", "`{}` is to be {}, and `{}` is not", name, ValueTypeName(type),
                         PlainText(trimmed, 60));
}

Result<Json> BindParams(const Spec& spec, const Json& given) {
  std::vector<std::string> names;
  for (const Param& param : spec.params) names.push_back(param.name);
  for (const auto& [name, value] : given.members()) {
    if (std::ranges::find(names, name) != names.end()) continue;
    Error error = InvalidArgument("GY4705", "pipeline `{}` has no parameter `{}`", spec.name, name);
    if (const auto close = ClosestMatch(name, names))
      return Error(std::move(error).Fix(fmt::format("did you mean `{}`?", *close)));
    return Error(
        std::move(error).Fix(names.empty() ? "it takes none" : "it takes " + Join(names, ", ")));
  }
  Json bound = Json::Obj();
  for (const Param& param : spec.params) {
    const Json* value = given.Find(param.name);
    if (value == nullptr && !param.default_value)
      return InvalidArgument("GY4705", "pipeline `{}` needs the parameter `{}`", spec.name,
                             param.name)
          .Fix(fmt::format("-p {}={}", param.name, ToLower(ValueTypeName(param.type))));
    const Json& chosen = value != nullptr ? *value : *param.default_value;
    if (!Fits(param.type, chosen))
      return InvalidArgument("GY4705", "the parameter `{}` is to be {}, and {} is not", param.name,
                             ValueTypeName(param.type), PlainText(chosen.Dump(), 60));
    bound.Set(param.name, chosen);
  }
  return bound;
}

Result<Json> ParamsFromTexts(const Spec& spec, std::span<const std::string> texts) {
  Json given = Json::Obj();
  for (const std::string& text : texts) {
    const std::size_t sign = text.find('=');
    if (sign == std::string::npos)
      return InvalidArgument("GY4705", "`{}` is no parameter", text).Fix("-p NAME=VALUE");
    const std::string name = text.substr(0, sign);
    const auto param = std::ranges::find(spec.params, name, &Param::name);
    const ValueType type = param == spec.params.end() ? ValueType::kText : param->type;
    GYRE_TRY(Json value, ValueFromText(type, name, std::string_view(text).substr(sign + 1)));
    given.Set(name, std::move(value));
  }
  return given;
}

namespace {

Json StepToJson(const Step& step) {
  Json outputs = Json::Obj(), input_types = Json::Obj(), needs = Json::Arr();
  for (const OutputSpec& output : step.outputs)
    outputs.Set(output.name, ValueTypeName(output.type));
  for (const OutputSpec& input : step.input_types)
    input_types.Set(input.name, ValueTypeName(input.type));
  for (const std::string& need : step.needs) needs.Push(need);
  Json json = Json::Obj({{"name", step.name},
                         {"kind", step.kind},
                         {"needs", std::move(needs)},
                         {"with", step.with},
                         {"inputs", step.inputs},
                         {"input_types", std::move(input_types)},
                         {"outputs", std::move(outputs)},
                         {"when", step.when},
                         {"for_each", step.for_each},
                         {"max_parallel", step.parallel_max}});
  json.Set("retries", Json::Obj({{"max", step.retries.max},
                                 {"backoff_us", step.retries.backoff_us},
                                 {"factor", step.retries.factor},
                                 {"memory_factor", step.retries.memory_factor}}))
      .Set("timeout_us", step.timeout_us)
      .Set("stall_us", step.stall_us)
      .Set("cpus", step.resources.cpus)
      .Set("memory_bytes", step.resources.memory_bytes)
      .Set("always", step.always)
      .Set("effects_external", step.effects_external)
      .Set("cache_us", step.cache_us ? Json(*step.cache_us) : Json());
  if (step.resources.gpus > 0) json.Set("gpus", step.resources.gpus);
  return json;
}

Step StepFromJson(const Json& json) {
  Step step;
  step.name = json["name"].AsString();
  step.kind = json["kind"].AsString();
  for (const Json& need : json["needs"].items()) step.needs.push_back(need.AsString());
  step.with = json["with"];
  step.inputs = json["inputs"];
  for (const auto& [name, type] : json["outputs"].members())
    step.outputs.push_back({name, ParseValueType(type.AsString()).value_or(ValueType::kText)});
  for (const auto& [name, type] : json["input_types"].members())
    step.input_types.push_back({name, ParseValueType(type.AsString()).value_or(ValueType::kJson)});
  step.when = json["when"].AsString();
  step.for_each = json["for_each"];
  step.parallel_max = static_cast<int>(json["max_parallel"].AsInt());
  step.retries = {static_cast<int>(json["retries"]["max"].AsInt()),
                  json["retries"]["backoff_us"].AsInt(), json["retries"]["factor"].AsDouble(2),
                  json["retries"]["memory_factor"].AsDouble(1)};
  step.timeout_us = json["timeout_us"].AsInt();
  step.stall_us = json["stall_us"].AsInt();
  step.resources = {static_cast<int>(json["cpus"].AsInt()), json["memory_bytes"].AsInt(),
                    static_cast<int>(json["gpus"].AsInt())};
  step.always = json["always"].AsBool();
  step.effects_external = json["effects_external"].AsBool();
  if (!json["cache_us"].is_null()) step.cache_us = json["cache_us"].AsInt();
  return step;
}

}  // namespace

Json SpecToJson(const Spec& spec) {
  Json params = Json::Arr(), steps = Json::Arr();
  for (const Param& param : spec.params) {
    Json one = Json::Obj({{"name", param.name}, {"type", ValueTypeName(param.type)}});
    if (param.default_value) one.Set("default", *param.default_value);
    params.Push(std::move(one));
  }
  for (const Step& step : spec.steps) steps.Push(StepToJson(step));
  return Json::Obj({{"name", spec.name},
                    {"description", spec.description},
                    {"is_component", spec.is_component},
                    {"params", std::move(params)},
                    {"steps", std::move(steps)},
                    {"outputs", spec.outputs},
                    {"max_parallel", spec.parallel_max},
                    {"takes_nothing", spec.takes_nothing}});
}

Spec SpecFromJson(const Json& json) {
  Spec spec;
  spec.name = json["name"].AsString();
  spec.description = json["description"].AsString();
  spec.is_component = json["is_component"].AsBool();
  for (const Json& one : json["params"].items()) {
    Param param{one["name"].AsString(),
                ParseValueType(one["type"].AsString()).value_or(ValueType::kText), std::nullopt};
    if (const Json* value = one.Find("default")) param.default_value = *value;
    spec.params.push_back(std::move(param));
  }
  for (const Json& step : json["steps"].items()) spec.steps.push_back(StepFromJson(step));
  spec.outputs = json["outputs"];
  spec.parallel_max = static_cast<int>(json["max_parallel"].AsInt());
  spec.takes_nothing = json["takes_nothing"].AsBool();
  return spec;
}

Result<Spec> ParseSpec(std::string_view text, std::string_view source,
                       std::span<const KindFacts> kinds, const FindComponent& find) {
  return SpecReader(text, source, kinds, find).Read();
}

}  // namespace gyre::pipelines

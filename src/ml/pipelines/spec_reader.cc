#include "ml/pipelines/spec_reader.h"

#include <algorithm>
#include <map>

#include "base/text.h"
#include "ml/pipelines/expression.h"
#include "ml/pipelines/plain_text.h"
#include "platform/config/settings.h"
#include "platform/config/yaml.h"

namespace gyre::pipelines {
namespace {

constexpr std::string_view kShared[] = {"kind",    "use",     "needs",         "inputs",
                                        "outputs", "when",    "for_each",      "max_parallel",
                                        "retries", "timeout", "stall_timeout", "resources",
                                        "always",  "effects", "cache"};

std::vector<std::string> Names(std::span<const std::string_view> names) {
  return {names.begin(), names.end()};
}

template <class... Parts>
std::vector<std::string> Below(std::vector<std::string> path, Parts&&... parts) {
  (path.emplace_back(std::forward<Parts>(parts)), ...);
  return path;
}

}  // namespace

Error SpecReader::At(const Path& path, Error error) const {
  const int line = config::YamlLineAt(text_, path);
  return Error(std::move(error).Where(line > 0 ? fmt::format("{}:{}", source_, line)
                                               : std::string(source_)));
}

Error SpecReader::Bad(const Path& path, std::string_view rule) const {
  return At(path, InvalidArgument("GY4702", "`{}` {}", Join(path, "."), rule));
}

Result<> SpecReader::CheckKeys(const Path& path, const Json& json,
                               std::span<const std::string> known) const {
  for (const auto& [key, value] : json.members()) {
    if (std::ranges::find(known, key) != known.end()) continue;
    Error error = InvalidArgument("GY4701", "{} has no `{}`",
                                  path.empty() ? "a pipeline" : "`" + Join(path, ".") + "`", key);
    const auto close = ClosestMatch(key, known);
    return At(Below(path, key),
              std::move(error).Fix(close ? fmt::format("did you mean `{}`?", *close)
                                         : "it takes " + Join(known, ", ")));
  }
  return {};
}

Result<Spec> SpecReader::Read() {
  if (text_.size() > kSpecBytesMax)
    return InvalidArgument("GY4702", "{} is larger than {}", source_, HumanBytes(kSpecBytesMax));
  GYRE_TRY(const Json json, config::ParseYaml(text_, source_));
  if (!json.is_object())
    return At({}, InvalidArgument("GY4702", "{} is no pipeline", source_)
                      .Fix("name: NAME, then steps: with one key for each"));
  spec_.is_component = json.Has("component");
  const std::string key = spec_.is_component ? "component" : "name";
  if (!json[key].is_string())
    return At({}, InvalidArgument("GY4701", "the pipeline has no name").Fix("name: nightly"));
  spec_.name = json[key].AsString();
  if (auto named = CheckName(spec_.is_component ? "component" : "pipeline", spec_.name); !named)
    return At({key}, std::move(named).error());
  spec_.description = json["description"].AsString();
  if (spec_.is_component) {
    GYRE_DO(ReadParams({"inputs"}, json["inputs"], &spec_.params));
    Json body = json;
    body.Set("inputs", Json());
    GYRE_TRY(Step step, ReadBody({}, body));
    step.name = spec_.name;
    spec_.steps.push_back(std::move(step));
    GYRE_DO(CheckReferences());
    return std::move(spec_);
  }
  const std::string known[] = {"name", "description", "params", "steps", "outputs", "max_parallel"};
  GYRE_DO(CheckKeys({}, json, known));
  GYRE_DO(ReadParams({"params"}, json["params"], &spec_.params));
  if (const Json* max = json.Find("max_parallel")) {
    GYRE_TRY(spec_.parallel_max, Count({"max_parallel"}, *max, 10'000));
  }
  GYRE_DO(ReadSteps(json["steps"]));
  spec_.outputs = json["outputs"];
  if (!spec_.outputs.is_null() && !spec_.outputs.is_object())
    return Bad({"outputs"}, "must hold one reference for each name");
  GYRE_DO(CheckReferences());
  return std::move(spec_);
}

Result<> SpecReader::ReadParams(const Path& path, const Json& json, std::vector<Param>* params) {
  if (json.is_null()) return {};
  if (!json.is_object()) return Bad(path, "must hold one type for each name");
  for (const auto& [name, value] : json.members()) {
    if (auto named = CheckName("parameter", name); !named)
      return At(Below(path, name), std::move(named).error());
    GYRE_TRY(Param param, ReadParam(Below(path, name), name, value));
    params->push_back(std::move(param));
  }
  return {};
}

// `seed: int`, or `seed: {type: int, default: 3}`.
Result<Param> SpecReader::ReadParam(const Path& path, const std::string& name, const Json& json) {
  Param param{name, ValueType::kText, std::nullopt};
  if (json.is_object()) {
    const std::string known[] = {"type", "default", "description"};
    GYRE_DO(CheckKeys(path, json, known));
  }
  const std::string type = json.is_object() ? json["type"].StringOr("text") : json.AsString();
  const auto parsed = ParseValueType(type);
  if (!parsed)
    return At(path,
              InvalidArgument("GY4702", "`{}` is no type", json.is_object() ? type : json.Dump())
                  .Fix("text, int, number, bool, list, json or file"));
  param.type = *parsed;
  if (const Json* value = json.is_object() ? json.Find("default") : nullptr) {
    if (!Fits(param.type, *value))
      return Bad(Below(path, "default"),
                 fmt::format("is {}, and the type is {}", PlainText(value->Dump(), 60), type));
    param.default_value = *value;
  }
  return param;
}

Result<> SpecReader::ReadSteps(const Json& json) {
  if (!json.is_object() || json.size() == 0)
    return At({"steps"}, InvalidArgument("GY4702", "pipeline `{}` has no steps", spec_.name)
                             .Fix("steps: {first: {command: [echo, hello]}}"));
  if (json.size() > kStepsMax)
    return Bad({"steps"}, fmt::format("are {}, at most {}; use for_each", json.size(), kStepsMax));
  for (const auto& [name, value] : json.members()) {
    const Path path = {"steps", name};
    if (auto named = CheckName("step", name); !named) return At(path, std::move(named).error());
    if (name.find('.') != std::string::npos)
      return At(path, InvalidArgument("GY4702", "the name of step `{}` holds a dot", name)
                          .Why("in references a dot separates names")
                          .Fix("use `-` or `_`"));
    GYRE_TRY(Step step, ReadStep(path, name, value));
    spec_.steps.push_back(std::move(step));
  }
  return {};
}

Result<Step> SpecReader::ReadStep(const Path& path, const std::string& name, const Json& json) {
  if (!json.is_object())
    return At(path,
              InvalidArgument("GY4702", "step `{}` must say what it does", name)
                  .Fix("command: [PROGRAM, WORD...], shell: TEXT, or kind: and what it takes"));
  auto read = json.Has("use") ? UseComponent(path, json) : ReadBody(path, json);
  if (!read) return std::move(read).error();
  read->name = name;
  return read;
}

const KindFacts* SpecReader::FindKind(std::string_view name) const {
  const auto found = std::ranges::find(kinds_, name, &KindFacts::name);
  return found == kinds_.end() ? nullptr : &*found;
}

std::vector<std::string> SpecReader::KeysOfAnyKind() const {
  std::vector<std::string> keys = Names(kShared);
  if (spec_.is_component) keys.insert(keys.end(), {"component", "description"});
  for (const KindFacts& kind : kinds_) {
    for (const KindKey& key : kind.keys) keys.emplace_back(key.name);
  }
  return keys;
}

Result<Step> SpecReader::ReadBody(const Path& path, const Json& json) {
  Step step;
  step.kind = json["kind"].AsString();
  // `shell: ...` says its kind by itself; beside another such key, `command` is only what that kind
  // runs.
  for (const KindFacts& kind : kinds_) {
    const bool unsaid = step.kind.empty() || (step.kind == "command" && !json.Has("kind"));
    if (unsaid && json.Has(kind.name)) step.kind = kind.name;
  }
  const KindFacts* const kind = FindKind(step.kind);
  if (kind == nullptr) {
    std::vector<std::string> names;
    for (const KindFacts& one : kinds_) names.emplace_back(one.name);
    // `shel: ...` is a key that nobody knows, more than a step without a kind.
    if (step.kind.empty()) GYRE_DO(CheckKeys(path, json, KeysOfAnyKind()));
    Error error = step.kind.empty()
                      ? InvalidArgument("GY4704", "`{}` does not say what it does", Join(path, "."))
                      : InvalidArgument("GY4704", "there is no kind of step `{}`", step.kind);
    const auto close = ClosestMatch(step.kind, names);
    return At(Below(path, "kind"),
              std::move(error).Fix(close ? fmt::format("did you mean `{}`?", *close)
                                         : "kind: one of " + Join(names, ", ")));
  }
  std::vector<std::string> known = Names(kShared);
  if (spec_.is_component) known.insert(known.end(), {"component", "description"});
  for (const KindKey& key : kind->keys) known.emplace_back(key.name);
  GYRE_DO(CheckKeys(path, json, known));
  step.with = Json::Obj();
  for (const KindKey& key : kind->keys) {
    const Json* value = json.Find(key.name);
    if (value == nullptr && key.required)
      return At(path, InvalidArgument("GY4702", "`{}` is of kind {} and has no `{}`",
                                      Join(path, "."), kind->name, key.name)
                          .Fix(fmt::format("{}: ...", key.name)));
    if (value != nullptr) step.with.Set(key.name, *value);
  }
  for (const OutputSpec& output : kind->outputs) step.outputs.push_back(output);
  if (json.Has("outputs") && !kind->declares_outputs)
    return Bad(Below(path, "outputs"), fmt::format("are fixed for a step of kind {}", kind->name));
  GYRE_DO(ReadOutputs(Below(path, "outputs"), json["outputs"], &step));
  GYRE_DO(ReadShared(path, json, &step));
  return step;
}

// A component's step, with what this one says about inputs and scheduling.
Result<Step> SpecReader::UseComponent(const Path& path, const Json& json) {
  for (const std::string_view own : {"kind", "outputs"}) {
    if (json.Has(own)) return Bad(Below(path, own), "comes from the component that is used");
  }
  GYRE_DO(CheckKeys(path, json, Names(kShared)));
  auto found = find_(json["use"].AsString());
  if (!found) return At(Below(path, "use"), std::move(found).error());
  Step step = found->steps.at(0);
  Json inputs = Json::Obj();
  std::vector<std::string> names;
  for (const Param& param : found->params) names.push_back(param.name);
  GYRE_DO(CheckKeys(Below(path, "inputs"), json["inputs"], names));
  for (const Param& param : found->params) {
    const Json* given = json["inputs"].Find(param.name);
    if (given == nullptr && !param.default_value)
      return At(path, InvalidArgument("GY4702", "component `{}` needs the input `{}`", found->name,
                                      param.name)
                          .Fix(fmt::format("inputs: {{{}: ...}}", param.name)));
    inputs.Set(param.name, given != nullptr ? *given : *param.default_value);
  }
  GYRE_DO(ReadShared(path, json, &step));
  step.inputs = std::move(inputs);
  step.input_types.clear();
  for (const Param& param : found->params) step.input_types.push_back({param.name, param.type});
  return step;
}

Result<> SpecReader::ReadOutputs(const Path& path, const Json& json, Step* step) {
  if (json.is_null()) return {};
  if (!json.is_object()) return Bad(path, "must hold one type for each name");
  for (const auto& [name, value] : json.members()) {
    if (auto named = CheckName("output", name); !named)
      return At(Below(path, name), std::move(named).error());
    const auto type = ParseValueType(value.AsString());
    if (!type)
      return At(Below(path, name),
                InvalidArgument("GY4702", "`{}` is no type of an output", value.Dump())
                    .Fix("text, int, number, bool, list, json or file"));
    step->outputs.push_back({name, *type});
  }
  return {};
}

Result<std::int64_t> SpecReader::Time(const Path& path, const Json& json) const {
  double seconds = json.AsDouble(-1);
  if (json.is_string()) {
    const auto parsed = config::ParseSeconds(json.AsString());
    if (parsed) seconds = *parsed;
  }
  if (!(seconds >= 0) || seconds > 1e8)
    return At(path, InvalidArgument("GY4702", "`{}` is {}, no time", Join(path, "."), json.Dump())
                        .Fix("30s, 5m, 2h or seconds"));
  return static_cast<std::int64_t>(seconds * 1e6);
}

Result<int> SpecReader::Count(const Path& path, const Json& json, std::int64_t max) const {
  if (!json.is_int() || json.AsInt() < 0 || json.AsInt() > max)
    return Bad(path, fmt::format("must be a whole number up to {}", max));
  return static_cast<int>(json.AsInt());
}

Result<> SpecReader::ReadRetries(const Path& path, const Json& json, Retries* retries) {
  constexpr std::int64_t kRetriesMax = 100;
  if (!json.is_object()) {
    GYRE_TRY(retries->max, Count(path, json, kRetriesMax));
    return {};
  }
  const std::string known[] = {"max", "backoff", "factor", "memory_factor"};
  GYRE_DO(CheckKeys(path, json, known));
  GYRE_TRY(retries->max, Count(Below(path, "max"), json["max"], kRetriesMax));
  if (const Json* backoff = json.Find("backoff")) {
    GYRE_TRY(retries->backoff_us, Time(Below(path, "backoff"), *backoff));
  }
  for (const auto& [key, member] :
       {std::pair{"factor", &retries->factor}, {"memory_factor", &retries->memory_factor}}) {
    const Json* factor = json.Find(key);
    if (factor == nullptr) continue;
    *member = factor->AsDouble();
    if (!factor->is_number() || *member < 1 || *member > 100)
      return Bad(Below(path, key), "must be a number from 1 to 100");
  }
  return {};
}

Result<> SpecReader::ReadResources(const Path& path, const Json& json, Resources* resources) {
  const std::string known[] = {"cpus", "memory", "gpus"};
  if (!json.is_object()) return Bad(path, "must hold cpus, memory or gpus");
  GYRE_DO(CheckKeys(path, json, known));
  if (const Json* cpus = json.Find("cpus")) {
    GYRE_TRY(resources->cpus, Count(Below(path, "cpus"), *cpus, 4096));
  }
  if (const Json* gpus = json.Find("gpus")) {
    GYRE_TRY(resources->gpus, Count(Below(path, "gpus"), *gpus, 1024));
  }
  if (const Json* memory = json.Find("memory")) {
    const auto bytes = memory->is_string() ? config::ParseBytes(memory->AsString())
                                           : Result<double>(memory->AsDouble());
    if (!bytes || *bytes < 1e6)
      return At(Below(path, "memory"),
                InvalidArgument("GY4702", "`{}` is no size", memory->Dump()).Fix("512MiB or 4GB"));
    resources->memory_bytes = static_cast<std::int64_t>(*bytes);
  }
  return {};
}

// true, false, or how long a result may be taken again.
Result<> SpecReader::ReadCache(const Path& path, const Json& json, Step* step) {
  if (json.is_bool()) {
    step->cache_us = json.AsBool() ? std::optional<std::int64_t>(0) : std::nullopt;
    return {};
  }
  GYRE_TRY(const std::int64_t time, Time(path, json));
  step->cache_us = time;
  return {};
}

Result<> SpecReader::ReadNeeds(const Path& path, const Json& json, Step* step) {
  const Json::Array one = {json};
  for (const Json& need : json.is_string() ? one : json.items()) {
    if (!need.is_string()) return Bad(path, "must be names of steps");
    step->needs.push_back(need.AsString());
  }
  return {};
}

// `rows: ${...}`, or `rows: {type: file, value: ${...}}`.
Result<> SpecReader::ReadInputs(const Path& path, const Json& json, Step* step) {
  if (!json.is_object()) return Bad(path, "must hold one value for each name");
  step->inputs = Json::Obj();
  for (const auto& [name, value] : json.members()) {
    const bool typed = value.size() == 2 && value["type"].is_string() && value.Has("value");
    step->inputs.Set(name, typed ? value["value"] : value);
    if (!typed) continue;
    const auto type = ParseValueType(value["type"].AsString());
    if (!type)
      return At(Below(path, name),
                InvalidArgument("GY4702", "`{}` is no type", value["type"].AsString())
                    .Fix("text, int, number, bool, list, json or file"));
    step->input_types.push_back({name, *type});
  }
  return {};
}

Result<> SpecReader::ReadShared(const Path& path, const Json& json, Step* step) {
  for (const std::string_view flag : {"always"}) {
    if (json.Has(flag) && !json[flag].is_bool())
      return Bad(Below(path, flag), "must be true or false");
  }
  GYRE_DO(ReadNeeds(Below(path, "needs"), json["needs"], step));
  if (!json["inputs"].is_null()) GYRE_DO(ReadInputs(Below(path, "inputs"), json["inputs"], step));
  if (const Json* when = json.Find("when")) {
    step->when = when->is_bool() ? when->Dump() : when->AsString();
    if (step->when.empty()) return Bad(Below(path, "when"), "must be a condition");
  }
  if (const Json* each = json.Find("for_each")) {
    if (!each->is_array() && !each->is_string())
      return At(Below(path, "for_each"), InvalidArgument("GY4702", "`for_each` goes over a list")
                                             .Fix("for_each: [1, 2, 3], or ${params.NAME}"));
    step->for_each = *each;
  }
  if (const Json* max = json.Find("max_parallel")) {
    GYRE_TRY(step->parallel_max, Count(Below(path, "max_parallel"), *max, 10'000));
  }
  if (const Json* retries = json.Find("retries"))
    GYRE_DO(ReadRetries(Below(path, "retries"), *retries, &step->retries));
  if (const Json* time = json.Find("timeout")) {
    GYRE_TRY(step->timeout_us, Time(Below(path, "timeout"), *time));
  }
  if (const Json* time = json.Find("stall_timeout")) {
    GYRE_TRY(step->stall_us, Time(Below(path, "stall_timeout"), *time));
  }
  if (const Json* resources = json.Find("resources"))
    GYRE_DO(ReadResources(Below(path, "resources"), *resources, &step->resources));
  if (const Json* cache = json.Find("cache"))
    GYRE_DO(ReadCache(Below(path, "cache"), *cache, step));
  if (json.Has("always")) step->always = json["always"].AsBool();
  if (const Json* effects = json.Find("effects")) {
    if (effects->AsString() != "external")
      return Bad(Below(path, "effects"), "can only be external");
    step->effects_external = true;
  }
  return {};
}

}  // namespace gyre::pipelines

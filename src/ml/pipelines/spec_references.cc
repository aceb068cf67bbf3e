// What a pipeline's parts say of one another: references that lead somewhere, and no circle.
#include <algorithm>
#include <map>

#include "base/text.h"
#include "ml/pipelines/expression.h"
#include "ml/pipelines/spec_reader.h"

namespace gyre::pipelines {
namespace {

bool HasName(const Json& object, std::string_view name) { return object.Find(name) != nullptr; }

}  // namespace

const Step* SpecReader::FindStep(std::string_view name) const {
  const auto found = std::ranges::find(spec_.steps, name, &Step::name);
  return found == spec_.steps.end() ? nullptr : &*found;
}

Result<> SpecReader::CheckReferences() {
  for (Step& step : spec_.steps) GYRE_DO(CheckStepReferences(&step));
  GYRE_TRY(const auto paths, PathsIn(spec_.outputs));
  std::set<std::string> needs;
  for (const std::string& path : paths) GYRE_DO(CheckPath({"outputs"}, path, nullptr, &needs));
  GYRE_DO(CheckTypes());
  return CheckCircles();
}

Result<> SpecReader::CheckStepReferences(Step* step) {
  const Path where = spec_.is_component ? Path{} : Path{"steps", step->name};
  std::set<std::string> needs;
  const auto check = [&](const std::string& key,
                         Result<std::vector<std::string>> paths) -> Result<> {
    Path at = where;
    at.push_back(key);
    if (!paths) return At(at, std::move(paths).error());
    for (const std::string& path : *paths) GYRE_DO(CheckPath(at, path, step, &needs));
    return {};
  };
  const KindFacts* const kind = FindKind(step->kind);
  for (const auto& [key, value] : step->with.members()) {
    const auto facts = std::ranges::find(kind->keys, key, &KindKey::name);
    if (facts == kind->keys.end() || !facts->verbatim) {
      GYRE_DO(check(key, PathsIn(value)));
      continue;
    }
    for (const std::string_view root : {"params", "steps", "inputs", "outputs"}) {
      const std::string reference = fmt::format("${{{}.", root);
      if (value.AsString().find(reference) == std::string::npos) continue;
      Path at = where;
      at.push_back(key);
      return At(
          at, InvalidArgument("GY4703", "`{}` is code: `{}...}}` is not filled in there", key,
                              reference)
                  .Why("text put into code could change what it does")
                  .Fix("read \"$GYRE_PARAM_NAME\", \"$GYRE_INPUT_NAME\" or \"$GYRE_OUTPUT_NAME\""));
    }
  }
  GYRE_DO(check("inputs", PathsIn(step->inputs)));
  GYRE_DO(check("for_each", PathsIn(step->for_each)));
  if (!step->when.empty()) GYRE_DO(check("when", PathsInCondition(step->when)));
  for (const std::string& need : step->needs) {
    if (FindStep(need) == nullptr || need == step->name) {
      Path at = where;
      at.push_back("needs");
      std::vector<std::string> names;
      for (const Step& other : spec_.steps) names.push_back(other.name);
      const auto close = ClosestMatch(need, names);
      return At(at, InvalidArgument("GY4703", "step `{}` needs `{}`, which is no other step",
                                    step->name, need)
                        .Fix(close ? fmt::format("did you mean `{}`?", *close)
                                   : "the steps are " + Join(names, ", ")));
    }
    needs.insert(need);
  }
  step->needs.assign(needs.begin(), needs.end());
  // What runs always and names nothing comes after all the others.
  if (step->always && step->needs.empty()) {
    for (const Step& other : spec_.steps) {
      if (!other.always) step->needs.push_back(other.name);
    }
  }
  return {};
}

Result<> SpecReader::CheckPath(const Path& where, const std::string& path, const Step* reader,
                               std::set<std::string>* needs) const {
  const auto parts = Split(path, '.');
  const auto refuse = [&](std::string_view rule) {
    return At(where, InvalidArgument("GY4703", "`${{{}}}` leads nowhere: {}", path, rule));
  };
  const std::string rest = path.substr(std::min(path.size(), parts[0].size() + 1));
  if (parts[0] == "params") {
    if (spec_.is_component) return refuse("a component reads ${inputs.NAME}");
    for (const Param& param : spec_.params) {
      if (param.name == rest) return {};
    }
    return refuse(fmt::format("there is no parameter `{}`", rest));
  }
  if (parts[0] == "item" || path == "index") {
    const bool loops = reader != nullptr && (reader->has_loop() || spec_.is_component);
    return loops ? Result<>{} : refuse("the step has no for_each");
  }
  if (path == "run.id" || path == "run.state" || path == "run.name" || path == "run.triggered_by")
    return {};
  if (parts[0] == "inputs" && reader != nullptr) {
    const bool declared = std::ranges::find(spec_.params, rest, &Param::name) != spec_.params.end();
    const bool given = spec_.is_component ? declared : HasName(reader->inputs, rest);
    return given ? Result<>{} : refuse(fmt::format("the step has no input `{}`", rest));
  }
  if (parts[0] == "outputs" && reader != nullptr) {
    const bool declared =
        std::ranges::find(reader->outputs, rest, &OutputSpec::name) != reader->outputs.end();
    return declared ? Result<>{} : refuse(fmt::format("the step has no output `{}`", rest));
  }
  if (parts[0] != "steps" || parts.size() < 3)
    return refuse("it begins with params., steps., inputs., outputs., run. or item");
  const Step* const source = FindStep(parts[1]);
  if (source == nullptr) return refuse(fmt::format("there is no step `{}`", parts[1]));
  if (source == reader) return refuse("a step cannot read its own result");
  needs->insert(source->name);
  if (parts[2] == "state" && parts.size() == 3) return {};
  if (parts[2] != "outputs" || parts.size() < 4)
    return refuse("steps.STEP.outputs.NAME or steps.STEP.state");
  const std::string output = path.substr(parts[0].size() + parts[1].size() + 10);
  if (std::ranges::find(source->outputs, output, &OutputSpec::name) == source->outputs.end())
    return refuse(fmt::format("step `{}` has no output `{}`", source->name, output));
  return {};
}

Result<> SpecReader::CheckCircles() const {
  std::map<std::string_view, std::size_t> open;  // step -> needs that are not in order yet
  std::map<std::string_view, std::vector<std::string_view>> users;
  std::vector<std::string_view> ready;
  for (const Step& step : spec_.steps) {
    open[step.name] = step.needs.size();
    if (step.needs.empty()) ready.push_back(step.name);
    for (const std::string& need : step.needs) users[need].push_back(step.name);
  }
  std::size_t ordered = 0;
  while (!ready.empty()) {
    const std::string_view step = ready.back();
    ready.pop_back();
    ++ordered;
    for (const std::string_view user : users[step]) {
      if (--open[user] == 0) ready.push_back(user);
    }
  }
  if (ordered == spec_.steps.size()) return {};
  std::vector<std::string> circle;
  for (const Step& step : spec_.steps) {
    if (open[step.name] > 0) circle.push_back(step.name);
  }
  return At({"steps", circle[0]},
            InvalidArgument("GY4703", "these steps wait for one another: {}", Join(circle, ", "))
                .Fix("take one of their `needs` or references away"));
}

}  // namespace gyre::pipelines

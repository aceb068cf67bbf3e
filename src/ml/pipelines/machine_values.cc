// What the references of a run stand for.
#include "base/text.h"
#include "ml/pipelines/machine.h"
#include "ml/pipelines/plain_text.h"

namespace gyre::pipelines {

// Of a loop, a list in the order of its items; null for those that made none.
std::optional<Json> Machine::OutputsOf(std::string_view step, std::string_view output) const {
  const auto found = step_index_.find(step);
  if (found == step_index_.end()) return std::nullopt;
  const StepFacts& facts = steps_[found->second];
  if (!plan_.steps[found->second].has_loop()) {
    if (facts.tasks.empty()) return std::nullopt;
    const Json* value = tasks_[facts.tasks[0]].outputs.Find(output);
    return value == nullptr ? std::nullopt : std::optional<Json>(*value);
  }
  if (facts.state != State::kSucceeded) return std::nullopt;
  Json list = Json::Arr();
  for (const std::size_t task : facts.tasks) {
    if (tasks_[task].item >= 0) list.Push(tasks_[task].outputs[output]);
  }
  return list;
}

std::optional<Json> Machine::LookUp(std::string_view path, const TaskRecord* task) const {
  const auto below = [&](std::string_view root) { return path.substr(root.size()); };
  if (path.starts_with("params.")) {
    const Json* value = run_.params.Find(below("params."));
    return value == nullptr ? std::nullopt : std::optional<Json>(*value);
  }
  if (path == "run.id") return Json(run_.id);
  if (path == "run.name") return Json(run_.pipeline);
  if (path == "run.state") return Json(std::string(StateName(WorstState())));
  if (path == "run.triggered_by") return Json(run_.triggered_by);
  if (task != nullptr && path == "index") return Json(task->item);
  if (task != nullptr && path == "item") return task->value;
  if (task != nullptr && path.starts_with("item.")) {
    const Json* value = task->value.Find(below("item."));
    return value == nullptr ? std::nullopt : std::optional<Json>(*value);
  }
  if (!path.starts_with("steps.")) return std::nullopt;
  const std::string_view rest = below("steps.");
  const std::size_t dot = rest.find('.');
  if (dot == std::string_view::npos) return std::nullopt;
  const std::string_view step = rest.substr(0, dot), what = rest.substr(dot + 1);
  if (what.starts_with("outputs.")) return OutputsOf(step, what.substr(8));
  const auto found = step_index_.find(step);
  if (what != "state" || found == step_index_.end()) return std::nullopt;
  return Json(StateName(steps_[found->second].state));
}

bool Machine::IsOfSkipped(std::string_view path) const {
  constexpr std::string_view kSteps = "steps.";
  if (!path.starts_with(kSteps)) return false;
  const std::string_view rest = path.substr(kSteps.size());
  const auto found = step_index_.find(rest.substr(0, rest.find('.')));
  return found != step_index_.end() && steps_[found->second].state == State::kSkipped;
}

Result<Machine::Filled> Machine::Fill(
    std::size_t task, const std::function<bool(std::string_view)>& verbatim,
    const std::function<std::string(std::string_view)>& output_path) const {
  const TaskRecord& record = tasks_[task];
  const Step& step = step_of(record);
  Filled filled;
  GYRE_TRY(filled.inputs, pipelines::Fill(step.inputs, [&](std::string_view path) {
             return LookUp(path, &record);
           }));
  for (const OutputSpec& input : step.input_types) {
    const Json* value = filled.inputs.Find(input.name);
    if (value != nullptr && !Fits(input.type, *value))
      return InvalidArgument("GY4729", "the input `{}` is to be {}, and {} is not", input.name,
                             ValueTypeName(input.type), PlainText(value->Dump(), 60));
  }
  filled.with = Json::Obj();
  const Lookup lookup = [&](std::string_view path) -> std::optional<Json> {
    if (path.starts_with("outputs.")) return Json(output_path(path.substr(8)));
    if (!path.starts_with("inputs.")) return LookUp(path, &record);
    const Json* value = filled.inputs.Find(path.substr(7));
    return value == nullptr ? std::nullopt : std::optional<Json>(*value);
  };
  for (const auto& [key, value] : step.with.members()) {
    if (verbatim(key)) {
      filled.with.Set(key, value);
      continue;
    }
    GYRE_TRY(Json one, pipelines::Fill(value, lookup));
    filled.with.Set(key, std::move(one));
  }
  return filled;
}

}  // namespace gyre::pipelines

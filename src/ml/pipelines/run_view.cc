#include "ml/pipelines/run_view.h"

#include <algorithm>
#include <map>

#include "base/text.h"
#include "base/time.h"
#include "ml/pipelines/programs.h"

namespace gyre::pipelines {
namespace {

Json Time(std::int64_t time_us) { return time_us == 0 ? Json() : Json(FormatTime(time_us)); }

Json Seconds(std::int64_t from_us, std::int64_t to_us) {
  if (from_us == 0 || to_us < from_us) return Json();
  return Json(static_cast<double>(to_us - from_us) / 1e6);
}

// What a task waits for or ended with; empty when there is nothing to say.
std::string StepState(const std::map<State, std::int64_t>& counts, std::int64_t all) {
  const auto count = [&](State state) {
    const auto found = counts.find(state);
    return found == counts.end() ? 0 : found->second;
  };
  if (all == 0) return "waiting";
  if (count(State::kRunning) > 0) return "running";
  if (count(State::kWaiting) > 0) return count(State::kWaiting) == all ? "waiting" : "running";
  if (count(State::kFailed) > 0) return "failed";
  if (count(State::kCancelled) > 0) return "cancelled";
  return count(State::kSucceeded) > 0 ? "succeeded" : "skipped";
}

Json AttemptToJson(const AttemptRecord& attempt) {
  return Json::Obj({{"attempt", attempt.number},
                    {"state", std::string(StateName(attempt.state))},
                    {"reason", attempt.reason},
                    {"reference", attempt.reference.empty() ? Json() : Json(attempt.reference)},
                    {"exit_code", attempt.exit_code},
                    {"started_at", Time(attempt.started_us)},
                    {"ended_at", Time(attempt.ended_us)},
                    {"cpu_seconds", attempt.cpu_seconds}});
}

struct WholeStep {
  std::map<State, std::int64_t> counts;
  std::int64_t all = 0, started_us = 0, ended_us = 0;
  double cpu_seconds = 0;
  std::string reason;
};

void Add(const PipelineStore::StepSum& part, WholeStep* whole) {
  whole->counts[part.state] += part.count;
  whole->all += part.count;
  whole->cpu_seconds += part.cpu_seconds;
  if (part.started_us != 0 && (whole->started_us == 0 || part.started_us < whole->started_us))
    whole->started_us = part.started_us;
  whole->ended_us = std::max(whole->ended_us, part.ended_us);
  const bool matters = whole->reason.empty() || part.state == State::kFailed;
  if (matters && !part.reason.empty()) whole->reason = part.reason;
}

Json StepToJson(const Step& step, const WholeStep& sum) {
  const std::string state = StepState(sum.counts, sum.all);
  const bool over = state != "running" && state != "waiting";
  Json counts = Json::Obj();
  for (const auto& [one, count] : sum.counts) counts.Set(StateName(one), count);
  Json needs = Json::Arr();
  for (const std::string& need : step.needs) needs.Push(need);
  return Json::Obj({{"step", step.name},
                    {"kind", step.kind},
                    {"needs", std::move(needs)},
                    {"state", state},
                    {"reason", sum.reason},
                    {"tasks", sum.all},
                    {"counts", std::move(counts)},
                    {"started_at", Time(sum.started_us)},
                    {"ended_at", over ? Time(sum.ended_us) : Json()},
                    {"seconds", over ? Seconds(sum.started_us, sum.ended_us) : Json()},
                    {"cpu_seconds", sum.cpu_seconds}});
}

}  // namespace

Json TaskToJson(const Step& step, const TaskRecord& task, const Json& attempts) {
  return Json::Obj({{"task", TaskName(step, task.item)},
                    {"step", step.name},
                    {"kind", step.kind},
                    {"item", task.item < 0 ? Json() : task.value},
                    {"state", std::string(StateName(task.state))},
                    {"reason", task.reason},
                    {"attempts", attempts},
                    {"started_at", Time(task.started_us)},
                    {"ended_at", Time(task.ended_us)},
                    {"seconds", Seconds(task.started_us, task.ended_us)},
                    {"cpu_seconds", task.cpu_seconds},
                    {"memory_bytes_peak", task.memory_bytes_peak},
                    {"cached_from", task.cached_from.empty() ? Json() : Json(task.cached_from)},
                    {"outputs", task.outputs}});
}

Result<Json> DescribeRun(const RunView& run, const PipelineStore::RunSums& sums) {
  GYRE_TRY(const Json plan, Json::Parse(sums.plan, 128));
  const Spec spec = SpecFromJson(plan);
  std::vector<WholeStep> wholes(spec.steps.size());
  std::int64_t tasks = 0;
  for (const PipelineStore::StepSum& part : sums.steps) {
    Add(part, &wholes[static_cast<std::size_t>(part.step)]);
    tasks += part.count;
  }
  Json steps = Json::Arr();
  for (std::size_t i = 0; i < wholes.size(); ++i) steps.Push(StepToJson(spec.steps[i], wholes[i]));
  Json document = RunToJson(run);
  document.Set("steps", std::move(steps)).Set("tasks_in_all", tasks);
  return document;
}

Result<Json> TasksOfRun(const StoredRun& stored, int limit) {
  GYRE_TRY(const Json plan, Json::Parse(stored.plan, 128));
  const Spec spec = SpecFromJson(plan);
  std::map<std::pair<int, std::int64_t>, Json> attempts;
  for (const AttemptRecord& attempt : stored.running)
    attempts[{attempt.step, attempt.item}].Push(AttemptToJson(attempt));
  Json tasks = Json::Arr();
  for (const TaskRecord& task : stored.tasks) {
    if (static_cast<int>(tasks.size()) >= limit) break;
    const auto found = attempts.find({task.step, task.item});
    tasks.Push(TaskToJson(spec.steps[static_cast<std::size_t>(task.step)], task,
                          found == attempts.end() ? Json::Arr() : found->second));
  }
  return tasks;
}

Result<std::size_t> FindStep(const Spec& spec, std::string_view name) {
  const auto at = std::ranges::find(spec.steps, name, &Step::name);
  if (at != spec.steps.end()) return static_cast<std::size_t>(at - spec.steps.begin());
  std::vector<std::string> names;
  for (const Step& one : spec.steps) names.push_back(one.name);
  const auto close = ClosestMatch(name, names);
  return NotFound("GY4713", "the run has no step `{}`", name)
      .Fix(close ? fmt::format("did you mean `{}`?", *close) : "one of " + Join(names, ", "));
}

Result<LoggedAttempt> FindAttempt(const StoredRun& stored, std::string_view name, int attempt) {
  GYRE_TRY(const Json plan, Json::Parse(stored.plan, 128));
  const Spec spec = SpecFromJson(plan);
  const std::size_t bracket = name.find('[');
  const std::string_view step = name.substr(0, bracket);
  LoggedAttempt found;
  if (bracket != std::string_view::npos && name.ends_with(']'))
    found.item = ParseInt(name.substr(bracket + 1, name.size() - bracket - 2)).value_or(-1);
  GYRE_TRY(const std::size_t place, FindStep(spec, step));
  found.step = spec.steps[place];
  const auto index = static_cast<int>(place);
  if (found.step.has_loop() && found.item < 0)
    return NotFound("GY4713", "step `{}` is a loop: name one of its items", step)
        .Fix(fmt::format("{}[0]", step));
  for (const TaskRecord& task : stored.tasks) {
    if (task.step == index && task.item == found.item) found.ended = HasEnded(task.state);
  }
  for (const AttemptRecord& one : stored.running) {
    if (one.step != index || one.item != found.item) continue;
    if (attempt != 0 && one.number != attempt) continue;
    found.number = one.number;
    found.reference = one.reference;
    if (attempt != 0) found.ended = HasEnded(one.state);
  }
  if (attempt != 0 && found.number == 0)
    return NotFound("GY4713", "`{}` has no attempt {}", name, attempt);
  return found;
}

}  // namespace gyre::pipelines

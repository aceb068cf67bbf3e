#include "ml/pipelines/machine.h"

#include <algorithm>
#include <array>
#include <cmath>

#include "base/text.h"
#include "ml/pipelines/plain_text.h"

namespace gyre::pipelines {
namespace {

constexpr int kLossesMax = 3;  // attempts that vanished one after the other
constexpr std::int64_t kPauseMaxUs = 3'600'000'000;
constexpr std::array<std::string_view, 6> kStateNames = {"waiting", "running", "succeeded",
                                                         "failed",  "skipped", "cancelled"};

std::int64_t PauseAfter(const Retries& retries, int tries) {
  const double pause =
      static_cast<double>(retries.backoff_us) * std::pow(retries.factor, std::max(0, tries - 1));
  return static_cast<std::int64_t>(std::min(pause, static_cast<double>(kPauseMaxUs)));
}

}  // namespace

std::string_view StateName(State state) { return kStateNames[static_cast<std::size_t>(state)]; }

State StateFromName(std::string_view name) {
  const auto found = std::ranges::find(kStateNames, name);
  return found == kStateNames.end() ? State::kFailed
                                    : static_cast<State>(found - kStateNames.begin());
}

Machine::Machine(Spec plan, RunRecord run, std::vector<TaskRecord> tasks,
                 std::vector<AttemptRecord> running, MakeNonce make_nonce)
    : plan_(std::move(plan)),
      run_(std::move(run)),
      tasks_(std::move(tasks)),
      make_nonce_(std::move(make_nonce)) {
  for (std::size_t i = 0; i < plan_.steps.size(); ++i) step_index_[plan_.steps[i].name] = i;
  Rebuild(running);
}

// The facts in memory, from the records alone.
void Machine::Rebuild(const std::vector<AttemptRecord>& running) {
  steps_.assign(plan_.steps.size(), {});
  running_.clear();
  pauses_.clear();
  ready_steps_.clear();
  to_expand_.clear();
  over_ = 0;
  for (std::size_t i = 0; i < steps_.size(); ++i) {
    steps_[i].needs_left = plan_.steps[i].needs.size();
    if (steps_[i].needs_left == 0) to_expand_.push_back(i);
    for (const std::string& need : plan_.steps[i].needs)
      steps_[step_index_.find(need)->second].users.push_back(i);
  }
  std::map<std::pair<int, std::int64_t>, std::size_t> by_key;
  for (std::size_t i = 0; i < tasks_.size(); ++i) {
    const TaskRecord& task = tasks_[i];
    by_key[{task.step, task.item}] = i;
    StepFacts& facts = steps_[static_cast<std::size_t>(task.step)];
    facts.tasks.push_back(i);
    if (HasEnded(task.state)) ++facts.ended;
    if (task.state == State::kFailed) ++facts.failed;
    if (task.state == State::kSucceeded) ++facts.succeeded;
    if (task.state == State::kCancelled) ++facts.cancelled;
  }
  for (const AttemptRecord& attempt : running) {
    const auto found = by_key.find({attempt.step, attempt.item});
    if (found == by_key.end()) continue;
    running_[found->second] = attempt;
    ++steps_[static_cast<std::size_t>(attempt.step)].running;
  }
}

void Machine::Touch(std::size_t task) {
  if (touched_.insert(task).second) changes_.tasks.push_back(task);
}

Changes Machine::TakeChanges() {
  touched_.clear();
  return std::exchange(changes_, {});
}

void Machine::Turn(std::int64_t now_us) {
  WakePaused(now_us);
  while (!to_expand_.empty()) {
    const std::size_t step = to_expand_.front();
    to_expand_.pop_front();
    Expand(step, now_us);
  }
  if (over_ == steps_.size() && !ended()) EndRun(now_us);
}

// Why a step that is not `always` may not run: a step that it needs did not succeed.
std::string Machine::BrokenNeed(const Step& step) const {
  if (step.always) return {};
  for (const std::string& need : step.needs) {
    const State state = steps_[step_index_.find(need)->second].state;
    if (state != State::kSucceeded)
      return fmt::format("step `{}` {}", need,
                         state == State::kFailed    ? "failed"
                         : state == State::kSkipped ? "was skipped"
                                                    : "was cancelled");
  }
  return {};
}

std::size_t Machine::TaskOf(std::size_t step, std::int64_t item) {
  StepFacts& facts = steps_[step];
  // Items come in order, behind the task that stood for a loop without a list, if there was one.
  const auto place = static_cast<std::size_t>(std::max<std::int64_t>(item, 0));
  for (const std::size_t at : {place, place + 1}) {
    if (at < facts.tasks.size() && tasks_[facts.tasks[at]].item == item) return facts.tasks[at];
  }
  for (std::size_t at = 0; place + 1 < facts.tasks.size() && at < facts.tasks.size(); ++at) {
    if (tasks_[facts.tasks[at]].item == item) return facts.tasks[at];
  }
  TaskRecord task;
  task.step = static_cast<int>(step);
  task.item = item;
  tasks_.push_back(std::move(task));
  facts.tasks.push_back(tasks_.size() - 1);
  Touch(tasks_.size() - 1);
  return tasks_.size() - 1;
}

void Machine::Expand(std::size_t step, std::int64_t now_us) {
  const Step& spec = plan_.steps[step];
  StepFacts& facts = steps_[step];
  std::string broken = BrokenNeed(spec);
  const bool cancelled = run_.cancel_asked && !spec.always;
  if (broken.empty() && !cancelled && spec.has_loop() && !ExpandLoop(step, now_us))
    broken = "its for_each has no list";
  if (facts.tasks.empty() && (!spec.has_loop() || !broken.empty() || cancelled)) TaskOf(step, -1);
  for (std::size_t i = 0; i < facts.tasks.size(); ++i) {
    const std::size_t task = facts.tasks[i];
    if (HasEnded(tasks_[task].state) || running_.contains(task)) continue;
    if (!broken.empty() && !cancelled)
      Close(task, State::kSkipped, broken, now_us);
    else
      Decide(task, now_us);
  }
  facts.expanded = true;
  CheckStep(step);
}

// False: there is no list; a task that stands for the step says why.
bool Machine::ExpandLoop(std::size_t step, std::int64_t now_us) {
  const Lookup lookup = [&](std::string_view path) { return LookUp(path, nullptr); };
  auto list = pipelines::Fill(plan_.steps[step].for_each, lookup);
  std::string problem;
  if (!list)
    problem = list.error().message();
  else if (!list->is_array())
    problem = fmt::format("for_each goes over a list, not {}", PlainText(list->Dump(), 60));
  else if (list->size() > kItemsMax)
    problem = fmt::format("for_each has {} items, at most {}", list->size(), kItemsMax);
  if (!problem.empty()) {
    Close(TaskOf(step, -1), State::kFailed, problem, now_us);
    return false;
  }
  StepFacts& facts = steps_[step];
  const auto count = static_cast<std::int64_t>(list->size());
  for (std::int64_t item = 0; item < count; ++item) {
    const std::size_t task = TaskOf(step, item);
    if (HasEnded(tasks_[task].state) || running_.contains(task)) continue;
    tasks_[task].value = list->items()[static_cast<std::size_t>(item)];
    Touch(task);
  }
  for (const std::size_t task : facts.tasks) {
    const TaskRecord& record = tasks_[task];
    const bool of_another_list = record.item < 0 || record.item >= count;
    if (of_another_list && !HasEnded(record.state) && !running_.contains(task))
      Close(task, State::kSkipped, "not in the list any more", now_us);
  }
  return true;
}

// A task whose step's needs are over: skipped, or due now or after its pause.
void Machine::Decide(std::size_t task, std::int64_t now_us) {
  const Step& step = step_of(tasks_[task]);
  if (run_.cancel_asked && !step.always)
    return Close(task, State::kCancelled, "the run was cancelled", now_us);
  if (!step.when.empty() && tasks_[task].tries == 0) {
    const Lookup lookup = [&](std::string_view path) { return LookUp(path, &tasks_[task]); };
    const auto holds = Holds(step.when, lookup);
    if (!holds) return Close(task, State::kFailed, "when: " + holds.error().message(), now_us);
    if (!*holds) return Close(task, State::kSkipped, "when: " + step.when, now_us);
  }
  Pause(task, tasks_[task].ready_us, now_us);
}

void Machine::Pause(std::size_t task, std::int64_t ready_us, std::int64_t now_us) {
  const auto step = static_cast<std::size_t>(tasks_[task].step);
  // No longer than it may be at most: what is further away was said by a clock that was ahead.
  ready_us =
      std::min(ready_us, now_us + PauseAfter(step_of(tasks_[task]).retries, tasks_[task].tries));
  if (ready_us > now_us) {
    pauses_.insert({ready_us, task});
    return;
  }
  steps_[step].ready.push_back(task);
  ready_steps_.insert(step);
}

void Machine::WakePaused(std::int64_t now_us) {
  if (std::exchange(woke_us_, now_us) > now_us) {  // the clock was set back
    for (const auto& [ready_us, task] : std::exchange(pauses_, {})) Pause(task, ready_us, now_us);
  }
  while (!pauses_.empty() && pauses_.begin()->first <= now_us) {
    const std::size_t task = pauses_.begin()->second;
    pauses_.erase(pauses_.begin());
    Pause(task, 0, now_us);
  }
}

std::optional<Intent> Machine::Next(std::int64_t now_us, const MayBegin& may_begin) {
  WakePaused(now_us);
  if (plan_.parallel_max > 0 && running_.size() >= static_cast<std::size_t>(plan_.parallel_max))
    return std::nullopt;
  for (auto at = ready_steps_.begin(); at != ready_steps_.end();) {
    const Step& step = plan_.steps[*at];
    StepFacts& facts = steps_[*at];
    if (facts.ready.empty()) {
      at = ready_steps_.erase(at);
      continue;
    }
    const bool full = step.parallel_max > 0 && facts.running >= step.parallel_max;
    if (full || !may_begin(step)) {
      ++at;
      continue;
    }
    const std::size_t task = facts.ready.front();
    facts.ready.pop_front();
    ++facts.running;
    TaskRecord& record = tasks_[task];
    record.state = State::kRunning;
    ++record.attempts;
    ++record.tries;
    if (record.started_us == 0) record.started_us = now_us;
    AttemptRecord attempt;
    attempt.step = record.step;
    attempt.item = record.item;
    attempt.number = record.attempts;
    attempt.nonce = make_nonce_();
    attempt.started_us = now_us;
    changes_.attempts.push_back(attempt);
    Touch(task);
    Intent intent{task, attempt.number, attempt.nonce};
    running_[task] = std::move(attempt);
    return intent;
  }
  return std::nullopt;
}

std::vector<Intent> Machine::running() const {
  std::vector<Intent> intents;
  for (const auto& [task, attempt] : running_)
    intents.push_back({task, attempt.number, attempt.nonce});
  return intents;
}

bool Machine::End(std::size_t task, std::string_view nonce, Outcome outcome, std::int64_t now_us) {
  const auto found = running_.find(task);
  if (found == running_.end() || found->second.nonce != nonce) return false;
  AttemptRecord attempt = std::move(found->second);
  running_.erase(found);
  outcome.reason = PlainText(outcome.reason);
  TaskRecord& record = tasks_[task];
  const Step& step = step_of(record);
  StepFacts& facts = steps_[static_cast<std::size_t>(record.step)];
  --facts.running;
  using Kind = Outcome::Kind;
  attempt.state = outcome.kind == Kind::kSucceeded   ? State::kSucceeded
                  : outcome.kind == Kind::kCancelled ? State::kCancelled
                                                     : State::kFailed;
  attempt.reason = outcome.reason;
  attempt.exit_code = outcome.exit_code;
  attempt.ended_us = now_us;
  attempt.cpu_seconds = outcome.cpu_seconds;
  attempt.memory_bytes_peak = outcome.memory_bytes_peak;
  changes_.attempts.push_back(std::move(attempt));
  record.cpu_seconds += outcome.cpu_seconds;
  record.memory_bytes_peak = std::max(record.memory_bytes_peak, outcome.memory_bytes_peak);
  run_.cpu_seconds += outcome.cpu_seconds;
  const bool wanted = !run_.cancel_asked || step.always;
  const auto again = [&](std::int64_t ready_us) {
    record.state = State::kWaiting;
    record.reason = outcome.reason;
    record.error = outcome.error;
    record.ready_us = ready_us;
    Touch(task);
    Pause(task, ready_us, now_us);
  };
  if (outcome.kind == Kind::kSucceeded) {
    record.outputs = std::move(outcome.outputs);
    record.error.clear();
    record.cache_key = std::move(outcome.cache_key);
    record.cached_from = std::move(outcome.cached_from);
    Close(task, State::kSucceeded, std::move(outcome.reason), now_us);
  } else if (outcome.kind == Kind::kCancelled || !wanted) {
    Close(task, State::kCancelled, std::move(outcome.reason), now_us);
  } else if (outcome.kind == Kind::kLost && !step.effects_external && record.losses < kLossesMax) {
    ++record.losses;  // no fault of the step's, so it costs none of its tries
    --record.tries;
    again(now_us);
  } else if (outcome.kind == Kind::kFailed && record.tries <= step.retries.max) {
    record.losses = 0;
    again(now_us + PauseAfter(step.retries, record.tries));
  } else {
    record.error = std::move(outcome.error);
    Close(task, State::kFailed, std::move(outcome.reason), now_us);
  }
  return true;
}

void Machine::Close(std::size_t task, State state, std::string reason, std::int64_t now_us) {
  TaskRecord& record = tasks_[task];
  StepFacts& facts = steps_[static_cast<std::size_t>(record.step)];
  record.state = state;
  record.reason = PlainText(reason);
  record.ended_us = now_us;
  Touch(task);
  ++facts.ended;
  if (state == State::kFailed) ++facts.failed;
  if (state == State::kSucceeded) ++facts.succeeded;
  if (state == State::kCancelled) ++facts.cancelled;
  CheckStep(static_cast<std::size_t>(record.step));
}

void Machine::CheckStep(std::size_t step) {
  const StepFacts& facts = steps_[step];
  if (facts.expanded && !facts.over && facts.ended == facts.tasks.size()) StepOver(step);
}

void Machine::StepOver(std::size_t step) {
  StepFacts& facts = steps_[step];
  facts.over = true;
  facts.state = facts.failed > 0                             ? State::kFailed
                : facts.cancelled > 0                        ? State::kCancelled
                : facts.succeeded > 0 || facts.tasks.empty() ? State::kSucceeded
                                                             : State::kSkipped;
  ++over_;
  for (const std::size_t user : facts.users) {
    if (--steps_[user].needs_left == 0) to_expand_.push_back(user);
  }
}

// Of a run whose step somebody cancelled the rest was not to be, as if they had cancelled the run.
State Machine::WorstState() const {
  if (run_.cancel_asked) return State::kCancelled;
  if (FirstIn(State::kFailed) != nullptr) return State::kFailed;
  return FirstIn(State::kCancelled) != nullptr ? State::kCancelled : State::kSucceeded;
}

const TaskRecord* Machine::FirstIn(State state) const {
  const auto found = std::ranges::find(tasks_, state, &TaskRecord::state);
  return found == tasks_.end() ? nullptr : &*found;
}

void Machine::EndRun(std::int64_t now_us) {
  changes_.run = true;
  run_.ended_us = now_us;
  run_.state = WorstState();
  if (run_.state == State::kFailed) {
    const TaskRecord& task = *FirstIn(State::kFailed);
    run_.reason = fmt::format("step `{}` failed: {}", step_of(task).name, task.reason);
    run_.error = task.error;
  } else if (run_.state == State::kCancelled && !run_.cancel_asked) {
    const TaskRecord& task = *FirstIn(State::kCancelled);
    run_.reason = fmt::format("step `{}` was cancelled: {}", step_of(task).name, task.reason);
  }
  if (run_.state != State::kSucceeded || plan_.outputs.is_null()) return;
  auto outputs = pipelines::Fill(plan_.outputs, [&](std::string_view path) {
    auto value = LookUp(path, nullptr);
    return value || !IsOfSkipped(path) ? value : Json();
  });
  if (outputs) {
    run_.outputs = *std::move(outputs);
  } else {
    run_.state = State::kFailed;
    run_.error = outputs.error().gy();
    run_.reason = PlainText("outputs: " + outputs.error().message());
  }
}

std::vector<Intent> Machine::Cancel(std::string_view reason, std::int64_t now_us) {
  if (ended() || run_.cancel_asked) return {};
  run_.cancel_asked = true;
  run_.reason = PlainText(reason);
  changes_.run = true;
  const auto stays = [&](std::size_t task) { return step_of(tasks_[task]).always; };
  std::vector<std::size_t> closing;
  for (const auto& [ready_us, task] : pauses_) {
    if (!stays(task)) closing.push_back(task);
  }
  std::erase_if(pauses_, [&](const auto& pause) { return !stays(pause.second); });
  for (StepFacts& facts : steps_) {
    if (facts.ready.empty() || stays(facts.ready.front())) continue;
    closing.insert(closing.end(), facts.ready.begin(), facts.ready.end());
    facts.ready.clear();
  }
  for (const std::size_t task : closing)
    Close(task, State::kCancelled, "the run was cancelled", now_us);
  std::vector<Intent> stop = running();
  std::erase_if(stop, [&](const Intent& intent) { return stays(intent.task); });
  return stop;
}

std::set<std::size_t> Machine::UsersOf(const std::set<std::size_t>& steps) const {
  std::set<std::size_t> found = steps;
  std::vector<std::size_t> open(steps.begin(), steps.end());
  while (!open.empty()) {
    const std::size_t step = open.back();
    open.pop_back();
    for (const std::size_t user : steps_[step].users) {
      if (found.insert(user).second) open.push_back(user);
    }
  }
  return found;
}

void Machine::ResetTask(std::size_t task) {
  TaskRecord& record = tasks_[task];
  record.state = State::kWaiting;
  record.reason.clear();
  record.error.clear();
  record.tries = record.losses = 0;
  record.ready_us = record.started_us = record.ended_us = 0;
  record.outputs = Json();
  Touch(task);
}

Result<> Machine::Retry(std::string_view from, std::int64_t now_us) {
  if (!ended())
    return FailedPrecondition("GY4721", "run {} goes on", run_.id.substr(0, 8))
        .Fix("gyre pipelines cancel " + run_.id.substr(0, 8));
  std::set<std::size_t> whole, broken;
  if (!from.empty()) {
    const auto found = step_index_.find(from);
    if (found == step_index_.end()) {
      std::vector<std::string> names;
      for (const Step& step : plan_.steps) names.push_back(step.name);
      const auto close = ClosestMatch(from, names);
      return InvalidArgument("GY4721", "the run has no step `{}`", from)
          .Fix(close ? fmt::format("did you mean `{}`?", *close) : "one of " + Join(names, ", "));
    }
    whole = UsersOf({found->second});
  }
  // What did not succeed, and all that reads it.
  for (std::size_t i = 0; i < steps_.size(); ++i) {
    if (steps_[i].failed > 0 || steps_[i].cancelled > 0) broken.insert(i);
  }
  if (whole.empty() && broken.empty())
    return FailedPrecondition("GY4721", "every step of run {} succeeded", run_.id.substr(0, 8))
        .Fix("gyre pipelines retry RUN --from STEP");
  std::set<std::size_t> after = UsersOf(broken);
  for (const std::size_t step : broken) after.erase(step);
  whole.insert(after.begin(), after.end());
  for (std::size_t task = 0; task < tasks_.size(); ++task) {
    const auto step = static_cast<std::size_t>(tasks_[task].step);
    const bool unfinished = broken.contains(step) && tasks_[task].state != State::kSucceeded;
    if (whole.contains(step) || unfinished) ResetTask(task);
  }
  run_.state = State::kRunning;
  run_.reason.clear();
  run_.error.clear();
  run_.cancel_asked = false;
  run_.ended_us = 0;
  run_.outputs = Json();
  ++run_.retries;
  changes_.run = true;
  Rebuild({});
  Turn(now_us);
  return {};
}

}  // namespace gyre::pipelines

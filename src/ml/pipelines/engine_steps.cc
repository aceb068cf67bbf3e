// How the engine begins attempts and takes their ends.
#include <algorithm>

#include "base/text.h"
#include "ml/pipelines/engine.h"
#include "ml/pipelines/plain_text.h"
#include "ml/pipelines/resources.h"
#include "ml/pipelines/step_secrets.h"
#include "ml/pipelines/traces.h"
#include "platform/exec/fault_point.h"
#include "platform/exec/files.h"
#include "platform/telemetry/log.h"

namespace gyre::pipelines {
namespace {

constexpr telemetry::Logger kLog{"pipelines"};
// How often a kind is asked whether its step has ended: the longer it takes, the more rarely. A
// canary or an approval may take days.
constexpr std::int64_t kPollMin = 50'000, kPollMax = 1'000'000, kPollShare = 20;

Outcome Refused(const Error& error) {
  Outcome outcome;
  outcome.kind = Outcome::Kind::kRefused;
  outcome.reason = fmt::format("{} {}", error.gy(), error.message());
  outcome.error = error.gy();
  return outcome;
}

// Of another pipeline, whose outputs have no types of their own. What is missing is said where it
// is read.
Result<> CheckOutputs(const Step& step, const Json& outputs) {
  for (const OutputSpec& output : step.outputs) {
    const Json& value = outputs[output.name];
    if (!value.is_null() && !Fits(output.type, value))
      return InvalidArgument("GY4732", "the output `{}` is to be {}, and {} is not", output.name,
                             ValueTypeName(output.type), PlainText(value.Dump(), 60));
  }
  return {};
}

Outcome Stopped() {
  Outcome outcome;
  outcome.kind = Outcome::Kind::kCancelled;
  outcome.reason = "it was stopped";
  return outcome;
}

}  // namespace

// Which of a step's keys are code, and are never filled in.
std::function<bool(std::string_view)> Engine::VerbatimOf(const Step& step) const {
  const auto kind = kinds_.find(step.kind);
  const bool elsewhere = kind != kinds_.end();
  return [&step, facts = elsewhere ? kind->second->facts() : KindFacts{},
          elsewhere](std::string_view key) {
    if (!elsewhere) return IsVerbatim(step.kind, key);
    return std::ranges::any_of(facts.keys,
                               [&](const KindKey& one) { return one.name == key && one.verbatim; });
  };
}

void Engine::StartDue() {
  for (std::size_t left = due_.size(); left > 0 && programs_running_ < parallel_max_; --left) {
    const std::uint64_t tag = due_.front();
    due_.pop_front();
    const auto found = flights_.find(tag);
    if (found == flights_.end()) continue;
    if (TakeGpus(&found->second))
      StartProgram(tag);
    else
      due_.push_back(tag);
  }
}

const Step& Engine::StepOf(const Flight& flight) const {
  const Machine& machine = *runs_.at(flight.run_id).machine;
  return machine.step_of(machine.tasks()[flight.intent.task]);
}

std::size_t Engine::GpusAsked() const {
  std::size_t asked = 0;
  for (const auto& [tag, flight] : flights_) {
    if (flight.is_program) asked += static_cast<std::size_t>(StepOf(flight).resources.gpus);
  }
  return asked;
}

// One that asks for more than there are by now is begun, and refused.
bool Engine::TakeGpus(Flight* flight) const {
  const auto wanted = static_cast<std::size_t>(StepOf(*flight).resources.gpus);
  if (wanted == 0 || wanted > programs_.gpus.size() || !flight->gpus.empty()) return true;
  std::vector<std::string> free = programs_.gpus;
  for (const auto& [tag, other] : flights_) {
    std::erase_if(free, [&](const std::string& gpu) {
      return std::ranges::find(other.gpus, gpu) != other.gpus.end();
    });
  }
  if (free.size() < wanted) return false;
  free.resize(wanted);
  flight->gpus = std::move(free);
  return true;
}

void Engine::StartProgram(std::uint64_t tag) {
  Flight& flight = flights_.at(tag);
  const Machine& machine = *runs_.at(flight.run_id).machine;
  --programs_ahead_;
  ++programs_running_;
  flight.begun = true;
  const Step& step = StepOf(flight);
  if (std::ssize(flight.gpus) < step.resources.gpus)
    return End(tag,
               Refused(NotHere(step.name, GpuText(step.resources.gpus),
                               fmt::format("{}", programs_.gpus.size()))),
               {});
  auto options = PrepareProgram(programs_, machine, flight.intent, flight.gpus);
  if (!options) return End(tag, Refused(options.error()), {});
  if (auto started = shims_->Start(tag, *options); !started) End(tag, Refused(started.error()), {});
}

void Engine::LookInCache(std::uint64_t tag) {
  Flight& flight = flights_.at(tag);
  const Machine& machine = *runs_.at(flight.run_id).machine;
  auto key = CacheKeyOf(machine, flight.intent.task,
                        VerbatimOf(machine.step_of(machine.tasks()[flight.intent.task])),
                        programs_.environment);
  const auto go_on = [this](std::uint64_t missed) {
    const auto found = flights_.find(missed);
    if (found == flights_.end()) return;
    if (found->second.is_program)
      due_.push_back(missed);
    else
      BeginKind(missed);
  };
  if (!key) return go_on(tag);  // what cannot be read is for the step to say
  flight.cache = *key;
  if (machine.plan().takes_nothing) {
    flight.why_not_cached = "nothing was to be taken from the cache";
    return go_on(tag);
  }
  const Step& step = machine.step_of(machine.tasks()[flight.intent.task]);
  InPool([this, tag, go_on, key = *std::move(key), run = machine.run(), step] {
    auto answer = AskCache(store_, programs_.blobs, run, step, key, clock_.NowMicros());
    Post([this, tag, go_on, key, answer = std::move(answer)]() mutable {
      const auto found = flights_.find(tag);
      if (found == flights_.end()) return;
      if (!answer || !answer->hit) {
        if (answer) found->second.why_not_cached = answer->why_not;
        return go_on(tag);
      }
      Outcome outcome;
      outcome.reason = fmt::format("taken from run {}", answer->hit->run_id.substr(0, 8));
      outcome.outputs = std::move(answer->hit->outputs);
      outcome.cache_key = key.key;
      outcome.cached_from = answer->hit->run_id;
      TaskGroup extra;
      extra.blobs = std::move(answer->hit->files);
      End(tag, std::move(outcome), std::move(extra));
    });
  });
}

void Engine::BeginKind(std::uint64_t tag) {
  Flight& flight = flights_.at(tag);
  const Machine& machine = *runs_.at(flight.run_id).machine;
  const TaskRecord& task = machine.tasks()[flight.intent.task];
  const Step& step = machine.step_of(task);
  const auto kind = kinds_.find(step.kind);
  if (kind == kinds_.end())
    return End(tag, Refused(Internal("GY4704", "there is no kind of step `{}`", step.kind)), {});
  auto filled = machine.Fill(flight.intent.task, VerbatimOf(step),
                             [](std::string_view) { return std::string(); });
  if (!filled) return End(tag, Refused(filled.error()), {});
  flight.context = {.project = machine.run().project,
                    .run_id = machine.run().id,
                    .step = step.name,
                    .item = task.item,
                    .attempt = flight.intent.number,
                    .key = EffectKey(machine.run().id, step, task.item),
                    .attempt_key = "",
                    .created_by = machine.run().created_by,
                    .no_cache = machine.plan().takes_nothing,
                    .with = std::move(filled->with),
                    .inputs = std::move(filled->inputs)};
  flight.context.attempt_key = fmt::format("{}#{}", flight.context.key, flight.intent.number);
  flight.polling = true;
  AttemptRecord record;
  record.step = task.step;
  record.item = task.item;
  record.number = flight.intent.number;
  InPool([this, tag, &kind = *kind->second, context = flight.context, record,
          span = SpanOf(machine.run(), flight.intent.nonce)]() mutable {
    const telemetry::TraceScope scope(span);
    exec::Fault("step.due", context.step);
    auto begun = kind.Start(context);
    exec::Fault("step.begun", context.step);
    if (begun && !begun->empty()) {
      record.reference = *begun;
      if (auto kept = store_.SetReference(context.run_id, record); !kept)
        kLog.Error("a step's job was not noted", {{"error", kept.error().ToString()}});
    }
    exec::Fault("step.noted", context.step);
    Post([this, tag, &kind, begun = std::move(begun)]() mutable {
      const auto found = flights_.find(tag);
      if (found == flights_.end()) {  // its run was given up meanwhile
        if (begun) InPool([&kind, reference = *std::move(begun)] { kind.Cancel(reference); });
        return;
      }
      found->second.polling = false;
      found->second.begun = true;
      found->second.begun_us = clock_.MonotonicMicros() - found->second.waited_us;
      if (!begun) return OnKindEnd(tag, {.outputs = std::move(begun).error()});
      found->second.reference = *std::move(begun);
      if (found->second.stopped) CancelKind(tag);
      found->second.poll_us = 0;
    });
  });
}

// One that is being asked, or has not begun, tells by a message.
std::int64_t Engine::UntilPollUs() const {
  const std::int64_t now_us = clock_.MonotonicMicros();
  std::int64_t next_us = now_us + kPollMax;
  for (const std::uint64_t tag : kind_flights_) {
    const Flight& flight = flights_.at(tag);
    if (flight.begun && !flight.polling && !flight.stopped)
      next_us = std::min(next_us, flight.poll_us);
  }
  return std::max<std::int64_t>(0, next_us - now_us);
}

void Engine::PollKinds() {
  const std::int64_t now_us = clock_.MonotonicMicros();
  const std::set<std::uint64_t> tags = kind_flights_;
  for (const std::uint64_t tag : tags) {
    Flight& flight = flights_.at(tag);
    if (!flight.begun || flight.polling || flight.stopped || now_us < flight.poll_us) continue;
    const Machine& machine = *runs_.at(flight.run_id).machine;
    const Step& step = machine.step_of(machine.tasks()[flight.intent.task]);
    const auto kind = kinds_.find(step.kind);
    flight.polling = true;
    const std::int64_t due_us = step.timeout_us == 0 ? 0 : flight.begun_us + step.timeout_us;
    flight.poll_us =
        now_us + std::clamp((now_us - flight.begun_us) / kPollShare, kPollMin, kPollMax);
    if (due_us > now_us) flight.poll_us = std::min(flight.poll_us, due_us);
    if (due_us != 0 && now_us >= due_us) {
      InPool([&kind = *kind->second, reference = flight.reference] { kind.Cancel(reference); });
      OnKindEnd(tag,
                {.outputs = MakeError(Code::kDeadlineExceeded, "GY4723", "it took longer than {}",
                                      HumanSeconds(static_cast<double>(step.timeout_us) / 1e6))});
      continue;
    }
    InPool(
        [this, tag, &kind = *kind->second, reference = flight.reference, context = flight.context] {
          auto polled = kind.Poll(reference, context);
          Post([this, tag, polled = std::move(polled)]() mutable {
            const auto found = flights_.find(tag);
            if (found == flights_.end()) return;
            found->second.polling = false;
            if (!polled) return OnKindEnd(tag, {.outputs = std::move(polled).error()});
            if (*polled) OnKindEnd(tag, **std::move(polled));
          });
        });
  }
}

void Engine::OnKindEnd(std::uint64_t tag, StepEnd end) {
  const Flight& flight = flights_.at(tag);
  exec::Fault("step.ended", flight.context.step);
  if (const Machine& machine = *runs_.at(flight.run_id).machine; end.outputs) {
    if (auto typed =
            CheckOutputs(machine.step_of(machine.tasks()[flight.intent.task]), *end.outputs);
        !typed)
      end.outputs = std::move(typed).error();
  }
  Outcome outcome;
  outcome.cpu_seconds = end.cpu_seconds;
  outcome.memory_bytes_peak = end.memory_bytes_peak;
  TaskGroup extra;
  for (StepLink& link : end.links)
    extra.links.push_back(
        {std::move(link.id), std::move(link.kind), std::move(link.label), link.made});
  extra.blobs = std::move(end.blobs);
  if (end.lost) {
    outcome.kind = Outcome::Kind::kLost;
    outcome.reason = end.outputs ? "" : end.outputs.error().message();
  } else if (end.outputs) {
    outcome.outputs = *std::move(end.outputs);
  } else {
    const Code code = end.outputs.error().code();
    const bool retriable = code == Code::kUnavailable || code == Code::kInternal ||
                           code == Code::kDeadlineExceeded || code == Code::kAborted ||
                           code == Code::kResourceExhausted || code == Code::kOutOfSpace;
    outcome.kind = code == Code::kCancelled     ? Outcome::Kind::kCancelled
                   : end.findings || !retriable ? Outcome::Kind::kRefused
                                                : Outcome::Kind::kFailed;
    outcome.error = end.outputs.error().gy();
    outcome.reason = fmt::format("{} {}", outcome.error, end.outputs.error().message());
  }
  End(tag, std::move(outcome), std::move(extra));
}

void Engine::OnShimEnd(std::uint64_t tag, const exec::ShimEnd& end) {
  const auto found = flights_.find(tag);
  if (found == flights_.end()) return;
  const Flight& flight = found->second;
  const Machine& machine = *runs_.at(flight.run_id).machine;
  const TaskRecord& task = machine.tasks()[flight.intent.task];
  const Step& step = machine.step_of(task);
  const std::string folder =
      AttemptFolder(programs_.directory, flight.run_id, step, task.item, flight.intent.number);
  const auto secrets = SecretsOf(step, machine.run().project, programs_.find_secret);
  Outcome outcome = OutcomeOf(end, step, task, folder, secrets);
  if (!secrets.empty()) {
    InPool([log = LogFile(folder), secrets] {
      if (auto masked = MaskFile(log, secrets); !masked)
        kLog.Error("a log may show a secret", {{"file", log}});
    });
  }
  if (step.outputs.empty() || outcome.kind != Outcome::Kind::kSucceeded) {
    scratch_.push_back(folder);
    return End(tag, std::move(outcome), {});
  }
  // The slot is free while its results are read.
  --programs_running_;
  ++programs_ahead_;
  found->second.begun = false;
  InPool(
      [this, tag, folder, secrets, outputs = step.outputs, outcome = std::move(outcome)]() mutable {
        auto read = CollectOutputs(programs_, folder, outputs, secrets);
        Post([this, tag, folder, read = std::move(read), outcome = std::move(outcome)]() mutable {
          scratch_.push_back(folder);
          TaskGroup extra;
          if (read) {
            outcome.outputs = std::move(read->values);
            extra.blobs = std::move(read->blobs);
          } else {
            outcome = Refused(read.error());
          }
          End(tag, std::move(outcome), std::move(extra));
        });
      });
}

void Engine::End(std::uint64_t tag, Outcome outcome, TaskGroup extra) {
  const auto found = flights_.find(tag);
  if (found == flights_.end()) return;
  Flight flight = std::move(found->second);
  flights_.erase(found);
  kind_flights_.erase(tag);
  if (flight.is_program) --(flight.begun ? programs_running_ : programs_ahead_);
  Live* const live = LiveOf(flight.run_id);
  if (live == nullptr) return;
  live->dirty = true;
  const bool succeeded = outcome.kind == Outcome::Kind::kSucceeded;
  if (succeeded && !flight.cache.key.empty() && outcome.cached_from.empty()) {
    const Machine& machine = *live->machine;
    const Step& step = machine.step_of(machine.tasks()[flight.intent.task]);
    extra.cache = CacheRow{flight.cache.key, step.name, outcome.outputs.Dump(),
                           flight.cache.parts.Dump(), step.cache_us.value_or(0)};
    outcome.cache_key = flight.cache.key;
    outcome.reason = "run, because " + flight.why_not_cached;
  }
  const std::size_t task = flight.intent.task;
  if (!live->machine->End(task, flight.intent.nonce, std::move(outcome), clock_.NowMicros()))
    return;
  if (succeeded) live->extras.insert_or_assign(task, std::move(extra));
}

void Engine::Stop(std::uint64_t tag) {
  Flight& flight = flights_.at(tag);
  if (flight.is_program && flight.begun) return shims_->Stop(tag);  // its end comes
  if (!flight.is_program && (flight.begun || flight.polling)) {
    // What it began is still unknown while Start works: that is cancelled when Start answers.
    flight.stopped = true;
    if (flight.begun) CancelKind(tag);
    return;
  }
  End(tag, Stopped(), {});
}

// Its end is written only once its work knows: whoever dies in between leaves an attempt that runs,
// and the next server cancels it again.
void Engine::CancelKind(std::uint64_t tag) {
  const Flight& flight = flights_.at(tag);
  const Machine& machine = *runs_.at(flight.run_id).machine;
  const auto kind = kinds_.find(machine.step_of(machine.tasks()[flight.intent.task]).kind);
  if (kind == kinds_.end() || !flight.begun) return;
  InPool([this, tag, &kind = *kind->second, reference = flight.reference] {
    kind.Cancel(reference);
    Post([this, tag] { End(tag, Stopped(), {}); });
  });
}

}  // namespace gyre::pipelines

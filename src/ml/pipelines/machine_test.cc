// The state machine under a simulated world: programs that end whenever they like, a server that
// dies at any moment, a database that has only what was committed.
#include "ml/pipelines/machine.h"

#include <gtest/gtest.h>

#include <map>

#include "base/random.h"
#include "ml/pipelines/programs.h"

namespace gyre::pipelines {
namespace {

Spec Parsed(std::string_view text) {
  auto spec = ParseSpec(text, "p.yaml", ProgramKinds(), nullptr);
  EXPECT_TRUE(spec) << spec.error().ToString();
  return *std::move(spec);
}

using Key = std::pair<int, std::int64_t>;  // step, item

// What survives a death.
struct Disk {
  RunRecord run;
  std::map<Key, TaskRecord> tasks;
  std::map<std::pair<Key, int>, AttemptRecord> attempts;

  void Write(const Machine& machine, const Changes& changes) {
    for (const AttemptRecord& attempt : changes.attempts) {
      auto& kept = attempts[{{attempt.step, attempt.item}, attempt.number}];
      EXPECT_TRUE(kept.nonce.empty() ||
                  (kept.nonce == attempt.nonce && kept.state == State::kRunning))
          << "an attempt ended twice";
      kept = attempt;
    }
    for (const std::size_t index : changes.tasks) {
      const TaskRecord& task = machine.tasks()[index];
      tasks[{task.step, task.item}] = task;
    }
    if (changes.run) run = machine.run();
  }
  std::unique_ptr<Machine> Open(const Spec& spec, const Machine::MakeNonce& nonce) const {
    std::vector<TaskRecord> all;
    for (const auto& [key, task] : tasks) all.push_back(task);
    std::vector<AttemptRecord> running;
    for (const auto& [key, attempt] : attempts) {
      if (attempt.state == State::kRunning) running.push_back(attempt);
    }
    return std::make_unique<Machine>(spec, run, std::move(all), std::move(running), nonce);
  }
};

// Programs, which know nothing of the server: begun once for each attempt, ended once.
struct World {
  struct Program {
    std::int64_t ends_us = 0;
    bool succeeds = true;
  };
  std::map<std::pair<Key, int>, Program> begun;
};

class Simulation {
 public:
  Simulation(Spec spec, std::uint64_t seed) : spec_(std::move(spec)), random_(seed) {
    disk_.run.id = "run";
    disk_.run.params = BindParams(spec_, Json::Obj()).value();
    Open();
  }

  // Until the run has ended; dies with the probability at each moment that something could be lost.
  void Run(double death, double failure) {
    for (int round = 0;
         round < 20'000 && !(machine_->ended() && disk_.run.state != State::kRunning); ++round) {
      now_us_ += 1000 + static_cast<std::int64_t>(random_.Below(20'000));
      if (machine_->wake_us() > now_us_ && flights_.empty()) now_us_ = machine_->wake_us();
      TakeEnds();
      if (Dies(death)) continue;
      machine_->Turn(now_us_);
      std::vector<Intent> intents;
      while (intents.size() < 5) {
        auto intent = machine_->Next(now_us_, [](const Step&) { return true; });
        if (!intent) break;
        intents.push_back(*intent);
      }
      if (Dies(death)) continue;  // nothing of it is durable
      disk_.Write(*machine_, machine_->TakeChanges());
      if (Dies(death)) continue;  // durable, and nothing has begun
      for (const Intent& intent : intents) {
        if (Dies(death)) break;
        Begin(intent, failure);
      }
    }
    EXPECT_TRUE(machine_->ended());
  }

  const Machine& machine() const { return *machine_; }
  const World& world() const { return world_; }
  int deaths = 0;

 private:
  Key KeyOf(std::size_t task) const {
    return {machine_->tasks()[task].step, machine_->tasks()[task].item};
  }
  void Open() {
    machine_ = disk_.Open(spec_, [this] { return std::to_string(++nonces_); });
    flights_.clear();
    for (const Intent& intent : machine_->running()) {
      if (world_.begun.contains({KeyOf(intent.task), intent.number}))
        flights_.push_back(intent);  // adopted
      else
        Begin(intent, 0);
    }
  }
  bool Dies(double probability) {
    if (random_.Uniform() >= probability) return false;
    ++deaths;
    Open();
    return true;
  }
  void Begin(const Intent& intent, double failure) {
    World::Program program;
    program.ends_us = now_us_ + static_cast<std::int64_t>(random_.Below(50'000));
    program.succeeds = random_.Uniform() >= failure;
    // A second beginning of one attempt finds the claim of the first and does nothing.
    world_.begun.insert({{KeyOf(intent.task), intent.number}, program});
    flights_.push_back(intent);
  }
  void TakeEnds() {
    std::vector<Intent> left;
    for (const Intent& intent : flights_) {
      const World::Program& program = world_.begun.at({KeyOf(intent.task), intent.number});
      if (program.ends_us > now_us_) {
        left.push_back(intent);
        continue;
      }
      Outcome outcome;
      outcome.kind = program.succeeds ? Outcome::Kind::kSucceeded : Outcome::Kind::kFailed;
      outcome.outputs = Json::Obj({{"o", 1}});
      machine_->End(intent.task, intent.nonce, std::move(outcome), now_us_);
      // A late copy of the same end, and one of an attempt that is none, are fenced off.
      EXPECT_FALSE(machine_->End(intent.task, intent.nonce, {}, now_us_));
      EXPECT_FALSE(machine_->End(intent.task, "another", {}, now_us_));
    }
    flights_ = std::move(left);
  }

  const Spec spec_;
  Random random_;
  Disk disk_;
  World world_;
  std::unique_ptr<Machine> machine_;
  std::vector<Intent> flights_;
  std::int64_t now_us_ = 1'000'000;
  int nonces_ = 0;
};

constexpr std::string_view kGraph = R"(
name: graph
params: {items: {type: list, default: [a, b, c, d, e, f, g]}}
steps:
  first: {command: [a], outputs: {o: int}}
  loop: {command: [a, "${item}"], for_each: "${params.items}", needs: first, max_parallel: 3, outputs: {o: int}, retries: {max: 50, backoff: 10ms, factor: 1}}
  side: {command: [a], needs: first, retries: 50, outputs: {o: int}}
  never: {command: [a], needs: side, when: "${steps.side.outputs.o} > 1"}
  join: {command: [a, "${steps.loop.outputs.o}"], needs: side, outputs: {o: int}}
  tell: {command: [a], always: true}
outputs: {all: "${steps.loop.outputs.o}"}
)";

TEST(MachineSimulation, DeathsAtAnyMomentLoseAndRepeatNothing) {
  const Spec spec = Parsed(kGraph);
  int deaths = 0;
  for (std::uint64_t seed = 1; seed <= 2000; ++seed) {
    Simulation simulation(spec, seed);
    simulation.Run(0.15, 0);
    deaths += simulation.deaths;
    const Machine& machine = simulation.machine();
    ASSERT_EQ(machine.run().state, State::kSucceeded) << seed << machine.run().reason;
    EXPECT_EQ(machine.run().outputs.Dump(), R"({"all":[1,1,1,1,1,1,1]})");
    std::map<Key, int> times;
    for (const auto& [key, program] : simulation.world().begun) ++times[key.first];
    EXPECT_EQ(times.size(), 11u) << seed;  // first, 7 of the loop, side, join, tell
    for (const auto& [key, count] : times) EXPECT_EQ(count, 1) << seed << " step " << key.first;
  }
  EXPECT_GT(deaths, 10'000);
}

TEST(MachineSimulation, FailuresAreTriedAgainAndCounted) {
  const Spec spec = Parsed(
      "name: a\nsteps:\n  x: {command: [a], for_each: [1, 2, 3], retries: {max: 2, backoff: 1s}}\n"
      "  after: {command: [a], needs: x}\n  tell: {command: [a], always: true}\n");
  int failed = 0;
  for (std::uint64_t seed = 1; seed <= 500; ++seed) {
    Simulation simulation(spec, seed);
    simulation.Run(0.05, 0.5);
    for (const TaskRecord& task : simulation.machine().tasks()) {
      EXPECT_LE(task.attempts, simulation.machine().step_of(task).retries.max + 1);
      EXPECT_TRUE(HasEnded(task.state));
      EXPECT_FALSE(task.step == 2 && task.state == State::kSkipped);  // whatever came before
    }
    if (simulation.machine().run().state == State::kFailed) ++failed;
  }
  EXPECT_GT(failed, 50);
}

class MachineTest : public testing::Test {
 protected:
  void Open(std::string_view text) {
    RunRecord run;
    run.id = "0123456789abcdef";
    Spec spec = Parsed(text);
    run.params = BindParams(spec, Json::Obj()).value();
    machine_ = std::make_unique<Machine>(std::move(spec), std::move(run), std::vector<TaskRecord>(),
                                         std::vector<AttemptRecord>(),
                                         [this] { return std::to_string(++nonces_); });
    machine_->Turn(now_us_);
  }
  std::vector<Intent> Begin() {
    std::vector<Intent> intents;
    while (auto intent = machine_->Next(now_us_, [](const Step&) { return true; }))
      intents.push_back(*intent);
    return intents;
  }
  void End(const Intent& intent, Outcome::Kind kind, Json outputs = Json::Obj()) {
    Outcome outcome;
    outcome.kind = kind;
    outcome.reason = kind == Outcome::Kind::kSucceeded ? "" : "it broke";
    outcome.outputs = std::move(outputs);
    ASSERT_TRUE(machine_->End(intent.task, intent.nonce, std::move(outcome), now_us_));
    machine_->Turn(now_us_);
  }
  State StateOf(std::string_view step) {
    for (const TaskRecord& task : machine_->tasks()) {
      if (machine_->step_of(task).name == step) return task.state;
    }
    return State::kWaiting;
  }
  std::unique_ptr<Machine> machine_;
  std::int64_t now_us_ = 1'000'000;
  int nonces_ = 0;
};

constexpr auto kOk = Outcome::Kind::kSucceeded;
constexpr auto kBad = Outcome::Kind::kFailed;

TEST_F(MachineTest, RetriesWaitLongerEachTimeAndHoldInLoops) {
  Open("name: a\nsteps:\n  x: {command: [a], for_each: [1, 2], retries: {max: 2, backoff: 1s}}\n");
  auto begun = Begin();
  ASSERT_EQ(begun.size(), 2u);
  End(begun[1], kOk);
  End(begun[0], kBad);
  EXPECT_TRUE(Begin().empty());
  EXPECT_EQ(machine_->wake_us(), now_us_ + 1'000'000);
  now_us_ += 1'000'000;
  begun = Begin();
  ASSERT_EQ(begun.size(), 1u);
  EXPECT_EQ(begun[0].number, 2);
  End(begun[0], kBad);
  EXPECT_EQ(machine_->wake_us(), now_us_ + 2'000'000);
  now_us_ += 2'000'000;
  begun = Begin();
  End(begun.at(0), kBad);
  EXPECT_EQ(machine_->run().state, State::kFailed);
  EXPECT_EQ(machine_->run().reason, "step `x` failed: it broke");
}

TEST_F(MachineTest, AClockThatIsSetBackHoldsNoRetryLongerThanItsPause) {
  now_us_ = std::int64_t{1'800'000'000} * 1'000'000;
  Open("name: a\nsteps:\n  x: {command: [a], retries: {max: 2, backoff: 1m}}\n");
  End(Begin().at(0), kBad);
  now_us_ -= std::int64_t{86'400} * 1'000'000;
  EXPECT_TRUE(Begin().empty());
  EXPECT_EQ(machine_->wake_us(), now_us_ + 60'000'000);
  now_us_ += 60'000'000;
  ASSERT_EQ(Begin().size(), 1u);
}

TEST_F(MachineTest, WhatALossCostsIsNoTry) {
  Open("name: a\nsteps:\n  x: {command: [a]}\n");
  End(Begin().at(0), Outcome::Kind::kLost);
  auto begun = Begin();
  ASSERT_EQ(begun.size(), 1u);
  EXPECT_EQ(begun[0].number, 2);
  End(begun[0], kOk);
  EXPECT_EQ(machine_->run().state, State::kSucceeded);
}

TEST_F(MachineTest, ALossOfEffectsOutsideIsNotRepeatedBlindly) {
  Open("name: a\nsteps:\n  x: {command: [a], effects: external, retries: 5}\n");
  End(Begin().at(0), Outcome::Kind::kLost);
  EXPECT_EQ(machine_->run().state, State::kFailed);
}

TEST_F(MachineTest, CapsHold) {
  Open(
      "name: a\nmax_parallel: 3\nsteps:\n  x: {command: [a], for_each: [1, 2, 3, 4], max_parallel: "
      "2}\n  y: {command: [a], for_each: [1, 2, 3]}\n");
  auto begun = Begin();
  ASSERT_EQ(begun.size(), 3u);
  EXPECT_EQ(machine_->tasks()[begun[2].task].step, 1);
  End(begun[0], kOk);
  EXPECT_EQ(Begin().size(), 1u);
}

TEST_F(MachineTest, CancelStopsAllButExitHandlers) {
  Open(
      "name: a\nsteps:\n  x: {command: [a]}\n  y: {command: [a], needs: x}\n  tell: {command: [a], "
      "always: true}\n");
  const auto begun = Begin();
  const auto stop = machine_->Cancel("by ann", now_us_);
  ASSERT_EQ(stop.size(), 1u);
  End(begun.at(0), Outcome::Kind::kCancelled);
  EXPECT_EQ(StateOf("y"), State::kCancelled);
  End(Begin().at(0), kOk);
  EXPECT_EQ(StateOf("tell"), State::kSucceeded);
  EXPECT_EQ(machine_->run().state, State::kCancelled);
}

TEST_F(MachineTest, ARunWhoseStepWasCancelledIsCancelled) {
  Open(
      "name: a\nsteps:\n  x: {command: [a], retries: {max: 3}}\n  y: {command: [a], needs: x}\n"
      "  tell: {command: [a], always: true}\n");
  Outcome outcome;
  outcome.kind = Outcome::Kind::kCancelled;
  outcome.reason = "by ann";
  const Intent begun = Begin().at(0);
  ASSERT_TRUE(machine_->End(begun.task, begun.nonce, outcome, now_us_));
  machine_->Turn(now_us_);
  EXPECT_EQ(StateOf("x"), State::kCancelled) << "nobody tries again what somebody cancelled";
  EXPECT_EQ(StateOf("y"), State::kSkipped);
  End(Begin().at(0), kOk);
  EXPECT_EQ(machine_->run().state, State::kCancelled);
  EXPECT_EQ(machine_->run().reason, "step `x` was cancelled: by ann");
  ASSERT_TRUE(machine_->Retry("", now_us_));
  EXPECT_EQ(machine_->run().reason, "");
  EXPECT_EQ(StateOf("x"), State::kWaiting);
}

TEST_F(MachineTest, AFailureIsWorseThanACancelledStep) {
  Open("name: a\nsteps:\n  x: {command: [a]}\n  y: {command: [a]}\n");
  const auto begun = Begin();
  End(begun.at(0), Outcome::Kind::kCancelled);
  End(begun.at(1), kBad);
  EXPECT_EQ(machine_->run().state, State::kFailed);
  EXPECT_TRUE(machine_->run().reason.starts_with("step `y` failed")) << machine_->run().reason;
}

TEST_F(MachineTest, ARetryGoesOnFromWhatFailed) {
  Open(
      "name: a\nsteps:\n  x: {command: [a]}\n  y: {command: [a], needs: x}\n  z: {command: [a], "
      "needs: y}\n  tell: {command: [a], always: true}\n");
  End(Begin().at(0), kOk);
  End(Begin().at(0), kBad);
  End(Begin().at(0), kOk);  // tell
  ASSERT_EQ(machine_->run().state, State::kFailed);
  ASSERT_TRUE(machine_->Retry("", now_us_));
  auto begun = Begin();
  ASSERT_EQ(begun.size(), 1u);
  EXPECT_EQ(machine_->step_of(machine_->tasks()[begun[0].task]).name, "y");
  EXPECT_EQ(begun[0].number, 2);
  End(begun[0], kOk);
  End(Begin().at(0), kOk);  // z
  begun = Begin();
  EXPECT_EQ(machine_->step_of(machine_->tasks()[begun.at(0).task]).name, "tell");
  End(begun[0], kOk);
  EXPECT_EQ(machine_->run().state, State::kSucceeded);
  EXPECT_EQ(machine_->Retry("", now_us_).error().gy(), "GY4721");
  ASSERT_TRUE(machine_->Retry("y", now_us_));
  EXPECT_EQ(StateOf("x"), State::kSucceeded);
  EXPECT_EQ(StateOf("z"), State::kWaiting);
}

TEST_F(MachineTest, ALoopGoesOverWhatAStepMade) {
  Open(
      "name: a\nsteps:\n  x: {command: [a], outputs: {l: list}}\n  y: {command: [a], for_each: "
      "\"${steps.x.outputs.l}\", outputs: {o: int}}\n  z: {command: ['${steps.y.outputs.o}']}\n");
  End(Begin().at(0), kOk, Json::Obj({{"l", Json::Arr({7, 8})}}));
  const auto begun = Begin();
  ASSERT_EQ(begun.size(), 2u);
  EXPECT_EQ(machine_->tasks()[begun[1].task].value, Json(8));
  End(begun[1], kOk, Json::Obj({{"o", 80}}));
  End(begun[0], kOk, Json::Obj({{"o", 70}}));
  const auto last = Begin();
  const auto filled = machine_->Fill(
      last.at(0).task, [](std::string_view) { return false; },
      [](std::string_view) { return std::string(); });
  EXPECT_EQ(filled->with["command"].Dump(), "[[70,80]]");
}

TEST_F(MachineTest, WhatASkippedStepWouldHaveMadeIsNullInTheOutputs) {
  Open(
      "name: a\nsteps:\n  x: {command: [a], outputs: {n: int}}\n  y: {command: [a], when: "
      "'${steps.x.outputs.n} > 5', outputs: {o: int}}\noutputs: {n: '${steps.x.outputs.n}', o: "
      "'${steps.y.outputs.o}'}\n");
  End(Begin().at(0), kOk, Json::Obj({{"n", 1}}));
  EXPECT_EQ(StateOf("y"), State::kSkipped);
  EXPECT_EQ(machine_->run().state, State::kSucceeded) << machine_->run().reason;
  EXPECT_EQ(machine_->run().outputs.Dump(), R"({"n":1,"o":null})");
}

TEST_F(MachineTest, AnEmptyListIsSoonDone) {
  Open("name: a\nsteps:\n  x: {command: [a], for_each: []}\n");
  EXPECT_EQ(machine_->run().state, State::kSucceeded);
}

TEST_F(MachineTest, ManyTasksTakeNoQuadraticTime) {
  std::string items;
  for (int i = 0; i < 20'000; ++i) items += std::to_string(i) + ", ";
  Open("name: a\nsteps:\n  x: {command: [a], for_each: [" + items + "0]}\n");
  std::size_t ended = 0;
  while (auto intent = machine_->Next(now_us_, [](const Step&) { return true; })) {
    ASSERT_TRUE(machine_->End(intent->task, intent->nonce, {}, now_us_));
    ++ended;
  }
  machine_->Turn(now_us_);
  EXPECT_EQ(ended, 20'001u);
  EXPECT_EQ(machine_->run().state, State::kSucceeded);
}

TEST(MemoryLimitOf, IsTheFirstPowerOfItsFactorPastThePeak) {
  Step step;
  step.resources.memory_bytes = 1000;
  TaskRecord task;
  const auto limit = [&](double factor, std::int64_t peak) {
    step.retries.memory_factor = factor;
    task.memory_bytes_peak = peak;
    return MemoryLimitOf(step, task);
  };
  EXPECT_EQ(limit(1, 5000), 1000);
  EXPECT_EQ(limit(2, 0), 1000);
  EXPECT_EQ(limit(2, 999), 1000);
  EXPECT_EQ(limit(2, 1000), 2000);
  EXPECT_EQ(limit(2, 7999), 8000);
  EXPECT_EQ(limit(2, 8000), 16000);
  EXPECT_GT(limit(1 + 1e-15, 1'000'000'000), 1'000'000'000) << "and at once";
}

}  // namespace
}  // namespace gyre::pipelines

// Triggers: what happens in the world starts guarded runs. Each occurrence that a trigger listens
// for becomes one **firing**, however often it is told; a firing is judged by the guards, waits,
// asks a person, starts one pipeline run, and ends as that run ends. Every state carries its
// reason. Thread-safe.
//
//   open ----> waiting (asked again later) ----> starting -> running -> succeeded | failed
//     |  \--> approval (a role must agree) --/
//     \---> skipped (a guard said no) | expired (nobody agreed in time)
//
// What an alert says of an endpoint while a firing of the same trigger about it waits or runs joins
// that firing; where its run fails and judges nothing, they wait for the next one. A run that found
// too few labels is no end: its firing waits, ever longer, for up to `labels_wait_s`.
//
// An incident that goes on after an answer that did not end it fires again, once as many new rows
// with labels have come as its run asks for and all guards agree. A trigger that is new, or
// switched on again, hears the alerts that fire already.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "base/json.h"
#include "base/time.h"
#include "ledger/events/events.h"
#include "ml/automation/guards.h"
#include "ml/automation/trigger.h"
#include "platform/db/database.h"

namespace gyre::automation {

db::ModuleSchema AutomationSchema();

struct Trigger {
  std::string id{}, project{};
  TriggerSpec spec{};
  std::string created_by{};
  std::int64_t created_us = 0, updated_us = 0;
};
Json TriggerToJson(const Trigger& trigger);

// What a run came to, where that was judged.
struct Outcome {
  // promoted, not_promoted, rolled_back, refused (the data is not as the model sees it); empty =
  // nothing was judged
  std::string kind{};
  std::string text{};  // "promoted v4", "not promoted: <the gate's reason>"
};

// An occurrence that came while a firing waited or ran, and is answered by it.
struct Joined {
  std::string cause{}, source_id{}, text{};
  std::int64_t joined_us = 0;
};

struct Firing {
  std::string id{}, trigger_id{}, trigger{}, project{};
  std::string key{};  // of its occurrence
  std::string cause{}, subject{}, source_id{}, text{}, fired_by{};
  std::string state{}, guard{}, reason{};
  Json checks{};  // what each guard said: texts
  std::string run_id{}, approved_by{};
  Outcome outcome{};
  std::vector<Joined> joined{};  // also caused by, in their order
  double cpu_seconds = 0;
  std::int64_t created_us = 0, again_us = 0, started_us = 0, ended_us = 0;
  std::int64_t since_us = 0;     // see Occurrence
  std::int64_t labelled = -1;    // rows with labels since then, when it was judged; -1 = unknown
  std::int64_t answered_us = 0;  // the newest event when its model took over; 0 = none did
};
Json FiringToJson(const Firing& firing);
// {"incident", "firing", "next"}: which firing answered the alert that was heard last, and what the
// next one needs; null when no alert was heard.
Json AnsweredToJson(const Trigger& trigger, const std::vector<Firing>& newest_first);

// An alert that fires now.
struct StandingAlert {
  Occurrence occurrence{};
  std::int64_t bad_us = 0;  // where its last bad window began, by the time of the data
};
// What alerts of that signal are to triggers; nothing: none could listen for it.
std::optional<Cause> CauseOfSignal(std::string_view signal);

// What automation asks of the rooms below; filled in by compose.
struct Below {
  struct Start {
    std::string project{}, pipeline{}, key{};  // the same key again is the same run
    Json params{}, triggered_by{};             // {"trigger", "firing", "cause", "source", "text"}
    std::int64_t since_us = 0;  // where the trouble began; for pipelines that take a `since`
  };
  struct RunState {
    std::string state{};   // running, succeeded, failed, cancelled
    std::string reason{};  // for people; of one that succeeded what it has to say, if anything
    std::string error{};   // its code, "GY4617"; empty where no error of gyre's ended it
    double cpu_seconds = 0;
    Outcome outcome{};  // once it has ended
  };
  struct Cost {
    int runs = 0;
    double cpu_seconds = 0;  // of all these
  };
  std::function<Result<std::string>(const Start&)> start{};  // the run's id
  std::function<Result<RunState>(std::string_view run_id)> run_state{};
  std::function<Result<>(std::string_view run_id, std::string_view reason)> cancel{};
  // The pipeline with its version ("retrain:v1"); refuses one that is not there or parameters it
  // does not take. A preset becomes the project's own.
  std::function<Result<std::string>(std::string_view project, const TriggerSpec& spec)> check{};
  // Whether that version of a pipeline has a parameter of that name.
  std::function<Result<bool>(std::string_view project, std::string_view pipeline,
                             std::string_view param)>
      takes{};
  // The project's endpoints, datasets or models by name; kind: "endpoint", "dataset", "model".
  std::function<Result<std::vector<std::string>>(std::string_view project, std::string_view kind)>
      names{};
  // Id of a run that goes on, whoever began it: about the same endpoint, or begun by hand with the
  // same pipeline. Empty = none.
  std::function<Result<std::string>(std::string_view project, const TriggerSpec& spec)> beside{};
  // Of the last runs of that pipeline, whoever began them.
  std::function<Result<Cost>(std::string_view project, std::string_view pipeline)> cost{};
  // Name of an alert that fires now because input values of that endpoint are lost; empty = none.
  std::function<Result<std::string>(std::string_view project, std::string_view subject)>
      quality_alert{};
  // Rows with labels of the endpoint since then, and how many a run of the trigger asks for;
  // nothing where its pipeline does not learn from what came since an incident, or nobody counts
  // them.
  struct Labels {
    std::int64_t rows = 0, wanted = 0;
  };
  std::function<Result<std::optional<Labels>>(std::string_view project, const TriggerSpec& spec,
                                              std::string_view endpoint, std::int64_t since_us)>
      labels{};
  // Every alert that fires now, oldest first.
  std::function<Result<std::vector<StandingAlert>>()> standing{};
  // The time of the newest event that the endpoint was asked about; 0 = none.
  std::function<Result<std::int64_t>(std::string_view project, std::string_view endpoint)>
      newest_event{};
  // What would keep a run of the trigger from learning, as far as it is known beforehand.
  std::function<Result<std::vector<std::string>>(std::string_view project, const TriggerSpec& spec,
                                                 std::string_view endpoint)>
      obstacles{};
  // Tidies up behind runs that have ended: canaries without a run have no traffic.
  std::function<Result<>()> settle{};
  // A person is asked: in the transaction that makes the firing wait for an approval.
  std::function<Result<>(db::Transaction&, const Firing&, std::string_view role)> ask{};
  // A person is told, in the transaction that says so: what its run came to, that it failed, or
  // failed too often.
  std::function<Result<>(db::Transaction&, const Firing&)> tell{};
};

// An event of the outbox as an occurrence; nothing when no trigger could listen for it. Pure.
std::optional<Occurrence> OccurrenceOf(const events::Event& event);

struct FiringQuery {
  std::string project{}, trigger{}, state{};
  int limit = 100;
  std::string after{};  // id; those before it in time
};

class Automation {
 public:
  struct Settings {
    std::int64_t tick_us = 500'000;
    std::int64_t approval_s_max = std::int64_t{7} * 86'400;
  };
  virtual ~Automation() = default;
  virtual Result<> Start() = 0;  // takes up what was open, then follows
  virtual void Stop() = 0;

  // What the trigger would run, with its version. Errors: those of Below::check.
  virtual Result<std::string> PipelineOf(std::string_view project, const TriggerSpec& spec) = 0;
  // Errors: GY4801, GY1200, kAlreadyExists GY4803, kNotFound GY4811, GY4812 what it listens to or
  // learns from is not there, those of Below::check.
  virtual Result<Trigger> Create(std::string_view project, TriggerSpec spec,
                                 std::string_view by) = 0;
  virtual Result<Trigger> Replace(std::string_view project, TriggerSpec spec,
                                  std::string_view by) = 0;  // kNotFound GY4804
  // Errors: kFailedPrecondition GY4816 a run of it goes on.
  virtual Result<> Remove(std::string_view project, std::string_view name) = 0;
  // Rows of triggers were changed by others: what is looked at is read anew.
  virtual void TriggersChanged() = 0;
  virtual Result<Trigger> Get(std::string_view project, std::string_view name) = 0;
  virtual Result<std::vector<Trigger>> List(std::string_view project) = 0;  // by name

  // Tells every trigger of an occurrence: how many listen. Durable when it returns; the same key
  // again changes nothing.
  virtual Result<int> Tell(const Occurrence& occurrence) = 0;
  // By hand or by its URL; `by_hand` loosens the guards that are about patience. Errors:
  // kResourceExhausted GY4815 too many of its firings are under way.
  virtual Result<Firing> Fire(std::string_view project, std::string_view name,
                              Occurrence occurrence, std::string_view by) = 0;
  // What would happen now, and what its runs cost on average. Changes nothing.
  virtual Result<Json> DryRun(std::string_view project, std::string_view name) = 0;

  virtual Result<std::vector<Firing>> Firings(const FiringQuery& query) = 0;  // newest first
  virtual Result<Firing> GetFiring(std::string_view project, std::string_view id) = 0;  // GY4805
  // Errors: kFailedPrecondition GY4806 it does not wait for an approval.
  virtual Result<Firing> Approve(std::string_view project, std::string_view id, bool agreed,
                                 std::string_view by, std::string_view comment) = 0;
  // Those that ended before that time; what happened then could fire anew. How many.
  virtual Result<std::int64_t> Forget(std::int64_t ended_before_us) = 0;
  // One turn of the reconciler now; for tests and for those who wait.
  virtual Result<> Turn() = 0;
};

std::unique_ptr<Automation> OpenAutomation(db::Database& database, events::Events& events,
                                           const Clock& clock, Below below,
                                           Automation::Settings settings);

}  // namespace gyre::automation

// The owner's side of one training: what the worker found becomes runs, artifacts, a model version,
// a verdict, perhaps a new champion.
#pragma once

#include <map>
#include <optional>
#include <string>

#include "base/error.h"
#include "base/json.h"
#include "ml/training/training.h"

namespace gyre::training {

// Puts the champion's package into the input of "training.fit". Errors: a package that cannot be
// read, so that no gate takes it for a champion that is not there.
Result<> AddChampion(const registry::ModelVersion& champion, blob::Store& blobs, Json* input);

// What the gate compares with: the version that the input names as `against`, else @champion; none
// where there is none. Errors: those of Registry::Resolve for the former.
Result<std::optional<registry::ModelVersion>> ChampionFor(registry::Registry& registry,
                                                          std::string_view project,
                                                          const Json& input);

// The class that the successor of a champion looks for too; empty when it predicts something else.
std::string PositiveOfChampion(const registry::ModelVersion& champion, const std::string& target);

// What the worker measured, with the champion as the owner knows it: one that was not compared
// fails the rules that compare with it. Comparisons go by the policy's metric, whatever the
// training asked for.
Result<registry::GateNumbers> NumbersOf(const Json& judged,
                                        const std::optional<registry::ModelVersion>& champion,
                                        const registry::AliasPolicy& policy);

class Commit {
 public:
  // Opens the run that all candidates belong to.
  static Result<Commit> Begin(const TrainingRooms& rooms, runners::JobRun& run);
  Result<Json> FitInput() const;  // of task "training.fit"
  Result<> AddCandidate(const Json& candidate);
  // Registers the best, judges it, moves @champion or says why not. The result of the job.
  Result<Json> Finish(const Json& fit);
  void Fail(const Error& error, bool cancelled);

 private:
  Commit(const TrainingRooms& rooms, runners::JobRun& run) : rooms_(rooms), run_(run) {}
  Result<std::string> RunOf(const Json& entry);
  Json Used(double wall_seconds) const;
  Result<> LogPositive(const Json& fit, const std::string& run);
  Result<> LogFinalists(const Json& fit);
  Result<blob::Object> Keep(const std::string& name);
  Result<registry::ModelVersion> Register(const Json& fit);
  struct Outcome {
    registry::Verdict verdict;
    bool judged = false, recorded = false, promoted = false;
    Json kpis = Json::Arr();
    std::string kpis_of;           // the other target that the project's KPIs are for
    registry::AliasPolicy policy;  // as it was when the gate judged
    std::string reason;            // why not promoted
  };
  Result<> SayAgainst(registry::Verdict* verdict) const;
  Result<Outcome> Promote(const Json& fit, const registry::ModelVersion& version);
  Result<std::vector<registry::Rule>> RulesFor(const registry::GateNumbers& numbers,
                                               Outcome* outcome);
  Json ResultOf(const Json& fit, const registry::ModelVersion& version,
                const Outcome& outcome) const;

  TrainingRooms rooms_;
  runners::JobRun& run_;
  data::Version data_;
  std::string model_;
  std::optional<registry::ModelVersion> champion_;
  tracking::Run parent_;
  std::optional<blob::Object> recipe_;                 // the one that was asked for
  std::map<std::string, std::string> candidate_runs_;  // name -> run id
  std::map<std::string, blob::Object> kept_;
  std::string best_run_;
};

}  // namespace gyre::training

// How a kind of step works that is no program: it begins durable work that goes on by itself (a
// job, another run) or does something at once, under a key that makes a repeat harmless. The
// modules of the loop implement these in their steps.cc; compose.cc registers them by name.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "base/json.h"
#include "ml/pipelines/spec.h"
#include "platform/blob/blob_store.h"

namespace gyre::pipelines {

// One attempt, references filled.
struct StepContext {
  std::string project, run_id, step;
  std::int64_t item = -1;  // of a loop; -1 = no loop
  int attempt = 1;
  std::string key;          // the same for all attempts: for effects outside
  std::string attempt_key;  // for work that is begun anew with each attempt
  std::string created_by;
  bool no_cache = false;  // of the whole run
  Json with, inputs;
};

// What a step read or made, for the lineage: "dataset_version", its id, "churn:v3".
struct StepLink {
  std::string kind, id, label;
  bool made = true;
};

struct StepEnd {
  Result<Json> outputs;  // or why it failed
  double cpu_seconds = 0;
  std::int64_t memory_bytes_peak = 0;
  std::vector<StepLink> links = {};
  std::vector<blob::Object> blobs = {};  // of the files among the outputs
  bool lost = false;      // interrupted by a restart: begun again, at no cost of a try
  bool findings = false;  // it worked and said no (a gate, a check): not tried again
};

// Thread-safe: called on the threads of a pool, and again for the same attempt after a restart.
class StepKind {
 public:
  virtual ~StepKind() = default;
  virtual const KindFacts& facts() const = 0;
  // What who starts a run must be allowed to do, besides running pipelines; empty = nothing.
  virtual std::string_view permission() const { return {}; }
  // Begins, or finds again what was begun under `attempt_key`; a reference to it ("" is none).
  virtual Result<std::string> Start(const StepContext& context) = 0;
  // Nothing while it goes on. May wait up to a tenth of a second.
  virtual Result<std::optional<StepEnd>> Poll(const std::string& reference,
                                              const StepContext& context) = 0;
  virtual void Cancel(const std::string& reference) { static_cast<void>(reference); }
};

// A kind that is done when it returns. `execute` must be harmless when repeated with the same key.
std::unique_ptr<StepKind> ImmediateKind(const KindFacts& facts, std::string_view permission,
                                        std::function<StepEnd(const StepContext&)> execute);

}  // namespace gyre::pipelines

// The worker's side: a stretch of an endpoint's log cut into windows, and what each of them says.
// Private.
#pragma once

#include <map>
#include <memory>
#include <string>
#include <vector>

#include "ml/inference_log/joined.h"
#include "ml/monitoring/attributions.h"
#include "ml/monitoring/reference.h"
#include "ml/monitoring/signals.h"
#include "ml/monitoring/windows.h"
#include "ml/runners/tasks.h"

namespace gyre::monitoring {

// What a model version promised.
struct Promise {
  std::string version_id = {};
  std::string primary = {};  // metric; empty = the task's own
  std::map<std::string, Measured> metrics = {};
  Reference reference = {};
  bool has_reference = false;
  std::string package = {}, holdout = {};       // paths
  std::shared_ptr<Attributor> attributor = {};  // null: nothing is known
};

// {"log": a ReadRequest, "window", "from", "watermark", "again": [{"begin", "end"}] windows that
// were judged before, "again_rows": in them, "fresh": those that are complete since "from" too, as
// long as all are at most "windows_max" of "rows_max", "promises": {"churn:v3": {"version_id",
// "primary", "metrics", "reference", "package", "holdout": paths, "attributions"?}}, "kpis":
// [text], "ignore": [column], members of ChangedRules, "against": "training" or "previous",
// "previous": counts of the window before, "previous_attributions": {"model", "attributions"} of
// it, "health": [of windows before], "labels": [{"end", "labelled", "delay"} of windows before],
// "traffic":
// {"failed_share", "ignored_share"}, "final": [{"begin", "end"}] windows whose rows are counted
// only}.
struct WindowTask {
  inference_log::ReadRequest log;
  WindowSpec window;
  std::int64_t from = 0, watermark = 0;
  std::vector<Window> again;
  std::int64_t again_rows = 0;
  bool fresh = false;
  std::int64_t windows_max = 1, rows_max = 1;
  std::map<std::string, Promise> promises;
  std::vector<statistics::Kpi> kpis;
  std::vector<std::string> ignore;
  DriftRules drift;
  bool against_previous = false;
  Json previous;
  Json previous_attributions;  // {"model", "attributions"}
  std::vector<Health> health;
  std::vector<LabelsOfWindow> labels;
  Health traffic;
  std::vector<Window> final;
};
Result<WindowTask> WindowTaskFromJson(const Json& json);

// The document of one window over its rows; `head` says what the columns are.
Result<Json> JudgeWindow(const WindowTask& task, const inference_log::Joined& head,
                         const table::Frame& rows, const Window& window, bool is_again);

// {"windows": [documents, in the order of time], "more": there are further ones, "attributions":
// {"churn:v3": on the rows held out}}.
Result<Json> RunWindowTask(runners::TaskContext& context);

}  // namespace gyre::monitoring

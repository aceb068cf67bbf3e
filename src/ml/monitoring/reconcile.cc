// From the log to judged windows: what has come, what a worker makes of it, what is kept.
#include <algorithm>
#include <cmath>

#include "base/text.h"
#include "ledger/events/events.h"
#include "ledger/lineage/lineage.h"
#include "ml/evaluation/evaluations.h"
#include "ml/monitoring/monitor_service.h"
#include "ml/projects/projects.h"
#include "ml/registry/registry.h"
#include "ml/runners/jobs.h"
#include "platform/telemetry/log.h"

namespace gyre::monitoring {
namespace {

constexpr telemetry::Logger kLog{"monitoring"};
constexpr int kAgainMax = 64;    // windows that are judged again when labels have come
constexpr int kLateWindows = 3;  // and when only rows have
constexpr int kHealthHistory = 30;
constexpr int kFinalAgain = 64;  // final windows that are looked at when labels have come
constexpr int kDeploymentsMax = 50;
constexpr std::int64_t kRestShare = 4;  // pause after an evaluation, in its own length

Json JsonOf(const std::string& text) {
  auto json = Json::Parse(text);
  return json ? *std::move(json) : Json();
}

// Where a worker finds a file of that version; null when there is none, or it is damaged: the rest
// can be judged all the same.
Json PathOf(blob::Store& blobs, const registry::ModelVersion& version, std::string_view what,
            const blob::Object& object, Json* unread) {
  auto path = registry::LocalPathOf(blobs, version, object);
  if (path) return *std::move(path);
  kLog.Failed("a file of " + version.name() + " cannot be read", path.error());
  unread->Push(fmt::format("computed without the {} of {}: {}", what, version.name(),
                           path.error().message()));
  return nullptr;
}

Json AttachmentPath(blob::Store& blobs, const registry::ModelVersion& version,
                    std::string_view name, Json* unread) {
  for (const registry::Attachment& attachment : version.attachments) {
    if (attachment.name == name) return PathOf(blobs, version, name, attachment.object, unread);
  }
  return nullptr;
}

Json InputNames(const registry::ModelVersion& version) {
  Json names = Json::Arr();
  for (const Json& input : version.signature["inputs"].items()) names.Push(input["name"]);
  return names;
}

Json WindowList(const std::vector<JudgedWindow>& windows) {
  Json list = Json::Arr();
  for (const JudgedWindow& window : windows)
    list.Push(Json::Obj({{"begin", window.begin_us}, {"end", window.end_us}}));
  return list;
}

double ShareOf(std::int64_t part, std::int64_t whole) {
  return whole > 0 ? static_cast<double>(part) / static_cast<double>(whole) : 0;
}

void SetSignal(const Json& signal, Json* document) {
  Json signals = Json::Arr();
  for (const Json& one : (*document)["signals"].items())
    signals.Push(one["signal"] == signal["signal"] ? signal : one);
  document->Set("signals", std::move(signals));
}

// What a window said of the time before it: late rows and labels do not change that.
void CarryOver(const Json& before, bool against_previous, Json* document) {
  const auto carry = [&](std::string_view member, std::string_view name) {
    document->Set(member, before[member]);
    for (const Json& signal : before["signals"].items()) {
      if (signal["signal"].AsString() == name) SetSignal(signal, document);
    }
  };
  carry("health", kService);
  for (const Json& signal : before["signals"].items()) {
    if (signal["signal"].AsString() == kLabelDelay) SetSignal(signal, document);
  }
  if (!against_previous) return;
  carry("columns", kDrift);
  carry("attributions", kAttributionDrift);
}

// Which rows are lost, or which window is made of less than there was; empty where all could be
// read.
std::string LossOf(const Json& answer) {
  for (const Json& document : answer["windows"].items()) {
    if (document["problems"].size() == 0) continue;
    return fmt::format("the window from {} until {} was computed without a damaged file: {}",
                       FormatTime(document["begin"].AsInt()), FormatTime(document["end"].AsInt()),
                       document["problems"].items()[0].AsString());
  }
  for (const Json& lost : answer["damage"].items())
    return fmt::format("rows from {} until {} are lost: {}", FormatTime(lost["from"].AsInt()),
                       FormatTime(lost["to"].AsInt()), lost["what"].AsString());
  if (answer["problems"].size() > 0)
    return "computed without a damaged file: " + answer["problems"].items()[0].AsString();
  return {};
}

// Lost rows and a file of a model are two troubles: neither hides the other.
std::string ProblemOf(const Json& answer, const Json& unread) {
  std::string problem = LossOf(answer);
  if (unread.size() > 0) problem += (problem.empty() ? "" : "; ") + unread.items()[0].AsString();
  return problem;
}

// What is stored: not the counts, which only the next window needs.
Json Stored(const Json& document) {
  Json stored = Json::Obj();
  for (const auto& [key, value] : document.members()) {
    if (key != "counts" && key != "again" && key != "begin" && key != "end") stored.Set(key, value);
  }
  return stored;
}

// The stretch of event time that a batch needs.
std::pair<std::int64_t, std::int64_t> RangeOf(const MonitorRow& row,
                                              const std::vector<JudgedWindow>& final,
                                              const Backlog::Batch& batch) {
  std::int64_t from_us = batch.fresh ? row.cursor_us : INT64_MAX, to_us = INT64_MIN;
  for (const JudgedWindow& window : batch.again) {
    from_us = std::min(from_us, window.begin_us);
    to_us = std::max(to_us, window.end_us);
  }
  if (batch.fresh && !final.empty()) from_us = std::min(from_us, final[0].begin_us);
  return {from_us, batch.fresh ? INT64_MAX : to_us};
}

}  // namespace

Result<std::int64_t> MonitorService::Run(std::string_view project, std::string_view name) {
  GYRE_TRY(const MonitorRow found, Find(project, name));
  if (const auto flushed = rooms_.log.Flush(); !flushed)
    return MakeError(Code::kUnavailable, "GY4509", "the newest rows cannot be stored now: {}",
                     flushed.error().message());
  const MutexLock lock(evaluating_);
  GYRE_TRY(MonitorRow row, Find(project, name));
  return Evaluate(std::move(row), true);
}

Result<> MonitorService::Tick() {
  GYRE_DO(EnsureDefaults(""));
  const MutexLock lock(evaluating_);
  GYRE_TRY(std::vector<MonitorRow> rows, Rows(""));
  for (MonitorRow& row : rows) {
    const std::int64_t begin_us = rooms_.clock.MonotonicMicros();
    if (row.removed || !row.monitor.enabled || begin_us < rested_us_[row.monitor.id]) continue;
    const std::string name = row.monitor.name, id = row.monitor.id;
    if (const auto judged = Evaluate(std::move(row), false); !judged)
      kLog.Failed("monitor " + name + " did not judge its windows", judged.error());
    const std::int64_t end_us = rooms_.clock.MonotonicMicros();
    rested_us_[id] = end_us + kRestShare * (end_us - begin_us);
  }
  return {};
}

Result<MonitorService::Look> MonitorService::LookAt(const MonitorRow& row, bool by_hand) {
  const Monitor& monitor = row.monitor;
  Look look;
  std::vector<JudgedWindow> provisional;
  GYRE_DO(rooms_.database.Read([&](db::Reader& reader) -> Result<> {
    GYRE_TRY(provisional, ReadProvisional(reader, monitor.id, kAgainMax));
    return {};
  }));
  const std::int64_t oldest_us =
      provisional.empty() ? row.cursor_us : std::min(row.cursor_us, provisional[0].begin_us);
  GYRE_TRY(const inference_log::WindowFacts facts,
           rooms_.log.Window(monitor.project, monitor.endpoint, oldest_us, INT64_MAX));
  const Json before = JsonOf(row.looked);
  GYRE_TRY(const inference_log::SealedSince since,
           rooms_.log.Since(monitor.project, monitor.endpoint, before["sealed"].AsInt()));
  look.watermark_us = Watermark(monitor.spec.window, facts.event_max_us, facts.received_max_us,
                                rooms_.clock.NowMicros());
  const Json looked = Json::Obj({{"segments", facts.segments},
                                 {"rows", facts.rows},
                                 {"labels", facts.labels},
                                 {"newest", facts.event_max_us},
                                 {"watermark", look.watermark_us},
                                 {"sealed", since.newest_us},
                                 {"updated", monitor.updated_us}});
  look.looked = looked.Dump();
  const bool any = facts.rows > 0 || since.event_min_us < oldest_us;
  look.changed = any && (by_hand || look.looked != row.looked);
  const bool new_labels = before["labels"].AsInt(-1) != facts.labels;
  const std::size_t again = by_hand || new_labels ? kAgainMax : kLateWindows;
  if (provisional.size() > again)
    provisional.erase(provisional.begin(), provisional.end() - static_cast<std::ptrdiff_t>(again));
  look.again = std::move(provisional);
  GYRE_DO(rooms_.database.Read([&](db::Reader& reader) -> Result<> {
    GYRE_TRY(look.final,
             ReadFinal(reader, monitor.id, since.event_min_us, new_labels ? kFinalAgain : 0));
    return {};
  }));
  return look;
}

// What came too late for a window that is final.
Result<> MonitorService::KeepLeftOut(const Look& look, const Json& counted) {
  return rooms_.database.Write([&](db::Transaction& tx) -> Result<> {
    for (const JudgedWindow& window : look.final) {
      for (const Json& one : counted.items()) {
        if (one["begin"].AsInt() != window.begin_us) continue;
        GYRE_DO(LeaveOut(tx, window.id,
                         std::max<std::int64_t>(0, one["rows"].AsInt() - window.rows),
                         std::max<std::int64_t>(0, one["labelled"].AsInt() - window.labelled)));
      }
    }
    return {};
  });
}

// What the versions that this endpoint has run promised when they were registered.
Result<Json> MonitorService::Promises(const MonitorRow& row, Json* unread) {
  Json promises = Json::Obj();
  GYRE_TRY(const auto deployments,
           rooms_.serving.History(row.monitor.project, row.monitor.endpoint, kDeploymentsMax));
  for (const serving::Deployment& deployment : deployments) {
    if (promises.Has(deployment.model)) continue;
    const auto version = rooms_.registry.GetVersion(deployment.model_version_id);
    if (!version) continue;  // removed since
    Json promise = Json::Obj({{"version_id", version->id},
                              {"metrics", version->metrics},
                              {"inputs", InputNames(*version)}});
    const auto evaluation = rooms_.evaluations.Get(version->evaluation_id);
    if (evaluation) {
      promise.Set("metrics", evaluation->metrics);
      promise.Set("primary", evaluation->primary);
    }
    promise.Set("reference", AttachmentPath(rooms_.blobs, *version, "reference", unread));
    promise.Set("package", PathOf(rooms_.blobs, *version, "package", version->package, unread));
    promise.Set("holdout", AttachmentPath(rooms_.blobs, *version, "holdout", unread));
    const auto known = attributions_.find(deployment.model_version_id);
    if (known != attributions_.end()) promise.Set("attributions", known->second);
    promises.Set(deployment.model, std::move(promise));
  }
  return promises;
}

// Requests since the monitor's last window; the log holds only those that were answered.
Result<Json> MonitorService::Traffic(const Monitor& monitor, const serving::EndpointCounts& now) {
  serving::EndpointCounts before = counted_[monitor.id];
  if (now.requests < before.requests) before = {};  // it was deployed anew
  const std::int64_t requests = now.requests - before.requests;
  GYRE_TRY(const inference_log::CaptureStatus captures,
           rooms_.log.Status(monitor.project, monitor.endpoint));
  Health health;
  health.dropped = static_cast<double>(captures.dropped);
  health.failed_share = ShareOf(now.failed - before.failed, requests);
  health.ignored_share =
      std::min(1.0, ShareOf(now.ignored_columns - before.ignored_columns, now.rows - before.rows));
  return HealthToJson(health);
}

// Windows that wait to be judged again, and had no labels the last time, may have them by now.
Result<Json> MonitorService::LabelHistory(const Monitor& monitor,
                                          const std::vector<JudgedWindow>& waiting) {
  std::vector<LabelsOfWindow> history;
  GYRE_DO(rooms_.database.Read([&](db::Reader& reader) -> Result<> {
    GYRE_TRY(history, ReadLabelHistory(reader, monitor.id));
    return {};
  }));
  Json list = Json::Arr();
  for (const LabelsOfWindow& window : history) {
    if (window.labelled < kRowsMin &&
        std::ranges::find(waiting, window.end_us, &JudgedWindow::end_us) != waiting.end())
      continue;
    list.Push(Json::Obj(
        {{"end", window.end_us}, {"labelled", window.labelled}, {"delay", window.delay_us}}));
  }
  return list;
}

Result<Json> MonitorService::TaskInput(const MonitorRow& row, const Look& look,
                                       const Backlog& backlog, const Backlog::Batch& batch) {
  const Monitor& monitor = row.monitor;
  Json kpis = Json::Arr(), ignore = Json::Arr(), health = Json::Arr();
  GYRE_TRY(const projects::Project project, rooms_.projects.Get(monitor.project));
  if (project.problem) {
    for (const statistics::Kpi& kpi : project.problem->kpis) kpis.Push(kpi.ToString());
  }
  for (const std::string& column : monitor.spec.ignore) ignore.Push(column);
  GYRE_TRY(const inference_log::Policy policy,
           rooms_.log.GetPolicy(monitor.project, monitor.endpoint));
  for (const auto& [column, keep] : policy.columns) {
    if (keep != inference_log::Keep::kKeep) ignore.Push(column);
  }
  GYRE_TRY(std::vector<JudgedWindow> before, Windows(monitor, 0, kHealthHistory));
  std::ranges::reverse(before);
  Json previous = Json::Obj();
  for (const JudgedWindow& window : before) {
    health.Push(window.document["health"]);
    previous = Json::Obj(
        {{"model", window.document["model"]}, {"attributions", window.document["attributions"]}});
  }
  const bool all = batch.again.size() == backlog.again().size();
  GYRE_TRY(Json labels, LabelHistory(monitor, batch.fresh && !all ? backlog.again()
                                                                  : std::vector<JudgedWindow>()));
  std::int64_t again_rows = 0;
  for (const JudgedWindow& window : batch.again) again_rows += window.rows;
  Json unread = Json::Arr();
  GYRE_TRY(Json promises, Promises(row, &unread));
  Json input =
      Json::Obj({{"window", WindowSpecToJson(monitor.spec.window)},
                 {"from", row.cursor_us},
                 {"watermark", look.watermark_us},
                 {"again", WindowList(batch.again)},
                 {"again_rows", again_rows},
                 {"fresh", batch.fresh},
                 {"windows_max", batch.size.windows},
                 {"rows_max", batch.size.rows},
                 {"final", WindowList(batch.fresh ? look.final : std::vector<JudgedWindow>())},
                 {"promises", std::move(promises)},
                 {"unread", std::move(unread)},
                 {"kpis", std::move(kpis)},
                 {"ignore", std::move(ignore)},
                 {"against", monitor.spec.against_previous ? "previous" : "training"},
                 {"previous", JsonOf(row.counts)},
                 {"previous_attributions", std::move(previous)},
                 {"labels", std::move(labels)},
                 {"health", std::move(health)}});
  RulesToJson(monitor.spec.drift, &input);
  return input;
}

// A clock that was set back: on from now, but not into a window that holds rows of now already.
Result<> MonitorService::GoBackWithTheClock(MonitorRow* row) {
  const std::int64_t now_us = rooms_.clock.NowMicros();
  const std::int64_t from_us = GoOnFrom(row->monitor.spec.window, row->cursor_us, now_us);
  if (from_us == row->cursor_us) return {};
  return rooms_.database.Read([&](db::Reader& reader) -> Result<> {
    GYRE_TRY(const std::int64_t end_us, ReadEndUntil(reader, row->monitor.id, now_us));
    row->cursor_us = std::max(from_us, end_us);
    return {};
  });
}

Result<Json> MonitorService::RunBatch(const MonitorRow& row, const Look& look,
                                      const Backlog& backlog, const Backlog::Batch& batch,
                                      Json traffic, Json* unread) {
  runners::JobRun::TaskOptions options;
  options.cancelled = [this] { return stopping_.load(); };
  const auto [from_us, to_us] = RangeOf(row, look.final, batch);
  // The plan holds the files while the worker reads them.
  GYRE_TRY(const inference_log::ReadPlan plan,
           rooms_.log.Plan(row.monitor.project, row.monitor.endpoint, from_us, to_us));
  GYRE_TRY(Json input, TaskInput(row, look, backlog, batch));
  input.Set("log", inference_log::ReadRequestToJson(plan.request));
  input.Set("traffic", std::move(traffic));
  GYRE_TRY(Json answer, rooms_.jobs.RunTaskNow("monitoring.window", input, options));
  for (const auto& [model, attributions] : answer["attributions"].members())
    attributions_[input["promises"][model]["version_id"].AsString()] = attributions;
  *unread = input["unread"];
  return answer;
}

Result<std::int64_t> MonitorService::Evaluate(MonitorRow row, bool by_hand) {
  GYRE_DO(TellOwed(row.monitor));  // of a look that was cut off
  std::int64_t judged = 0;
  const Result<> done = JudgeAll(&row, by_hand, &judged);
  if (!done && done.error().code() == Code::kCancelled) return done.error();
  if (!done) {
    row.monitor.problem = "windows are not judged: " + done.error().message();
    row.looked.clear();  // the next look tries again
    GYRE_DO(Advance(row));
  }
  GYRE_DO(TellOwed(row.monitor));
  if (!done) return done.error();
  return judged;
}

// Where it stands, unless it was changed or removed meanwhile.
Result<> MonitorService::Advance(const MonitorRow& row) {
  const MutexLock lock(writing_);
  MonitorRow now;
  bool there = false;
  GYRE_DO(rooms_.database.Read([&](db::Reader& reader) -> Result<> {
    GYRE_TRY(there, FindMonitor(reader, row.monitor.project, row.monitor.name, &now));
    return {};
  }));
  if (!there || now.removed || now.monitor.updated_us != row.monitor.updated_us) return {};
  return rooms_.database.Write([&](db::Transaction& tx) { return AdvanceMonitor(tx, row); });
}

Result<> MonitorService::JudgeAll(MonitorRow* row, bool by_hand, std::int64_t* judged) {
  GYRE_DO(GoBackWithTheClock(row));
  GYRE_TRY(Look look, LookAt(*row, by_hand));
  if (!look.changed && (!row->looked.empty() || row->monitor.problem.empty())) return {};
  if (!look.changed) {
    row->monitor.problem.clear();  // of a look that failed; nothing is left of what it was about
    return Advance(*row);
  }
  const serving::EndpointCounts counts = rooms_.serving.Counts(row->monitor.endpoint);
  GYRE_TRY(const Json traffic, Traffic(row->monitor, counts));
  Backlog backlog(std::move(look.again), &sizes_[row->monitor.id]);
  std::string loss;
  while (const auto batch = backlog.Next()) {
    const std::int64_t begin_us = rooms_.clock.MonotonicMicros();
    Json unread;
    auto answer = RunBatch(*row, look, backlog, *batch, traffic, &unread);
    const std::int64_t took_us = rooms_.clock.MonotonicMicros() - begin_us;
    if (!answer) {
      if (answer.error().code() == Code::kCancelled) return answer.error();
      row->monitor.problem = "judged in smaller batches: " + answer.error().message();
      row->looked.clear();
      GYRE_DO(Advance(*row));
      backlog.Failed(*batch, std::move(answer).error(), took_us);
      continue;
    }
    if (loss.empty()) loss = ProblemOf(*answer, unread);
    row->monitor.problem = loss;
    if (batch->fresh) GYRE_DO(KeepLeftOut(look, (*answer)["final"]));
    backlog.Done(*batch, (*answer)["more"].AsBool(), took_us);
    GYRE_TRY(const bool kept, KeepAll(row, &look, *answer, backlog.Next().has_value(), judged));
    if (!kept) return {};
    if (batch->fresh) look.final.clear();
    const auto is_new = [](const Json& document) { return !document["again"].AsBool(); };
    if (std::ranges::any_of((*answer)["windows"].items(), is_new))
      counted_[row->monitor.id] = counts;
  }
  if (backlog.failure()) return *backlog.failure();
  row->looked = look.looked;
  return Advance(*row);
}

// False when the monitor was changed or removed meanwhile. `further`: other batches follow.
Result<bool> MonitorService::KeepAll(MonitorRow* row, Look* look, const Json& answer, bool further,
                                     std::int64_t* judged) {
  std::size_t left = answer["windows"].size();
  for (const Json& document : answer["windows"].items()) {
    look->behind = --left > 0 || further;
    GYRE_TRY(const bool kept, Keep(row, *look, document));
    if (!kept) return false;
    ++*judged;
  }
  return true;
}

// One window; false when the monitor was changed or removed meanwhile: the next look goes on.
Result<bool> MonitorService::Keep(MonitorRow* row, const Look& look, const Json& document) {
  const MutexLock lock(writing_);
  Commit commit;
  JudgedWindow& window = commit.window;
  window.id = WindowId(row->monitor.id, document["begin"].AsInt());
  std::vector<Alert> alerts;
  std::vector<std::string> observed;
  MonitorRow now;
  bool there = false, stood = false;
  GYRE_DO(rooms_.database.Read([&](db::Reader& reader) -> Result<> {
    GYRE_TRY(there, FindMonitor(reader, row->monitor.project, row->monitor.name, &now));
    GYRE_TRY(stood, FindWindow(reader, row->monitor.project, window.id, &window));
    GYRE_TRY(alerts, AlertsOf(reader, row->monitor.id));
    GYRE_TRY(observed, ReadObserved(reader, window.id));
    return {};
  }));
  if (!there || now.removed || now.monitor.updated_us != row->monitor.updated_us) return false;
  // Rows that were forgotten or are too old by now: what was judged with them stands, until labels
  // that are new say more of the rest.
  if (stood && document["rows"].AsInt() < window.rows &&
      document["labelled"].AsInt() <= window.labelled)
    return true;
  Json stored = Stored(document);
  if (stood) CarryOver(window.document, row->monitor.spec.against_previous, &stored);
  commit.revised = stood && stored != window.document;
  window.revision += commit.revised ? 1 : 0;
  if (stood) {
    window.late.rows += std::max<std::int64_t>(0, document["rows"].AsInt() - window.rows);
    window.late.labels += std::max<std::int64_t>(0, document["labelled"].AsInt() - window.labelled);
  }
  if (!stood) window.number = now.monitor.windows + 1;
  window.monitor_id = row->monitor.id;
  window.begin_us = document["begin"].AsInt();
  window.end_us = document["end"].AsInt();
  window.rows = document["rows"].AsInt();
  window.labelled = document["labelled"].AsInt();
  if (!stood || commit.revised) window.computed_us = rooms_.clock.NowMicros();
  window.document = stored;
  const WindowState state = StateOf({.rows = window.rows,
                                     .labelled = window.labelled,
                                     .since_end_us = look.watermark_us - window.end_us,
                                     .wait_us = row->monitor.spec.label_wait_us});
  // Judged is judged, also where its last rows lie after the watermark.
  window.state = state == WindowState::kFinal ? state : WindowState::kProvisional;
  commit.document = stored.Dump();
  commit.moves = MoveAlerts(row->monitor, window, alerts, observed,
                            {.now_us = rooms_.clock.NowMicros(), .behind = look.behind});
  if (!document["again"].AsBool()) {
    row->cursor_us = std::max(row->cursor_us, window.end_us);
    row->counts = document["counts"].Dump();
  }
  commit.row = *row;
  commit.row.looked.clear();  // until all windows of this look are kept
  GYRE_DO(Write(commit));
  row->monitor.windows = now.monitor.windows + (stood ? 0 : 1);
  SetGauges(commit);
  return true;
}

}  // namespace gyre::monitoring

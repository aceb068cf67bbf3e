#include "ml/monitoring/window_task.h"

#include <algorithm>
#include <cmath>
#include <set>

#include "base/time.h"
#include "platform/exec/files.h"

namespace gyre::monitoring {
namespace {

constexpr std::int64_t kChunkRows = 50'000;
constexpr std::size_t kReferenceBytesMax = 256 << 20;
constexpr std::string_view kShadow = "shadow";

double NumberOr(const Json& json, double fallback) {
  return json.is_number() ? json.AsDouble() : fallback;
}

Result<Promise> PromiseFromJson(const Json& json, std::span<const std::string> inputs) {
  Promise promise;
  promise.version_id = json["version_id"].AsString();
  promise.primary = json["primary"].AsString();
  for (const auto& [name, value] : json["metrics"].members()) {
    const double estimate = NumberOr(value.is_object() ? value["estimate"] : value, std::nan(""));
    promise.metrics[name] = {estimate, NumberOr(value["lower"], estimate),
                             NumberOr(value["upper"], estimate)};
  }
  promise.attributor =
      std::make_shared<Attributor>(json["package"].AsString(), json["holdout"].AsString(),
                                   AttributionsFromJson(json["attributions"]));
  promise.package = json["package"].AsString();
  promise.holdout = json["holdout"].AsString();
  if (json["reference"].AsString().empty()) return promise;
  GYRE_TRY(const std::string text,
           exec::ReadFile(json["reference"].AsString(), kReferenceBytesMax));
  GYRE_TRY(const Json document, Json::Parse(text));
  GYRE_TRY(promise.reference, ReadReference(document, inputs));
  promise.has_reference = true;
  return promise;
}

// Rows that some window may hold.
class Timeline {
 public:
  explicit Timeline(const WindowTask& task) : task_(task) {}
  void Add(std::span<const std::int64_t> event_us) {
    for (const std::int64_t at_us : event_us) places_.push_back(PlaceOf(task_.window, at_us));
    // Of windows by time a period is one number, however many rows it has.
    if (task_.window.by_time()) Gather();
  }
  std::vector<Window> Windows() {
    Gather();
    std::vector<RowsAt> rows;
    for (const auto& [time_us, count] : rows_) rows.push_back({time_us, count});
    return AssignWindows(task_.window, task_.from, rows, task_.watermark);
  }

 private:
  void Gather() {
    std::ranges::sort(places_);
    std::vector<std::pair<std::int64_t, std::int64_t>> merged = std::move(rows_);
    for (const std::int64_t place : places_) merged.emplace_back(place, 1);
    std::ranges::inplace_merge(merged, merged.end() - std::ssize(places_));
    rows_.clear();
    for (const auto& [place, count] : merged) {
      if (rows_.empty() || rows_.back().first != place)
        rows_.emplace_back(place, count);
      else
        rows_.back().second += count;
    }
    places_.clear();
  }

  const WindowTask& task_;
  std::vector<std::int64_t> places_;                         // not gathered yet
  std::vector<std::pair<std::int64_t, std::int64_t>> rows_;  // by place, ascending
};

// 1 for each row that was not answered in the shadow.
std::vector<unsigned char> Answered(const table::Frame& chunk) {
  std::vector<unsigned char> counts(chunk.rows(), 1);
  const table::Column* const role = chunk.Find("role");
  for (std::size_t row = 0; row < counts.size() && role != nullptr; ++row)
    counts[row] = !role->IsValid(row) || role->text[row] != kShadow;
  return counts;
}

// Rows of several windows, in one reading of the log.
struct Shelf {
  Window window;
  bool again = false;
  table::Frame rows;
};

void Append(const table::Frame& from, const std::vector<std::uint32_t>& rows, table::Frame* to) {
  const table::Frame chosen = from.Select(rows);
  if (to->columns.empty()) {
    *to = chosen;
    return;
  }
  for (std::size_t c = 0; c < chosen.columns.size(); ++c) {
    const table::Column& source = chosen.columns[c];
    table::Column& target = to->columns[c];
    for (std::size_t row = 0; row < source.size(); ++row) {
      if (!source.IsValid(row)) {
        target.PushNull();
      } else if (source.type == table::Type::kText) {
        target.PushText(source.text[row]);
      } else if (source.type == table::Type::kDouble) {
        target.PushDouble(source.doubles[row]);
      } else {
        target.PushInt(source.ints[row]);
      }
    }
  }
}

// What the log holds of windows that stay as they are.
struct Counted {
  std::int64_t rows = 0, labelled = 0;
};

void Count(const table::Frame& chunk, const std::vector<Window>& windows,
           std::vector<Counted>* counted) {
  const std::vector<unsigned char> counts = Answered(chunk);
  const table::Column* const event = chunk.Find("event_time");
  const table::Column* const label = chunk.Find("label");
  for (std::size_t row = 0; row < chunk.rows() && !windows.empty(); ++row) {
    if (counts[row] == 0) continue;
    const std::int64_t at = event->ints[row];
    const auto after = std::ranges::upper_bound(windows, at, {}, &Window::begin);
    if (after == windows.begin() || at >= std::prev(after)->end) continue;
    Counted& found = (*counted)[static_cast<std::size_t>(std::prev(after) - windows.begin())];
    ++found.rows;
    found.labelled += label != nullptr && label->IsValid(row) ? 1 : 0;
  }
}

Json CountedToJson(const std::vector<Window>& windows, const std::vector<Counted>& counted) {
  Json list = Json::Arr();
  for (std::size_t i = 0; i < windows.size(); ++i)
    list.Push(Json::Obj({{"begin", windows[i].begin},
                         {"rows", counted[i].rows},
                         {"labelled", counted[i].labelled}}));
  return list;
}

// A window that has been judged, as the next one sees it.
void Remember(const Json& document, bool again, WindowTask* task) {
  const std::int64_t end_us = document["end"].AsInt();
  const LabelsOfWindow labels{
      .end_us = end_us,
      .labelled = document["labelled"].AsInt(),
      .delay_us = document["labels"]["delay_p50"].AsDouble() * kMicrosPerSecond,
      .age_us = std::max<std::int64_t>(0, task->watermark - end_us)};
  const auto known = std::ranges::find(task->labels, end_us, &LabelsOfWindow::end_us);
  if (known != task->labels.end()) *known = labels;
  if (again) return;
  task->previous = document["counts"];
  task->previous_attributions =
      Json::Obj({{"model", document["model"]}, {"attributions", document["attributions"]}});
  task->health.push_back(HealthFromJson(document["health"]));
  task->labels.push_back(labels);
}

void Sort(const table::Frame& chunk, std::vector<Shelf>* shelves) {
  const std::vector<unsigned char> counts = Answered(chunk);
  const table::Column* const event = chunk.Find("event_time");
  if (event == nullptr) return;
  for (Shelf& shelf : *shelves) {
    std::vector<std::uint32_t> rows;
    for (std::size_t row = 0; row < chunk.rows(); ++row) {
      const std::int64_t at = event->ints[row];
      if (counts[row] != 0 && at >= shelf.window.begin && at < shelf.window.end)
        rows.push_back(static_cast<std::uint32_t>(row));
    }
    if (!rows.empty()) Append(chunk, rows, &shelf.rows);
  }
}

// Windows that were judged before, then new ones, as many as fit.
Result<std::vector<Shelf>> ShelvesFor(const WindowTask& task, bool* more) {
  std::vector<Shelf> shelves;
  for (const Window& window : task.again) shelves.push_back({window, true, {}});
  if (!task.fresh) return shelves;
  Timeline timeline(task);
  GYRE_DO(inference_log::ForEachEventTime(
      task.log, [&](std::string_view role, std::span<const std::int64_t> event_us) -> Result<> {
        if (role != kShadow) timeline.Add(event_us);
        return {};
      }));
  std::int64_t rows = task.again_rows;
  for (const Window& window : timeline.Windows()) {
    if (!window.closed) break;
    *more = std::ssize(shelves) >= task.windows_max ||
            (!shelves.empty() && rows + window.rows > task.rows_max);
    if (*more) break;
    rows += window.rows;
    shelves.push_back({window, false, {}});
  }
  return shelves;
}

// What lies behind the last window is read with the next ones.
void ReadOnlyUntilTheLast(const std::vector<Shelf>& shelves, WindowTask* task) {
  std::int64_t end_us = INT64_MIN;
  for (const Shelf& shelf : shelves) end_us = std::max(end_us, shelf.window.end);
  for (const Window& window : task->final) end_us = std::max(end_us, window.end);
  task->log.to_us = std::min(task->log.to_us, end_us);
}

// Of a damaged segment only in the windows whose events it held; of labels in all.
Json ProblemsOf(const inference_log::Joined& head, const Window& window) {
  Json problems = Json::Arr();
  for (const std::string& problem : head.problems) {
    const auto damage = std::ranges::find(head.damage, problem, &inference_log::Damage::what);
    if (damage == head.damage.end() ||
        (damage->event_min_us < window.end && damage->event_max_us >= window.begin))
      problems.Push(problem);
  }
  return problems;
}

std::vector<std::string> TextsOf(const Json& list) {
  std::vector<std::string> texts;
  for (const Json& text : list.items()) texts.push_back(text.AsString());
  return texts;
}

std::vector<Window> WindowsOf(const Json& list) {
  std::vector<Window> windows;
  for (const Json& window : list.items())
    windows.push_back({window["begin"].AsInt(), window["end"].AsInt(), 0, true});
  return windows;
}

Result<> ReadPromises(const Json& json, WindowTask* task) {
  for (const auto& [model, promise] : json.members()) {
    GYRE_TRY(Promise read, PromiseFromJson(promise, TextsOf(promise["inputs"])));
    task->promises.emplace(model, std::move(read));
  }
  return {};
}

}  // namespace

Result<WindowTask> WindowTaskFromJson(const Json& json) {
  WindowTask task;
  task.log = inference_log::ReadRequestFromJson(json["log"]);
  GYRE_TRY(task.window, WindowSpecFromJson(json["window"]));
  task.from = json["from"].AsInt();
  task.watermark = json["watermark"].AsInt();
  task.again = WindowsOf(json["again"]);
  task.again_rows = json["again_rows"].AsInt();
  task.fresh = json["fresh"].AsBool();
  task.windows_max = json["windows_max"].AsInt(1);
  task.rows_max = json["rows_max"].AsInt(1);
  task.final = WindowsOf(json["final"]);
  GYRE_DO(ReadPromises(json["promises"], &task));
  for (const Json& kpi : json["kpis"].items()) {
    GYRE_TRY(statistics::Kpi read, statistics::ParseStoredKpi(kpi.AsString()));
    task.kpis.push_back(std::move(read));
  }
  task.ignore = TextsOf(json["ignore"]);
  GYRE_TRY(task.drift, ChangedRules({}, json));
  task.against_previous = json["against"].AsString() == "previous";
  task.previous = json["previous"];
  task.previous_attributions = json["previous_attributions"];
  for (const Json& labels : json["labels"].items())
    task.labels.push_back(
        {.end_us = labels["end"].AsInt(),
         .labelled = labels["labelled"].AsInt(),
         .delay_us = labels["delay"].AsDouble(),
         .age_us = std::max<std::int64_t>(0, task.watermark - labels["end"].AsInt())});
  for (const Json& health : json["health"].items()) task.health.push_back(HealthFromJson(health));
  task.traffic = HealthFromJson(json["traffic"]);
  return task;
}

Result<Json> RunWindowTask(runners::TaskContext& context) {
  GYRE_TRY(WindowTask task, WindowTaskFromJson(context.input()));
  task.log.cancelled = [&context] { return context.cancelled(); };
  bool more = false;
  std::vector<Counted> counted(task.final.size());
  GYRE_TRY(std::vector<Shelf> shelves, ShelvesFor(task, &more));
  context.Progress(0.3, "sorting rows");
  if (more) ReadOnlyUntilTheLast(shelves, &task);
  GYRE_TRY(
      const inference_log::Joined head,
      inference_log::ForEachJoined(
          task.log, kChunkRows, [&](const inference_log::Joined&, table::Frame& chunk) -> Result<> {
            Sort(chunk, &shelves);
            Count(chunk, task.final, &counted);
            return {};
          }));
  Json windows = Json::Arr(), problems = Json::Arr();
  for (const std::string& problem : head.problems) problems.Push(problem);
  Json damage = Json::Arr();
  for (const inference_log::Damage& one : head.damage)
    damage.Push(
        Json::Obj({{"what", one.what}, {"from", one.event_min_us}, {"to", one.event_max_us}}));
  for (Shelf& shelf : shelves) {
    context.Progress(0.5, "judging");
    GYRE_TRY(Json document, JudgeWindow(task, head, shelf.rows, shelf.window, shelf.again));
    shelf.rows = {};
    Json own = ProblemsOf(head, shelf.window);
    if (own.size() > 0) document.Set("problems", std::move(own));
    Remember(document, shelf.again, &task);
    windows.Push(std::move(document));
  }
  Json attributions = Json::Obj();
  for (const auto& [model, promise] : task.promises) {
    const Attributions known = promise.attributor->Known();
    if (!known.empty()) attributions.Set(model, AttributionsToJson(known));
  }
  return Json::Obj({{"windows", std::move(windows)},
                    {"more", more},
                    {"final", CountedToJson(task.final, counted)},
                    {"problems", std::move(problems)},
                    {"damage", std::move(damage)},
                    {"attributions", std::move(attributions)}});
}

}  // namespace gyre::monitoring

#include "ml/monitoring/window_task.h"

#include <algorithm>
#include <cmath>
#include <set>

#include "platform/exec/files.h"

namespace gyre::monitoring {
namespace {

constexpr std::int64_t kChunkRows = 50'000;
constexpr std::int64_t kRowsAtOnce = 1'000'000;  // of the windows of one task
constexpr std::size_t kWindowsAtOnce = 32;
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
  void Add(const table::Frame& chunk) {
    const std::vector<unsigned char> counts = Believable(chunk);
    const table::Column& event = *chunk.Find("event_time");
    for (std::size_t row = 0; row < chunk.rows(); ++row) {
      if (counts[row] != 0) places_.push_back(PlaceOf(task_.window, event.ints[row]));
    }
    // Of windows by time a period is one number, however many rows it has.
    if (task_.window.by_time()) Gather();
  }
  std::vector<Window> Windows() {
    Gather();
    std::vector<RowsAt> rows;
    for (const auto& [time_us, count] : rows_) rows.push_back({time_us, count});
    return AssignWindows(task_.window, task_.from, rows, task_.watermark);
  }
  // 1 for each row that is not from the future and was not answered in the shadow.
  static std::vector<unsigned char> Believable(const table::Frame& chunk) {
    std::vector<unsigned char> counts(chunk.rows(), 0);
    const table::Column* const event = chunk.Find("event_time");
    const table::Column* const received = chunk.Find("received_time");
    const table::Column* const role = chunk.Find("role");
    for (std::size_t row = 0; row < counts.size(); ++row) {
      if (event == nullptr || received == nullptr) continue;
      const bool shadow = role != nullptr && role->IsValid(row) && role->text[row] == kShadow;
      counts[row] = !shadow && !IsFromTheFuture(event->ints[row], received->ints[row]);
    }
    return counts;
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

void Sort(const table::Frame& chunk, std::vector<Shelf>* shelves) {
  const std::vector<unsigned char> counts = Timeline::Believable(chunk);
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
std::vector<Shelf> ShelvesFor(const WindowTask& task, const std::vector<Window>& fresh,
                              bool* more) {
  std::vector<Shelf> shelves;
  for (const Window& window : task.again) shelves.push_back({window, true, {}});
  std::int64_t rows = 0;
  for (const Window& window : fresh) {
    if (!window.closed) break;
    *more = shelves.size() >= kWindowsAtOnce || (rows > 0 && rows + window.rows > kRowsAtOnce);
    if (*more) break;
    rows += window.rows;
    shelves.push_back({window, false, {}});
  }
  return shelves;
}

std::vector<std::string> TextsOf(const Json& list) {
  std::vector<std::string> texts;
  for (const Json& text : list.items()) texts.push_back(text.AsString());
  return texts;
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
  for (const Json& window : json["again"].items())
    task.again.push_back({window["begin"].AsInt(), window["end"].AsInt(), 0, true});
  GYRE_DO(ReadPromises(json["promises"], &task));
  for (const Json& kpi : json["kpis"].items()) {
    GYRE_TRY(statistics::Kpi read, statistics::ParseKpi(kpi.AsString()));
    task.kpis.push_back(std::move(read));
  }
  task.ignore = TextsOf(json["ignore"]);
  task.effect_min = NumberOr(json["effect_min"], statistics::kEffectMin);
  task.against_previous = json["against"].AsString() == "previous";
  task.previous = json["previous"];
  for (const Json& health : json["health"].items()) task.health.push_back(HealthFromJson(health));
  task.traffic = HealthFromJson(json["traffic"]);
  return task;
}

Result<Json> RunWindowTask(runners::TaskContext& context) {
  GYRE_TRY(WindowTask task, WindowTaskFromJson(context.input()));
  task.log.cancelled = [&context] { return context.cancelled(); };
  Timeline timeline(task);
  GYRE_DO(inference_log::ForEachJoined(
      task.log, kChunkRows, [&](const inference_log::Joined&, table::Frame& chunk) -> Result<> {
        timeline.Add(chunk);
        return {};
      }));
  context.Progress(0.3, "sorting rows");
  bool more = false;
  std::vector<Shelf> shelves = ShelvesFor(task, timeline.Windows(), &more);
  GYRE_TRY(
      const inference_log::Joined head,
      inference_log::ForEachJoined(
          task.log, kChunkRows, [&](const inference_log::Joined&, table::Frame& chunk) -> Result<> {
            Sort(chunk, &shelves);
            return {};
          }));
  Json windows = Json::Arr(), problems = Json::Arr();
  for (const std::string& problem : head.problems) problems.Push(problem);
  for (Shelf& shelf : shelves) {
    context.Progress(0.5, "judging");
    GYRE_TRY(Json document, JudgeWindow(task, head, shelf.rows, shelf.window, shelf.again));
    if (problems.size() > 0) document.Set("problems", problems);
    if (!shelf.again) {
      task.previous = document["counts"];
      task.health.push_back(HealthFromJson(document["health"]));
    }
    windows.Push(std::move(document));
  }
  Json attributions = Json::Obj();
  for (const auto& [model, promise] : task.promises) {
    const Attributions known = promise.attributor->Known();
    if (!known.empty()) attributions.Set(model, AttributionsToJson(known));
  }
  return Json::Obj({{"windows", std::move(windows)},
                    {"more", more},
                    {"problems", std::move(problems)},
                    {"attributions", std::move(attributions)}});
}

}  // namespace gyre::monitoring

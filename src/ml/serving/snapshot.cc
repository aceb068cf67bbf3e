#include "ml/serving/snapshot.h"

#include <time.h>

#include <algorithm>
#include <atomic>
#include <charconv>

#include "base/hash.h"
#include "base/id.h"
#include "base/text.h"

namespace gyre::serving {

namespace {

// A class as it stood in the data: classes are kept as text, the answer is typed.
std::string ClassJson(const std::string& name, table::Type type) {
  if (type == table::Type::kBool) {
    if (name == "true" || name == "1") return "true";
    if (name == "false" || name == "0") return "false";
  }
  if (type == table::Type::kInt && ParseInt(name)) return name;
  if (type == table::Type::kDouble) {
    if (const auto value = ParseDouble(name); value && *value - *value == 0) {
      std::string out;
      AppendJsonNumber(*value, &out);
      return out;
    }
  }
  std::string out;
  AppendJsonString(name, &out);
  return out;
}

// An id of ours: 32 hexadecimal digits.
bool ParseId(std::string_view id, std::uint64_t* high, std::uint64_t* low) {
  constexpr std::size_t kHalf = 16;
  if (!LooksLikeId(id)) return false;
  std::from_chars(id.data(), id.data() + kHalf, *high, 16);
  std::from_chars(id.data() + kHalf, id.data() + id.size(), *low, 16);
  return true;
}

std::uint64_t NextSerial() {
  static std::atomic<std::uint64_t> next{1};
  return next.fetch_add(1);
}

}  // namespace

const SnapshotInfo& InfoOf(const Snapshot& snapshot) { return snapshot.info; }

std::int64_t ThreadCpuNanos() {
  timespec now{};
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
  return std::int64_t{now.tv_sec} * 1'000'000'000 + now.tv_nsec;
}

RequestMeter::RequestMeter(std::shared_ptr<const Snapshot> snapshot, std::size_t body_bytes)
    : snapshot_(std::move(snapshot)),
      body_bytes_(body_bytes),
      begin_ns_(ThreadCpuNanos()),
      begin_us_(SystemClock().NowMicros()) {}

RequestMeter::~RequestMeter() {
  const SnapshotCounters& counters = snapshot_->counters;
  counters.requests->Add();
  if (!answered_) counters.failed->Add();
  counters.cpu_ns->Add(ThreadCpuNanos() - begin_ns_);
  snapshot_->stats->latency_us.Add(
      static_cast<double>(std::max<std::int64_t>(0, SystemClock().NowMicros() - begin_us_)));
}

void RequestMeter::Failed(const Error& error) {
  if (error.code() != Code::kInvalidArgument) snapshot_->counters.faults->Add();
}

void RequestMeter::Capture(const table::Frame& inputs, const predictors::Scores& scores,
                           std::string_view id) {
  thread_local inference_log::Recorder recorder;
  std::uint64_t high = 0, low = 0;
  const bool ours = ParseId(id, &high, &low);
  recorder.Begin(snapshot_->stream.get(), high, ours ? low : Xxh3(id));
  const std::size_t classes = snapshot_->predictions.size();
  std::vector<table::Cell> cells(inputs.columns.size());
  std::vector<std::string> ids;
  for (std::size_t row = 0; row < scores.rows; ++row) {
    for (std::size_t i = 0; i < cells.size(); ++i) cells[i] = CellAt(inputs.columns[i], row);
    if (classes == 0)
      recorder.Row(cells, scores.prediction[row], 0, {});
    else
      recorder.Row(cells, 0, scores.label[row],
                   std::span(scores.probabilities).subspan(row * classes, classes));
    if (!ours) ids.push_back(row == 0 ? std::string(id) : fmt::format("{}-{}", id, row));
  }
  const std::vector<std::string_view> named(ids.begin(), ids.end());
  recorder.Commit({.received_us = begin_us_,
                   .latency_us = std::max<std::int64_t>(0, SystemClock().NowMicros() - begin_us_),
                   .inference_ids = named});
}

void RequestMeter::Answered(std::size_t rows, std::size_t answer_bytes) {
  answered_ = true;
  snapshot_->counters.rows->Add(static_cast<std::int64_t>(rows));
  snapshot_->counters.bytes->Add(static_cast<std::int64_t>(body_bytes_ + answer_bytes));
}

std::shared_ptr<const Snapshot> MakeSnapshot(SnapshotInfo info, SnapshotCounters counters,
                                             std::shared_ptr<VariantStats> stats,
                                             std::shared_ptr<const inference_log::Stream> stream) {
  auto snapshot = std::make_shared<Snapshot>();
  snapshot->counters = counters;
  snapshot->stats = std::move(stats);
  snapshot->stream = std::move(stream);
  snapshot->serial = NextSerial();
  const predictors::Scorer& scorer = *info.scorer;
  for (std::size_t i = 0; i < scorer.input().size(); ++i) {
    snapshot->columns.emplace(scorer.input()[i].name, static_cast<std::uint32_t>(i));
    const auto format = scorer.package().formats.find(scorer.input()[i].name);
    snapshot->text_formats.push_back(
        format == scorer.package().formats.end() ? table::TextFormat::kUsual : format->second.text);
  }
  snapshot->head = R"({"model":)";
  AppendJsonString(info.model, &snapshot->head);
  snapshot->head += R"(,"inference_id":")";
  for (const std::string& name : scorer.classes()) {
    snapshot->predictions.push_back(ClassJson(name, scorer.package().target_type));
    std::string key;
    AppendJsonString(name, &key);
    snapshot->keys.push_back(key + ":");
  }
  snapshot->info = std::move(info);
  return snapshot;
}

}  // namespace gyre::serving

#include "ml/serving/snapshot.h"

#include <time.h>

#include <atomic>

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
    : snapshot_(std::move(snapshot)), body_bytes_(body_bytes), begin_ns_(ThreadCpuNanos()) {}

RequestMeter::~RequestMeter() {
  const SnapshotCounters& counters = snapshot_->counters;
  counters.requests->Add();
  if (!answered_) counters.failed->Add();
  counters.cpu_ns->Add(ThreadCpuNanos() - begin_ns_);
}

void RequestMeter::Answered(std::size_t rows, std::size_t answer_bytes) {
  answered_ = true;
  snapshot_->counters.rows->Add(static_cast<std::int64_t>(rows));
  snapshot_->counters.bytes->Add(static_cast<std::int64_t>(body_bytes_ + answer_bytes));
}

std::shared_ptr<const Snapshot> MakeSnapshot(SnapshotInfo info, SnapshotCounters counters) {
  auto snapshot = std::make_shared<Snapshot>();
  snapshot->counters = counters;
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

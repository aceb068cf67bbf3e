#include "ml/serving/snapshot.h"

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

std::shared_ptr<const Snapshot> MakeSnapshot(SnapshotInfo info, SnapshotCounters counters) {
  auto snapshot = std::make_shared<Snapshot>();
  snapshot->counters = counters;
  snapshot->serial = NextSerial();
  const predictors::Scorer& scorer = *info.scorer;
  for (std::size_t i = 0; i < scorer.input().size(); ++i) {
    snapshot->columns.emplace(scorer.input()[i].name, static_cast<std::uint32_t>(i));
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

#include "ml/runners/expected_use.h"

namespace gyre::runners {
namespace {

constexpr int kLooked = 100;
constexpr std::size_t kMeasuredMax = 20;

// Whatever is another version of the same is like it: "churn" of "churn:v3".
std::string_view NameOf(const Json& reference) {
  const std::string_view text = reference.AsString();
  return text.substr(0, text.find(':'));
}

bool AreAlike(const Json& a, const Json& b) {
  for (const std::string_view name : {"dataset", "model", "endpoint"})
    if (NameOf(a[name]) != NameOf(b[name])) return false;
  return a["target"].AsString() == b["target"].AsString() &&
         a["budget_seconds"].AsDouble() == b["budget_seconds"].AsDouble() &&
         a["trials"].AsInt() == b["trials"].AsInt();
}

}  // namespace

Result<Estimate> EstimateOf(db::Reader& reader, const Job& job) {
  std::vector<Measured> before;
  GYRE_DO(reader.Query(
      "SELECT input, cpu_seconds, started_us, ended_us, memory_bytes_peak FROM job WHERE project = "
      "?1 AND kind = ?2 AND state = 'succeeded' ORDER BY created_us DESC LIMIT ?3",
      {job.project, job.kind, kLooked}, [&](const db::Row& row) {
        const auto input = Json::Parse(row.Text(0), 96);
        if (input && before.size() < kMeasuredMax && AreAlike(*input, job.input))
          before.push_back({.cpu_seconds = row.Real(1),
                            .wall_seconds = static_cast<double>(row.Int(3) - row.Int(2)) / 1e6,
                            .memory_bytes_peak = row.Int(4)});
        return Result<>();
      }));
  return EstimateFrom(before, 0, {});
}

}  // namespace gyre::runners

#include "ml/evaluation/learned.h"

#include <algorithm>
#include <cstdint>
#include <unordered_map>

#include "platform/table/reader.h"

namespace gyre::evaluation {
namespace {

constexpr std::int64_t kChunkRows = 20'000;

struct Seen {
  std::int64_t here = 0;    // times in the frame
  std::int64_t taught = 0;  // times among the rows that taught
};
using SeenRows = std::unordered_map<std::uint64_t, Seen>;

Result<> AddLessons(const std::vector<std::string>& paths, const table::ReadOptions& options,
                    std::int64_t times, SeenRows* seen) {
  return table::ForEachParquetChunk(paths, options, kChunkRows,
                                    [&](table::Frame& chunk) -> Result<> {
                                      for (const std::uint64_t hash : table::RowHashes(chunk)) {
                                        const auto it = seen->find(hash);
                                        if (it != seen->end()) it->second.taught += times;
                                      }
                                      return {};
                                    });
}

// The frame's rows, and what is known of each kind of them.
struct Compared {
  std::vector<std::uint64_t> rows;  // the kind of each
  SeenRows seen;
};

bool IsLearned(const Seen& kind) { return kind.taught > 0 && (kind.here == 1 || kind.taught == 1); }

Result<Compared> CompareRows(const table::Frame& frame, const Lessons& lessons,
                             const std::function<bool()>& cancelled) {
  GYRE_TRY(const table::ParquetInfo info, table::ReadParquetInfo(lessons.parts));
  table::ReadOptions options;
  options.cancelled = cancelled;
  table::Frame common;
  for (const table::Field& field : info.schema) {
    const table::Column* column = frame.Find(field.name);
    if (column == nullptr) continue;
    options.columns.push_back(field.name);
    common.columns.push_back(*column);
  }
  Compared compared;
  if (common.columns.empty()) return compared;
  compared.rows = table::RowHashes(common);
  for (const std::uint64_t hash : compared.rows) ++compared.seen[hash].here;
  GYRE_DO(AddLessons(lessons.parts, options, 1, &compared.seen));
  if (!lessons.holdout.empty()) GYRE_DO(AddLessons({lessons.holdout}, options, -1, &compared.seen));
  return compared;
}

}  // namespace

Json LessonsToJson(const Lessons& lessons) {
  Json parts = Json::Arr();
  for (const std::string& part : lessons.parts) parts.Push(part);
  return Json::Obj(
      {{"model", lessons.model}, {"parts", std::move(parts)}, {"holdout", lessons.holdout}});
}

Lessons LessonsFromJson(const Json& json) {
  Lessons lessons{json["model"].AsString(), {}, json["holdout"].AsString()};
  for (const Json& part : json["parts"].items()) lessons.parts.push_back(part.AsString());
  return lessons;
}

Result<std::size_t> CountLearned(const table::Frame& frame, const Lessons& lessons,
                                 const std::function<bool()>& cancelled) {
  GYRE_TRY(const Compared compared, CompareRows(frame, lessons, cancelled));
  return static_cast<std::size_t>(std::ranges::count_if(
      compared.seen, [](const auto& kind) { return IsLearned(kind.second); }));
}

Result<std::vector<std::uint32_t>> LearnedRows(const table::Frame& frame, const Lessons& lessons,
                                               const std::function<bool()>& cancelled) {
  GYRE_TRY(const Compared compared, CompareRows(frame, lessons, cancelled));
  std::vector<std::uint32_t> learned;
  for (std::size_t i = 0; i < compared.rows.size(); ++i) {
    if (IsLearned(compared.seen.at(compared.rows[i])))
      learned.push_back(static_cast<std::uint32_t>(i));
  }
  return learned;
}

}  // namespace gyre::evaluation

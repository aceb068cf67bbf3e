#include "ml/data/tasks.h"

#include <limits>

#include "base/text.h"
#include "ml/data/datasets.h"
#include "ml/data/expectations.h"
#include "ml/data/leakage.h"
#include "ml/data/profile.h"
#include "platform/exec/files.h"
#include "platform/table/reader.h"
#include "platform/table/sql.h"
#include "platform/table/writer.h"

namespace gyre::data {

namespace {
constexpr std::int64_t kChunkRows = 100'000;
constexpr std::size_t kBadRowsShown = 100;
constexpr std::int64_t kFileBytesMax = 256 << 20;  // of a query's answer, in memory

std::vector<std::string> Paths(const Json& list) {
  std::vector<std::string> paths;
  for (const Json& path : list.items()) paths.push_back(path.AsString());
  return paths;
}

table::ReadOptions ReadOptionsOf(runners::TaskContext& context) {
  table::ReadOptions options;
  options.cancelled = [&context] { return context.cancelled(); };
  return options;
}
}  // namespace

Result<Json> CheckTask(runners::TaskContext& context) {
  const Json& suite = context.input()["suite"];
  GYRE_DO(CheckSuite(suite));
  std::optional<SuiteCheck> check;
  Json bad_rows = Json::Arr();
  std::int64_t before = 0;
  GYRE_DO(table::ForEachParquetChunk(
      Paths(context.input()["paths"]), ReadOptionsOf(context), kChunkRows,
      [&](table::Frame& chunk) -> Result<> {
        if (!check) check.emplace(suite, chunk.schema());
        const std::vector<std::string> complaints = check->Add(chunk);
        for (std::size_t row = 0; row < complaints.size(); ++row) {
          if (complaints[row].empty()) continue;
          if (bad_rows.size() >= kBadRowsShown) continue;
          std::string text;
          table::AppendJsonLines(chunk.Select({static_cast<std::uint32_t>(row)}), &text);
          GYRE_TRY(Json values, Json::Parse(Trim(text)));
          bad_rows.Push(Json::Obj({{"row", before + static_cast<std::int64_t>(row)},
                                   {"reason", complaints[row]},
                                   {"values", std::move(values)}}));
        }
        before += static_cast<std::int64_t>(chunk.rows());
        context.Progress(-1, GroupDigits(before) + " rows");
        return {};
      }));
  Json result = check->Finish();
  result.Set("bad_rows", std::move(bad_rows));
  return result;
}

// A file holds all rows, or there is none.
Result<Json> WriteAnswer(runners::TaskContext& context, const table::SqlResult& result,
                         std::int64_t rows_max, const std::string& format) {
  const auto rows = static_cast<std::int64_t>(result.frame.rows());
  if (result.truncated && rows < rows_max) {
    return MakeError(Code::kResourceExhausted, "GY2126", "the answer is larger than {}",
                     HumanBytes(kFileBytesMax))
        .Fix("select fewer columns or rows")
        .Fix("gyre datasets export NAME --out FILE    (a whole version, of any size)");
  }
  const std::string file = "answer." + format, path = context.scratch_directory() + "/" + file;
  if (format == "parquet") {
    GYRE_DO(table::WriteParquet(result.frame, path));
  } else {
    std::string text;
    if (format == "csv") {
      table::AppendCsvHeader(result.frame.schema(), &text);
      table::AppendCsvRows(result.frame, &text);
    } else {
      table::AppendJsonLines(result.frame, &text);
    }
    GYRE_DO(exec::WriteFile(path, text));
  }
  return Json::Obj({{"file", file}, {"rows", rows}, {"truncated", result.truncated}});
}

Result<Json> QueryTask(runners::TaskContext& context) {
  const Json& input = context.input();
  std::vector<table::SqlTable> tables;
  for (const Json& item : input["tables"].items())
    tables.push_back({item["name"].AsString(), Paths(item["paths"])});
  table::SqlOptions options;
  const std::string& format = input["format"].AsString();
  options.rows_max = input["rows_max"].AsInt(1000);
  options.result_bytes_max = input["bytes_max"].AsInt(options.result_bytes_max);
  if (!format.empty()) options.result_bytes_max = kFileBytesMax;
  if (!format.empty() && options.rows_max == 0)
    options.rows_max = std::numeric_limits<std::int64_t>::max();
  options.timeout_ms = input["timeout_ms"].AsInt(60'000);
  options.scratch_directory = context.scratch_directory();
  options.cancelled = [&context] { return context.cancelled(); };
  GYRE_TRY(const table::SqlResult result, table::RunSql(tables, input["sql"].AsString(), options));
  if (!format.empty()) return WriteAnswer(context, result, options.rows_max, format);
  Json answer = table::FrameToJson(result.frame);
  answer.Set("truncated", result.truncated);
  return answer;
}

Result<Json> ExportTask(runners::TaskContext& context) {
  const Json& input = context.input();
  const std::string& format = input["format"].AsString();
  const std::string file = "export." + format, path = context.scratch_directory() + "/" + file;
  if (format == "parquet") {
    GYRE_DO(table::MergeParquet(Paths(input["paths"]), path));
    return Json::Obj({{"file", file}});
  }
  bool first = true;
  GYRE_DO(table::ForEachParquetChunk(Paths(input["paths"]), ReadOptionsOf(context), kChunkRows,
                                     [&](table::Frame& chunk) -> Result<> {
                                       std::string text;
                                       if (format == "csv" && first)
                                         table::AppendCsvHeader(chunk.schema(), &text);
                                       first = false;
                                       if (format == "csv") table::AppendCsvRows(chunk, &text);
                                       if (format == "jsonl") table::AppendJsonLines(chunk, &text);
                                       return exec::AppendFile(path, text);
                                     }));
  return Json::Obj({{"file", file}});
}

Result<Json> AssociateTask(runners::TaskContext& context) {
  const std::string& target = context.input()["target"].AsString();
  std::optional<Profiler> profiler;
  GYRE_DO(table::ForEachParquetChunk(Paths(context.input()["paths"]), ReadOptionsOf(context),
                                     kChunkRows, [&](table::Frame& chunk) -> Result<> {
                                       if (!profiler) profiler.emplace(chunk.schema());
                                       profiler->Add(chunk);
                                       return {};
                                     }));
  const table::Frame sample = profiler->Sample();
  if (sample.Find(target) == nullptr) {
    std::vector<std::string> names;
    for (const table::Column& column : sample.columns) names.push_back(column.name);
    Error error = InvalidArgument("GY2105", "there is no column `{}`", target);
    if (const auto close = ClosestMatch(target, names))
      return std::move(error).Fix(fmt::format("did you mean `{}`?", *close));
    return error;
  }
  Json associations = Json::Arr();
  for (const Association& item : Associations(sample, target)) {
    associations.Push(
        Json::Obj({{"column", item.column}, {"score", item.score}, {"method", item.method}}));
  }
  return Json::Obj({{"target", target},
                    {"associations", std::move(associations)},
                    {"warnings", ProfileWarnings(profiler->Finish(), FindLeaks(sample, target))}});
}

void AddTasks(runners::TaskRegistry& tasks) {
  tasks.Add("data.import", ImportTask);
  tasks.Add("data.check", CheckTask);
  tasks.Add("data.query", QueryTask);
  tasks.Add("data.export", ExportTask);
  tasks.Add("data.associate", AssociateTask);
}

}  // namespace gyre::data

#include "ml/monitoring/compare_task.h"

#include <cmath>

#include "ml/monitoring/comparisons.h"
#include "ml/monitoring/kpi_task.h"
#include "ml/monitoring/sides.h"
#include "ml/monitoring/window_task.h"
#include "platform/exec/files.h"
#include "platform/table/import.h"
#include "platform/table/reader.h"
#include "platform/table/writer.h"

namespace gyre::monitoring {
namespace {

// A text file becomes Parquet parts, so that columns are read one by one whatever the file was.
class PartsSink final : public table::ImportSink {
 public:
  explicit PartsSink(std::string prefix) : prefix_(std::move(prefix)) {}

  Result<> Begin(const table::Schema& schema) override {
    schema_ = schema;
    paths_.clear();
    rows_ = 0;
    return {};
  }
  Result<> Chunk(table::Frame& frame) override {
    rows_ += static_cast<std::int64_t>(frame.rows());
    paths_.push_back(fmt::format("{}.{}.parquet", prefix_, paths_.size()));
    return table::WriteParquet(frame, paths_.back(), {.compression_level = 1});
  }
  TableSide Side(std::string name) const { return {std::move(name), paths_, schema_, rows_}; }

 private:
  const std::string prefix_;
  table::Schema schema_;
  std::vector<std::string> paths_;
  std::int64_t rows_ = 0;
};

bool IsParquet(const std::string& path) {
  constexpr std::string_view kMagic = "PAR1";
  const auto head = exec::ReadFilePart(path, 0, kMagic.size());
  return head && *head == kMagic;
}

Result<TableSide> OfParts(std::string name, std::vector<std::string> paths) {
  GYRE_TRY(table::ParquetInfo info, table::ReadParquetInfo(paths));
  return TableSide{std::move(name), std::move(paths), std::move(info.schema), info.rows};
}

// `known`: how a text file reads what could be read in two ways; left behind by the first table for
// the second.
Result<TableSide> OpenSide(runners::TaskContext& context, std::string_view which,
                           table::KnownTable* known, Json* notes) {
  const Json& side = context.input()[which];
  const std::string& name = side["name"].AsString();
  if (side.Has("parts")) {
    std::vector<std::string> paths;
    for (const Json& path : side["parts"].items()) paths.push_back(path.AsString());
    GYRE_TRY(TableSide table, OfParts(name, std::move(paths)));
    known->name = name;
    known->schema = table.schema;
    known->formats = table::FormatsOf(side["columns"]);
    return table;
  }
  const std::string &path = side["file"].AsString(), &format = side["format"].AsString();
  if (format.empty() && IsParquet(path)) return OfParts(name, {path});
  table::ImportOptions options;
  if (!format.empty()) options.format = table::ParseFileFormat(format);
  options.known = *known;
  options.cancelled = [&] { return context.cancelled(); };
  PartsSink sink(fmt::format("{}/{}", context.scratch_directory(), which));
  GYRE_TRY(auto report, table::ImportFiles({{path, name}}, options, sink));
  for (const std::string& note : report.notes) notes->Push(name + ": " + note);
  known->name = name;
  known->schema = std::move(report.schema);
  known->formats = std::move(report.formats);
  return sink.Side(name);
}

}  // namespace

Result<statistics::DriftOptions> DriftOptionsOf(const Json& request) {
  statistics::DriftOptions options;
  if (const std::string& method = request["method"].AsString(); !method.empty()) {
    GYRE_TRY(options.method, statistics::FindDriftMethod(method));
  }
  if (!request["threshold"].is_number()) return options;
  const double threshold = request["threshold"].AsDouble();
  if (options.method == nullptr) {
    return InvalidArgument("GY4524", "a threshold needs the method that it belongs to")
        .Why("the default asks for significance and for an effect, each on its own scale")
        .Fix("--method psi --threshold 0.2");
  }
  const bool is_p = options.method->score == statistics::DriftScore::kPValue;
  if (!std::isfinite(threshold) || threshold < 0 || (is_p && threshold > 1)) {
    return InvalidArgument("GY4525", "the threshold of {} cannot be {}", options.method->name,
                           threshold)
        .Fix(is_p ? "a p-value between 0 and 1" : "a distance from 0 on");
  }
  options.threshold = threshold;
  return options;
}

Result<Json> CompareTask(runners::TaskContext& context) {
  const Json& input = context.input();
  CompareOptions options;
  GYRE_TRY(options.drift, DriftOptionsOf(input));
  for (const Json& column : input["columns"].items()) options.columns.push_back(column.AsString());
  options.threads = static_cast<int>(input["threads"].AsInt(1));
  options.scratch_directory = context.scratch_directory();
  options.cancelled = [&] { return context.cancelled(); };
  options.progress = [&](double fraction, const std::string& column) {
    context.Progress(fraction, column);
  };
  Json notes = Json::Arr();
  table::KnownTable known;
  GYRE_TRY(const TableSide reference, OpenSide(context, "reference", &known, &notes));
  GYRE_TRY(const TableSide current, OpenSide(context, "current", &known, &notes));
  GYRE_TRY(Json comparison, CompareTables(reference, current, options));
  return Json::Obj({{"comparison", std::move(comparison)}, {"notes", std::move(notes)}});
}

void AddTasks(runners::TaskRegistry& tasks) {
  tasks.Add("monitoring.compare", CompareTask);
  tasks.Add("monitoring.kpi", RunKpiTask);
  tasks.Add("monitoring.sides", RunSidesTask);
  tasks.Add("monitoring.window", RunWindowTask);
}

}  // namespace gyre::monitoring

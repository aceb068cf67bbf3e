// What a worker does for this module: everything that reads segments, and files of labels.
#include <algorithm>

#include "base/text.h"
#include "base/time.h"
#include "ml/inference_log/dataset_task.h"
#include "ml/inference_log/inference_log.h"
#include "ml/inference_log/labels.h"
#include "ml/inference_log/trace.h"
#include "platform/exec/files.h"
#include "platform/table/append.h"
#include "platform/table/import.h"
#include "platform/table/reader.h"
#include "platform/table/writer.h"

namespace gyre::inference_log {

ReadRequest RequestOf(runners::TaskContext& context) {
  ReadRequest request = ReadRequestFromJson(context.input()["read"]);
  request.cancelled = [&context] { return context.cancelled(); };
  return request;
}

Json ProblemsJson(const Joined& joined) {
  Json problems = Json::Arr();
  for (const std::string& problem : joined.problems) problems.Push(problem);
  return problems;
}

namespace {

constexpr std::int64_t kChunkRows = 100'000;

Result<Json> CountTask(runners::TaskContext& context) {
  GYRE_TRY(const Joined joined,
           ForEachJoined(RequestOf(context), kChunkRows,
                         [](const Joined&, table::Frame&) -> Result<> { return {}; }));
  return JoinCountsToJson(joined.counts).Set("problems", ProblemsJson(joined));
}

// The newest rows, newest first.
Result<Json> RowsTask(runners::TaskContext& context) {
  ReadRequest request = RequestOf(context);
  const auto limit = static_cast<std::size_t>(context.input()["limit"].AsInt(100));
  GYRE_TRY(const Joined joined, ReadJoined(request));
  std::vector<std::uint32_t> newest;
  const std::string& only = context.input()["inference_id"].AsString();
  const table::TextColumn& ids = joined.frame.columns[0].text;
  for (std::size_t i = joined.frame.rows(); i > 0 && newest.size() < limit; --i) {
    if (only.empty() || ids[i - 1] == only) newest.push_back(static_cast<std::uint32_t>(i - 1));
  }
  Json answer = table::FrameToJson(joined.frame.Select(newest));
  answer.Set("problems", ProblemsJson(joined));
  return answer;
}

Result<Json> ExportTask(runners::TaskContext& context) {
  const std::string& format = context.input()["format"].AsString();
  const std::string file = "captures." + format;
  const std::string path = context.scratch_directory() + "/" + file;
  std::vector<std::string> parts;
  bool first = true;
  if (format != "parquet") GYRE_DO(exec::WriteFile(path, ""));
  GYRE_TRY(const Joined joined,
           ForEachJoined(RequestOf(context), kChunkRows,
                         [&](const Joined&, table::Frame& chunk) -> Result<> {
                           if (format == "parquet") {
                             parts.push_back(fmt::format("{}.{}", path, parts.size()));
                             return table::WriteParquet(chunk, parts.back());
                           }
                           std::string text;
                           if (format == "csv" && first)
                             table::AppendCsvHeader(chunk.schema(), &text);
                           first = false;
                           if (format == "csv") table::AppendCsvRows(chunk, &text);
                           if (format == "jsonl") table::AppendJsonLines(chunk, &text);
                           return exec::AppendFile(path, text);
                         }));
  if (format == "parquet") GYRE_DO(table::MergeParquet(parts, path));
  return Json::Obj({{"file", file}, {"problems", ProblemsJson(joined)}});
}

// --- files of labels -----------------------------------------------------------------------------

class LabelSink final : public table::ImportSink {
 public:
  LabelSink(const LabelRule& rule, std::int64_t received_us, std::string name, std::string path)
      : rule_(rule), received_us_(received_us), name_(std::move(name)), path_(std::move(path)) {}

  Result<> Begin(const table::Schema& schema) override {
    GYRE_DO(exec::WriteFile(path_, ""));
    batch_.emplace(rule_, received_us_,
                   [this](std::string_view bytes) { return exec::AppendFile(path_, bytes); });
    ids_ = Among(schema, {"inference_id"});
    keys_ = Among(schema, {"key", rule_.key_column});
    labels_ = Among(schema, {"label", rule_.target});
    times_ = Among(schema, {"time", "label_time"});
    versions_ = Among(schema, {"version"});
    row_ = 0;
    if (labels_.empty() || (ids_.empty() && keys_.empty())) {
      return InvalidArgument("GY4614", "{} lacks the column `{}`", name_,
                             labels_.empty() ? "label" : "inference_id")
          .Why("labels need inference_id or key, and label; time and version may be there");
    }
    return {};
  }

  Result<> Chunk(table::Frame& frame) override {
    const auto column = [&](const std::string& name) {
      return name.empty() ? nullptr : frame.Find(name);
    };
    const table::Column *ids = column(ids_), *keys = column(keys_), *labels = column(labels_),
                        *times = column(times_), *versions = column(versions_);
    for (std::size_t i = 0; i < frame.rows(); ++i) {
      const std::string place = fmt::format("{}, row {}", name_, ++row_);
      Label label{.time_us = received_us_};
      if (ids != nullptr && ids->IsValid(i))
        label.inference_id = CanonicalId(std::string(ids->text[i]));
      if (keys != nullptr && keys->IsValid(i)) label.key = keys->text[i];
      if (label.inference_id.empty() && label.key.empty())
        return InvalidArgument("GY4610", "{} has neither inference_id nor key", place).Where(place);
      const std::string where = fmt::format("{}, column {}", place, labels_);
      if (!labels->IsValid(i) || labels->text[i].empty())
        return InvalidArgument("GY4611", "{} is empty", where).Where(where);
      GYRE_DO(SetLabel(labels->text[i], rule_, where, &label));
      if (times != nullptr && times->IsValid(i)) label.time_us = times->ints[i];
      if (versions != nullptr && versions->IsValid(i)) label.version = versions->ints[i];
      GYRE_DO(batch_->Add(label));
    }
    return {};
  }

  Result<Json> Finish() {
    GYRE_DO(batch_->Finish());
    return Json::Obj(
        {{"accepted", batch_->rows()}, {"unknown_classes", batch_->unknown_classes()}});
  }

 private:
  static std::string Among(const table::Schema& schema, std::initializer_list<std::string> names) {
    for (const std::string& name : names) {
      if (name.empty()) continue;
      for (const table::Field& field : schema) {
        if (field.name == name) return name;
      }
    }
    return {};
  }

  const LabelRule& rule_;
  const std::int64_t received_us_;
  const std::string name_, path_;
  std::optional<LabelBatch> batch_;
  std::string ids_, keys_, labels_, times_, versions_;
  std::int64_t row_ = 0;
};

// The fixes of an import into a dataset are none for labels: their columns have fixed types.
Error WithFixOfLabels(Error error) {
  if (error.gy() != "GY2041") return error;
  return Error(error.code(), error.gy(), error.message())
      .Why(error.why())
      .Where(error.where())
      .Fix(
          "gyre feedback ENDPOINT FILE    (with a time like 2026-11-21T08:30:00Z, a version like "
          "3, or nothing in the cell)");
}

Result<Json> LabelsTask(runners::TaskContext& context) {
  const Json& input = context.input();
  const LabelRule rule = RuleFromJson(input["rule"]);
  const std::string name = input["name"].StringOr("labels");
  const std::string path = context.scratch_directory() + "/labels";
  table::ImportOptions options;
  if (const std::string& named = input["format"].AsString(); !named.empty())
    options.format = table::ParseFileFormat(named);
  using table::Type;
  options.types = {{"inference_id", Type::kText},    {"key", Type::kText},
                   {"label", Type::kText},           {"time", Type::kTimestamp},
                   {"label_time", Type::kTimestamp}, {"version", Type::kInt}};
  for (const std::string& column : {rule.target, rule.key_column}) {
    const auto has = [&](const table::Field& field) { return field.name == column; };
    if (!column.empty() && std::ranges::none_of(options.types, has))
      options.types.push_back({column, Type::kText});
  }
  options.types_may_miss = true;
  options.types_by = "gyre feedback";
  options.cancelled = [&context] { return context.cancelled(); };
  options.progress = [&context](double fraction, std::int64_t rows) {
    context.Progress(fraction, GroupDigits(rows) + " labels");
  };
  LabelSink sink(rule, input["received_us"].AsInt(), name, path);
  const auto imported = table::ImportFiles({{input["path"].AsString(), name}}, options, sink);
  if (!imported) return WithFixOfLabels(imported.error());
  const table::ImportReport& report = *imported;
  GYRE_TRY(Json done, sink.Finish());
  Json notes = Json::Arr();
  for (const std::string& note : report.notes) notes.Push(note);
  return done.Set("file", path).Set("notes", std::move(notes));
}

}  // namespace

void AddTasks(runners::TaskRegistry& tasks) {
  tasks.Add("inference_log.count", CountTask);
  tasks.Add("inference_log.rows", RowsTask);
  tasks.Add("inference_log.trace", TraceTask);
  tasks.Add("inference_log.export", ExportTask);
  tasks.Add("inference_log.dataset", DatasetTask);
  tasks.Add("inference_log.labels", LabelsTask);
}

}  // namespace gyre::inference_log

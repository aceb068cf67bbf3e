// What a worker does for this module: everything that reads segments, and files of labels.
#include <algorithm>

#include "base/text.h"
#include "base/time.h"
#include "ml/inference_log/inference_log.h"
#include "ml/inference_log/labels.h"
#include "ml/inference_log/trace.h"
#include "platform/exec/files.h"
#include "platform/table/append.h"
#include "platform/table/import.h"
#include "platform/table/reader.h"
#include "platform/table/writer.h"

namespace gyre::inference_log {
namespace {

constexpr std::int64_t kChunkRows = 100'000;

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

// A column of older rows as one of that type; values that are of another kind are missing.
table::Column AsType(table::Column from, table::Type type) {
  if (from.type == type) return from;
  table::Column to{.name = from.name, .type = type};
  const std::vector<double> numbers =
      type == table::Type::kDouble ? table::AsDoubles(from) : std::vector<double>();
  for (std::size_t row = 0; row < from.size(); ++row) {
    if (!from.IsValid(row) || (type != table::Type::kText && type != table::Type::kDouble))
      to.PushNull();
    else if (type == table::Type::kText)
      to.PushText(table::CellText(from, row));
    else
      to.PushDouble(numbers[row]);
  }
  return to;
}

// The rows of those files in the columns of `like`, and then `like` itself: the newest last.
Result<table::Frame> AfterHistory(const std::vector<std::string>& paths, table::Frame like,
                                  const std::function<bool()>& cancelled) {
  table::ReadOptions options;
  options.cancelled = cancelled;
  GYRE_TRY(const table::ParquetInfo info, table::ReadParquetInfo(paths));
  for (const table::Column& column : like.columns) {
    if (std::ranges::find(info.schema, column.name, &table::Field::name) != info.schema.end())
      options.columns.push_back(column.name);
  }
  table::Frame all = table::EmptyFrame(like.schema());
  if (options.columns.empty()) return like;
  GYRE_TRY(const table::Frame older, table::ReadParquet(paths, options));
  table::Frame fitted;
  for (const table::Column& column : like.columns) {
    const table::Column* const found = older.Find(column.name);
    table::Column missing{.name = column.name, .type = column.type};
    if (found == nullptr)
      for (std::size_t row = 0; row < older.rows(); ++row) missing.PushNull();
    fitted.columns.push_back(found == nullptr ? std::move(missing) : AsType(*found, column.type));
  }
  table::AppendFrame(fitted, &all);
  table::AppendFrame(like, &all);
  return all;
}

// A slip of the hand is rare; what comes as often as this is a class.
constexpr std::int64_t kNewClassRows = 20, kNewClassOneOf = 100;

// What a dataset lacks and why, said to whoever asked for it.
std::vector<std::string> LeftOut(const Joined& joined, const TrainingRows& made) {
  std::vector<std::string> said;
  for (const std::string& input : joined.hashed)
    said.push_back(fmt::format("the column `{}` is left out: its values are hashed", input));
  constexpr std::size_t kShown = 5;
  std::int64_t rows = 0;
  std::size_t shown = 0;
  for (const auto& [name, count] : made.set_aside) {
    if (++shown > kShown)
      rows += count;
    else
      said.push_back(
          fmt::format("{} of {} labelled rows set aside: their label `{}` is no class of the model",
                      GroupDigits(count), GroupDigits(made.labelled), name));
  }
  if (rows > 0)
    said.push_back(fmt::format("{} more rows set aside, with {} other such labels",
                               GroupDigits(rows), made.set_aside.size() - kShown));
  return said;
}

// The world has a class more: what to do about it is for a person to say.
Result<> NoNewClass(const TrainingRows& made, std::string_view endpoint, std::string_view target) {
  for (const auto& [name, count] : made.set_aside) {
    if (count < kNewClassRows || count * kNewClassOneOf < made.labelled) continue;
    return FailedPrecondition("GY4618",
                              "{} of {} labels of {} say `{}`, which is no class of the model: "
                              "correct them, or retrain by hand with what `gyre captures "
                              "to-dataset {} NAME --labelled --new-classes` makes",
                              GroupDigits(count), GroupDigits(made.labelled), endpoint, name,
                              endpoint)
        .Why("a retraining keeps the champion's classes; this one comes too often to be a slip")
        .Fix(fmt::format("gyre feedback {} FILE", endpoint))
        .Fix(fmt::format("gyre captures to-dataset {} NAME --labelled --new-classes", endpoint))
        .Fix(fmt::format("gyre train NAME --target {}", target));
  }
  return {};
}

Result<Json> DatasetTask(runners::TaskContext& context) {
  ReadRequest request = RequestOf(context);
  request.one_target = true;
  GYRE_TRY(Joined joined, ReadJoined(request));
  const Json& input = context.input();
  const bool labelled_only = input["labelled_only"].AsBool();
  std::vector<std::string> classes;
  for (const Json& name : input["classes"].items()) classes.push_back(name.AsString());
  TrainingRows made = TrainingFrame(joined, labelled_only, classes);
  if (input["retrain"].AsBool())
    GYRE_DO(NoNewClass(made, input["endpoint"].AsString(), joined.target));
  for (std::string& said : LeftOut(joined, made)) joined.problems.push_back(std::move(said));
  table::Frame frame = std::move(made.frame);
  if (frame.rows() == 0) {
    return FailedPrecondition("GY4613", "there are no {}rows to make a dataset of",
                              labelled_only ? "labelled " : "")
        .Fix("gyre captures   (lists what there is)");
  }
  const auto fresh = static_cast<std::int64_t>(frame.rows());
  if (const std::int64_t least = input["rows_min"].AsInt(); fresh < least) {
    return FailedPrecondition("GY4617", "there are {} {}rows, {} were asked for", fresh,
                              labelled_only ? "labelled " : "", least)
        .Fix("gyre feedback ENDPOINT FILE    (or wait for more traffic)");
  }
  std::vector<std::string> history;
  for (const Json& part : input["history"].items()) history.push_back(part.AsString());
  const bool mixed = !history.empty() && fresh < input["history_below"].AsInt();
  if (mixed) {
    GYRE_TRY(frame, AfterHistory(history, std::move(frame), [&] { return context.cancelled(); }));
  }
  const std::string path = context.scratch_directory() + "/captures.parquet";
  GYRE_DO(table::WriteParquet(frame, path));
  Json from = Json::Arr();
  for (const AnsweringVersion& version : made.versions)
    from.Push(Json::Obj({{"model", version.model}, {"id", version.model_version_id}}));
  return Json::Obj({{"file", path},
                    {"rows", static_cast<std::int64_t>(frame.rows())},
                    {"fresh_rows", fresh},
                    {"mixed", mixed},
                    {"versions", std::move(from)},
                    {"problems", ProblemsJson(joined)}});
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

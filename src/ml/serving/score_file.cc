#include "ml/serving/score_file.h"

#include <algorithm>
#include <map>
#include <vector>

#include "base/text.h"
#include "ml/predictors/scorer.h"
#include "ml/serving/serving.h"
#include "platform/exec/files.h"
#include "platform/table/import.h"
#include "platform/table/writer.h"

namespace gyre::serving {

namespace {

constexpr std::int64_t kChunkRows = 50'000;
constexpr std::int64_t kFlushBytes = 4 << 20;

// The columns of a chunk in the model's order; Begin saw that all are there.
table::Frame ModelColumns(const table::Frame& chunk, const table::Schema& input) {
  table::Frame frame;
  for (const table::Field& field : input) frame.columns.push_back(*chunk.Find(field.name));
  return frame;
}

bool Holds(const std::vector<std::string>& names, const std::string& name) {
  return std::ranges::find(names, name) != names.end();
}

std::vector<std::string> AnswerNames(const predictors::Scorer& scorer) {
  std::vector<std::string> names = {"prediction"};
  for (const std::string& name : scorer.classes()) names.push_back("probability_" + name);
  return names;
}

// The class names as a column of the target's type when each of them reads as one.
table::Column PredictionColumn(const predictors::Scorer& scorer, const predictors::Scores& scores) {
  table::Column column;
  column.name = "prediction";
  if (scorer.task() == predictors::Task::kRegression) {
    column.type = table::Type::kDouble;
    for (const double value : scores.prediction) column.PushDouble(value);
    return column;
  }
  std::vector<std::int64_t> whole;
  if (scorer.package().target_type == table::Type::kInt) {
    for (const std::string& name : scorer.classes()) {
      if (const auto value = ParseInt(name)) whole.push_back(*value);
    }
  }
  const bool as_int = !whole.empty() && whole.size() == scorer.classes().size();
  column.type = as_int ? table::Type::kInt : table::Type::kText;
  for (const std::uint32_t label : scores.label) {
    if (as_int)
      column.PushInt(whole[label]);
    else
      column.PushText(scorer.classes()[label]);
  }
  return column;
}

// What can be done about a cell, row or record that cannot be read: here nothing is set aside, as
// each row must have its answer.
Error ForPrediction(const Error& error, const std::string& name) {
  const std::string& gy = error.gy();
  if (gy != "GY2034" && gy != "GY2036" && gy != "GY2041") return error;
  Error own(error.code(), gy, error.message());
  own = std::move(own).Where(error.where()).Why(error.why());
  own = gy == "GY2041" ? std::move(own).Fix(fmt::format(
                             "correct the cell in {}, or leave it empty: a missing value", name))
                       : std::move(own).Fix(fmt::format("correct that line of {}", name));
  return std::move(own).Fix("gyre predict --bad null   (what cannot be read is missing)");
}

class ScoringSink final : public table::ImportSink {
 public:
  ScoringSink(runners::TaskContext& context, const predictors::Scorer& scorer, std::string format)
      : scorer_(scorer),
        format_(std::move(format)),
        path_(context.scratch_directory() + "/scores"),
        answers_(AnswerNames(scorer)) {}

  Result<> Begin(const table::Schema& schema) override {
    rows_ = 0;
    parts_.clear();
    text_.clear();
    std::vector<std::string> missing;
    header_ = false;
    KeepAside(schema);
    for (const table::Field& field : scorer_.input()) {
      const auto has = [&](const table::Field& other) { return other.name == field.name; };
      if (std::none_of(schema.begin(), schema.end(), has)) missing.push_back(field.name);
    }
    // One row may lack a value; a whole file without a column is a mistyped header.
    if (!missing.empty())
      return InvalidArgument("GY3822", "the file has no column `{}`, which the model reads",
                             Join(missing, "`, `"))
          .Fix("name the columns as the training data did; an empty cell is a missing value");
    return exec::WriteFile(path_, "");
  }

  Result<> Chunk(table::Frame& frame) override {
    GYRE_TRY(const predictors::Scores scores, scorer_.Score(ModelColumns(frame, scorer_.input())));
    for (table::Column& column : frame.columns) {
      if (const auto kept = renamed_.find(column.name); kept != renamed_.end())
        column.name = kept->second;
    }
    frame.columns.push_back(PredictionColumn(scorer_, scores));
    const std::size_t classes = scorer_.classes().size();
    for (std::size_t k = 0; k < classes; ++k) {
      table::Column column;
      column.name = answers_[k + 1];
      column.type = table::Type::kDouble;
      for (std::size_t i = 0; i < scores.rows; ++i)
        column.PushDouble(scores.probabilities[i * classes + k]);
      frame.columns.push_back(std::move(column));
    }
    rows_ += static_cast<std::int64_t>(scores.rows);
    return Write(frame);
  }

  Result<std::string> Finish() {
    if (format_ == "parquet") {
      if (parts_.size() == 1) return parts_[0];
      GYRE_DO(table::MergeParquet(parts_, path_ + ".parquet"));
      return path_ + ".parquet";
    }
    GYRE_DO(exec::AppendFile(path_, text_));
    return path_;
  }
  std::int64_t rows() const { return rows_; }
  // Columns of the input that are called as an answer is, and what they are called beside it.
  const std::map<std::string, std::string>& renamed() const { return renamed_; }

 private:
  void KeepAside(const table::Schema& schema) {
    renamed_.clear();
    std::vector<std::string> taken = answers_;
    for (const table::Field& field : schema) taken.push_back(field.name);
    for (const table::Field& field : schema) {
      if (!Holds(answers_, field.name)) continue;
      std::string name = "input_" + field.name;
      while (Holds(taken, name)) name = "input_" + name;
      renamed_.emplace(field.name, std::move(name));
    }
  }
  Result<> Write(const table::Frame& frame) {
    if (format_ == "parquet") {
      parts_.push_back(fmt::format("{}.{}.parquet", path_, parts_.size()));
      return table::WriteParquet(frame, parts_.back());
    }
    if (format_ == "jsonl") {
      table::AppendJsonLines(frame, &text_);
    } else {
      if (!header_) table::AppendCsvHeader(frame.schema(), &text_);
      header_ = true;
      table::AppendCsvRows(frame, &text_);
    }
    if (static_cast<std::int64_t>(text_.size()) < kFlushBytes) return {};
    GYRE_DO(exec::AppendFile(path_, text_));
    text_.clear();
    return {};
  }

  const predictors::Scorer& scorer_;
  const std::string format_;
  const std::string path_;
  const std::vector<std::string> answers_;
  std::map<std::string, std::string> renamed_;
  std::string text_;
  std::vector<std::string> parts_;
  bool header_ = false;
  std::int64_t rows_ = 0;
};

}  // namespace

Result<Json> ScoreFile(runners::TaskContext& context) {
  const Json& input = context.input();
  const std::string format = input["output_format"].StringOr("csv");
  if (format != "csv" && format != "jsonl" && format != "parquet") {
    return InvalidArgument("GY3820", "`{}` is no format of answers", format)
        .Fix("csv, jsonl or parquet");
  }
  GYRE_TRY(const std::string package, exec::ReadFile(input["model"].AsString()));
  GYRE_TRY(const auto scorer, predictors::Scorer::Load(package));
  table::ImportOptions options;
  if (const std::string& named = input["format"].AsString(); !named.empty()) {
    options.format = table::ParseFileFormat(named);
    if (!options.format)
      return InvalidArgument("GY3821", "`{}` is no format of files", named)
          .Fix("csv, tsv, json, jsonl or parquet");
  }
  options.types = scorer->input();
  options.formats = scorer->package().formats;
  options.types_may_miss = true;
  if (input["bad_is_missing"].AsBool()) options.bad = table::BadCells::kNull;
  options.types_by = "the model";
  options.chunk_rows_max = kChunkRows;
  options.cancelled = [&] { return context.cancelled(); };
  options.progress = [&](double fraction, std::int64_t rows) {
    context.Progress(fraction, GroupDigits(rows) + " rows");
  };
  ScoringSink sink(context, *scorer, format);
  const std::string name = input["name"].StringOr("input");
  const auto report = table::ImportFiles({{input["input"].AsString(), name}}, options, sink);
  if (!report) return ForPrediction(report.error(), name);
  GYRE_TRY(std::string output, sink.Finish());
  Json notes = Json::Arr();
  for (const std::string& note : report->notes) notes.Push(note);
  Json renamed = Json::Obj();
  for (const auto& [from, to] : sink.renamed()) renamed.Set(from, to);
  return Json::Obj({{"output", std::move(output)},
                    {"rows", sink.rows()},
                    {"notes", std::move(notes)},
                    {"cells_nulled", report->cells_nulled},
                    {"renamed", std::move(renamed)}});
}

void AddTasks(runners::TaskRegistry& tasks) { tasks.Add("predictors.score_file", ScoreFile); }

}  // namespace gyre::serving

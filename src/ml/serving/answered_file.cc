#include "ml/serving/answered_file.h"

#include <algorithm>
#include <iterator>
#include <map>
#include <utility>

#include "base/text.h"
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

// What can be done about a cell, row or record that cannot be read: here nothing is set aside, as
// each row must have its answer.
Error ForRows(const Error& error, const std::string& name, std::string_view verb) {
  const std::string& gy = error.gy();
  if (gy != "GY2034" && gy != "GY2036" && gy != "GY2041") return error;
  Error own(error.code(), gy, error.message());
  own = std::move(own).Where(error.where()).Why(error.why());
  own = gy == "GY2041" ? std::move(own).Fix(fmt::format(
                             "correct the cell in {}, or leave it empty: a missing value", name))
                       : std::move(own).Fix(fmt::format("correct that line of {}", name));
  return std::move(own).Fix(
      fmt::format("gyre {} --bad null   (what cannot be read is missing)", verb));
}

class AnsweringSink final : public table::ImportSink {
 public:
  AnsweringSink(runners::TaskContext& context, Answers& answers, std::string format)
      : answers_(answers),
        format_(std::move(format)),
        path_(context.scratch_directory() + "/answers") {}

  Result<> Begin(const table::Schema& schema) override {
    answers_.Begin();
    rows_ = 0;
    parts_.clear();
    text_.clear();
    std::vector<std::string> missing;
    header_ = false;
    KeepAside(schema);
    for (const table::Field& field : answers_.input()) {
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
    GYRE_TRY(std::vector<table::Column> answers,
             answers_.Of(ModelColumns(frame, answers_.input())));
    rows_ += static_cast<std::int64_t>(frame.rows());
    if (format_ == "none") return {};
    for (table::Column& column : frame.columns) {
      if (const auto kept = renamed_.find(column.name); kept != renamed_.end())
        column.name = kept->second;
    }
    std::ranges::move(answers, std::back_inserter(frame.columns));
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
    std::vector<std::string> taken = answers_.names();
    for (const table::Field& field : schema) taken.push_back(field.name);
    for (const table::Field& field : schema) {
      if (!Holds(answers_.names(), field.name)) continue;
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

  Answers& answers_;
  const std::string format_;
  const std::string path_;
  std::map<std::string, std::string> renamed_;
  std::string text_;
  std::vector<std::string> parts_;
  bool header_ = false;
  std::int64_t rows_ = 0;
};

}  // namespace

Result<Json> AnswerFile(runners::TaskContext& context, Answers& answers) {
  const Json& input = context.input();
  const std::string format = input["output_format"].StringOr("csv");
  if (format != "csv" && format != "jsonl" && format != "parquet" && format != "none") {
    return InvalidArgument("GY3820", "`{}` is no format of answers", format)
        .Fix("csv, jsonl or parquet");
  }
  table::ImportOptions options;
  if (const std::string& named = input["format"].AsString(); !named.empty()) {
    options.format = table::ParseFileFormat(named);
    if (!options.format)
      return InvalidArgument("GY3821", "`{}` is no format of files", named)
          .Fix("csv, tsv, json, jsonl or parquet");
  }
  options.types = answers.input();
  options.formats = answers.package().formats;
  options.types_may_miss = true;
  if (input["bad_is_missing"].AsBool()) options.bad = table::BadCells::kNull;
  options.types_by = "the model";
  options.chunk_rows_max = kChunkRows;
  options.cancelled = [&] { return context.cancelled(); };
  options.progress = [&](double fraction, std::int64_t rows) {
    context.Progress(fraction, GroupDigits(rows) + " rows");
  };
  AnsweringSink sink(context, answers, format);
  const std::string name = input["name"].StringOr("input");
  const auto report = table::ImportFiles({{input["input"].AsString(), name}}, options, sink);
  if (!report) return ForRows(report.error(), name, answers.verb());
  Json done = Json::Obj();
  if (format != "none") {
    GYRE_TRY(std::string output, sink.Finish());
    done.Set("output", std::move(output));
  }
  Json notes = Json::Arr();
  for (const std::string& note : report->notes) notes.Push(note);
  Json renamed = Json::Obj();
  for (const auto& [from, to] : sink.renamed()) renamed.Set(from, to);
  done.Set("rows", sink.rows());
  done.Set("notes", std::move(notes));
  done.Set("cells_nulled", report->cells_nulled);
  done.Set("renamed", std::move(renamed));
  return done;
}

}  // namespace gyre::serving

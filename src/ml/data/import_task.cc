// File -> checked rows -> Parquet parts, profile and content hash, in one pass and constant memory.
#include <algorithm>
#include <optional>

#include "base/shell.h"
#include "base/text.h"
#include "ml/data/content_hash.h"
#include "ml/data/expectations.h"
#include "ml/data/leakage.h"
#include "ml/data/profile.h"
#include "ml/data/tasks.h"
#include "platform/exec/files.h"
#include "platform/table/archive.h"
#include "platform/table/import.h"
#include "platform/table/writer.h"

namespace gyre::data {

namespace {
constexpr std::size_t kQuarantineMax = 10'000;

// `a, b, c`; the first few of many.
std::string SomeOf(const std::vector<std::string>& names) {
  constexpr std::size_t kShown = 8;
  const std::size_t shown = std::min(names.size(), kShown);
  std::string text = Join(std::span(names).first(shown), ", ");
  if (names.size() > shown) text += fmt::format(" and {} more", names.size() - shown);
  return text;
}

std::vector<std::string> Lacking(const table::Schema& schema, const table::Schema& of) {
  std::vector<std::string> names;
  for (const table::Field& column : of) {
    if (std::ranges::find(schema, column.name, &table::Field::name) == schema.end())
      names.push_back(column.name);
  }
  return names;
}

// Names decide, in whatever order: rows of the same table may change their types.
Result<> CheckSameColumns(const table::KnownTable& known, const table::Schema& given,
                          const std::string& file) {
  const auto lost = Lacking(given, known.schema), fresh = Lacking(known.schema, given);
  if (lost.empty() && fresh.empty()) return {};
  std::vector<std::string> differences;
  if (!lost.empty()) differences.push_back("lacks " + SomeOf(lost));
  if (!fresh.empty()) differences.push_back("has also " + SomeOf(fresh));
  return FailedPrecondition("GY2115", "{} has other columns than {}: it {}", file, known.name,
                            Join(differences, ", and "))
      .Why("the dataset would become another table, and what was made of it would no longer fit")
      .Fix(fmt::format("gyre add {} --name NAME    (a dataset of its own)", ShellWord(file)))
      .Fix("columns=any    (the next version all the same)");
}

// Writes each chunk as a part and looks at it on the way.
class PartSink : public table::ImportSink {
 public:
  PartSink(std::string directory, const std::vector<table::SourceFile>& files, const Json& input,
           const table::ImportOptions& options)
      : directory_(std::move(directory)), files_(files), input_(input), options_(options) {}

  Result<> Begin(const table::Schema& schema) override {
    if (input_["columns"].AsString() == "same" && !options_.known.name.empty())
      GYRE_DO(CheckSameColumns(options_.known, schema, input_["name"].AsString()));
    for (const Part& part : parts_) GYRE_DO(exec::RemoveTree(directory_ + "/" + part.file));
    parts_.clear();
    quarantined_ = Json::Arr();
    rows_ = rows_quarantined_ = 0;
    hash_.emplace(schema);
    profiler_.emplace(schema);
    check_.reset();
    find_.reset();
    const Json& suite = input_["suite"];
    if (!suite.is_object()) return {};
    check_.emplace(suite, schema);
    if (options_.bad == table::BadCells::kQuarantine) find_.emplace(StrictRules(suite), schema);
    return {};
  }

  void Origins(std::vector<table::RowOrigin> rows) override { origins_ = std::move(rows); }

  Result<> Chunk(table::Frame& frame) override {
    if (find_) {
      const std::vector<std::string> complaints = find_->Add(frame);
      if (!complaints.empty()) SetAside(complaints, &frame);
    }
    if (check_) check_->Add(frame);  // what is kept
    if (frame.rows() == 0) return {};
    hash_->Add(frame);
    profiler_->Add(frame);
    Part part{fmt::format("part-{:05}.parquet", parts_.size()),
              static_cast<std::int64_t>(frame.rows())};
    GYRE_DO(table::WriteParquet(frame, directory_ + "/" + part.file));
    parts_.push_back(std::move(part));
    rows_ += static_cast<std::int64_t>(frame.rows());
    return {};
  }

  std::int64_t rows() const { return rows_; }
  std::int64_t rows_quarantined() const { return rows_quarantined_; }
  const Json& quarantined() const { return quarantined_; }
  std::string ContentHashHex() { return hash_->FinishHex(); }
  const Profiler& profiler() const { return *profiler_; }
  Json Check() const { return check_ ? check_->Finish() : Json(); }
  Json Parts() const {
    Json list = Json::Arr();
    for (const Part& part : parts_)
      list.Push(Json::Obj({{"file", part.file}, {"rows", part.rows}}));
    return list;
  }

 private:
  struct Part {
    std::string file;
    std::int64_t rows;
  };

  void SetAside(const std::vector<std::string>& complaints, table::Frame* frame) {
    std::vector<std::uint32_t> good;
    for (std::size_t row = 0; row < complaints.size(); ++row) {
      if (complaints[row].empty()) {
        good.push_back(static_cast<std::uint32_t>(row));
        continue;
      }
      ++rows_quarantined_;
      if (quarantined_.size() >= kQuarantineMax) continue;
      std::string text;
      table::AppendJsonLines(frame->Select({static_cast<std::uint32_t>(row)}), &text);
      Json set_aside = Json::Obj();
      if (row < origins_.size()) {
        set_aside.Set("file", files_[origins_[row].file].name);
        set_aside.Set("line", origins_[row].line);
      }
      quarantined_.Push(
          set_aside.Set("reason", complaints[row]).Set("text", std::string(Trim(text))));
    }
    if (good.size() < complaints.size()) *frame = frame->Select(good);
  }

  const std::string directory_;
  const std::vector<table::SourceFile>& files_;
  const Json& input_;
  const table::ImportOptions& options_;
  std::vector<Part> parts_;
  std::optional<ContentHash> hash_;
  std::optional<Profiler> profiler_;
  std::optional<SuiteCheck> find_;         // which rows to set aside
  std::optional<SuiteCheck> check_;        // what the version is like
  std::vector<table::RowOrigin> origins_;  // of the chunk that comes next
  Json quarantined_;
  std::int64_t rows_ = 0, rows_quarantined_ = 0;
};

// The command that brought the file, less what it said of bad cells.
std::string CommandOf(const Json& input) {
  std::string command = fmt::format("gyre add {} --name {}", ShellWord(input["name"].AsString()),
                                    ShellWord(input["dataset"].AsString()));
  for (const Json& type : input["types"].items()) {
    std::string text = type["name"].AsString() + "=" + type["type"].AsString();
    if (type.Has("format")) text += ":" + type["format"].AsString();
    command += " --type " + ShellWord(text);
  }
  return command;
}

Result<table::ImportOptions> OptionsOf(runners::TaskContext& context) {
  const Json& input = context.input();
  table::ImportOptions options;
  const std::string& format = input["format"].AsString();
  if (!format.empty() && format != "tar") options.format = table::ParseFileFormat(format);
  const std::string& bad = input["bad"].AsString();
  if (bad == "null") options.bad = table::BadCells::kNull;
  if (bad == "quarantine") options.bad = table::BadCells::kQuarantine;
  GYRE_TRY(options.types, table::SchemaFromJson(input["types"]));
  options.formats = table::FormatsOf(input["types"]);
  if (const Json& known = input["known"]; known.is_object()) {
    options.known.name = known["name"].AsString();
    GYRE_TRY(options.known.schema, table::SchemaFromJson(known["columns"]));
    options.known.formats = table::FormatsOf(known["columns"]);
    GYRE_TRY(options.known.held, table::SchemaFromJson(known["held"]));
  }
  options.command = CommandOf(input);
  options.cancelled = [&context] { return context.cancelled(); };
  options.progress = [&context](double fraction, std::int64_t rows) {
    context.Progress(fraction, GroupDigits(rows) + " rows");
  };
  return options;
}

// First what could not be read, then what broke an expectation.
Result<> WriteQuarantine(const std::string& path, const table::ImportReport& report,
                         const Json& broken) {
  std::string lines;
  for (const table::BadRow& row : report.quarantine) {
    lines +=
        Json::Obj(
            {{"file", row.file}, {"line", row.line}, {"reason", row.reason}, {"text", row.text}})
            .Dump() +
        "\n";
  }
  for (const Json& row : broken.items()) lines += row.Dump() + "\n";
  return exec::WriteFile(path, lines);
}

Error NothingLeft(const std::string& name, const table::ImportReport& report, const Json& broken,
                  const table::ImportOptions& options) {
  const std::string& known = options.known.name;
  Error error = InvalidArgument("GY2104", "every row of {} was set aside", name);
  const std::string dataset = known.substr(0, known.rfind(':'));
  if (!report.quarantine.empty()) {
    const table::BadRow& first = report.quarantine.front();
    error = std::move(error)
                .Where(fmt::format("{}:{}    {}", first.file, first.line, first.reason))
                .Why(known.empty() ? "no row could be read"
                                   : fmt::format("the rows were read by the columns of {}", known));
    return std::move(error).Fix(options.command + " --bad null    (or --type COLUMN=TYPE)");
  }
  const Json& first = broken.items().front();
  return std::move(error)
      .Where(fmt::format("{}:{}    {}", first["file"].StringOr(name), first["line"].AsInt(),
                         first["reason"].AsString()))
      .Why("no row meets the expectations of the dataset")
      .Fix(fmt::format("gyre datasets expectations {}    (they may be set anew)", dataset))
      .Fix(options.command + " --bad error    (the rows stay, and a warning says what they break)");
}

}  // namespace

Result<Json> ImportTask(runners::TaskContext& context) {
  const Json& input = context.input();
  GYRE_TRY(const std::string path, input.GetString("path"));
  GYRE_TRY(const std::string name, input.GetString("name"));
  GYRE_TRY(const table::ImportOptions options, OptionsOf(context));
  std::vector<table::SourceFile> files = {{path, name}};
  const std::string folder = context.scratch_directory() + "/unpacked";
  if (input["format"].AsString() == "tar") {
    GYRE_DO(exec::MakeDirectories(folder));
    GYRE_TRY(files, table::ExtractTar(path, name, folder));
  }
  PartSink sink(context.scratch_directory(), files, input, options);
  GYRE_TRY(const table::ImportReport report, table::ImportFiles(files, options, sink));
  GYRE_DO(exec::RemoveTree(folder));
  if (sink.rows() == 0) {
    return NothingLeft(name, report, sink.quarantined(), options);
  }
  const Profile profile = sink.profiler().Finish();
  const std::string& target = input["target"].AsString();
  const table::Frame sample = sink.profiler().Sample();
  const Json warnings = ProfileWarnings(profile, FindLeaks(sample, target));
  Json document = ProfileToJson(profile);
  if (!target.empty() && sample.Find(target) != nullptr) {
    document.Set("target", target);
    Json associations = Json::Arr();
    for (const Association& item : Associations(sample, target)) {
      associations.Push(
          Json::Obj({{"column", item.column}, {"score", item.score}, {"method", item.method}}));
    }
    document.Set("associations", std::move(associations));
  }
  document.Set("warnings", warnings);
  document.Set("suggested", SuggestSuite(profile));
  GYRE_DO(exec::WriteFile(context.scratch_directory() + "/profile.json", document.Dump()));
  const std::int64_t quarantined = report.rows_quarantined + sink.rows_quarantined();
  if (quarantined > 0)
    GYRE_DO(WriteQuarantine(context.scratch_directory() + "/quarantine.jsonl", report,
                            sink.quarantined()));
  Json schema = table::SchemaToJson(report.schema);
  table::AddFormats(report.formats, &schema);
  Json notes = Json::Arr();
  for (const std::string& note : report.notes) notes.Push(note);
  if (sink.rows_quarantined() > 0)
    notes.Push(fmt::format(
        "{} row{} broke an expectation and {} set aside", GroupDigits(sink.rows_quarantined()),
        sink.rows_quarantined() == 1 ? "" : "s", sink.rows_quarantined() == 1 ? "was" : "were"));
  return Json::Obj({{"schema", std::move(schema)},
                    {"rows", sink.rows()},
                    {"format", report.format},
                    {"content_hash", sink.ContentHashHex()},
                    {"parts", sink.Parts()},
                    {"profile", "profile.json"},
                    {"quarantine", quarantined > 0 ? Json("quarantine.jsonl") : Json()},
                    {"rows_quarantined", quarantined},
                    {"warnings", warnings},
                    {"check", sink.Check()},
                    {"notes", std::move(notes)}});
}

}  // namespace gyre::data

// File -> checked rows -> Parquet parts, profile and content hash, in one pass and constant memory.
#include <optional>

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

// Writes each chunk as a part and looks at it on the way.
class PartSink : public table::ImportSink {
 public:
  PartSink(std::string directory, const Json& suite, bool quarantine)
      : directory_(std::move(directory)), suite_(suite), quarantine_(quarantine) {}

  Result<> Begin(const table::Schema& schema) override {
    for (const Part& part : parts_) GYRE_DO(exec::RemoveTree(directory_ + "/" + part.file));
    parts_.clear();
    quarantined_ = Json::Arr();
    rows_ = rows_quarantined_ = 0;
    hash_.emplace(schema);
    profiler_.emplace(schema);
    check_.reset();
    if (suite_.is_object()) check_.emplace(suite_, schema);
    return {};
  }

  Result<> Chunk(table::Frame& frame) override {
    if (check_) {
      const std::vector<std::string> complaints = check_->Add(frame);
      if (quarantine_ && !complaints.empty()) SetAside(complaints, &frame);
    }
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
      quarantined_.Push(Json::Obj({{"reason", complaints[row]}, {"text", Trim(text)}}));
    }
    if (good.size() < complaints.size()) *frame = frame->Select(good);
  }

  const std::string directory_;
  const Json& suite_;
  const bool quarantine_;
  std::vector<Part> parts_;
  std::optional<ContentHash> hash_;
  std::optional<Profiler> profiler_;
  std::optional<SuiteCheck> check_;
  Json quarantined_;
  std::int64_t rows_ = 0, rows_quarantined_ = 0;
};

Result<table::ImportOptions> OptionsOf(runners::TaskContext& context) {
  const Json& input = context.input();
  table::ImportOptions options;
  const std::string& format = input["format"].AsString();
  if (!format.empty() && format != "tar") options.format = table::ParseFileFormat(format);
  const std::string& bad = input["bad"].AsString();
  if (bad == "null") options.bad = table::BadCells::kNull;
  if (bad == "quarantine") options.bad = table::BadCells::kQuarantine;
  GYRE_TRY(options.types, table::SchemaFromJson(input["types"]));
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
  PartSink sink(context.scratch_directory(), input["suite"],
                options.bad == table::BadCells::kQuarantine);
  GYRE_TRY(const table::ImportReport report, table::ImportFiles(files, options, sink));
  GYRE_DO(exec::RemoveTree(folder));
  if (sink.rows() == 0) {
    return InvalidArgument("GY2104", "every row of {} was set aside", name)
        .Why("no row meets the expectations of the dataset")
        .Fix("gyre datasets show NAME");
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
  Json notes = Json::Arr();
  for (const std::string& note : report.notes) notes.Push(note);
  if (sink.rows_quarantined() > 0)
    notes.Push(fmt::format("{} rows broke an expectation and were set aside",
                           GroupDigits(sink.rows_quarantined())));
  return Json::Obj({{"schema", table::SchemaToJson(report.schema)},
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

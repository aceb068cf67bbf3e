#include "ml/training/inspect_model_task.h"

#include <algorithm>
#include <optional>

#include "base/text.h"
#include "ml/training/inspected_file.h"
#include "ml/training/mlmodel_file.h"
#include "platform/exec/mapped_file.h"

namespace gyre::training {
namespace {

constexpr std::size_t kRequirementsMax = 1'000, kLineBytesMax = 500, kExampleBytesMax = 64'000,
                      kFactsBytesMax = 1 << 20, kNamedFilesMax = 100;

// Files that make an environment: no loader of models reads them, unless MLmodel says so.
bool IsOfEnvironment(std::string_view path) {
  constexpr std::string_view kNames[] = {"MLmodel", "conda.yaml", "python_env.yaml",
                                         "requirements.txt"};
  return std::ranges::find(kNames, path) != std::end(kNames);
}

class Report {
 public:
  explicit Report(const Json& files) : files_(files.items()) {}

  Result<Json> Make(runners::TaskContext& context);

 private:
  Result<> ReadModel();
  Result<exec::MappedFile> Open(const Json& file) const;
  const Json* Find(std::string_view path) const;
  Result<InspectedFile> InspectOne(const Json& file) const;
  void Add(const Json& file, InspectedFile found);
  void Judge(Safety safety, std::string why);
  Result<> AddRequirements();
  Result<> AddExample();

  const Json::Array& files_;
  MlmodelFacts model_;
  Json rows_ = Json::Arr(), notes_ = Json::Arr(), answer_ = Json::Obj();
  Safety verdict_ = Safety::kSafe;
  std::string why_;
  std::int64_t size_bytes_ = 0;
  std::size_t facts_bytes_ = 0, named_files_ = 0;
};

const Json* Report::Find(std::string_view path) const {
  const auto found =
      std::ranges::find_if(files_, [&](const Json& one) { return one["path"].AsString() == path; });
  return found == files_.end() ? nullptr : &*found;
}

Result<exec::MappedFile> Report::Open(const Json& file) const {
  return exec::MapFile(file["file"].AsString());
}

// The worst is what the whole is; of several, the first says why.
void Report::Judge(Safety safety, std::string why) {
  if (safety <= verdict_) return;
  verdict_ = safety;
  why_ = std::move(why);
}

Result<> Report::ReadModel() {
  const Json* const file = Find("MLmodel");
  if (file == nullptr) {
    notes_.Push("there is no MLmodel: the files are no model of MLflow's");
    return {};
  }
  GYRE_TRY(const exec::MappedFile bytes, Open(*file));
  auto read = ReadMlmodel(bytes.bytes());
  if (!read) {
    Judge(Safety::kUnclear, read.error().message());
    return {};
  }
  model_ = *std::move(read);
  if (!model_.odd_loader.empty()) {
    Judge(Safety::kUnsafe,
          fmt::format("MLmodel: {} loads it, which is no part of MLflow", model_.odd_loader));
  }
  return {};
}

Result<InspectedFile> Report::InspectOne(const Json& file) const {
  const std::string& path = file["path"].AsString();
  if (IsOfEnvironment(path) && !model_.loaded.contains(path)) return InspectedFile{"environment"};
  GYRE_TRY(const exec::MappedFile bytes, Open(file));
  return InspectFile(path, bytes.bytes());
}

void Report::Add(const Json& file, InspectedFile found) {
  const std::string& path = file["path"].AsString();
  Json row = Json::Obj({{"path", path},
                        {"size_bytes", file["size_bytes"]},
                        {"kind", found.kind},
                        {"verdict", SafetyName(found.safety)}});
  size_bytes_ += file["size_bytes"].AsInt();
  if (!found.why.empty()) row.Set("why", found.why);
  if (!found.unknown.empty() && ++named_files_ <= kNamedFilesMax) {
    Json names = Json::Arr();
    for (std::string& name : found.unknown) names.Push(std::move(name));
    row.Set("unknown_names", std::move(names));
  }
  if (found.facts.size() > 0) {
    facts_bytes_ += found.facts.Dump().size();
    if (facts_bytes_ <= kFactsBytesMax) row.Set("facts", std::move(found.facts));
  }
  Judge(found.safety, fmt::format("{}: {}", path, found.why));
  rows_.Push(std::move(row));
}

// Installing them runs what others wrote, from wherever the lines say.
Result<> Report::AddRequirements() {
  const Json* const file = Find("requirements.txt");
  if (file == nullptr) return {};
  GYRE_TRY(const exec::MappedFile bytes, Open(*file));
  Json lines = Json::Arr();
  for (const std::string_view whole : Split(bytes.bytes().substr(0, kMlmodelBytesMax), '\n')) {
    const std::string_view line = Trim(whole);
    if (line.empty() || line.starts_with('#') || line.size() > kLineBytesMax ||
        !IsValidUtf8(line) || lines.size() >= kRequirementsMax)
      continue;
    if (line.starts_with('-') || line.find("://") != std::string_view::npos ||
        line.find(" @ ") != std::string_view::npos)
      notes_.Push(fmt::format("requirements.txt takes a package from elsewhere: {}", line));
    lines.Push(line);
  }
  answer_.Set("requirements", std::move(lines));
  return {};
}

Result<> Report::AddExample() {
  const std::string& path = model_.document["input_example"].AsString();
  const Json* const file = path.empty() ? nullptr : Find(path);
  if (file == nullptr) return {};
  GYRE_TRY(const exec::MappedFile bytes, Open(*file));
  if (bytes.bytes().size() > kExampleBytesMax) return {};
  if (auto value = Json::Parse(bytes.bytes())) answer_.Set("input_example", *std::move(value));
  return {};
}

Result<Json> Report::Make(runners::TaskContext& context) {
  GYRE_DO(ReadModel());
  for (const Json& file : files_) {
    if (context.cancelled()) return MakeError(Code::kCancelled, "GY3554", "nobody waits for it");
    GYRE_TRY(InspectedFile found, InspectOne(file));
    Add(file, std::move(found));
  }
  GYRE_DO(AddRequirements());
  GYRE_DO(AddExample());
  answer_.Set("verdict", SafetyName(verdict_)).Set("why", why_);
  answer_.Set("file_count", rows_.size()).Set("size_bytes", size_bytes_);
  answer_.Set("files", std::move(rows_)).Set("notes", std::move(notes_));
  answer_.Set("model", std::move(model_.document));
  return std::move(answer_);
}

}  // namespace

Result<Json> InspectModelTask(runners::TaskContext& context) {
  return Report(context.input()["files"]).Make(context);
}

}  // namespace gyre::training

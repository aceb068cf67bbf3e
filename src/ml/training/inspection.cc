#include "ml/training/inspection.h"

#include <algorithm>
#include <vector>

#include "base/text.h"

namespace gyre::training {
namespace {

constexpr std::size_t kFilesMax = 2'000;
constexpr int kPageSize = 1'000;
constexpr std::int64_t kMemoryBytes = std::int64_t{2} << 30;

struct Found {
  std::vector<std::string> paths;    // below the folder
  std::vector<std::string> folders;  // that are still to be looked into
};

Result<> ListOne(tracking::Files& files, const tracking::FileOwner& owner,
                 const std::string& folder, Found* found) {
  std::string token;
  do {
    GYRE_TRY(const tracking::FilePage page, files.List(owner, folder, token, kPageSize));
    for (const tracking::FileEntry& entry : page.entries) {
      const std::string path = folder.empty() ? entry.name : folder + "/" + entry.name;
      (entry.is_folder ? found->folders : found->paths).push_back(path);
      if (found->paths.size() + found->folders.size() > kFilesMax) {
        return MakeError(Code::kResourceExhausted, "GY3553",
                         "{} holds more than 2,000 files: they are not inspected",
                         folder.empty() ? "the model" : folder);
      }
    }
    token = page.next_page_token;
  } while (!token.empty());
  return {};
}

// Too long, too much memory, or the worker died: what is inspected was made for that, or is larger
// than anybody's model.
bool EndedByItsInput(const Error& error) {
  return error.gy() == "GY3305" || error.gy() == "GY3306" || error.gy() == "GY3309" ||
         error.gy() == "GY3310";
}

Json ReportOfNothing(const Json& inspected, const std::string& problem) {
  Json files = Json::Arr();
  std::int64_t bytes = 0;
  for (const Json& file : inspected.items()) {
    bytes += file["size_bytes"].AsInt();
    files.Push(Json::Obj({{"path", file["path"]},
                          {"size_bytes", file["size_bytes"]},
                          {"kind", "not inspected"},
                          {"verdict", "unclear"}}));
  }
  return Json::Obj({{"verdict", "unclear"},
                    {"why", "the inspection was given up: " + problem},
                    {"file_count", files.size()},
                    {"size_bytes", bytes},
                    {"files", std::move(files)},
                    {"notes", Json::Arr()},
                    {"model", Json::Obj()}});
}

}  // namespace

Result<Json> Inspections::Inspect(const tracking::FileOwner& owner, const std::string& folder,
                                  const InspectionBounds& bounds) {
  Found found;
  found.folders.push_back(folder);
  while (!found.folders.empty()) {
    const std::string next = std::move(found.folders.back());
    found.folders.pop_back();
    GYRE_DO(ListOne(files_, owner, next, &found));
  }
  if (found.paths.empty()) {
    return NotFound("GY3552", "no files are kept {}",
                    folder.empty() ? "there" : fmt::format("in {}", folder))
        .Why("a logged model has files of its own, beside those of its run")
        .Fix("gyre models inspect m-ID    (the id that its client printed)");
  }
  std::ranges::sort(found.paths);
  const std::size_t above = folder.empty() ? 0 : folder.size() + 1;
  Named named;
  for (const std::string& path : found.paths) {
    GYRE_TRY(const tracking::Artifact file, files_.Get(owner, path));
    named.emplace_back(path.substr(above), file.object);
  }
  return Run(named, bounds);
}

Result<Json> Inspections::InspectOne(const std::string& path, const blob::Object& file,
                                     const InspectionBounds& bounds) {
  return Run({{path, file}}, bounds);
}

Result<Json> Inspections::Run(const Named& files, const InspectionBounds& bounds) {
  Json list = Json::Arr();
  std::int64_t largest = 0;
  for (const auto& [path, object] : files) {
    GYRE_TRY(const std::string local, blobs_.LocalPath(object.digest));
    list.Push(Json::Obj({{"path", path}, {"file", local}, {"size_bytes", object.size_bytes}}));
    largest = std::max(largest, object.size_bytes);
  }
  runners::JobRun::TaskOptions options;
  options.memory_bytes_max = kMemoryBytes + largest;  // files are mapped, not read into memory
  options.timeout_ms = bounds.timeout_ms;
  options.cancelled = bounds.cancelled;
  const Json input = Json::Obj({{"files", std::move(list)}});
  auto report = jobs_.RunTaskNow("training.inspect_model", input, options);
  if (report || !EndedByItsInput(report.error())) return report;
  return ReportOfNothing(input["files"], report.error().message());
}

Json ReportOfPackage(const blob::Object& package) {
  Json file = Json::Obj({{"path", "package"},
                         {"size_bytes", package.size_bytes},
                         {"kind", "package of gyre"},
                         {"verdict", "safe"}});
  return Json::Obj({{"verdict", "safe"},
                    {"why", ""},
                    {"file_count", 1},
                    {"size_bytes", package.size_bytes},
                    {"files", Json::Arr({std::move(file)})},
                    {"notes", Json::Arr()},
                    {"model", Json::Obj()}});
}

std::string DangerOf(const Json& report) {
  return report["verdict"].AsString() == "safe" ? "" : report["why"].AsString();
}

}  // namespace gyre::training

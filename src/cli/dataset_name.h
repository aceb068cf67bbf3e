// A dataset or one of its versions, as the command line names it.
#pragma once

#include <string>
#include <string_view>

#include "base/text.h"
#include "cli/command.h"

namespace gyre::cli {

// "[project/]name[:vN]" as a path of the API.
struct DatasetName {
  std::string project, dataset, version = "latest";
  std::string path() const {
    return fmt::format("/api/v1/projects/{}/datasets/{}", PercentEncode(project),
                       PercentEncode(dataset));
  }
  std::string version_path() const { return path() + "/versions/" + PercentEncode(version); }
};

inline DatasetName NameDataset(const Invocation& in) {
  DatasetName target;
  target.project = in.project();
  target.dataset = in.Get("DATASET");
  if (const std::size_t slash = target.dataset.find('/'); slash != std::string::npos) {
    target.project = target.dataset.substr(0, slash);
    target.dataset.erase(0, slash + 1);
  }
  if (const std::size_t colon = target.dataset.find(':'); colon != std::string::npos) {
    target.version = target.dataset.substr(colon + 1);
    target.dataset.resize(colon);
  }
  return target;
}

// --format, else what the name of the file says.
inline std::string TableFormatOf(const Invocation& in, const std::string& file) {
  if (in.Has("format")) return in.Get("format");
  for (const std::string_view known : {"csv", "jsonl", "parquet"}) {
    if (file.ends_with("." + std::string(known))) return std::string(known);
  }
  return "csv";
}

}  // namespace gyre::cli

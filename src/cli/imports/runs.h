// Runs that were made elsewhere, on their way to the API. Private to cli.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "cli/imports/importer.h"

namespace gyre::cli::imports {

struct Point {
  std::uint32_t metric = 0;  // index into RunSource::metrics
  double value = 0;
  std::int64_t step = 0, time_us = 0;
};

// A data set that a run names, as MLflow's clients describe it.
struct NamedDataset {
  Json dataset;  // {name, digest, source_type, source, schema, profile}
  std::map<std::string, std::string> tags;
};

struct RunSource {
  std::string key;   // tells the run from all others, wherever its files lie
  std::string id;    // that it keeps; empty = a new one
  std::string name;  // in its source
  std::string experiment;
  std::optional<std::int64_t> experiment_number;  // of one that is there, instead of its name
  std::string importer;                           // "tensorboard"
  std::string origin;                             // id or path in the source
  std::int64_t created_us = 0, ended_us = 0;
  std::string status = "finished";  // or "failed", "killed"; "running", "scheduled": goes on
  std::string user;                 // whose it was
  bool hidden = false;              // deleted in its source
  std::map<std::string, std::string> params, tags;
  std::vector<std::string> metrics;
  std::vector<Point> points;                 // in the order of the source, which only grows
  std::map<std::string, std::string> texts;  // artifacts: path -> content
  std::map<std::string, std::string> files;  // artifacts: path -> file that holds them
  std::vector<NamedDataset> datasets;
  std::map<std::string, std::int64_t> made_models;  // logged models, by id: at which step
  std::vector<std::string> read_models;             // ids
};

// Index of a metric, which is added when it is new.
class MetricNames {
 public:
  std::uint32_t IndexOf(const std::string& name, std::vector<std::string>* names);

 private:
  std::map<std::string, std::uint32_t> index_;
};

// A path that an artifact may have: "text", "a//b", ".md" -> "text/a/b.md".
std::string ArtifactPath(std::string_view folder, std::string_view name, std::string_view ending);

// Goes on where an import before it ended: points are sent in slices that the server takes once.
Result<> BringRun(Work& work, const RunSource& source);

}  // namespace gyre::cli::imports

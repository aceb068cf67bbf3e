// One run of neptune's export: rows in, a run out, no files. Private to cli.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "cli/imports/runs.h"

namespace gyre::cli::imports {

// A value of one attribute. Steps are decimals with six places there: here, millionths.
struct NeptuneRow {
  std::string project, run, attribute, type;
  std::string value;  // as text: moments as microseconds, a file as its path in the export
  std::optional<std::int64_t> step, time_us;
};

class NeptuneRun {
 public:
  void Add(const NeptuneRow& row);
  // All but its files, once all rows are there.
  RunSource Finish(const std::string& experiment);

  // Artifact path without an ending -> path in the export.
  std::vector<std::pair<std::string, std::string>> files;
  std::map<std::string, std::int64_t> not_taken;  // "histograms" -> how many

 private:
  struct Text {
    std::int64_t time_us, step;
    std::string value;
  };
  void AddPoint(const NeptuneRow& row);
  void AddPlain(const NeptuneRow& row);
  void AddOfSystem(const std::string& name, const NeptuneRow& row);
  void Saw(std::int64_t time_us);
  bool StepsAreWhole() const;

  RunSource source_;
  MetricNames names_;
  std::map<std::string, std::vector<Text>> series_;
  std::int64_t first_us_ = 0, last_us_ = 0, changed_us_ = 0;
  double seconds_ = 0;
};

}  // namespace gyre::cli::imports

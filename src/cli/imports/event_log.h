// What the events of TensorBoard say of one run: bytes in, values out, no files. Private to
// cli.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "cli/imports/runs.h"

namespace gyre::cli::imports {

class EventLog {
 public:
  // False when it is no event; nothing is taken from it then.
  bool Add(std::string_view event);

  std::vector<std::string> metrics;
  std::vector<Point> points;
  std::map<std::string, std::string> params;
  // By tag: each text under the step it was written at.
  std::map<std::string, std::string> texts;
  std::map<std::string, std::int64_t> not_taken;  // "images" -> how many
  std::int64_t first_us = 0, last_us = 0;
  std::string status = "finished";
  bool has_hparams = false;

 private:
  struct Stamp {
    std::int64_t step = 0, time_us = 0;
  };
  struct Value;
  void AddSummary(std::string_view summary, const Stamp& stamp);
  void AddValue(const Value& value, const Stamp& stamp);
  void AddHparams(std::string_view content);
  void AddSession(std::string_view session);
  void AddParam(std::string_view entry);

  MetricNames names_;
  std::map<std::string, std::string> plugins_;  // by tag: only its first value must say
};

}  // namespace gyre::cli::imports

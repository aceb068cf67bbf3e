#include "cli/imports/mlflow_store.h"

#include <algorithm>
#include <array>
#include <limits>

#include "base/text.h"

namespace gyre::cli::imports {

std::string RunStatusOf(std::string_view word) {
  struct Status {
    std::string_view name, number, ours;
  };
  static constexpr std::array<Status, 5> kStatuses = {{{"RUNNING", "1", "running"},
                                                       {"SCHEDULED", "2", "scheduled"},
                                                       {"FINISHED", "3", "finished"},
                                                       {"FAILED", "4", "failed"},
                                                       {"KILLED", "5", "killed"}}};
  for (const Status& status : kStatuses) {
    if (word == status.name || word == status.number) return std::string(status.ours);
  }
  return "finished";
}

std::string ModelStatusOf(std::string_view word) {
  if (word == "LOGGED_MODEL_PENDING" || word == "1") return "pending";
  return word == "LOGGED_MODEL_UPLOAD_FAILED" || word == "3" ? "failed" : "ready";
}

double MetricOf(double value) {
  constexpr double kLargest = std::numeric_limits<double>::max();
  constexpr double kInfinity = std::numeric_limits<double>::infinity();
  if (value >= kLargest) return kInfinity;
  return value <= -kLargest ? -kInfinity : value;
}

std::string LocalPathOf(std::string_view root, const std::string& here, const std::string& served) {
  const std::size_t colon = root.find(":/");
  std::string path;
  if (root.starts_with("file:")) {
    root.remove_prefix(5);
    if (root.starts_with("//localhost/")) root.remove_prefix(11);
    if (root.starts_with("//")) root.remove_prefix(2);
    if (!root.starts_with('/')) return "";
    bool decodes = false;
    path = PercentDecode(root, false, &decodes);
    if (!decodes) return "";
  } else if (root.starts_with("mlflow-artifacts:/")) {
    if (served.empty()) return "";
    path = served + std::string(root.substr(17));
  } else if (colon != std::string_view::npos || root.empty()) {
    return "";
  } else {
    if (here.empty() && !root.starts_with('/')) return "";
    path = root.starts_with('/') ? std::string(root) : here + "/" + std::string(root);
  }
  const auto parts = Split(path, '/');
  if (std::ranges::find(parts, "..") != parts.end()) return "";
  while (path.size() > 1 && path.ends_with('/')) path.pop_back();
  return path;
}

}  // namespace gyre::cli::imports

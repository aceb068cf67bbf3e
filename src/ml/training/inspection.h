// Models that others logged: what their files are, and whether loading them runs what somebody
// wrote. Nothing of theirs is run or loaded to find out; the files are read in a worker, which has
// bounds of memory and time. Thread-safe.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <utility>
#include <vector>

#include "base/error.h"
#include "base/json.h"
#include "ml/runners/jobs.h"
#include "ml/tracking/files.h"
#include "platform/blob/blob_store.h"

namespace gyre::training {

struct InspectionBounds {
  std::int64_t timeout_ms = 60'000;
  std::function<bool()> cancelled{};  // the client has gone
};

class Inspections {
 public:
  Inspections(tracking::Files& files, blob::Store& blobs, runners::Jobs& jobs)
      : files_(files), blobs_(blobs), jobs_(jobs) {}

  // Of the files in a folder ("" = all of them) of a run or a logged model: {"verdict": "safe",
  // "unclear" or "unsafe", "why", "file_count", "size_bytes", "files": [{"path", "size_bytes",
  // "kind", "verdict", "why", "unknown_names", "facts"}], "model": what MLmodel says,
  // "requirements": [...], "notes": [...], "input_example"}. What takes too long or too much memory
  // is unclear. Errors: kNotFound GY3552 no files are there; kResourceExhausted GY3553 more than
  // 2,000; kUnavailable GY3304 too many wait.
  Result<Json> Inspect(const tracking::FileOwner& owner, const std::string& folder,
                       const InspectionBounds& bounds);
  Result<Json> InspectOne(const std::string& path, const blob::Object& file,
                          const InspectionBounds& bounds);

 private:
  // Paths as the report has them, with their files.
  using Named = std::vector<std::pair<std::string, blob::Object>>;
  Result<Json> Run(const Named& files, const InspectionBounds& bounds);

  tracking::Files& files_;
  blob::Store& blobs_;
  runners::Jobs& jobs_;
};

// Of a package of gyre's own, which holds numbers and no code.
Json ReportOfPackage(const blob::Object& package);
// What is not safe, in a line: "model.pkl: loading it looks up os.system, ..."; else "".
std::string DangerOf(const Json& report);

}  // namespace gyre::training

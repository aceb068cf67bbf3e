// What the programs of `gyre run` read: a dataset version that was asked for with a program's token
// becomes an input of its run, and a rerun gets the versions that the first run got.
#pragma once

#include <map>
#include <string>
#include <string_view>

#include "base/error.h"
#include "base/json.h"
#include "platform/net/http.h"

namespace gyre::access {
class Access;
}
namespace gyre::data {
class Datasets;
struct QueryRequest;
struct Version;
}  // namespace gyre::data
namespace gyre::tracking {
class Tracking;
struct Run;
}  // namespace gyre::tracking

namespace gyre::native {

class ProgramReads {
 public:
  ProgramReads(access::Access& access, tracking::Tracking& tracking, data::Datasets& datasets)
      : access_(access), tracking_(tracking), datasets_(datasets) {}

  // The version that `version` ("v3", "latest") means to whoever asks.
  Result<data::Version> Resolve(const net::Request& request, const std::string& dataset,
                                const std::string& version);
  // The same, to be read: noted before its first byte leaves.
  Result<data::Version> Read(const net::Request& request, const std::string& dataset,
                             const std::string& version);
  // The same of what a query by whoever asks names.
  Result<> Follow(const net::Request& request, data::QueryRequest* query);

 private:
  // Dataset -> id of the version that its bare name means to a program that is run again.
  Result<std::map<std::string, std::string>> PinnedFor(const net::Request& request,
                                                       const std::string& run);
  Result<> Note(const std::string& run, const data::Version& version, bool latest);

  access::Access& access_;
  tracking::Tracking& tracking_;
  data::Datasets& datasets_;
};

// What a rerun of `run` reads where it names no version: [{"dataset", "id", "name",
// "latest"}].
// kFailedPrecondition GY3414 when a version that it read is gone.
Result<Json> VersionsToPin(const tracking::Run& run, data::Datasets& datasets);

}  // namespace gyre::native

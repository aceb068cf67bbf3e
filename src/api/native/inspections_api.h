// .../inspection of a model version, a run's files, a logged model: what the files are, and whether
// loading them runs what somebody wrote.
#pragma once

#include <functional>
#include <optional>
#include <string>

#include "base/json.h"
#include "platform/net/http.h"

namespace gyre::registry {
class Registry;
struct ModelVersion;
}  // namespace gyre::registry
namespace gyre::tracking {
class LoggedModels;
class Tracking;
struct FileOwner;
}  // namespace gyre::tracking
namespace gyre::training {
class Inspections;
}

namespace gyre::native {

// Calls `found` with the files of ours that the source of a version names, if it names any.
using FilesOfSource = std::function<Result<Json>(
    const std::string& project, const std::string& source,
    const std::function<Result<Json>(const tracking::FileOwner& owner, const std::string& folder)>&
        found)>;

class InspectionsApi {
 public:
  InspectionsApi(training::Inspections& inspections, registry::Registry& registry,
                 tracking::Tracking& tracking, tracking::LoggedModels& models, FilesOfSource files)
      : inspections_(inspections),
        registry_(registry),
        tracking_(tracking),
        models_(models),
        files_(std::move(files)) {}
  net::RouteTable table();

  Result<net::Response> OfVersion(net::Request& request);
  Result<net::Response> OfRun(net::Request& request);
  Result<net::Response> OfLoggedModel(net::Request& request);

  // What is not safe about the files of a version that others logged, in a line; "" where there is
  // nothing to say, or it cannot be found out within some seconds.
  std::string DangerOf(const std::string& project, const std::string& reference);

 private:
  Result<Json> Inspect(const registry::ModelVersion& version, std::int64_t timeout_ms,
                       std::function<bool()> cancelled);

  training::Inspections& inspections_;
  registry::Registry& registry_;
  tracking::Tracking& tracking_;
  tracking::LoggedModels& models_;
  const FilesOfSource files_;
};

}  // namespace gyre::native

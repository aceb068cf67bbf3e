// /api/v1/projects/{project}/run-events: what happens to runs, as it happens.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "platform/net/http.h"

namespace gyre::access {
class Access;
}
namespace gyre::tracking {
class Experiments;
class RunFollower;
class Tracking;
struct RunSubjects;
}  // namespace gyre::tracking

namespace gyre::native {

class RunFeeds;

class RunEventsApi {
 public:
  RunEventsApi(access::Access& access, tracking::Experiments& experiments,
               tracking::Tracking& tracking, const tracking::RunFollower& follower);
  ~RunEventsApi();
  net::RouteTable table();

  Result<net::Response> Stream(net::Request& request);
  Result<net::Response> Follow(net::Request& request);

 private:
  class Writer;
  Result<tracking::RunSubjects> SubjectsOf(const std::string& project,
                                           const std::vector<std::string>& runs,
                                           const std::vector<std::string>& experiments);

  access::Access& access_;
  tracking::Experiments& experiments_;
  tracking::Tracking& tracking_;
  const tracking::RunFollower& follower_;
  std::unique_ptr<RunFeeds> feeds_;
};

}  // namespace gyre::native

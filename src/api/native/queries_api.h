// /api/v1/projects/{project}/query: SQL over datasets, as a job that may be waited for,
// and over a file that is sent.
#pragma once

#include <atomic>

#include "api/native/program_reads.h"
#include "platform/net/http.h"

namespace gyre::blob {
class Store;
}
namespace gyre::data {
class Queries;
}
namespace gyre::projects {
class Projects;
}
namespace gyre::runners {
class Jobs;
struct Job;
}  // namespace gyre::runners

namespace gyre::native {

class QueriesApi {
 public:
  QueriesApi(data::Queries& queries, runners::Jobs& jobs, projects::Projects& projects,
             blob::Store& blobs, ProgramReads reads, int waiting_max)
      : queries_(queries),
        jobs_(jobs),
        projects_(projects),
        blobs_(blobs),
        reads_(reads),
        waiting_max_(waiting_max) {}
  net::RouteTable table();

  Result<net::Response> Ask(net::Request& request);
  Result<net::Response> Answer(net::Request& request);
  Result<net::Response> AskFile(net::Request& request);

 private:
  Result<runners::Job> Submit(net::Request& request);
  Result<net::Response> WaitFor(const runners::Job& job, net::Request& request);
  Result<net::Response> AnswerOf(const std::string& project, const std::string& job);

  data::Queries& queries_;
  runners::Jobs& jobs_;
  projects::Projects& projects_;
  blob::Store& blobs_;
  ProgramReads reads_;
  const int waiting_max_;  // each holds a thread that answers requests
  std::atomic<int> waiting_{0};
};

}  // namespace gyre::native

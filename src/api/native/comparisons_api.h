// /api/v1/projects/{project}/comparisons: has the data moved from one table to another?
#pragma once

#include <string_view>

#include "api/native/program_reads.h"
#include "platform/net/http.h"

namespace gyre::blob {
class Store;
}
namespace gyre::monitoring {
class Comparisons;
struct ComparedTable;
}  // namespace gyre::monitoring

namespace gyre::native {

class ComparisonsApi {
 public:
  // own_files: whoever asks is the user of this process, and may name files of this machine.
  ComparisonsApi(monitoring::Comparisons& comparisons, blob::Store& blobs, ProgramReads reads,
                 bool own_files)
      : comparisons_(comparisons), blobs_(blobs), reads_(reads), own_files_(own_files) {}
  net::RouteTable table();

  Result<net::Response> Compare(net::Request& request);
  Result<net::Response> Get(net::Request& request);

 private:
  // A named one; without a name it is the body.
  Result<monitoring::ComparedTable> Named(const net::Request& request, std::string_view side);
  Result<monitoring::ComparedTable> Sent(net::Request& request);

  monitoring::Comparisons& comparisons_;
  blob::Store& blobs_;
  ProgramReads reads_;
  const bool own_files_;
};

}  // namespace gyre::native

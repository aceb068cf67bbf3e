// /api/v1/projects/{project}/datasets: versions of tables, what they look like and what they
// must be like.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "api/native/program_reads.h"
#include "platform/net/http.h"

namespace gyre::automation {
class Automation;
}
namespace gyre::blob {
class Store;
}
namespace gyre::lineage {
class Lineage;
}
namespace gyre::projects {
class Projects;
}
namespace gyre::registry {
class Registry;
}
namespace gyre::trash {
class Trash;
}

namespace gyre::native {

class DatasetsApi {
 public:
  DatasetsApi(data::Datasets& datasets, projects::Projects& projects, blob::Store& blobs,
              registry::Registry& registry, automation::Automation& automation,
              lineage::Lineage& lineage, trash::Trash& trash, ProgramReads reads)
      : datasets_(datasets),
        projects_(projects),
        blobs_(blobs),
        registry_(registry),
        automation_(automation),
        lineage_(lineage),
        trash_(trash),
        reads_(reads) {}
  net::RouteTable table();

  Result<net::Response> List(net::Request& request);
  Result<net::Response> Get(net::Request& request);
  Result<net::Response> Remove(net::Request& request);
  Result<net::Response> AddVersion(net::Request& request);
  Result<net::Response> ListVersions(net::Request& request);
  Result<net::Response> GetVersion(net::Request& request);
  Result<net::Response> RemoveVersion(net::Request& request);
  Result<net::Response> SetTags(net::Request& request);
  Result<net::Response> Profile(net::Request& request);
  Result<net::Response> Rows(net::Request& request);
  Result<net::Response> ParquetFile(net::Request& request);
  Result<net::Response> Export(net::Request& request);
  Result<net::Response> Quarantine(net::Request& request);
  Result<net::Response> Check(net::Request& request);
  Result<net::Response> Diff(net::Request& request);
  Result<net::Response> Expectations(net::Request& request);
  Result<net::Response> SetExpectations(net::Request& request);

 private:
  // GY2113 when models were made from one of them.
  Result<> CheckNotNeeded(const std::vector<data::Version>& versions, const std::string& reference);
  Result<> CheckNoVersionNeeded(const std::string& project, const std::string& dataset);
  Result<Json> ModelsMadeFrom(const std::string& project, const std::string& dataset);
  // Names of the datasets whose rows a query made of those of this one.
  Result<Json> AskedOf(const std::string& project, const std::string& dataset);
  Result<> ForEachPage(const std::string& project, const std::string& dataset,
                       const std::function<Result<>(const std::vector<data::Version>&)>& look);
  Result<data::Version> VersionOf(const net::Request& request);
  // To hand out what is in it.
  Result<data::Version> ReadVersion(const net::Request& request);
  data::Datasets& datasets_;
  projects::Projects& projects_;
  blob::Store& blobs_;
  registry::Registry& registry_;
  automation::Automation& automation_;
  lineage::Lineage& lineage_;
  trash::Trash& trash_;
  ProgramReads reads_;
};

}  // namespace gyre::native

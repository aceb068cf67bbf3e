// /api/v1/projects/{project}/endpoints: what is deployed where; /predict and
// models/{model}/explain: a file scored or explained by a job, without an endpoint.
#pragma once

#include <functional>
#include <string>
#include <utility>

#include "platform/net/http.h"

namespace gyre::automation {
class Automation;
class Releases;
}  // namespace gyre::automation
namespace gyre::blob {
struct Object;
class Store;
}  // namespace gyre::blob
namespace gyre::serving {
class Predictions;
class Serving;
}  // namespace gyre::serving
namespace gyre::trash {
class Trash;
}

namespace gyre::native {

// What is not safe about the files of a model, in a line; "" = nothing that is known.
using DangerOfModel =
    std::function<std::string(const std::string& project, const std::string& reference)>;

class EndpointsApi {
 public:
  EndpointsApi(serving::Serving& serving, serving::Predictions& predictions, blob::Store& blobs,
               automation::Releases& releases, automation::Automation& automation,
               trash::Trash& trash, DangerOfModel danger)
      : serving_(serving),
        predictions_(predictions),
        blobs_(blobs),
        releases_(releases),
        automation_(automation),
        trash_(trash),
        danger_(std::move(danger)) {}
  net::RouteTable table();

  Result<net::Response> List(net::Request& request);
  Result<net::Response> Get(net::Request& request);
  Result<net::Response> Deploy(net::Request& request);
  Result<net::Response> Remove(net::Request& request);
  Result<net::Response> Rollback(net::Request& request);
  Result<net::Response> Change(net::Request& request);
  Result<net::Response> Log(net::Request& request);
  Result<net::Response> SetTraffic(net::Request& request);
  Result<net::Response> SetVariant(net::Request& request);
  Result<net::Response> RemoveVariant(net::Request& request);
  Result<net::Response> PromoteVariant(net::Request& request);
  Result<net::Response> PredictFile(net::Request& request);
  Result<net::Response> ExplainFile(net::Request& request);
  Result<net::Response> ScoredFile(net::Request& request);

 private:
  // Of a model that gyre cannot serve, what its files would do elsewhere, too.
  Error WithDanger(Error error, const std::string& project, const std::string& reference) const;
  Result<blob::Object> Uploaded(net::Request& request);

  serving::Serving& serving_;
  serving::Predictions& predictions_;
  blob::Store& blobs_;
  automation::Releases& releases_;
  automation::Automation& automation_;
  trash::Trash& trash_;
  const DangerOfModel danger_;
};

// POST /e/{endpoint}: one request, some rows, their answers.
class PredictApi {
 public:
  explicit PredictApi(serving::Serving& serving) : serving_(serving) {}
  net::RouteTable table();

  bool Waits(const net::Request& request);
  Result<net::Response> Predict(net::Request& request);
  Result<net::Response> Describe(net::Request& request);

 private:
  serving::Serving& serving_;
};

}  // namespace gyre::native

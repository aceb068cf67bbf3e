// /api/v1/projects/{project}/endpoints/{endpoint}/captures and /feedback: what an endpoint
// answered, and what turned out to be true.
#pragma once

#include <string>

#include "platform/net/http.h"

namespace gyre::blob {
class Store;
}
namespace gyre::inference_log {
struct CaptureStatus;
class InferenceLog;
struct Policy;
}  // namespace gyre::inference_log
namespace gyre::serving {
class Serving;
}

namespace gyre::native {

class CapturesApi {
 public:
  CapturesApi(inference_log::InferenceLog& log, serving::Serving& serving, blob::Store& blobs)
      : log_(log), serving_(serving), blobs_(blobs) {}
  net::RouteTable table();

  Result<net::Response> List(net::Request& request);
  Result<net::Response> Get(net::Request& request);
  Result<net::Response> Rows(net::Request& request);
  Result<net::Response> Export(net::Request& request);
  Result<net::Response> GetPolicy(net::Request& request);
  Result<net::Response> SetPolicy(net::Request& request);
  Result<net::Response> MakeDataset(net::Request& request);
  Result<net::Response> Forget(net::Request& request);
  Result<net::Response> Feedback(net::Request& request);
  Result<net::Response> FeedbackFile(net::Request& request);

 private:
  Result<> CheckKnown(const net::Request& request);
  Result<Json> LabelledOf(const inference_log::CaptureStatus& status);
  Result<net::Response> PolicyDoc(const net::Request& request, const inference_log::Policy& policy);

  inference_log::InferenceLog& log_;
  serving::Serving& serving_;
  blob::Store& blobs_;
};

}  // namespace gyre::native

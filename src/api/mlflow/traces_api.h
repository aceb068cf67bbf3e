// Traces over MLflow's protocol, in its third version and, for clients before 3.0, in its second.
#pragma once

#include "api/mlflow/call.h"
#include "ml/traces/traces.h"
#include "ml/tracking/files.h"
#include "ml/tracking/tracking.h"
#include "platform/blob/blob_store.h"

namespace gyre::mlflow {

class TracesApi final : public Noun {
 public:
  TracesApi(projects::Projects& projects, tracking::Experiments& experiments,
            tracking::Tracking& tracking, traces::Traces& traces, tracking::Files& files,
            blob::Store& blobs)
      : Noun(projects),
        experiments_(experiments),
        tracking_(tracking),
        traces_(traces),
        files_(files),
        blobs_(blobs) {}
  net::RouteTable table();

  Result<net::Response> Start(Call& call);
  Result<net::Response> GetInfo(Call& call);
  Result<net::Response> Get(Call& call);
  Result<net::Response> BatchGet(Call& call);
  Result<net::Response> BatchGetInfos(Call& call);
  Result<net::Response> Search(Call& call);
  Result<net::Response> Delete(Call& call);
  Result<net::Response> SetTag(Call& call);
  Result<net::Response> DeleteTag(Call& call);
  Result<net::Response> LinkToRun(Call& call);
  Result<net::Response> LinkPrompts(Call& call);
  Result<net::Response> Correlate(Call& call);
  Result<net::Response> GetFile(Call& call);

  Result<net::Response> StartV2(Call& call);
  Result<net::Response> EndV2(Call& call);
  Result<net::Response> GetInfoV2(Call& call);
  Result<net::Response> SearchV2(Call& call);

 private:
  // "0" is the Default of the call's project.
  Result<tracking::Experiment> ExperimentOf(const Call& call, const std::string& id);
  Result<std::vector<std::int64_t>> ExperimentsOf(const Call& call,
                                                  const std::vector<std::string>& ids);
  Result<traces::FoundTraces> Find(const Call& call, const std::vector<std::string>& experiments);
  Result<traces::Trace> Read(const Call& call, const std::string& id);
  Result<traces::Trace> StartTrace(const Call& call, traces::Trace trace,
                                   const std::string& experiment_id);
  // A file that a client has put beside a trace.
  Result<net::Response> Stored(const Call& call, const traces::Trace& trace,
                               const std::string& path);
  Result<Json> WithSpans(const Call& call, const traces::Trace& trace);

  tracking::Experiments& experiments_;
  tracking::Tracking& tracking_;
  traces::Traces& traces_;
  tracking::Files& files_;
  blob::Store& blobs_;
};

}  // namespace gyre::mlflow

// The answer to a request whose work goes on: 202 with the job.
#pragma once

#include "ml/runners/jobs.h"
#include "platform/net/http.h"

namespace gyre::native {

inline net::Response Accepted(const runners::Job& job) {
  return net::Response::JsonDoc(runners::JobToJson(job), 202)
      .With("Location", "/api/v1/jobs/" + job.id);
}

}  // namespace gyre::native

// /api/v1/projects/{project}/evaluate, compare and evaluations: how good a model is, and whether
// another is better.
#pragma once

#include "platform/net/http.h"

namespace gyre::evaluation {
class Evaluations;
}

namespace gyre::native {

class EvaluationApi {
 public:
  explicit EvaluationApi(evaluation::Evaluations& evaluations) : evaluations_(evaluations) {}
  net::RouteTable table();

  Result<net::Response> Evaluate(net::Request& request);
  Result<net::Response> Compare(net::Request& request);
  Result<net::Response> List(net::Request& request);
  Result<net::Response> Get(net::Request& request);

 private:
  Result<net::Response> Submit(net::Request& request, bool compare);

  evaluation::Evaluations& evaluations_;
};

}  // namespace gyre::native

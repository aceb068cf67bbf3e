// Webhooks over MLflow's protocol: channels of ledger/notices that get what they listen to. A
// secret is kept among the project's secrets.
#pragma once

#include "api/mlflow/call.h"
#include "ledger/notices/notices.h"

namespace gyre::secrets {
class Secrets;
}

namespace gyre::mlflow {

class WebhooksApi final : public Noun {
 public:
  WebhooksApi(projects::Projects& projects, notices::Notices& notices, secrets::Secrets& secrets,
              const Clock& clock)
      : Noun(projects), notices_(notices), secrets_(secrets), clock_(clock) {}
  net::RouteTable table();

  Result<net::Response> Create(Call& call);
  Result<net::Response> List(Call& call);
  Result<net::Response> Get(Call& call);
  Result<net::Response> Update(Call& call);
  Result<net::Response> Delete(Call& call);
  Result<net::Response> Try(Call& call);

 private:
  Result<notices::Channel> Asked(const Call& call);
  // Takes what the call says over; keeps the secret.
  Result<> Fill(const Call& call, notices::NewChannel* channel);
  Result<net::Response> Keep(const Call& call, const std::string& id, notices::NewChannel channel);

  notices::Notices& notices_;
  secrets::Secrets& secrets_;
  const Clock& clock_;
};

}  // namespace gyre::mlflow

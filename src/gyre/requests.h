// What happens around every request: who may pass while there are no users, and what is written down afterwards.
#pragma once

#include <atomic>

#include "platform/net/http.h"
#include "platform/telemetry/metrics.h"

namespace gyre {

// Lets in the user who owns this process, as the kernel names them; nobody else.
class LocalOwnerGate : public net::Gatekeeper {
 public:
  LocalOwnerGate();
  Result<> Admit(net::Request& request, const net::Route& route) override;
  bool AdmitsWithoutWaiting(const net::Request& request, const net::Route& route) const override;
  int running() const { return 0; }

 private:
  unsigned uid_;
};

// Counts and logs each finished request.
class RequestObserver : public net::Observer {
 public:
  RequestObserver(telemetry::Metrics& metrics, bool log_requests) : metrics_(metrics), log_requests_(log_requests) {}
  void OnFinished(const net::Finished& finished) override;

 private:
  telemetry::Metrics& metrics_;
  bool log_requests_;
};

}  // namespace gyre

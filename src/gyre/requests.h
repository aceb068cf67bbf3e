// What happens around every request: counting, the access log, and who is still at work.
#pragma once

#include <set>

#include "base/mutex.h"
#include "platform/net/http.h"
#include "platform/telemetry/metrics.h"

namespace gyre {

// Counts and logs each finished request.
class RequestObserver : public net::Observer {
 public:
  RequestObserver(telemetry::Metrics& metrics, bool log_requests) : metrics_(metrics), log_requests_(log_requests) {}
  void OnFinished(const net::Finished& finished) override;

 private:
  telemetry::Metrics& metrics_;
  bool log_requests_;
};

// Knows how many requests are between the gate and their answer, so that a command which owns the directory does not leave while
// another command is in the middle of something.
class RunningRequests : public net::Gatekeeper, public net::Observer {
 public:
  RunningRequests(net::Gatekeeper& gate, net::Observer& observer) : gate_(gate), observer_(observer) {}
  Result<> Admit(net::Request& request, const net::Route& route) override;
  bool AdmitsWithoutWaiting(const net::Request& request, const net::Route& route) const override;
  void OnFinished(const net::Finished& finished) override;
  int count() const;

 private:
  net::Gatekeeper& gate_;
  net::Observer& observer_;
  mutable Mutex mutex_;
  std::set<const net::Request*> admitted_ GYRE_GUARDED_BY(mutex_);
};

}  // namespace gyre

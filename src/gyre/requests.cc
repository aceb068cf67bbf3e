#include "gyre/requests.h"

namespace gyre {

Result<> RunningRequests::Admit(net::Request& request, const net::Route& route) {
  GYRE_DO(gate_.Admit(request, route));
  // What cannot wait is over before anybody could ask.
  if (route.where == net::Where::kInline) return {};
  const MutexLock lock(mutex_);
  admitted_.insert(&request);
  return {};
}

bool RunningRequests::AdmitsWithoutWaiting(const net::Request& request,
                                           const net::Route& route) const {
  return gate_.AdmitsWithoutWaiting(request, route);
}

void RunningRequests::OnFinished(const net::Finished& finished) {
  observer_.OnFinished(finished);
  if (finished.route == nullptr || finished.route->where == net::Where::kInline) return;
  const MutexLock lock(mutex_);
  admitted_.erase(&finished.request);
}

int RunningRequests::count() const {
  const MutexLock lock(mutex_);
  return static_cast<int>(admitted_.size());
}

}  // namespace gyre

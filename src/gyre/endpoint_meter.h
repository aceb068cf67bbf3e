// Books the requests that endpoints answered: counters in memory while they answer, a row per
// endpoint and hour from time to time.
#pragma once

#include <cstdint>
#include <map>
#include <string>

#include "base/time.h"
#include "ledger/usage/usage.h"
#include "ml/serving/serving.h"
#include "platform/exec/thread_pool.h"

namespace gyre {

class EndpointMeter {
 public:
  EndpointMeter(serving::Serving& serving, usage::Usage& usage, const Clock& clock);
  ~EndpointMeter();  // books what was answered until now

 private:
  void Book();

  serving::Serving& serving_;
  usage::Usage& usage_;
  const Clock& clock_;
  std::map<std::string, std::int64_t> booked_;  // requests by endpoint, since start
  exec::Worker worker_;
};

}  // namespace gyre

// Books what endpoints used: requests, bytes and CPU time from counters in memory, the memory that
// their predictors hold; a row per endpoint or variant and hour from time to time.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <string>

#include "base/time.h"
#include "gyre/lasting_failure.h"
#include "ledger/usage/usage.h"
#include "ml/serving/serving.h"
#include "platform/exec/thread_pool.h"

namespace gyre {

class EndpointMeter {
 public:
  // `also` is what else there is to book and to look at: every ten seconds, and at the end.
  EndpointMeter(serving::Serving& serving, usage::Usage& usage, const Clock& clock,
                std::function<void()> also);
  ~EndpointMeter();  // books what was answered until now

 private:
  void BookEndpoints();
  void BookMemory();
  void BookOne(const serving::CountedVariant& one, const std::string& subject);

  serving::Serving& serving_;
  usage::Usage& usage_;
  const Clock& clock_;
  const std::function<void()> also_;
  struct Booked {
    serving::EndpointCounts counts;  // since start
    double memory_mib_ms = 0;        // not booked yet
  };
  std::map<std::string, std::string> deployed_by_;  // who an endpoint's use is booked to
  std::map<std::string, Booked> booked_;            // by endpoint, or "endpoint/variant"
  std::int64_t booked_us_;
  LastingFailure booking_{"use of an endpoint not booked yet"};
  exec::Worker worker_;
};

}  // namespace gyre

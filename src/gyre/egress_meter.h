// Counts what is answered over the network, by endpoint or protocol and by who asked.
#pragma once

#include <array>
#include <cstdint>
#include <functional>
#include <map>
#include <string>
#include <string_view>
#include <tuple>
#include <utility>

#include "base/error.h"
#include "base/mutex.h"
#include "base/time.h"
#include "gyre/lasting_failure.h"
#include "ledger/usage/usage.h"
#include "platform/net/http.h"

namespace gyre {

// All bytes of bodies that are answered over TCP, loopback too: behind a proxy every caller is
// there. What goes over the socket of the data directory leaves no machine and is free.
class EgressMeter final : public net::Observer {
 public:
  // `project_of` an endpoint, whose path does not tell.
  EgressMeter(net::Observer& next, usage::Usage& usage, const Clock& clock,
              std::function<std::string(std::string_view endpoint)> project_of)
      : next_(next), usage_(usage), clock_(clock), project_of_(std::move(project_of)) {}
  void OnFinished(const net::Finished& finished) override;
  void Book();  // what was counted since the last time

 private:
  using Key = std::tuple<std::string, std::string, std::string, std::string>;
  using KeyView =
      std::tuple<std::string_view, std::string_view, std::string_view, std::string_view>;
  using Counts = std::map<Key, std::int64_t, std::less<>>;  // project, endpoint, protocol, user
  struct Shard {
    Mutex mutex;
    Counts counts GYRE_GUARDED_BY(mutex);
  };
  void Add(Shard& shard, const KeyView& key, std::int64_t bytes);
  Result<> Record(const Counts& counts);

  net::Observer& next_;
  usage::Usage& usage_;
  const Clock& clock_;
  const std::function<std::string(std::string_view)> project_of_;
  std::array<Shard, 8> shards_;
  LastingFailure booking_{"answered bytes not booked yet"};
};

}  // namespace gyre

#include "gyre/egress_meter.h"

#include <atomic>
#include <utility>

#include "platform/telemetry/log.h"

namespace gyre {
namespace {

constexpr telemetry::Logger kLog{"gyre"};
constexpr int kStatusGood = 400;  // below it

std::string_view ParamOf(const net::Request& request, std::string_view name) {
  for (const auto& [key, value] : request.params) {
    if (key == name) return value;
  }
  return {};
}

}  // namespace

void EgressMeter::OnFinished(const net::Finished& finished) {
  next_.OnFinished(finished);
  const net::Request& request = finished.request;
  if (finished.response_bytes <= 0 || request.peer().address == "unix") return;
  // Names of what is not there would be counted without end.
  const bool good = finished.status < kStatusGood && finished.route != nullptr;
  const std::string_view user = request.principal.name;
  const bool is_oip = finished.protocol == "oip";
  const KeyView key{good ? ParamOf(request, "project") : std::string_view(),
                    good ? ParamOf(request, is_oip ? "model" : "endpoint") : std::string_view(),
                    finished.protocol, user};
  static std::atomic<std::size_t> threads = 0;
  thread_local const std::size_t place = threads.fetch_add(1);
  Add(shards_[place % shards_.size()], key, finished.response_bytes);
}

void EgressMeter::Add(Shard& shard, const KeyView& key, std::int64_t bytes) {
  const MutexLock lock(shard.mutex);
  const auto found = shard.counts.find(key);
  if (found != shard.counts.end()) {
    found->second += bytes;
    return;
  }
  const auto& [project, endpoint, protocol, user] = key;
  shard.counts.emplace(
      Key{std::string(project), std::string(endpoint), std::string(protocol), std::string(user)},
      bytes);
}

void EgressMeter::Book() {
  Counts counts;
  for (Shard& shard : shards_) {
    const MutexLock lock(shard.mutex);
    for (const auto& [key, bytes] : shard.counts) counts[key] += bytes;
    shard.counts.clear();
  }
  for (const auto& [key, bytes] : counts) {
    const auto& [project, endpoint, protocol, user] = key;
    const std::string& subject = endpoint.empty() ? protocol : endpoint;
    const bool untold = project.empty() && !endpoint.empty();
    const auto recorded = usage_.Record({.project = untold ? project_of_(endpoint) : project,
                                         .subject_kind = endpoint.empty() ? "api" : "endpoint",
                                         .subject_id = subject,
                                         .subject_label = subject,
                                         .at_us = clock_.NowMicros(),
                                         .quantities = {.egress_bytes = bytes},
                                         .user = user});
    if (recorded) continue;
    kLog.Failed("answered bytes not booked yet", recorded.error());
    Add(shards_[0], key, bytes);
  }
}

}  // namespace gyre

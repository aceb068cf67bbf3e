#include "gyre/egress_meter.h"

#include <atomic>
#include <utility>
#include <vector>

namespace gyre {
namespace {

constexpr int kStatusGood = 400;  // below it
// What is answered at addresses of no protocol, as to whoever tries them out.
constexpr std::string_view kUnserved = "unserved";
constexpr std::string_view kUnservedLabel = "addresses that nothing serves";

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
  if (counts.empty()) return;
  const auto recorded = Record(counts);
  booking_.Look(recorded);
  if (recorded) return;
  for (const auto& [key, bytes] : counts) Add(shards_[0], key, bytes);
}

// All at once: whoever adds up sees all of a look, or nothing of it.
Result<> EgressMeter::Record(const Counts& counts) {
  std::vector<std::string> projects;  // that an endpoint's path does not tell
  projects.reserve(counts.size());
  std::vector<usage::Sample> samples;
  for (const auto& [key, bytes] : counts) {
    const auto& [project, endpoint, protocol, user] = key;
    const bool untold = project.empty() && !endpoint.empty();
    projects.push_back(untold ? project_of_(endpoint) : project);
    const bool served = !endpoint.empty() || !protocol.empty();
    const std::string_view subject = !endpoint.empty() ? endpoint : served ? protocol : kUnserved;
    samples.push_back({.project = projects.back(),
                       .subject_kind = endpoint.empty() ? "api" : "endpoint",
                       .subject_id = subject,
                       .subject_label = served ? subject : kUnservedLabel,
                       .at_us = clock_.NowMicros(),
                       .quantities = {.egress_bytes = bytes},
                       .user = user});
  }
  return usage_.Record(samples);
}

}  // namespace gyre

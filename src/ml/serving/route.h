// How an endpoint's requests are spread over its variants. Immutable. Private.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace gyre::serving {

struct Snapshot;

// What keeps a caller on one variant.
struct Sticky {
  enum class By : unsigned char { kRequest, kHeader, kColumn, kMember };
  By by = By::kRequest;
  std::string name;  // of the header, the column of the first row, or the member of the body
};

struct Arm {
  std::string name;
  std::uint64_t seed = 0;  // of its name
  double weight = 0;       // share of the requests, in any unit
  std::shared_ptr<const Snapshot> snapshot;
};

// The place in `arms` of the variant that answers a request with this key. By rendezvous: each
// variant draws a number from the key, scaled by its weight, and the best draw wins. So a key has
// the same variant everywhere and always, and a variant whose share is raised keeps whom it had.
std::size_t PickArm(const std::vector<Arm>& arms, std::uint64_t key);

struct Route {
  std::string project, endpoint;
  std::shared_ptr<const Snapshot> main;
  std::vector<Arm> arms;  // main among them; empty while main answers everything
  std::vector<std::shared_ptr<const Snapshot>> shadows;
  Sticky sticky;
  std::int64_t park_after_us = 0;
  bool parked = false;  // nothing is loaded: the next request does it
};

}  // namespace gyre::serving

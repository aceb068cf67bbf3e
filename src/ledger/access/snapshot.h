// What the gate decides on: all live tokens and their users' rights, immutable. Private.
#pragma once

#include <atomic>
#include <memory>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "ledger/access/access_store.h"

namespace gyre::access {

// The user of what the owner of the process made without a login.
inline constexpr std::string_view kLocalOwner = "local-owner";

struct Rights {
  PermissionSet everywhere;
  std::vector<std::pair<std::string, PermissionSet>> projects;
  PermissionSet In(std::string_view project) const;
};
Rights RightsOf(std::span<const Grant> grants);

struct KnownToken {
  Token token;
  Scopes scopes;
  Rights rights;  // of its user
  bool user_disabled = false;
  bool of_local_owner = false;
  mutable std::atomic<std::int64_t> used_us{0};
};

// Who may come in by name and password, as if with a session of everything that is theirs.
struct KnownUser {
  KnownToken session;
  std::string password_hash;
};

struct HashOfText {
  using is_transparent = void;
  std::size_t operator()(std::string_view text) const {
    return std::hash<std::string_view>()(text);
  }
};

struct Snapshot {
  std::unordered_map<std::string, std::shared_ptr<const KnownToken>, HashOfText, std::equal_to<>>
      tokens;  // by hash of the secret
  std::unordered_map<std::string, std::shared_ptr<const KnownUser>, HashOfText, std::equal_to<>>
      enabled;  // by name
  int users = 0;
};

// Built from all rows; what the previous one knew of use is kept.
Result<std::shared_ptr<const Snapshot>> BuildSnapshot(db::Reader& reader, std::int64_t now_us,
                                                      const Snapshot* previous);

// The decision on one route for one token. Sets projects of the principal. `as_user`: there, a
// program may in its project what its user may. Error: kPermissionDenied GY1702.
Result<> JudgeToken(const KnownToken& known, const net::Route& route, net::Request& request,
                    bool as_user);
Error Denied(const net::Route& route, std::string_view who);

}  // namespace gyre::access

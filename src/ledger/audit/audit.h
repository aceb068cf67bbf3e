// Who did what, when, to what: append-only, written in the transaction of the change, each entry
// chained to the one before by its hash, so that a changed, removed or inserted entry shows.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "platform/db/database.h"

namespace gyre::audit {

db::ModuleSchema AuditSchema();

struct NewEntry {
  std::int64_t at_us = 0;
  std::string_view actor_id = {};  // net::Principal: id, name, kind
  std::string_view actor_name = {};
  std::string_view actor_kind = {};
  std::string_view action;  // "model.alias_moved"
  std::string_view project = {};
  std::string_view object = {};     // name or id of what was changed: "churn", "churn/champion"
  std::string_view outcome = "ok";  // ok, denied, failed
  std::string_view request_id = {};
  std::string_view peer = {};  // "127.0.0.1:4321", "unix"
  std::string_view details =
      "{}";  // a JSON object, as text; before and after, the reason; never a secret
};

struct Entry {
  std::int64_t sequence = 0;  // 1, 2, 3 ... without gaps
  std::int64_t at_us = 0;
  std::string actor_id = {}, actor_name = {}, actor_kind = {}, action = {}, project = {},
              object = {}, outcome = {}, request_id = {}, peer = {}, details = {};
  std::string hash = {};  // SHA-256 over the hash before and all fields
};

Result<> Append(db::Transaction& tx, const NewEntry& entry);

struct Filter {
  std::string project = {}, actor = {}, action = {},
              object = {};  // empty = any; actor: id or name; action: exact or a prefix that ends
                            // with a dot; object: also what lies below it, "churn/champion"
  std::int64_t from_us = 0, to_us = 0;  // 0 = open
  std::int64_t before = 0;              // sequence; 0 = the newest
  int limit = 100;
};

// The end of the chain: kept elsewhere, it proves that nothing was cut off or rewritten up to
// there.
struct Anchor {
  std::int64_t sequence = 0;
  std::string hash = {};
  std::int64_t at_us = 0;  // when it was written down
};

struct Verdict {
  bool sound = true;
  std::int64_t entries = 0;
  std::int64_t broken_at = 0;  // the first entry that does not fit
  std::string problem = {};
  Anchor end = {};
  Anchor anchored = {};  // the newest of the anchors that the chain fits; sequence 0 = none
};

class Audit {
 public:
  explicit Audit(db::Database& database) : database_(database) {}
  Result<> Append(const NewEntry& entry);  // a transaction of its own: refusals, logins
  Result<std::vector<Entry>> List(const Filter& filter) const;  // newest first
  Result<Anchor> End() const;                                   // sequence 0 = there is no entry
  // Also whether each anchor is part of the chain.
  Result<Verdict> Verify(std::span<const Anchor> anchors = {}) const;

 private:
  db::Database& database_;
};

}  // namespace gyre::audit

// May an alias move? The decision alone: no I/O.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "base/error.h"
#include "ml/registry/registry.h"

namespace gyre::registry {

struct PromotionFacts {
  std::string version_name, alias;  // "churn:v3", for messages
  std::string author;               // who made the version
  std::string holder_id;            // version that has the alias now; empty = none
  AliasPolicy policy;
  std::optional<RecordedVerdict> verdict;  // the newest one of this version and alias
  std::vector<Approval> approvals;         // oldest first
  bool override_gate = false;
  std::string reason;
  std::string beside_id{};  // see MoveRequest; empty = none
};
// The basis of the move: "gate", "gate and approvals", "override". Errors: GY3605, GY3606, GY3610.
Result<std::string> DecidePromotion(const PromotionFacts& facts);

// Approvers whose newest word is yes and who count; a rejection that stands is named in
// `rejected_by`.
int CountApprovals(const std::vector<Approval>& approvals, const AliasPolicy& policy,
                   const std::string& author, std::string* rejected_by);

// A gate is asked for where the policy has rules, and always for @champion.
bool NeedsVerdict(const std::string& alias, const AliasPolicy& policy);

}  // namespace gyre::registry

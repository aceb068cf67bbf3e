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
  std::string holder_id;  // version that has the alias now and can be compared with; empty = none
  AliasPolicy policy;
  std::optional<RecordedVerdict> verdict;  // the newest one of this version and alias
  std::vector<Approval> approvals;         // oldest first
  bool override_gate = false;
  std::string reason;
  std::string beside_id{};      // see MoveRequest; empty = none
  bool has_package = true;      // else gyre cannot judge it, and asks for no gate of its own accord
  bool has_thresholds = false;  // its client asked for one: kGateTag
};
// The basis of the move, as AliasMove has it. Errors: GY3605, GY3606, GY3610.
Result<std::string> DecidePromotion(const PromotionFacts& facts);

// Approvers whose newest word is yes and who count; a rejection that stands is named in
// `rejected_by`.
int CountApprovals(const std::vector<Approval>& approvals, const AliasPolicy& policy,
                   const std::string& author, std::string* rejected_by);

}  // namespace gyre::registry

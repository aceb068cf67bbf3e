#include "ml/registry/promotion.h"

#include <map>

#include "base/hash.h"

namespace gyre::registry {
namespace {

// A gate is asked for where the policy has rules or the version thresholds, and for each @champion
// that can be judged.
bool NeedsVerdict(const PromotionFacts& facts) {
  return facts.policy.rules.size() > 0 || facts.has_thresholds ||
         (facts.alias == "champion" && facts.has_package);
}

Error NoVerdict(const PromotionFacts& facts, std::string message, std::string why) {
  const std::string override_it =
      fmt::format("gyre models promote {} --alias {} --override --reason \"...\"",
                  facts.version_name, facts.alias);
  if (!facts.has_package)
    return FailedPrecondition("GY3605", "{}", message).Why(std::move(why)).Fix(override_it);
  return FailedPrecondition("GY3605", "{}", message)
      .Why(std::move(why))
      .Fix(fmt::format("gyre evaluate {}    (judges it on the rows that the policy names)",
                       facts.version_name))
      .Fix(override_it);
}

Result<> CheckVerdict(const PromotionFacts& facts) {
  if (!NeedsVerdict(facts)) return {};
  if (!facts.verdict) {
    return NoVerdict(
        facts, fmt::format("{} has not been judged for @{}", facts.version_name, facts.alias),
        "an alias moves by a passing verdict of its gate, or by an override with a reason");
  }
  if (!facts.verdict->verdict.pass) {
    std::string reasons;
    for (const Reason& reason : facts.verdict->verdict.reasons) {
      if (!reason.pass)
        reasons += fmt::format("{}{}: {}", reasons.empty() ? "" : "; ", reason.rule, reason.text);
    }
    return NoVerdict(facts,
                     fmt::format("the gate said no to {} as @{}", facts.version_name, facts.alias),
                     std::move(reasons));
  }
  if (facts.verdict->rules_hash != TermsHash(facts.policy)) {
    return NoVerdict(facts,
                     fmt::format("the verdict on {} was given under other terms than those of @{}",
                                 facts.version_name, facts.alias),
                     fmt::format("the policy of @{} changed after the verdict", facts.alias));
  }
  const std::string& compared_id = facts.verdict->champion_id;
  if (compared_id != facts.holder_id && (compared_id.empty() || compared_id != facts.beside_id)) {
    return NoVerdict(
        facts,
        fmt::format("the verdict on {} compares with another version than the present @{}",
                    facts.version_name, facts.alias),
        fmt::format("@{} moved after the comparison, or another was asked for", facts.alias));
  }
  return {};
}

}  // namespace

// Without terms beyond rules it is the hash that older verdicts carry.
std::string TermsHash(const AliasPolicy& policy) {
  if (policy.metric.empty() && policy.dataset.empty()) return Sha256Hex(policy.rules.Dump());
  return Sha256Hex(
      Json::Obj({{"rules", policy.rules}, {"metric", policy.metric}, {"dataset", policy.dataset}})
          .Dump());
}

int CountApprovals(const std::vector<Approval>& approvals, const AliasPolicy& policy,
                   const std::string& author, std::string* rejected_by) {
  std::map<std::string, bool> newest;
  for (const Approval& approval : approvals) newest[approval.approver] = approval.approved;
  int count = 0;
  for (const auto& [approver, approved] : newest) {
    if (!approved) {
      *rejected_by = approver;
    } else if (approver != author || policy.author_may_approve) {
      ++count;
    }
  }
  return count;
}

Result<std::string> DecidePromotion(const PromotionFacts& facts) {
  if (facts.override_gate) {
    if (facts.reason.empty()) {
      return InvalidArgument("GY3610", "an override of the gate of @{} needs a reason", facts.alias)
          .Fix("give --reason \"...\"");
    }
    return std::string("override");
  }
  GYRE_DO(CheckVerdict(facts));
  const bool by_client = !facts.has_package && !NeedsVerdict(facts);
  if (facts.policy.approvals_min == 0) return std::string(by_client ? "client" : "gate");
  std::string rejected_by;
  const int count = CountApprovals(facts.approvals, facts.policy, facts.author, &rejected_by);
  if (!rejected_by.empty()) {
    return FailedPrecondition("GY3606", "{} rejected {}", rejected_by, facts.version_name)
        .Fix(fmt::format("gyre models show {}", facts.version_name));
  }
  if (count < facts.policy.approvals_min) {
    return FailedPrecondition("GY3606", "{} has {} of {} approvals for @{}", facts.version_name,
                              count, facts.policy.approvals_min, facts.alias)
        .Why(facts.policy.author_may_approve
                 ? "the alias asks for approvals"
                 : "the alias asks for approvals by others than the author")
        .Fix(fmt::format("gyre models approve {}", facts.version_name));
  }
  return std::string(by_client ? "approvals" : "gate and approvals");
}

}  // namespace gyre::registry

// Step of pipelines: approve. The run waits for a person's yes, over restarts, until the step's
// timeout. Who is asked, what was said and by whom is kept with the run. Thread-safe.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "base/json.h"
#include "base/time.h"
#include "ml/pipelines/step_kind.h"
#include "platform/db/database.h"

namespace gyre::notices {
class Notices;
}

namespace gyre::pipelines {

// The role that agrees: the one that triggers ask, too.
inline constexpr std::string_view kApprover = "approver";

struct Approval {
  std::string id{}, run_id{}, project{}, step{};
  std::int64_t item = -1;  // of a loop; -1 = no loop
  std::string message{};
  std::vector<std::string> who{};  // names; empty = anybody with the role
  std::string state{};             // asked, approved, rejected, withdrawn
  std::string decided_by{}, reason{};
  std::int64_t asked_us = 0, decided_us = 0;
  std::string task() const;  // "ask", "ask[3]"
};
Json ApprovalToJson(const Approval& approval);

class Approvals {
 public:
  // Without notices nobody is told (tests).
  Approvals(db::Database& database, const Clock& clock, notices::Notices* notices = nullptr)
      : database_(database), clock_(clock), notices_(notices) {}

  // Once for each attempt: the same again changes nothing. Errors: GY4745 `role` or `who`.
  Result<Approval> Ask(const StepContext& context);
  Result<Approval> Get(std::string_view id);
  Result<std::vector<Approval>> OfRun(std::string_view run_id);  // oldest first
  struct Word {
    std::string task{};  // "ask", "ask[3]"
    bool agreed = true;
    std::string by{}, reason{};
  };
  // Errors: kNotFound GY4746 nobody is asked there, kFailedPrecondition GY4747 it was decided
  // already, kPermissionDenied GY4748 others are asked.
  Result<Approval> Decide(std::string_view run_id, const Word& word);
  Result<> Withdraw(std::string_view id);  // its step was stopped

 private:
  db::Database& database_;
  const Clock& clock_;
  notices::Notices* const notices_;
};

// approve {message, role, who} -> approved_by, reason. A no fails the step, which is not tried
// again.
std::unique_ptr<StepKind> ApproveKind(Approvals& approvals);

}  // namespace gyre::pipelines

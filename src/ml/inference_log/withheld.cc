#include "ml/inference_log/withheld.h"

#include "base/text.h"

namespace gyre::inference_log {

std::vector<std::string> Withheld(const Policy& policy, const table::Schema& inputs) {
  std::vector<std::string> withheld;
  for (const table::Field& input : inputs) {
    if (policy.Of(input.name) != Keep::kKeep) withheld.push_back(input.name);
  }
  return withheld;
}

Error LacksInputs(std::string_view endpoint, const std::vector<std::string>& withheld) {
  std::string keep;
  for (const std::string& input : withheld) keep += " --keep " + input;
  return FailedPrecondition(
             "GY4619",
             "the captures of {} lack {}, which the model reads: `gyre captures policy {}{}`, or "
             "train by hand on data of your own",
             endpoint, Join(withheld, ", "), endpoint, keep)
      .Why("the policy hashes or drops them: no model can be trained or judged on such rows")
      .Fix(fmt::format("gyre captures policy {}{}    (rows from then on are whole)", endpoint,
                       keep));
}

}  // namespace gyre::inference_log

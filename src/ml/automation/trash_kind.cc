#include "ml/automation/trash_kind.h"

#include "ml/automation/trigger_store.h"

namespace gyre::automation {
namespace {

constexpr const char* kOfTriggers =
    "trigger_id IN (SELECT id FROM automation_trigger WHERE project = ?1)";

}  // namespace

trash::Kind TriggerTrash(db::Database& database, Automation& automation, const Clock& clock) {
  return {.noun = "trigger",
          .permission = "trigger.write",
          .remove = [&](const trash::Asked& asked) -> Result<std::string> {
            GYRE_TRY(const Trigger trigger, automation.Get(asked.project, asked.name));
            GYRE_DO(database.Write([&](db::Transaction& tx) {
              return RemoveTrigger(tx, trigger, asked.by, clock.NowMicros());
            }));
            automation.TriggersChanged();
            return trigger.spec.name;
          },
          .wake = [&](const trash::Item&, std::string_view) -> Result<> {
            automation.TriggersChanged();
            return {};
          }};
}

trash::Holding HeldTriggers(Automation& automation) {
  return {.what = "triggers",
          .count = "SELECT COUNT(*) FROM automation_trigger WHERE project = ?1",
          .rows = {{"automation_schedule", kOfTriggers},
                   {"automation_joined", kOfTriggers},
                   {"automation_firing", kOfTriggers},
                   {"automation_trigger"},
                   {"automation_canary"}},
          .changed = [&automation]() -> Result<> {
            automation.TriggersChanged();
            return {};
          }};
}

}  // namespace gyre::automation

#include "gyre/loop_notices.h"

#include <string>

#include "base/time.h"
#include "ledger/notices/notices.h"

namespace gyre {
namespace {

Result<> Publish(notices::Notices& notices, db::Transaction& tx, notices::NewNotice notice) {
  GYRE_TRY([[maybe_unused]] const notices::Published published,
           notices.Publish(tx, notices::Compose(std::move(notice))));
  return {};
}

notices::NewNotice Asking(const automation::Firing& firing, std::string_view role) {
  return {.project = firing.project,
          .kind = "trigger.approval",
          .severity = notices::Severity::kWarning,
          .title = fmt::format("trigger {} waits for an {}", firing.trigger, role),
          .text = fmt::format("{}\ngyre triggers approve {}", firing.text, firing.id.substr(0, 8)),
          .dedupe_key = firing.id,
          .payload = automation::FiringToJson(firing)};
}

// Its run failed, or so many did that it starts no more until a person has looked: that is told
// once a day, however much it hears.
notices::NewNotice Failing(const automation::Firing& firing) {
  const bool stopped = firing.state == "skipped";
  return {.project = firing.project,
          .kind = stopped ? "trigger.stopped" : "trigger.failed",
          .severity = notices::Severity::kWarning,
          .title = firing.guard == "labels" && stopped
                       ? fmt::format("trigger {} has waited for labels in vain", firing.trigger)
                   : stopped ? fmt::format("trigger {} starts nothing until somebody has looked",
                                           firing.trigger)
                             : fmt::format("what trigger {} started has failed", firing.trigger),
          .text = fmt::format("{}\n{}\ngyre triggers firing {}", firing.text, firing.reason,
                              firing.id.substr(0, 8)),
          .dedupe_key =
              stopped ? fmt::format("{} {}", firing.trigger_id, firing.ended_us / kMicrosPerDay)
                      : firing.id + " failed",
          .payload = automation::FiringToJson(firing)};
}

// What came of it. A no is a warning: what the trigger heard goes on, and nothing is done about it.
notices::NewNotice Ending(const automation::Firing& firing) {
  const bool promoted = firing.outcome.kind == "promoted";
  return {.project = firing.project,
          .kind = "trigger." + firing.outcome.kind,
          .severity = promoted ? notices::Severity::kInfo : notices::Severity::kWarning,
          .title = fmt::format("trigger {}: {}", firing.trigger, firing.outcome.text),
          .text = fmt::format("{}\ngyre triggers firing {}", firing.text, firing.id.substr(0, 8)),
          .dedupe_key = fmt::format("{} {}", firing.id, firing.outcome.kind),
          .payload = automation::FiringToJson(firing)};
}

}  // namespace

void TellPeople(notices::Notices& notices, automation::Below* below) {
  below->ask = [&notices](db::Transaction& tx, const automation::Firing& firing,
                          std::string_view role) -> Result<> {
    return Publish(notices, tx, Asking(firing, role));
  };
  below->tell = [&notices](db::Transaction& tx, const automation::Firing& firing) -> Result<> {
    return Publish(notices, tx, firing.outcome.kind.empty() ? Failing(firing) : Ending(firing));
  };
}

monitoring::Notify MakeNotify(notices::Notices& notices) {
  return [&notices](monitoring::Notice told) {
    notices::Draft draft = notices::Compose(
        {.project = std::move(told.project),
         .kind = std::move(told.kind),
         .severity = told.urgent ? notices::Severity::kWarning : notices::Severity::kInfo,
         .title = std::move(told.title),
         .text = std::move(told.text),
         .dedupe_key = std::move(told.dedupe_key),
         .payload = std::move(told.payload)});
    return [&notices, draft = std::move(draft)](db::Transaction& tx) -> Result<> {
      GYRE_TRY([[maybe_unused]] const notices::Published published, notices.Publish(tx, draft));
      return {};
    };
  };
}

}  // namespace gyre

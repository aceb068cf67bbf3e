#include "gyre/change_record.h"
#include "gyre/rooms.h"

namespace gyre {

Result<> House::Rooms::OpenLedger() {
  const std::string& auth = settings.Text("access.auth");
  if (auth != "auto" && auth != "required")
    return InvalidArgument("GY1842", "access.auth is `{}`", auth).Fix("auto or required");
  access::AccessSettings access_settings;
  access_settings.auth_required = auth == "required";
  access_settings.behind_proxy = settings.Bool("server.behind_proxy");
  access_settings.beyond_loopback =
      options.is_server && !net::IsLoopbackListen(settings.Text("server.listen"));
  GYRE_TRY(access, access::OpenAccess(*database, SystemClock(), access_settings));
  audit = std::make_unique<audit::Audit>(*database);
  anchors = std::make_unique<audit::Anchors>(*audit, options.data_directory + "/audit.anchors",
                                             SystemClock());
  access->SetChangeRecorder(RecordOfChange);
  events = events::OpenEvents(*database, SystemClock());
  lineage = std::make_unique<lineage::Lineage>(*database);
  trash = std::make_unique<trash::Trash>(*database, SystemClock(), Micros("retention.trash"));
  GYRE_TRY(secrets,
           secrets::OpenSecrets(*database, options.data_directory + "/master.key", SystemClock()));
  usage = std::make_unique<usage::Usage>(*database, SystemClock());
  budgets = std::make_unique<usage::Budgets>(*database, SystemClock());
  GYRE_TRY(egress, net::EgressGuard::Parse(settings.Text("egress.allow")));
  notices = notices::OpenNotices(
      {*database, *events, *secrets, metrics, egress, SystemClock()},
      {.threads = options.is_server ? static_cast<int>(settings.Int("notices.threads")) : 1,
       .attempts_max = static_cast<int>(settings.Int("notices.attempts_max")),
       .retry_us = Micros("notices.retry_first"),
       .timeout_us = Micros("notices.timeout"),
       .only_new = !options.is_server});
  if (options.is_server) {
    GYRE_TRY(exporter, OpenExporter(settings, metrics, *secrets, egress, options.data_directory));
  }
  return {};
}

}  // namespace gyre

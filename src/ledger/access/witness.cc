#include "ledger/access/witness.h"

#include <optional>
#include <utility>

#include "platform/db/write_companion.h"

namespace gyre::access {

Result<net::Response> RunRecorded(db::Database& database, const Access::ChangeRecorder& recorder,
                                  const net::Request& request, const net::Route& route,
                                  const std::function<Result<net::Response>()>& run) {
  std::optional<db::WriteCompanion> companion(
      std::in_place, [&] { return recorder(request, route, std::nullopt); });
  Result<net::Response> result = run();
  const bool recorded = companion->written();
  companion.reset();
  const int status = result ? result->status : net::HttpStatus(result.error());
  // What strangers try in vain is counted by the metrics; they must not be able to fill the disk. A
  // refused password is kept: the pause after failures bounds those.
  const bool refused_login = route.path == "/api/v1/login" && status == 401;
  const bool stranger = request.principal.id.empty() && status >= 400 && !refused_login;
  if (stranger || (recorded && status < 400)) return result;
  GYRE_DO(database.Write(recorder(request, route, status)));
  return result;
}

}  // namespace gyre::access

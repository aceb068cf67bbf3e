// /api/v1/maintenance: removing what nobody needs, checking what is there, and copying all of it.
// What that means is put together by the program.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <string_view>

#include "platform/net/http.h"

namespace gyre::blob {
class Writer;
}
namespace gyre::runners {
class Jobs;
}

namespace gyre::native {

// The kind of job that checks everything; input: {"quick": bool, "repair": bool}.
constexpr std::string_view kCheckJob = "maintenance.check";

// Younger blobs stay, by hand and by itself.
constexpr std::int64_t kGraceHours = 24;

struct Maintenance {
  std::function<Result<Json>(std::int64_t grace_us)> collect;  // what was removed and kept
  std::function<Result<Json>()> retention{};                   // what is kept for how long
  std::function<Result<Json>()> space{};                       // where the bytes are
  std::function<Result<Json>()> backup_size;                   // of one that is made now, unpacked
  // Takes the moment, and gives what writes it out.
  std::function<Result<std::move_only_function<Result<>(net::BodyWriter&)>>(bool keys)> backup;
  // Takes the bytes of a blob that somebody needs and that is missing or damaged.
  std::function<Result<std::unique_ptr<blob::Writer>>(const std::string& digest)> restore_blob;
};

class MaintenanceApi {
 public:
  MaintenanceApi(Maintenance maintenance, runners::Jobs& jobs)
      : maintenance_(std::move(maintenance)), jobs_(jobs) {}
  net::RouteTable table();

  Result<net::Response> Collect(net::Request& request);
  Result<net::Response> Check(net::Request& request);
  Result<net::Response> Space(net::Request& request);
  Result<net::Response> Retention(net::Request& request);
  Result<net::Response> Repair(net::Request& request);
  Result<net::Response> BackupSize(net::Request& request);
  Result<net::Response> Backup(net::Request& request);
  Result<net::Response> RestoreBlob(net::Request& request);

 private:
  Result<net::Response> Submit(net::Request& request, bool repair);

  Maintenance maintenance_;
  runners::Jobs& jobs_;
};

}  // namespace gyre::native

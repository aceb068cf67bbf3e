#include <sys/stat.h>

#include "base/limits.h"
#include "gyre/rooms.h"
#include "gyre/schemas.h"
#include "gyre/settings.h"
#include "platform/config/environment.h"
#include "platform/db/database_file.h"
#include "platform/telemetry/log.h"

namespace gyre {
namespace {

constexpr telemetry::Logger kLog{"gyre"};
// Each start reads as much: a tenth of a second.
constexpr std::int64_t kCheckedFirstBytes = 64 * kMiB;

}  // namespace

Result<> House::Rooms::OpenLog() const {
  telemetry::LogSettings log;
  log.file = settings.Text("log.file");
  // A command's stderr belongs to the command: its requests to itself are no news there.
  if (!options.is_server && log.file.empty()) log.file = options.data_directory + "/command.log";
  if (!log.file.empty()) log.file = config::AbsolutePath(log.file);
  const std::string& format = settings.Text("log.format");
  if (format != "text" && format != "json")
    return InvalidArgument("GY1840", "log.format is `{}`", format).Fix("text or json");
  log.format = format == "json" ? telemetry::LogFormat::kJson : telemetry::LogFormat::kText;
  GYRE_TRY(log.level, telemetry::ParseLogLevel(settings.Text("log.level")));
  log.file_bytes_max = settings.Int("log.file_bytes_max");
  log.files_max = static_cast<int>(settings.Int("log.files_max"));
  return telemetry::ConfigureLog(log);
}

Result<> House::Rooms::OpenPlatform() {
  db::Settings database_settings;
  database_settings.path = options.data_directory + "/gyre.db";
  database_settings.readers_max = static_cast<int>(settings.Int("database.readers_max"));
  GYRE_TRY(database, db::OpenSqlite(std::move(database_settings)));
  GYRE_DO(CheckDatabase());
  GYRE_TRY(blobs, blob::OpenLocalStore(options.data_directory + "/blobs"));
  return {};
}

// On damaged pages nothing works on: what is written to them is lost, or takes more with it. A
// server does not keep callers waiting while a large database is read.
Result<> House::Rooms::CheckDatabase() {
  const std::string path = options.data_directory + "/gyre.db";
  struct stat file{};
  if (options.may_be_damaged || ::stat(path.c_str(), &file) != 0) return {};
  if (file.st_size <= kCheckedFirstBytes) return db::CheckPages(path, {});
  if (!options.is_server) return {};
  page_check =
      std::make_unique<exec::Worker>("page-check", [this, path](const exec::StopFlag& stop) {
        const auto sound = db::CheckPages(path, [&] { return stop.stopped(); });
        if (sound) return;
        kLog.Failed("the pages of the database", sound.error());
        damaged = sound.error().code() == Code::kDataLoss;
      });
  return {};
}

Result<> House::Rooms::Migrate() { return database->Migrate(AllSchemas()); }

std::int64_t House::Rooms::Micros(std::string_view setting) const {
  return static_cast<std::int64_t>(settings.Number(setting) * kMicrosPerSecond);
}

std::int64_t House::Rooms::Millis(std::string_view setting) const {
  return static_cast<std::int64_t>(settings.Number(setting) * 1000);
}

}  // namespace gyre

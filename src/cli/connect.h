// Finds the API: a server by URL, the owner of the data directory by its socket, else this process
// becomes the owner, or starts a keeper that is.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>

#include "cli/cli.h"
#include "cli/session.h"
#include "platform/config/data_directory.h"

namespace gyre::cli {

struct ConnectSettings {
  std::string server_url;      // wins when it is not empty
  std::string data_directory;  // absolute
  std::string config_file;
  const Host* host = nullptr;
  bool is_scratch = false;      // the directory goes with the command
  bool may_be_damaged = false;  // the command looks at damage, or mends it
  bool may_be_left = false;     // the owner must be a process that outlives this one
};
Result<std::unique_ptr<Session>> Connect(const ConnectSettings& settings);

// For completion: a GET of whoever answers within the time, never becoming the owner.
Result<Json> QuickGet(const ConnectSettings& settings, std::string_view path,
                      std::int64_t timeout_ms);

// Starts `gyre server` of that directory in the background and waits until it answers. Error:
// GY4030 with the log file named.
struct DetachedServer {
  config::OwnerInfo info;
  std::string log_file;
};
Result<DetachedServer> StartDetachedServer(const std::string& data_directory,
                                           const std::string& config_file);
// SIGTERM to the owner, and waits until the directory is free. False when nobody owned it. Error:
// GY4036 after the time.
Result<bool> StopServer(const std::string& data_directory, std::int64_t timeout_ms);

}  // namespace gyre::cli

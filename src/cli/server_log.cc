#include "cli/server_log.h"

#include <fmt/format.h>
#include <unistd.h>

#include <climits>

namespace gyre::cli {
namespace {

// "/var/log/x", "socket:[123]", "pipe:[4]", "/dev/pts/0"; empty where it cannot be seen.
std::string StandardErrorOf(int pid) {
  char target[PATH_MAX];
  const ssize_t length =
      ::readlink(fmt::format("/proc/{}/fd/2", pid).c_str(), target, sizeof target);
  return length <= 0 ? std::string() : std::string(target, static_cast<std::size_t>(length));
}

ServerLog OfStandardError(int pid) {
  constexpr std::string_view kWrites = "the server writes to its standard error";
  const std::string to = StandardErrorOf(pid);
  if (to.starts_with('/') && !to.starts_with("/dev/")) return {.file = to, .elsewhere = {}};
  if (to == "/dev/null")
    return {{}, fmt::format("{}, which nobody keeps; start it with --log-file", kWrites)};
  if (to.starts_with("socket:"))
    return {{},
            fmt::format("{}, which the system's journal keeps; add what journalctl -u gyre says",
                        kWrites)};
  return {{},
          fmt::format("{}; add what caught it (journalctl -u gyre), or start it with --log-file",
                      kWrites)};
}

}  // namespace

ServerLog FindServerLog(const std::optional<config::OwnerInfo>& owner, const std::string& setting,
                        const std::string& data_directory) {
  const bool runs = owner && owner->kind == "server";
  if (!runs) return {setting.empty() ? data_directory + "/server.log" : setting, {}};
  if (!owner->log_file.empty()) return {owner->log_file, {}};
  return OfStandardError(owner->pid);
}

}  // namespace gyre::cli

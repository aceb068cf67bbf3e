// The server that outlives a command: started in a session of its own, known by its lock and its
// log file.
#include <signal.h>

#include "base/text.h"
#include "base/time.h"
#include "cli/connect.h"
#include "platform/config/environment.h"
#include "platform/exec/files.h"
#include "platform/exec/process.h"
#include "platform/exec/signals.h"
#include "platform/net/client.h"

namespace gyre::cli {
namespace {

constexpr std::int64_t kStartTimeoutMicros = 20 * kMicrosPerSecond;
constexpr std::int64_t kPollMicros = 5'000;

bool Answers(const std::string& data_directory, const config::OwnerInfo& owner) {
  net::Client client({.url = {}, .unix_socket = config::SocketPath(data_directory), .token = {}});
  net::ClientRequest request;
  request.path = owner.base_path() + "/readyz";
  request.timeout_ms = 2'000;
  const auto response = client.Send(std::move(request));
  return response && response->status == 200;
}

// The last lines of a log, for the error of a start that failed.
std::string Tail(const std::string& log_file) {
  const auto text = exec::ReadFile(log_file);
  if (!text) return {};
  std::string_view rest = Trim(*text);
  const std::size_t from = rest.size() > 600 ? rest.find('\n', rest.size() - 600) : 0;
  return std::string(rest.substr(from == std::string_view::npos ? 0 : from));
}

}  // namespace

Result<DetachedServer> StartDetachedServer(const std::string& data_directory,
                                           const std::string& config_file) {
  GYRE_DO(config::MakeDirectories(data_directory, 0700));
  DetachedServer server;
  server.log_file = data_directory + "/server.log";
  std::vector<std::string> argv = {exec::SelfPath(), "server",        "--data",    data_directory,
                                   "--log-file",     server.log_file, "--any-port"};
  if (!config_file.empty())
    argv.insert(argv.end(), {"--config", config::AbsolutePath(config_file)});
  GYRE_TRY(const int pid, exec::SpawnDetached(argv, data_directory + "/server.out"));
  const std::int64_t until_us = SystemClock().MonotonicMicros() + kStartTimeoutMicros;
  while (SystemClock().MonotonicMicros() < until_us) {
    GYRE_TRY(const auto owner, config::FindOwner(data_directory));
    // Another command may have been quicker; any server of this directory will do.
    if (owner && !owner->url.empty() && Answers(data_directory, *owner)) {
      server.info = *owner;
      return server;
    }
    if (!owner && !exec::ProcessLives(pid)) break;
    exec::InterruptCounter::SleepMicros(kPollMicros);
    if (exec::ReapIfEnded(pid) && !owner) break;
  }
  return FailedPrecondition("GY4030", "the server of {} did not start", data_directory)
      .Why(Tail(data_directory + "/server.out"))
      .Fix(fmt::format("gyre server --data {}   (shows what is wrong)", data_directory));
}

Result<bool> StopServer(const std::string& data_directory, std::int64_t timeout_ms) {
  GYRE_TRY(auto owner, config::FindOwner(data_directory));
  if (!owner) return false;
  if (owner->pid <= 1)
    return FailedPrecondition("GY4031", "the owner of {} does not say who it is", data_directory)
        .Fix("try again in a moment");
  GYRE_DO(exec::SendSignal(owner->pid, SIGTERM));
  const std::int64_t until_us = SystemClock().MonotonicMicros() + timeout_ms * 1000;
  while (SystemClock().MonotonicMicros() < until_us) {
    GYRE_TRY(const auto now, config::FindOwner(data_directory));
    if (!now || now->pid != owner->pid) return true;
    exec::InterruptCounter::SleepMicros(kPollMicros);
  }
  return MakeError(Code::kDeadlineExceeded, "GY4036", "process {} has not ended after {}",
                   owner->pid, HumanSeconds(static_cast<double>(timeout_ms) / 1000))
      .Fix(fmt::format("kill -9 {}   (what was acknowledged is safe)", owner->pid));
}

}  // namespace gyre::cli

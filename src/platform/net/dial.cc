#include "platform/net/dial.h"

#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <csignal>
#include <cstring>
#include <limits>
#include <memory>
#include <optional>
#include <tuple>

#include "base/mutex.h"
#include "base/time.h"
#include "platform/net/egress.h"

namespace gyre::net {
namespace {

constexpr int kInterruptPollMillis = 100;

using Addresses = std::unique_ptr<addrinfo, decltype([](addrinfo* a) { freeaddrinfo(a); })>;

// Looking a name up cannot be stopped and may take as long as the name servers like, so it runs
// beside us, and may outlast whoever asked: it belongs to both.
class Lookup {
 public:
  Lookup(std::string host, std::string port) : host_(std::move(host)), port_(std::move(port)) {
    hints_.ai_socktype = SOCK_STREAM;
    hints_.ai_flags = AI_NUMERICSERV;
    ask_.ar_name = host_.c_str();
    ask_.ar_service = port_.c_str();
    ask_.ar_request = &hints_;
  }
  ~Lookup() {
    if (ask_.ar_result != nullptr) freeaddrinfo(ask_.ar_result);
  }
  Lookup(const Lookup&) = delete;
  Lookup& operator=(const Lookup&) = delete;

  static int Begin(const std::shared_ptr<Lookup>& lookup) {
    auto mine = std::make_unique<std::shared_ptr<Lookup>>(lookup);
    sigevent told{};
    told.sigev_notify = SIGEV_THREAD;
    told.sigev_value.sival_ptr = mine.get();
    told.sigev_notify_function = [](sigval value) {
      const std::unique_ptr<std::shared_ptr<Lookup>> ours(
          static_cast<std::shared_ptr<Lookup>*>(value.sival_ptr));
      MutexLock lock((*ours)->mutex_);
      (*ours)->done_ = true;
      (*ours)->told_.NotifyAll();
    };
    gaicb* list[] = {&lookup->ask_};
    const int failed = getaddrinfo_a(GAI_NOWAIT, list, 1, &told);
    if (failed == 0) std::ignore = mine.release();  // the notice owns it
    return failed;
  }
  // Nothing when it is not done after this time.
  std::optional<int> Wait(int millis) {
    MutexLock lock(mutex_);
    const auto until = std::chrono::steady_clock::now() + std::chrono::milliseconds(millis);
    while (!done_) {  // a wait may end for no reason
      const auto left = std::chrono::duration_cast<std::chrono::microseconds>(
          until - std::chrono::steady_clock::now());
      if (left.count() <= 0) return std::nullopt;
      told_.WaitMicros(mutex_, left.count());
    }
    return gai_error(&ask_);
  }
  Addresses Take() { return Addresses(std::exchange(ask_.ar_result, nullptr)); }

 private:
  const std::string host_, port_;
  addrinfo hints_{};
  gaicb ask_{};
  Mutex mutex_;
  CondVar told_;
  bool done_ GYRE_GUARDED_BY(mutex_) = false;
};

Error Interrupted() {
  return {Code::kCancelled, "GY1625", "stopped before the server had answered"};
}
Error CannotFind(const std::string& host, std::string_view why) {
  return MakeError(Code::kUnavailable, "GY1620", "cannot find the server {}: {}", host, why);
}

int PollMillis(const DialOptions& options) {
  const int left = MillisUntil(options.until_us);
  if (!options.interrupted) return left;
  return left < 0 ? kInterruptPollMillis : std::min(left, kInterruptPollMillis);
}

Result<Addresses> Find(const std::string& host, const std::string& port,
                       const DialOptions& options) {
  addrinfo hints{};
  hints.ai_socktype = SOCK_STREAM;
  hints.ai_flags = AI_NUMERICSERV | AI_NUMERICHOST;
  addrinfo* written = nullptr;
  if (getaddrinfo(host.c_str(), port.c_str(), &hints, &written) == 0) return Addresses(written);
  const auto lookup = std::make_shared<Lookup>(host, port);
  if (const int failed = Lookup::Begin(lookup); failed != 0)
    return CannotFind(host, gai_strerror(failed));
  while (true) {
    const int millis = PollMillis(options);
    if (const auto ended = lookup->Wait(millis < 0 ? kInterruptPollMillis : millis)) {
      if (*ended != 0) return CannotFind(host, gai_strerror(*ended));
      return lookup->Take();
    }
    if (options.interrupted && options.interrupted()) return Interrupted();
    if (MillisUntil(options.until_us) == 0)
      return CannotFind(host, "the name servers did not answer in time");
  }
}

// False with errno; EINTR when it was interrupted.
bool ConnectWithin(int fd, const addrinfo& address, const DialOptions& options) {
  if (connect(fd, address.ai_addr, address.ai_addrlen) == 0) return true;
  if (errno != EINPROGRESS) return false;
  pollfd waiting{fd, POLLOUT, 0};
  while (poll(&waiting, 1, PollMillis(options)) <= 0) {
    const bool stopped = options.interrupted && options.interrupted();
    if (!stopped && MillisUntil(options.until_us) != 0) continue;
    errno = stopped ? EINTR : ETIMEDOUT;
    return false;
  }
  int reason = 0;
  socklen_t reason_size = sizeof reason;
  getsockopt(fd, SOL_SOCKET, SO_ERROR, &reason, &reason_size);
  errno = reason;
  return reason == 0;
}

}  // namespace

int MillisUntil(std::int64_t until_us) {
  if (until_us == std::numeric_limits<std::int64_t>::max()) return -1;
  const std::int64_t left = until_us - SystemClock().MonotonicMicros();
  return left <= 0 ? 0 : static_cast<int>(std::min<std::int64_t>(left / 1000 + 1, 1'000'000));
}

Result<int> Dial(const std::string& host, const std::string& port, const DialOptions& options) {
  GYRE_TRY(const Addresses found, Find(host, port, options));
  int reason = ECONNREFUSED;
  std::optional<Error> refused;
  for (const addrinfo* each = found.get(); each != nullptr; each = each->ai_next) {
    if (options.guard != nullptr) {
      if (auto checked = options.guard->Check(each->ai_addr); !checked) {
        refused = std::move(checked).error();
        continue;
      }
    }
    const int fd = socket(each->ai_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (fd < 0) continue;
    if (ConnectWithin(fd, *each, options)) {
      const int one = 1;
      setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
      return fd;
    }
    reason = errno;
    close(fd);
    if (reason == EINTR) return Interrupted();
    refused.reset();  // an address that was tried says more than one that was not
  }
  if (refused) return *std::move(refused);
  const bool six = host.find(':') != std::string::npos;
  return MakeError(Code::kUnavailable, "GY1620", "cannot connect to {}{}{}:{}: {}", six ? "[" : "",
                   host, six ? "]" : "", port, std::strerror(reason));
}

}  // namespace gyre::net

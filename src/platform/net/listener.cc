#include "platform/net/listener.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

#include "base/text.h"
#include "platform/net/peer.h"
#include "platform/net/server.h"

namespace gyre::net {
namespace {

constexpr int kBacklog = 1024;

// An address of at most 107 bytes for a path of any length: through the descriptor of its
// directory.
struct UnixAddress {
  sockaddr_un address{};
  int directory = -1;
  ~UnixAddress() {
    if (directory >= 0) close(directory);
  }
  bool Set(const std::string& path) {
    address.sun_family = AF_UNIX;
    std::string text = path;
    if (text.size() >= sizeof address.sun_path) {
      const std::size_t slash = path.rfind('/');
      const std::string folder = slash == std::string::npos ? "." : path.substr(0, slash + 1);
      directory = open(folder.c_str(), O_PATH | O_DIRECTORY | O_CLOEXEC);
      if (directory < 0) return false;
      text = "/proc/self/fd/" + std::to_string(directory) + "/" + path.substr(slash + 1);
      if (text.size() >= sizeof address.sun_path) return false;
    }
    std::memcpy(address.sun_path, text.c_str(), text.size() + 1);
    return true;
  }
  const sockaddr* raw() const { return reinterpret_cast<const sockaddr*>(&address); }
};

struct TcpAddress {
  sockaddr_storage storage{};
  socklen_t size = 0;
  std::string host;
};

Result<TcpAddress> ParseListen(const std::string& listen) {
  const auto bad = [&](std::string_view why) {
    return InvalidArgument("GY1612", "`{}` is no address to listen on: {}", listen, why)
        .Fix("--listen 127.0.0.1:7171");
  };
  const std::size_t colon = listen.rfind(':');
  if (colon == std::string::npos) return bad("it has no port");
  const auto port = ParseInt(std::string_view(listen).substr(colon + 1));
  if (!port || *port < 0 || *port > 65535) return bad("the port is not a number from 0 to 65535");
  std::string host = listen.substr(0, colon);
  if (host == "localhost") host = "127.0.0.1";
  TcpAddress out;
  if (host.size() > 2 && host.front() == '[' && host.back() == ']') {
    sockaddr_in6 in{};
    in.sin6_family = AF_INET6;
    in.sin6_port = htons(static_cast<std::uint16_t>(*port));
    if (inet_pton(AF_INET6, host.substr(1, host.size() - 2).c_str(), &in.sin6_addr) != 1)
      return bad("no such IPv6 address");
    std::memcpy(&out.storage, &in, sizeof in);
    out.size = sizeof in;
  } else {
    sockaddr_in in{};
    in.sin_family = AF_INET;
    in.sin_port = htons(static_cast<std::uint16_t>(*port));
    if (inet_pton(AF_INET, host.c_str(), &in.sin_addr) != 1)
      return bad("the host must be an IP address or localhost");
    std::memcpy(&out.storage, &in, sizeof in);
    out.size = sizeof in;
  }
  out.host = host;
  return out;
}

}  // namespace

Result<> CheckListen(const std::string& listen) {
  GYRE_TRY(const auto listener, Listener::Tcp(listen, true));
  return {};
}

bool IsLoopbackListen(const std::string& listen) {
  const auto address = ParseListen(listen);
  return address && IsLoopback(address->storage);
}

namespace {

int PortOf(int fd) {
  sockaddr_storage storage{};
  socklen_t size = sizeof storage;
  if (getsockname(fd, reinterpret_cast<sockaddr*>(&storage), &size) != 0) return 0;
  const std::string text = AddressText(storage);
  return static_cast<int>(ParseInt(std::string_view(text).substr(text.rfind(':') + 1)).value_or(0));
}

}  // namespace

Result<std::unique_ptr<Listener>> Listener::Tcp(const std::string& listen_on,
                                                bool beyond_loopback_allowed) {
  GYRE_TRY(const TcpAddress address, ParseListen(listen_on));
  if (!beyond_loopback_allowed && !IsLoopback(address.storage)) {
    return FailedPrecondition("GY1611", "refusing to listen on {} without TLS", listen_on)
        .Why("beyond this machine, tokens and data would travel in the clear")
        .Fix("--tls-cert FILE --tls-key FILE")
        .Fix("--behind-proxy, when a proxy in front speaks TLS");
  }
  std::unique_ptr<Listener> listener(new Listener());
  listener->fd_ = socket(address.storage.ss_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
  if (listener->fd_ < 0) return SystemError("opening a socket", errno);
  const int one = 1;
  setsockopt(listener->fd_, SOL_SOCKET, SO_REUSEADDR, &one, sizeof one);
  if (bind(listener->fd_, reinterpret_cast<const sockaddr*>(&address.storage), address.size) != 0 ||
      ::listen(listener->fd_, kBacklog) != 0) {
    return FailedPrecondition("GY1610", "cannot listen on {}: {}", listen_on, std::strerror(errno))
        .Fix("choose another port with --listen, or 0 for any free one");
  }
  listener->port_ = PortOf(listener->fd_);
  listener->host_ = address.host;
  return listener;
}

Result<std::unique_ptr<Listener>> Listener::Unix(const std::string& path) {
  UnixAddress address;
  if (!address.Set(path))
    return InvalidArgument("GY1612", "`{}` cannot be the path of a socket", path);
  if (auto living = ConnectUnix(path)) {
    close(*living);
    return FailedPrecondition("GY1610", "somebody listens on {} already", path);
  }
  unlink(path.c_str());
  std::unique_ptr<Listener> listener(new Listener());
  listener->fd_ = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
  if (listener->fd_ < 0) return SystemError("opening a socket", errno);
  fchmod(listener->fd_, 0600);  // before bind: the file never stands there with wider rights
  if (bind(listener->fd_, address.raw(), sizeof address.address) != 0 ||
      ::listen(listener->fd_, kBacklog) != 0) {
    return FailedPrecondition("GY1610", "cannot listen on {}: {}", path, std::strerror(errno));
  }
  listener->path_ = path;
  if (chmod(path.c_str(), 0600) != 0) return SystemError("protecting " + path, errno);
  return listener;
}

void Listener::Refuse() {
  if (fd_ < 0 || !is_unix()) return;
  unlink(path_.c_str());
  shutdown(fd_, SHUT_RD);
}

void Listener::Close() {
  if (fd_ >= 0) {
    Refuse();
    close(fd_);
  }
  fd_ = -1;
}

Listener::~Listener() { Close(); }

Result<int> ConnectUnix(const std::string& path) {
  UnixAddress address;
  if (!address.Set(path))
    return MakeError(Code::kUnavailable, "GY1620", "cannot connect to {}", path);
  const int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
  if (fd < 0) return SystemError("opening a socket", errno);
  if (connect(fd, address.raw(), sizeof address.address) != 0) {
    const int reason = errno;
    close(fd);
    return MakeError(Code::kUnavailable, "GY1620", "cannot connect to {}: {}", path,
                     std::strerror(reason));
  }
  return fd;
}

}  // namespace gyre::net

// CPU of the server process per request: our engine on an inline route against a bare epoll echo of
// the same bytes, closed loop over keep-alive connections. CPU comes from the scheduler's own clock
// of each process, so a busy machine disturbs it little.
#include <fmt/core.h>
#include <netinet/tcp.h>
#include <sys/epoll.h>
#include <sys/wait.h>

#include <csignal>
#include <ctime>
#include <deque>

#include "platform/net/server.h"
#include "platform/net/testing/raw_client.h"

namespace gyre::net {
namespace {

constexpr int kConnections = 16;
constexpr int kRequests = 60'000;
constexpr int kRounds = 5;

class Echo {
 public:
  Result<Response> Post(Request& request) {
    Response response;
    response.body = request.body();
    return response;
  }
};
constexpr Route kRoutes[] = {{.method = Method::kPost,
                              .path = "/e/{endpoint}",
                              .handler = Bind<&Echo::Post>,
                              .permission = Permission("predict"),
                              .summary = "Echo",
                              .body = Body::kBuffer,
                              .where = Where::kInline,
                              .audited = false}};

class Open final : public Gatekeeper {
 public:
  Result<> Admit(Request&, const Route&) override { return {}; }
  bool AdmitsWithoutWaiting(const Request&, const Route&) const override { return true; }
};

int ListenAnywhere(int* port) {
  const int fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t size = sizeof address;
  GYRE_CHECK(bind(fd, reinterpret_cast<sockaddr*>(&address), size) == 0 && listen(fd, 64) == 0);
  getsockname(fd, reinterpret_cast<sockaddr*>(&address), &size);
  *port = ntohs(address.sin_port);
  return fd;
}

// What no server can do without: wait, receive, find the end of the message, send.
[[noreturn]] void RunBareEcho(int listener) {
  const int epoll = epoll_create1(0);
  epoll_event event{};
  event.events = EPOLLIN;
  event.data.fd = listener;
  epoll_ctl(epoll, EPOLL_CTL_ADD, listener, &event);
  std::string buffer(65536, '\0');
  std::string out;
  epoll_event events[64];
  while (true) {
    const int count = epoll_wait(epoll, events, 64, -1);
    for (int i = 0; i < count; ++i) {
      const int fd = events[i].data.fd;
      if (fd == listener) {
        const int accepted = accept4(listener, nullptr, nullptr, SOCK_NONBLOCK);
        const int one = 1;
        setsockopt(accepted, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
        event.data.fd = accepted;
        epoll_ctl(epoll, EPOLL_CTL_ADD, accepted, &event);
        continue;
      }
      const ssize_t n = recv(fd, buffer.data(), buffer.size(), 0);
      if (n <= 0) {
        close(fd);
        continue;
      }
      const std::string_view in(buffer.data(), static_cast<std::size_t>(n));
      const std::string_view body = in.substr(in.find("\r\n\r\n") + 4);
      out = "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: " +
            std::to_string(body.size()) + "\r\n\r\n";
      out += body;
      if (send(fd, out.data(), out.size(), MSG_NOSIGNAL) < 0) close(fd);
    }
  }
}

[[noreturn]] void RunOurs(int report) {
  Echo echo;
  Open gate;
  const RouteTable tables[] = {{"bench", kRoutes, &echo}};
  const auto server = StartServer(
      {.listen = "127.0.0.1:0", .io_threads = 1, .blocking_threads = 1, .streams_max = 1}, tables,
      gate, nullptr);
  GYRE_CHECK(server.has_value());
  const int port = (*server)->port();
  GYRE_CHECK(write(report, &port, sizeof port) == sizeof port);
  while (true) pause();
}

double CpuMicros(pid_t pid) {
  clockid_t clock{};
  GYRE_CHECK(clock_getcpuclockid(pid, &clock) == 0);
  timespec now{};
  clock_gettime(clock, &now);
  return 1e6 * static_cast<double>(now.tv_sec) + 1e-3 * static_cast<double>(now.tv_nsec);
}

std::string RequestText() {
  std::string body = R"({"inputs":[{)";
  for (int i = 0; i < 30; ++i)
    body += fmt::format("{}\"feature_{}\":{:.6f}", i == 0 ? "" : ",", i, 0.123456 * i);
  body += "}]}";
  return fmt::format(
      "POST /e/churn HTTP/1.1\r\nHost: 127.0.0.1:7171\r\nUser-Agent: "
      "python-requests/2.31.0\r\nAccept-Encoding: gzip, deflate\r\nAccept: */*\r\n"
      "Connection: keep-alive\r\nContent-Type: application/json\r\nContent-Length: {}\r\n\r\n{}",
      body.size(), body);
}

double CpuPerRequest(pid_t pid, int port, const std::string& request) {
  std::deque<RawClient> clients;
  for (int i = 0; i < kConnections; ++i) clients.emplace_back(port);
  const auto run = [&](int count) {
    for (int i = 0; i < count; i += kConnections) {
      for (RawClient& client : clients) client.Send(request);
      for (RawClient& client : clients) client.ReadResponse();
    }
  };
  run(kRequests / 10);
  const double before = CpuMicros(pid);
  run(kRequests);
  return (CpuMicros(pid) - before) / kRequests;
}

int Main() {
  int echo_port = 0;
  const int listener = ListenAnywhere(&echo_port);
  const pid_t echo = fork();
  if (echo == 0) RunBareEcho(listener);
  int ends[2];
  GYRE_CHECK(pipe(ends) == 0);
  const pid_t ours = fork();
  if (ours == 0) RunOurs(ends[1]);
  int port = 0;
  GYRE_CHECK(read(ends[0], &port, sizeof port) == sizeof port);
  const std::string request = RequestText();
  double best_echo = 1e9;
  double best_ours = 1e9;
  for (int round = 0; round < kRounds; ++round) {
    best_echo = std::min(best_echo, CpuPerRequest(echo, echo_port, request));
    best_ours = std::min(best_ours, CpuPerRequest(ours, port, request));
  }
  fmt::print("bare epoll echo     {:6.2f} us CPU per request\n", best_echo);
  fmt::print(
      "platform/net        {:6.2f} us CPU per request   {:.0f} % of the echo's requests per "
      "CPU-second\n",
      best_ours, 100 * best_echo / best_ours);
  for (const pid_t child : {echo, ours}) {
    kill(child, SIGKILL);
    waitpid(child, nullptr, 0);
  }
  return 0;
}

}  // namespace
}  // namespace gyre::net

int main() { return gyre::net::Main(); }

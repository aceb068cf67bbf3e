// An HTTP load generator and a bare echo server for benchmarks: one thread, epoll, keep-alive.
#pragma once

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include <algorithm>
#include <charconv>
#include <string>
#include <string_view>
#include <vector>

namespace gyre::serving {

inline double WallSeconds() {
  timespec now{};
  clock_gettime(CLOCK_MONOTONIC, &now);
  return static_cast<double>(now.tv_sec) + 1e-9 * static_cast<double>(now.tv_nsec);
}

// Length of the first whole HTTP message in `in`; 0 when it is not complete.
inline std::size_t MessageLength(std::string_view in) {
  const std::size_t head = in.find("\r\n\r\n");
  if (head == std::string_view::npos) return 0;
  std::size_t body = 0;
  for (const std::string_view name : {"Content-Length: ", "content-length: "}) {
    const std::size_t at = in.substr(0, head).find(name);
    if (at == std::string_view::npos) continue;
    std::from_chars(in.data() + at + name.size(), in.data() + head, body);
  }
  return in.size() >= head + 4 + body ? head + 4 + body : 0;
}

inline int Listen(int* port) {
  const int fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t length = sizeof address;
  void* any = &address;
  if (bind(fd, static_cast<sockaddr*>(any), length) != 0 || listen(fd, 256) != 0) return -1;
  getsockname(fd, static_cast<sockaddr*>(any), &length);
  *port = ntohs(address.sin_port);
  return fd;
}

// What a server must do at least: read a request to its end, send its body back.
[[noreturn]] inline void RunEcho(int listener) {
  const int epoll = epoll_create1(0);
  epoll_event event{.events = EPOLLIN, .data = {.fd = listener}};
  epoll_ctl(epoll, EPOLL_CTL_ADD, listener, &event);
  std::vector<std::string> buffers(1024);
  std::string out;
  std::vector<char> piece(65536);
  while (true) {
    epoll_event events[64];
    const int count = epoll_wait(epoll, events, 64, -1);
    for (int i = 0; i < count; ++i) {
      const int fd = events[i].data.fd;
      if (fd == listener) {
        const int accepted = accept4(listener, nullptr, nullptr, SOCK_NONBLOCK);
        if (accepted < 0 || accepted >= 1024) continue;
        const int one = 1;
        setsockopt(accepted, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
        epoll_event added{.events = EPOLLIN, .data = {.fd = accepted}};
        epoll_ctl(epoll, EPOLL_CTL_ADD, accepted, &added);
        continue;
      }
      std::string& in = buffers[static_cast<std::size_t>(fd)];
      const ssize_t got = recv(fd, piece.data(), piece.size(), 0);
      if (got <= 0) {
        close(fd);
        in.clear();
        continue;
      }
      in.append(piece.data(), static_cast<std::size_t>(got));
      out.clear();
      while (const std::size_t length = MessageLength(in)) {
        const std::string_view message(in.data(), length);
        const std::string_view body = message.substr(message.find("\r\n\r\n") + 4);
        out += "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: " +
               std::to_string(body.size()) + "\r\n\r\n";
        out += body;
        in.erase(0, length);
      }
      if (!out.empty() && send(fd, out.data(), out.size(), MSG_NOSIGNAL) < 0) close(fd);
    }
  }
}

struct LoadResult {
  long answered = 0, failed = 0;
  double seconds = 0;
  std::vector<double> latency_us;  // open loop only, sorted
  double Percentile(double share) const {
    return latency_us.empty() ? 0
                              : latency_us[static_cast<std::size_t>(
                                    share * static_cast<double>(latency_us.size() - 1))];
  }
};

struct LoadOptions {
  int port = 0;
  int connections = 32;
  double seconds = 3;
  // Requests per second from all connections, latency from the time they were due. 0 = rounds: one
  // request on each connection, then all answers, and again; the server is then always in the
  // middle of work, and the cost of waking up falls on nobody in particular.
  double rate = 0;
};

class Load {
 public:
  Load(const LoadOptions& options, std::string request)
      : options_(options), request_(std::move(request)) {
    epoll_ = epoll_create1(0);
    for (int i = 0; i < options.connections; ++i) {
      const int fd = socket(AF_INET, SOCK_STREAM, 0);
      sockaddr_in address{};
      address.sin_family = AF_INET;
      address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
      address.sin_port = htons(static_cast<std::uint16_t>(options.port));
      const void* any = &address;
      if (connect(fd, static_cast<const sockaddr*>(any), sizeof address) != 0) {
        ++result_.failed;
        continue;
      }
      const int one = 1;
      setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
      epoll_event event{.events = EPOLLIN,
                        .data = {.u32 = static_cast<std::uint32_t>(connections_.size())}};
      epoll_ctl(epoll_, EPOLL_CTL_ADD, fd, &event);
      connections_.push_back({fd, 0, {}});
    }
  }
  ~Load() {
    for (const Connection& connection : connections_) close(connection.fd);
    close(epoll_);
  }
  Load(const Load&) = delete;
  Load& operator=(const Load&) = delete;

  LoadResult Run() {
    if (connections_.empty()) return result_;
    const double start = WallSeconds();
    const double end = start + options_.seconds;
    for (std::size_t i = 0; i < connections_.size(); ++i) idle_.push_back(i);
    double due = start;
    for (double now = start; now < end; now = WallSeconds()) {
      if (options_.rate <= 0 && idle_.size() == connections_.size()) {
        for (const std::size_t i : idle_) Send(i, now);
        idle_.clear();
      }
      while (options_.rate > 0 && due <= now && !idle_.empty()) {
        Send(idle_.back(), due);
        idle_.pop_back();
        due += 1.0 / options_.rate;
      }
      epoll_event events[64];
      // Never sleeps: else a slow server pays for waking it, and a fast one does not.
      const int count = epoll_wait(epoll_, events, 64, 0);
      for (int i = 0; i < count; ++i) Receive(events[i].data.u32);
    }
    result_.seconds = WallSeconds() - start;
    std::sort(result_.latency_us.begin(), result_.latency_us.end());
    return result_;
  }

 private:
  struct Connection {
    int fd;
    double since;
    std::string in;
  };
  void Send(std::size_t index, double since) {
    connections_[index].since = since;
    if (send(connections_[index].fd, request_.data(), request_.size(), MSG_NOSIGNAL) < 0)
      ++result_.failed;
  }
  void Receive(std::size_t index) {
    Connection& connection = connections_[index];
    char piece[65536];
    const ssize_t got = recv(connection.fd, piece, sizeof piece, 0);
    if (got <= 0) {
      ++result_.failed;
      epoll_ctl(epoll_, EPOLL_CTL_DEL, connection.fd, nullptr);
      return;
    }
    connection.in.append(piece, static_cast<std::size_t>(got));
    const std::size_t length = MessageLength(connection.in);
    if (length == 0) return;
    if (!connection.in.starts_with("HTTP/1.1 200")) ++result_.failed;
    connection.in.erase(0, length);
    ++result_.answered;
    if (options_.rate > 0) result_.latency_us.push_back(1e6 * (WallSeconds() - connection.since));
    idle_.push_back(index);
  }

  LoadOptions options_;
  std::string request_;
  int epoll_ = -1;
  std::vector<Connection> connections_;
  std::vector<std::size_t> idle_;
  LoadResult result_;
};

}  // namespace gyre::serving

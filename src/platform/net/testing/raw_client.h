// A client that sends exactly the bytes it is told and shows exactly what came back. Tests only.
#pragma once

#include <arpa/inet.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <cstring>
#include <string>
#include <string_view>

namespace gyre::net {

class RawClient {
 public:
  explicit RawClient(int port) {
    fd_ = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(static_cast<std::uint16_t>(port));
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    ok_ = connect(fd_, reinterpret_cast<sockaddr*>(&address), sizeof address) == 0;
  }
  explicit RawClient(const std::string& path) {
    fd_ = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    std::memcpy(address.sun_path, path.c_str(), path.size() + 1);
    ok_ = connect(fd_, reinterpret_cast<sockaddr*>(&address), sizeof address) == 0;
  }
  ~RawClient() { close(fd_); }
  RawClient(const RawClient&) = delete;
  RawClient& operator=(const RawClient&) = delete;

  bool ok() const { return ok_; }
  int fd() const { return fd_; }
  bool Send(std::string_view bytes) {
    while (!bytes.empty()) {
      const ssize_t n = send(fd_, bytes.data(), bytes.size(), MSG_NOSIGNAL);
      if (n <= 0) return false;
      bytes.remove_prefix(static_cast<std::size_t>(n));
    }
    return true;
  }
  void HalfClose() { shutdown(fd_, SHUT_WR); }
  // Until `text` has come, the end, or the time has passed.
  std::string ReadUntil(std::string_view text, int timeout_ms = 10'000) {
    while (buffer_.find(text) == std::string::npos && More(timeout_ms)) {
    }
    const std::size_t at = buffer_.find(text);
    const std::size_t size = at == std::string::npos ? buffer_.size() : at + text.size();
    std::string out = buffer_.substr(0, size);
    buffer_.erase(0, size);
    return out;
  }
  std::string ReadToEnd(int timeout_ms = 10'000) {
    while (More(timeout_ms)) {
    }
    return std::exchange(buffer_, {});
  }
  // One response with Content-Length, head and body.
  std::string ReadResponse() {
    std::string head = ReadUntil("\r\n\r\n");
    const std::size_t at = head.find("Content-Length: ");
    if (at == std::string::npos) return head;
    const std::size_t size = std::strtoul(head.c_str() + at + 16, nullptr, 10);
    while (buffer_.size() < size && More(10'000)) {
    }
    head += buffer_.substr(0, size);
    buffer_.erase(0, size);
    return head;
  }
  bool AtEnd(int timeout_ms = 10'000) { return buffer_.empty() && !More(timeout_ms) && ended_; }

 private:
  bool More(int timeout_ms) {
    pollfd waiting{fd_, POLLIN, 0};
    if (poll(&waiting, 1, timeout_ms) <= 0) return false;
    char bytes[65536];
    const ssize_t n = recv(fd_, bytes, sizeof bytes, 0);
    if (n <= 0) {
      ended_ = true;
      return false;
    }
    buffer_.append(bytes, static_cast<std::size_t>(n));
    return true;
  }
  int fd_ = -1;
  bool ok_ = false;
  bool ended_ = false;
  std::string buffer_;
};

}  // namespace gyre::net

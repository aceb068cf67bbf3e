// Whatever a mail server says: a mail is taken, refused or given up, in bounded time, and nothing
// crashes.
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>
#include <thread>

#include "platform/net/smtp.h"

namespace gyre::net {
namespace {

class Listener {
 public:
  Listener() : socket_(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
    sockaddr_in address = {};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t size = sizeof address;
    auto* const any = reinterpret_cast<sockaddr*>(&address);
    if (::bind(socket_, any, size) != 0 || ::listen(socket_, 16) != 0 ||
        ::getsockname(socket_, any, &size) != 0)
      std::abort();
    port_ = std::to_string(ntohs(address.sin_port));
  }
  // Says it all at once and hangs up.
  void SayOnce(std::string_view text) const {
    const int talk = ::accept4(socket_, nullptr, nullptr, SOCK_CLOEXEC);
    if (talk < 0) return;
    static_cast<void>(::send(talk, text.data(), text.size(), MSG_NOSIGNAL) > 0);
    ::shutdown(talk, SHUT_WR);
    char heard[4096];
    while (::recv(talk, heard, sizeof heard, 0) > 0) {
    }
    ::close(talk);
  }
  const std::string& port() const { return port_; }

 private:
  const int socket_;
  std::string port_;
};

void TryReplies(std::string_view text) {
  static const Listener listener;
  std::thread server([text] { listener.SayOnce(text); });
  const MailServer mail_server = {
      .host = "127.0.0.1", .port = listener.port(), .tls = MailTls::kNone};
  const Mail mail = {.from = "gyre@example.org",
                     .to = {"a@example.org", "b@example.org"},
                     .message = "Subject: x\r\n\r\n.\r\n"};
  const auto sent = SendMail(mail_server, mail, {.timeout_ms = 2000});
  if (!sent && sent.error().gy().empty()) std::abort();
  server.join();
}

}  // namespace
}  // namespace gyre::net

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* bytes, std::size_t size) {
  gyre::net::TryReplies({reinterpret_cast<const char*>(bytes), size});
  return 0;
}

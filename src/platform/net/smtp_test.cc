#include "platform/net/smtp.h"

#include <arpa/inet.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <atomic>

#include "platform/exec/thread_pool.h"
#include "platform/net/egress.h"

namespace gyre::net {
namespace {

// Speaks its lines in turn: one at the beginning, one after each line that it hears; the last one
// after a line with a dot alone. Then it says no more.
class ScriptedServer {
 public:
  explicit ScriptedServer(std::vector<std::string> says) : says_(std::move(says)) {
    fd_ = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    EXPECT_EQ(bind(fd_, reinterpret_cast<sockaddr*>(&address), sizeof address), 0);
    EXPECT_EQ(listen(fd_, 1), 0);
    socklen_t size = sizeof address;
    getsockname(fd_, reinterpret_cast<sockaddr*>(&address), &size);
    port_ = ntohs(address.sin_port);
    worker_ = exec::Worker("mail", [this](const exec::StopFlag&) { Serve(); });
  }
  ~ScriptedServer() {
    shutdown(fd_, SHUT_RDWR);
    if (const int client = client_; client >= 0) shutdown(client, SHUT_RDWR);
    worker_ = exec::Worker();
    close(fd_);
  }
  MailServer address(MailTls tls = MailTls::kNone) const {
    return {.host = "127.0.0.1", .port = std::to_string(port_), .tls = tls};
  }
  std::string heard() {
    worker_ = exec::Worker();
    return heard_;
  }

 private:
  void Say(const std::string& line) const {
    if (!line.empty()) (void)!write(client_, (line + "\r\n").data(), line.size() + 2);
  }
  void Serve() {
    client_ = accept(fd_, nullptr, nullptr);
    if (client_ < 0) return;
    std::size_t next = 0;
    Say(says_[next++]);
    bool in_data = false;
    std::string line;
    char c = 0;
    while (read(client_, &c, 1) == 1) {
      heard_ += c;
      line += c;
      if (c != '\n') continue;
      const bool ends = !in_data || line == ".\r\n";
      in_data = in_data ? !ends : line == "DATA\r\n";
      if (ends && next < says_.size()) Say(says_[next++]);
      line.clear();
    }
    close(client_);
  }

  const std::vector<std::string> says_;
  int fd_ = -1, port_ = 0;
  std::atomic<int> client_{-1};
  std::string heard_;
  exec::Worker worker_;
};

const Mail kMail{.from = "gyre@example.org",
                 .to = {"ops@example.org", "ada@example.org"},
                 .message = "Subject: x\r\n\r\n.begins with a dot\r\nends"};

TEST(SmtpTest, HandsAMailOver) {
  ScriptedServer server({"220-mail.example.org\r\n220 ready", "250-hello\r\n250 8BITMIME", "250 ok",
                         "250 ok", "550 5.1.1 nobody of that name", "354 go on", "250 taken as 7",
                         "221 bye"});
  const auto said = SendMail(server.address(), kMail, {});
  ASSERT_TRUE(said) << said.error().ToString();
  EXPECT_EQ(*said, "250 taken as 7; refused ada@example.org: 550 5.1.1 nobody of that name");
  EXPECT_EQ(server.heard(),
            "EHLO gyre\r\nMAIL FROM:<gyre@example.org>\r\nRCPT TO:<ops@example.org>\r\n"
            "RCPT TO:<ada@example.org>\r\nDATA\r\n"
            "Subject: x\r\n\r\n..begins with a dot\r\nends\r\n.\r\nQUIT\r\n");
}

TEST(SmtpTest, SaysWhatWasRefused) {
  struct Case {
    std::vector<std::string> says;
    std::string message;
  };
  for (const Case& c :
       {Case{{"554 go away"}, "the mail server refused the connection: 554 go away"},
        Case{{"220 x", "250 x", "553 not you"},
             "the mail server refused the sender gyre@example.org: 553 not you"},
        Case{{"220 x", "250 x", "250 x", "550 a", "550 b"},
             "the mail server refused the recipient ada@example.org: 550 b"},
        Case{{"220 x", "250 x", "250 x", "250 x", "250 x", "354 x", "552 too much"},
             "the mail server refused the mail: 552 too much"}}) {
    ScriptedServer server(c.says);
    const auto said = SendMail(server.address(), kMail, {});
    ASSERT_FALSE(said);
    EXPECT_EQ(said.error().gy(), "GY1632");
    EXPECT_EQ(said.error().message(), c.message);
  }
}

TEST(SmtpTest, SendsNothingInTheClearThatShouldBeSecret) {
  ScriptedServer no_tls({"220 x", "250-x\r\n250 AUTH PLAIN"});
  const auto refused = SendMail(no_tls.address(MailTls::kStartTls), kMail, {});
  EXPECT_EQ(refused.error().message(), "the mail server does not offer STARTTLS");
  EXPECT_EQ(no_tls.heard(), "EHLO gyre\r\n");

  ScriptedServer plain({"220 x", "250-x\r\n250 AUTH PLAIN"});
  MailServer address = plain.address();
  address.user = "ada";
  address.password = "open sesame";
  EXPECT_EQ(SendMail(address, kMail, {}).error().gy(), "GY1632");
  EXPECT_EQ(plain.heard(), "EHLO gyre\r\n");

  // What stands behind the answer to STARTTLS was said before TLS: whoever put it there is refused.
  ScriptedServer injected({"220 x", "250-x\r\n250 STARTTLS", "220 go\r\n250 AUTH PLAIN"});
  const auto caught = SendMail(injected.address(MailTls::kStartTls), kMail, {});
  EXPECT_EQ(caught.error().message(), "somebody spoke between the mail server and TLS");
}

TEST(SmtpTest, WaitsNoLongerThanItMay) {
  ScriptedServer silent({""});
  EXPECT_EQ(SendMail(silent.address(), kMail, {.timeout_ms = 50}).error().gy(), "GY1621");
  ScriptedServer other({""});
  EXPECT_EQ(SendMail(other.address(), kMail, {.interrupted = [] { return true; }}).error().gy(),
            "GY1625");
  const EgressGuard guard = *EgressGuard::Parse("");
  EXPECT_EQ(SendMail(other.address(), kMail, {.guard = &guard}).error().gy(), "GY1626");
}

TEST(SmtpTest, RefusesWhatWouldBeReadAsACommand) {
  for (const char* address :
       {"", "a", "@b", "a@", "a@b@c", "a b@c", "a@b>\r\nRCPT TO:<c@d", "<a@b>"}) {
    EXPECT_FALSE(IsMailAddress(address)) << address;
    EXPECT_EQ(SendMail({.host = "127.0.0.1", .port = "1"},
                       {.from = "a@b", .to = {address}, .message = "x"}, {})
                  .error()
                  .gy(),
              "GY1633");
  }
  EXPECT_TRUE(IsMailAddress("ops+alerts@mail.example.org"));
}

}  // namespace
}  // namespace gyre::net

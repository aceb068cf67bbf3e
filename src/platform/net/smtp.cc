#include "platform/net/smtp.h"

#include <poll.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <memory>

#include "base/base64.h"
#include "base/text.h"
#include "base/time.h"
#include "platform/net/dial.h"
#include "platform/net/egress.h"
#include "platform/net/transport.h"

namespace gyre::net {
namespace {

constexpr std::size_t kReplyBytesMax = 64 << 10;
constexpr std::size_t kReplyBytesShown = 300;
constexpr int kInterruptPollMillis = 100;

struct Reply {
  int code = 0;
  std::vector<std::string> lines;  // without the code
  std::string text() const {
    return fmt::format("{} {}", code, Join(lines, " ")).substr(0, kReplyBytesShown);
  }
};

Error Refused(std::string_view what, const Reply& reply) {
  return MakeError(Code::kFailedPrecondition, "GY1632", "the mail server refused {}: {}", what,
                   reply.text());
}

// Commands and replies over one socket, first plain, then perhaps TLS.
class Conversation {
 public:
  Conversation(int fd, std::int64_t until_us, const MailLimits& limits)
      : fd_(fd), until_us_(until_us), limits_(limits) {
    transport_ = std::make_unique<Transport>(fd, static_cast<const TlsClient*>(nullptr), "");
  }
  ~Conversation() {
    transport_.reset();
    close(fd_);
  }
  Conversation(const Conversation&) = delete;
  Conversation& operator=(const Conversation&) = delete;

  void Secure(const TlsClient& tls, const std::string& host) {
    transport_ = std::make_unique<Transport>(fd_, &tls, host);
  }
  bool secure() const { return transport_->tls(); }
  // Something that was said before TLS began must not be taken for said within.
  bool heard_more() const { return !heard_.empty(); }

  Result<> Say(std::string_view bytes) {
    while (!bytes.empty()) {
      const ssize_t sent = transport_->Send(bytes.data(), bytes.size());
      if (sent == kBroken) return Broke();
      if (sent == kAgain) {
        // TLS that does not want to write waits for the other side.
        const bool listens = transport_->tls() && !transport_->wants_write_to_read();
        GYRE_DO(Wait(listens ? POLLIN : POLLOUT));
        continue;
      }
      bytes.remove_prefix(static_cast<std::size_t>(sent));
    }
    return {};
  }

  Result<Reply> Hear() {
    Reply reply;
    while (true) {
      GYRE_TRY(const std::string line, HearLine());
      const auto code = ParseInt(line.substr(0, 3));
      const char sign = line.size() > 3 ? line[3] : ' ';
      if (line.size() < 3 || !code || *code < 200 || *code > 599 || (sign != ' ' && sign != '-'))
        return Broke("what it says is no SMTP");
      reply.code = static_cast<int>(*code);
      reply.lines.push_back(line.size() > 4 ? line.substr(4) : "");
      if (sign == ' ') return reply;
    }
  }

  Result<Reply> Ask(std::string_view command) {
    GYRE_DO(Say(fmt::format("{}\r\n", command)));
    return Hear();
  }

 private:
  Error Broke(std::string_view why = {}) const {
    const std::string failure = transport_->failure();
    Error error =
        MakeError(Code::kUnavailable, "GY1624", "the connection to the mail server broke: {}",
                  !why.empty()      ? why
                  : failure.empty() ? "it ended before the mail was taken"
                                    : std::string_view(failure));
    if (!transport_->distrusts()) return error;
    return std::move(error).Fix(
        "SSL_CERT_FILE=cert.pem gyre server   with the mail server's certificate, or its "
        "authority's");
  }

  Result<> Wait(int events) {
    const int left = MillisUntil(until_us_);
    if (left == 0)
      return MakeError(Code::kDeadlineExceeded, "GY1621", "the mail server did not answer in time");
    if (limits_.interrupted && limits_.interrupted())
      return Error(Code::kCancelled, "GY1625", "stopped before the mail server had answered");
    pollfd waiting{fd_, static_cast<short>(events), 0};
    if (poll(&waiting, 1, std::min(left, kInterruptPollMillis)) < 0 && errno != EINTR)
      return SystemError("waiting for the mail server", errno);
    return {};
  }

  Result<std::string> HearLine() {
    while (true) {
      if (const std::size_t end = heard_.find('\n'); end != std::string::npos) {
        std::string line = heard_.substr(0, end);
        heard_.erase(0, end + 1);
        if (line.ends_with('\r')) line.pop_back();
        return line;
      }
      if (total_ > kReplyBytesMax) return Broke("it says too much");
      char buffer[4096];
      const ssize_t size = transport_->Recv(buffer, sizeof buffer);
      if (size == 0 || size == kBroken) return Broke();
      if (size == kAgain) {
        GYRE_DO(Wait(transport_->wants_write_to_read() ? POLLOUT : POLLIN));
        continue;
      }
      total_ += static_cast<std::size_t>(size);
      heard_.append(buffer, static_cast<std::size_t>(size));
    }
  }

  const int fd_;
  const std::int64_t until_us_;
  const MailLimits& limits_;
  std::unique_ptr<Transport> transport_;
  std::string heard_;
  std::size_t total_ = 0;
};

Result<Reply> Greet(Conversation& talk) {
  GYRE_TRY(Reply reply, talk.Ask("EHLO gyre"));
  if (reply.code != 250) return Refused("the greeting", reply);
  return reply;
}

// The words behind an extension's name: "PLAIN LOGIN" of "AUTH PLAIN LOGIN". Null when the server
// does not offer it.
const std::string* Offer(const Reply& greeting, std::string_view extension) {
  const auto line = std::ranges::find_if(greeting.lines, [&](const std::string& each) {
    return EqualsIgnoreCase(std::string_view(each).substr(0, each.find(' ')), extension);
  });
  return line == greeting.lines.end() ? nullptr : &*line;
}

Result<> LogIn(Conversation& talk, const Reply& greeting, const MailServer& server) {
  if (!talk.secure())
    return MakeError(Code::kFailedPrecondition, "GY1632", "{}",
                     "a password is not sent to a mail server without TLS");
  const std::string* const line = Offer(greeting, "AUTH");
  const auto offers = [&](std::string_view method) {
    return line != nullptr && std::ranges::any_of(Split(*line, ' '), [&](std::string_view word) {
             return EqualsIgnoreCase(word, method);
           });
  };
  Reply reply;
  if (offers("PLAIN")) {
    std::string both = '\0' + server.user + '\0' + server.password;
    GYRE_TRY(reply, talk.Ask("AUTH PLAIN " + Base64Encode(both)));
  } else if (offers("LOGIN")) {
    GYRE_TRY(reply, talk.Ask("AUTH LOGIN"));
    if (reply.code == 334) {
      GYRE_TRY(reply, talk.Ask(Base64Encode(server.user)));
    }
    if (reply.code == 334) {
      GYRE_TRY(reply, talk.Ask(Base64Encode(server.password)));
    }
  } else {
    return MakeError(Code::kFailedPrecondition, "GY1632", "{}",
                     "the mail server offers no login that gyre knows (PLAIN, LOGIN)");
  }
  if (reply.code != 235) return Refused("the login of " + server.user, reply);
  return {};
}

Result<> Open(Conversation& talk, const MailServer& server, const TlsClient* tls) {
  if (server.tls == MailTls::kFromTheStart) talk.Secure(*tls, server.host);
  GYRE_TRY(const Reply hello, talk.Hear());
  if (hello.code != 220) return Refused("the connection", hello);
  GYRE_TRY(Reply greeting, Greet(talk));
  if (server.tls == MailTls::kStartTls) {
    if (Offer(greeting, "STARTTLS") == nullptr) {
      return MakeError(Code::kFailedPrecondition, "GY1632", "{}",
                       "the mail server does not offer STARTTLS")
          .Fix("TLS from the start, mostly at port 465")
          .Fix("no TLS, where the way to the mail server is trusted");
    }
    GYRE_TRY(const Reply ready, talk.Ask("STARTTLS"));
    if (ready.code != 220) return Refused("STARTTLS", ready);
    if (talk.heard_more())
      return MakeError(Code::kFailedPrecondition, "GY1632", "{}",
                       "somebody spoke between the mail server and TLS");
    talk.Secure(*tls, server.host);
    GYRE_TRY(greeting, Greet(talk));
  }
  return server.user.empty() ? Result<>() : LogIn(talk, greeting, server);
}

// A line that begins with a dot gets another one: a dot alone ends the mail.
std::string Stuffed(std::string_view message) {
  std::string out = message.starts_with('.') ? "." : "";
  for (std::size_t i = 0; i < message.size(); ++i) {
    out += message[i];
    if (message[i] == '\n' && i + 1 < message.size() && message[i + 1] == '.') out += '.';
  }
  return out + (message.ends_with("\r\n") ? ".\r\n" : "\r\n.\r\n");
}

Result<std::string> HandOver(Conversation& talk, const Mail& mail) {
  GYRE_TRY(const Reply sender, talk.Ask("MAIL FROM:<" + mail.from + ">"));
  if (sender.code != 250) return Refused("the sender " + mail.from, sender);
  std::string refused;
  std::size_t refusals = 0;
  for (const std::string& to : mail.to) {
    GYRE_TRY(const Reply reply, talk.Ask("RCPT TO:<" + to + ">"));
    if (reply.code == 250 || reply.code == 251) continue;
    if (++refusals == mail.to.size()) return Refused("the recipient " + to, reply);
    refused += fmt::format("; refused {}: {}", to, reply.text());
  }
  GYRE_TRY(const Reply go, talk.Ask("DATA"));
  if (go.code != 354) return Refused("the mail", go);
  GYRE_DO(talk.Say(Stuffed(mail.message)));
  GYRE_TRY(const Reply taken, talk.Hear());
  if (taken.code != 250) return Refused("the mail", taken);
  [[maybe_unused]] const auto bye = talk.Say("QUIT\r\n");  // the mail is taken all the same
  return taken.text() + refused;
}

}  // namespace

bool IsMailAddress(std::string_view text) {
  const std::size_t at = text.find('@');
  if (at == std::string_view::npos || at == 0 || at + 1 == text.size() || text.size() > 254)
    return false;
  return text.find('@', at + 1) == std::string_view::npos && std::ranges::all_of(text, [](char c) {
           const auto byte = static_cast<unsigned char>(c);
           return byte > 0x20 && byte < 0x7f && c != '<' && c != '>' && c != '"' && c != '\\' &&
                  c != ',';
         });
}

Result<std::string> SendMail(const MailServer& server, const Mail& mail, const MailLimits& limits) {
  for (const std::string& address : mail.to) {
    if (!IsMailAddress(address))
      return InvalidArgument("GY1633", "`{}` is no mail address", address);
  }
  if (!IsMailAddress(mail.from) || mail.to.empty())
    return InvalidArgument("GY1633", "a mail from `{}` to {} recipients cannot be sent", mail.from,
                           mail.to.size());
  const std::int64_t until_us = SystemClock().MonotonicMicros() + limits.timeout_ms * 1000;
  std::unique_ptr<TlsClient> tls;
  if (server.tls != MailTls::kNone) {
    GYRE_TRY(tls, TlsClient::Make(server.tls_ca_file));
  }
  GYRE_TRY(const int fd,
           Dial(server.host, server.port, {until_us, limits.interrupted, limits.guard}));
  Conversation talk(fd, until_us, limits);
  GYRE_DO(Open(talk, server, tls.get()));
  return HandOver(talk, mail);
}

}  // namespace gyre::net

#include "ledger/notices/transmit.h"

#include <algorithm>
#include <vector>

#include "base/base64.h"
#include "base/text.h"
#include "ledger/notices/channel.h"
#include "ledger/notices/message.h"
#include "ledger/secrets/secrets.h"
#include "platform/net/client.h"
#include "platform/net/smtp.h"

namespace gyre::notices {
namespace {

constexpr std::size_t kAnswerBytesKept = 2048, kAnswerBytesShown = 300;
constexpr std::int64_t kConnectMillisMax = 5'000;

// What must not be repeated, whatever a receiver or a library says.
class Mask {
 public:
  void Add(std::string secret) {
    if (!secret.empty()) secrets_.push_back(std::move(secret));
  }
  std::string operator()(std::string text) const {
    for (const std::string& secret : secrets_) {
      for (std::size_t at = 0; (at = text.find(secret, at)) != std::string::npos; at += 3)
        text.replace(at, secret.size(), "***");
    }
    return text;
  }
  Error operator()(const Error& error) const {
    Error masked(error.code(), error.gy(), (*this)(error.message()));
    if (!error.why().empty()) masked = std::move(masked).Why((*this)(error.why()));
    for (const std::string& fix : error.fixes()) masked = std::move(masked).Fix((*this)(fix));
    return masked;
  }

 private:
  std::vector<std::string> secrets_;
};

class Transmitter {
 public:
  Transmitter(secrets::Secrets& secrets, const net::EgressGuard& guard, const Clock& clock,
              std::int64_t timeout_us)
      : secrets_(secrets), guard_(guard), clock_(clock), timeout_ms_(timeout_us / 1000) {}

  Outcome Send(const NewChannel& channel, const Notice& notice,
               const Interrupted& interrupted) const {
    Mask mask;
    std::int64_t retry_after_us = 0;
    auto answer = KindOf(channel) == ChannelKind::kSmtp
                      ? ByMail(channel, notice, interrupted, &mask)
                      : ByWebhook(channel, notice, interrupted, &mask, &retry_after_us);
    if (!answer) return {mask(answer.error()), "", retry_after_us};
    return {std::nullopt, CleanText(mask(*std::move(answer)), kAnswerBytesShown, true), 0};
  }

 private:
  Result<std::string> ByWebhook(const NewChannel& channel, const Notice& notice,
                                const Interrupted& interrupted, Mask* mask,
                                std::int64_t* retry_after_us) const {
    GYRE_TRY(const std::string url, secrets_.Resolve(channel.project, channel.webhook));
    GYRE_TRY(const std::string secret, secrets_.Resolve(channel.project, channel.secret));
    mask->Add(secret);
    GYRE_TRY(const WebAddress address, SplitWebAddress(url));
    if (IsReference(channel.webhook)) {
      mask->Add(url);
      if (address.path.size() > 1) mask->Add(address.path);
    }
    net::Client client({.url = address.origin,
                        .connect_timeout_ms = std::min(timeout_ms_, kConnectMillisMax),
                        .guard = &guard_});
    net::ClientRequest request{.method = "POST",
                               .path = address.path,
                               .body = WebhookBody(notice, channel.format),
                               .body_bytes_kept = kAnswerBytesKept,
                               .timeout_ms = timeout_ms_,
                               .interrupted = interrupted};
    request.headers =
        WebhookHeaders(notice, channel.format, request.body, secret, clock_.NowMicros());
    GYRE_TRY(const net::ClientResponse response, client.Send(std::move(request)));
    const std::string said = (*mask)(response.body);
    const std::string answer =
        CleanText(fmt::format("{} {}", response.status, Trim(said)), kAnswerBytesShown, true);
    if (response.status >= 200 && response.status < 300) return std::string(Trim(answer));
    if (const auto seconds = ParseInt(response.Header("retry-after")); seconds && *seconds > 0)
      *retry_after_us = std::min<std::int64_t>(*seconds, 86'400) * kMicrosPerSecond;
    Error error = MakeError(Code::kUnavailable, "GY4410", "the receiver answered {}", Trim(answer));
    if (response.status < 300 || response.status >= 400) return error;
    return std::move(error).Why("redirections are not followed: another host may stand behind");
  }

  Result<std::string> ByMail(const NewChannel& channel, const Notice& notice,
                             const Interrupted& interrupted, Mask* mask) const {
    GYRE_TRY(const std::string password, secrets_.Resolve(channel.project, channel.password));
    mask->Add(password);
    if (!password.empty()) {
      mask->Add(Base64Encode(password));
      mask->Add(Base64Encode('\0' + channel.user + '\0' + password));
    }
    GYRE_TRY(const MailAddress server, SplitMailServer(channel.smtp));
    const net::MailTls tls = channel.tls == "none"         ? net::MailTls::kNone
                             : channel.tls == "from-start" ? net::MailTls::kFromTheStart
                                                           : net::MailTls::kStartTls;
    return net::SendMail(
        {.host = server.host,
         .port = server.port,
         .tls = tls,
         .user = channel.user,
         .password = password},
        {.from = channel.from, .to = channel.to, .message = MailText(notice, channel)},
        {.timeout_ms = timeout_ms_, .interrupted = interrupted, .guard = &guard_});
  }

  secrets::Secrets& secrets_;
  const net::EgressGuard& guard_;
  const Clock& clock_;
  const std::int64_t timeout_ms_;
};

}  // namespace

Transmit MakeTransmit(secrets::Secrets& secrets, const net::EgressGuard& guard, const Clock& clock,
                      std::int64_t timeout_us) {
  return [transmitter = Transmitter(secrets, guard, clock, timeout_us)](
             const NewChannel& channel, const Notice& notice, const Interrupted& interrupted) {
    return transmitter.Send(channel, notice, interrupted);
  };
}

}  // namespace gyre::notices

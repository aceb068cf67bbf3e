// Hands one mail to a mail server (RFC 5321), with STARTTLS (RFC 3207) or TLS from the start (RFC
// 8314), and AUTH PLAIN or LOGIN (RFC 4954).
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "base/error.h"

namespace gyre::net {

class EgressGuard;

enum class MailTls : unsigned char { kNone, kStartTls, kFromTheStart };

struct MailServer {
  std::string host, port;
  MailTls tls = MailTls::kStartTls;
  std::string user = {}, password = {};  // never sent without TLS
  std::string tls_ca_file = {};          // PEM; empty = the system's authorities
};

struct Mail {
  std::string from;
  std::vector<std::string> to;  // addresses alone: "ops@example.org"
  std::string message;          // headers, an empty line and the body; lines end in CRLF
};

struct MailLimits {
  std::int64_t timeout_ms = 10'000;        // of everything
  std::function<bool()> interrupted = {};  // asked now and then: true gives up
  const EgressGuard* guard = nullptr;      // where it may connect to; null = anywhere
};

// What the server said when it took the mail, with the recipients that it refused, if others were
// accepted. Errors: kUnavailable GY1620, GY1624 and kDeadlineExceeded GY1621 as of Client;
// kFailedPrecondition GY1632 the server refused something (named, with its answer) or cannot do
// what is asked of it; kInvalidArgument GY1633 an address or the message is none; kCancelled
// GY1625; kPermissionDenied GY1626.
Result<std::string> SendMail(const MailServer& server, const Mail& mail, const MailLimits& limits);

// "ops@example.org": no white space, control character or bracket, one @ with something on both
// sides.
bool IsMailAddress(std::string_view text);

}  // namespace gyre::net

// What a receiver gets to see. Pure: the same notice gives the same bytes at every attempt.
#pragma once

#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "ledger/notices/notices.h"

namespace gyre::notices {

// Valid UTF-8 without control characters (but line ends and tabs, unless it is one line), cut after
// so many bytes.
std::string CleanText(std::string_view text, std::size_t bytes_max, bool one_line);

// `format`: json, slack, teams, or mlflow: the payload as it is.
std::string WebhookBody(const Notice& notice, std::string_view format);

// As Standard Webhooks has it: webhook-id, webhook-timestamp and, with a secret, webhook-signature
// ("v1," and the base64 of HMAC-SHA256 over id.timestamp.body). A secret that begins with whsec_
// goes on in base64.
// As format mlflow has it, the same under other names, with the secret as it is.
using Headers = std::vector<std::pair<std::string, std::string>>;
Headers WebhookHeaders(const Notice& notice, std::string_view format, std::string_view body,
                       std::string_view secret, std::int64_t now_us);

// Headers and body of a mail, lines ending in CRLF.
std::string MailText(const Notice& notice, const NewChannel& channel);

}  // namespace gyre::notices

// What a channel's settings must look like, and how they are kept.
#pragma once

#include <string>
#include <string_view>

#include "ledger/notices/notices.h"

namespace gyre::notices {

struct WebAddress {
  std::string origin = {}, host = {},
              path = {};  // "https://example.org:8443", "example.org", "/hooks?a=b"
};
// Error: kInvalidArgument GY4403, which does not repeat the address: it may be a secret.
Result<WebAddress> SplitWebAddress(std::string_view url);

struct MailAddress {
  std::string host, port;
};
Result<MailAddress> SplitMailServer(std::string_view server);  // "[::1]:25"; GY4403

bool IsReference(std::string_view text);  // "secret:NAME"

// With what was left out filled in. Errors: kInvalidArgument GY1200, GY4403, GY4404.
Result<NewChannel> Completed(NewChannel channel);
ChannelKind KindOf(const NewChannel& channel);

std::string SettingsToText(const NewChannel& channel);
Result<NewChannel> SettingsFromText(std::string project, std::string name, Severity severity_min,
                                    std::string_view text);

}  // namespace gyre::notices

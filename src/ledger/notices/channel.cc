#include "ledger/notices/channel.h"

#include <algorithm>

#include "base/text.h"
#include "platform/config/secrets.h"
#include "platform/net/smtp.h"

namespace gyre::notices {
namespace {

constexpr std::string_view kReference = "secret:";
constexpr std::string_view kFormats[] = {"json", "slack", "teams"};
constexpr std::string_view kMlflow = "mlflow";
constexpr std::string_view kTlsModes[] = {"starttls", "from-start", "none"};
// Whoever knows such an address may write there.
constexpr std::string_view kSecretHosts[] = {"hooks.slack.com", "webhook.office.com"};
constexpr std::size_t kRecipientsMax = 50;

template <class... Args>
Error Wrong(fmt::format_string<Args...> format, Args&&... args) {
  return InvalidArgument("GY4403", "{}", fmt::format(format, std::forward<Args>(args)...));
}

Error IsNoReference(std::string_view what) {
  return InvalidArgument("GY4404", "the {} of a channel is not written down here", what)
      .Why("it would stand in the database, in answers and in the shell's history")
      .Fix("gyre secrets set NAME < file   then refer to it as secret:NAME");
}

bool AmongOrEmpty(std::string_view word, std::span<const std::string_view> words) {
  return word.empty() || std::ranges::find(words, word) != words.end();
}

Result<> CheckReference(std::string_view what, const std::string& text) {
  if (text.empty()) return {};
  if (!IsReference(text)) return IsNoReference(what);
  return CheckName("secret", text.substr(kReference.size()));
}

bool AddressHoldsSecret(const WebAddress& address) {
  const bool known = std::ranges::any_of(kSecretHosts, [&](std::string_view host) {
    return address.host == host || address.host.ends_with("." + std::string(host));
  });
  const std::size_t question = address.path.find('?');
  const std::string_view path = std::string_view(address.path).substr(0, question);
  const bool in_path = std::ranges::any_of(
      Split(path, '/'), [](std::string_view part) { return config::LooksSecret("", part); });
  if (known || in_path) return true;
  if (question == std::string::npos) return false;
  return std::ranges::any_of(
      Split(std::string_view(address.path).substr(question + 1), '&'), [](std::string_view part) {
        const std::size_t equals = part.find('=');
        const std::string_view value =
            equals == std::string_view::npos ? std::string_view() : part.substr(equals + 1);
        return config::LooksSecret(part.substr(0, equals), value);
      });
}

Result<NewChannel> CompletedWebhook(NewChannel channel) {
  if (!channel.tls.empty() || !channel.from.empty() || !channel.to.empty() ||
      !channel.user.empty() || !channel.password.empty())
    return Wrong("channel `{}` is a webhook: tls, from, to, user and password belong to mail",
                 channel.name);
  const bool own_words = channel.only_named && channel.format == kMlflow;
  if (!own_words && !AmongOrEmpty(channel.format, kFormats))
    return Wrong("there is no format `{}`", channel.format).Fix("json, slack or teams");
  if (channel.format.empty()) channel.format = "json";
  GYRE_DO(CheckReference("signing secret", channel.secret));
  if (IsReference(channel.webhook)) {
    GYRE_DO(CheckReference("address", channel.webhook));
    return channel;
  }
  // Before anything could repeat it.
  const std::string_view url = channel.webhook;
  const std::size_t begin = url.find("://");
  const std::string_view rest = url.substr(begin == std::string_view::npos ? 0 : begin + 3);
  if (rest.substr(0, rest.find_first_of("/?#")).find('@') != std::string_view::npos)
    return IsNoReference("password in the address");
  GYRE_TRY(const WebAddress address, SplitWebAddress(channel.webhook));
  if (AddressHoldsSecret(address)) return IsNoReference("address, which holds a credential,");
  return channel;
}

Result<NewChannel> CompletedMail(NewChannel channel) {
  if (!channel.format.empty() || !channel.secret.empty())
    return Wrong("channel `{}` is mail: format and secret belong to a webhook", channel.name);
  GYRE_TRY(const MailAddress server, SplitMailServer(channel.smtp));
  if (!AmongOrEmpty(channel.tls, kTlsModes))
    return Wrong("there is no tls `{}`", channel.tls).Fix("starttls, from-start or none");
  if (channel.tls.empty()) channel.tls = server.port == "465" ? "from-start" : "starttls";
  if (!net::IsMailAddress(channel.from))
    return Wrong("`{}` is no mail address", channel.from).Fix("--from gyre@example.org");
  if (channel.to.empty() || channel.to.size() > kRecipientsMax)
    return Wrong("mail goes to 1 to {} addresses, not to {}", kRecipientsMax, channel.to.size())
        .Fix("--to ops@example.org");
  for (const std::string& to : channel.to) {
    if (!net::IsMailAddress(to))
      return Wrong("`{}` is no mail address", to).Fix("--to ops@example.org");
  }
  GYRE_DO(CheckReference("password", channel.password));
  if (channel.user.empty() != channel.password.empty())
    return Wrong("a mail server's user and password belong together")
        .Fix("--user NAME --password secret:NAME");
  if (!std::ranges::all_of(channel.user, [](char c) { return c > ' ' && c < '\x7f'; }))
    return Wrong("a mail server's user is one word of ASCII");
  if (!channel.user.empty() && channel.tls == "none")
    return Wrong("a password is not sent to a mail server without TLS")
        .Fix("--tls starttls, or --tls from-start");
  return channel;
}

}  // namespace

bool IsReference(std::string_view text) { return text.starts_with(kReference); }

Result<WebAddress> SplitWebAddress(std::string_view url) {
  const auto wrong = [](std::string_view rule) {
    return Wrong("this is no address of a webhook: {}", rule).Fix("https://example.org/hooks/gyre");
  };
  if (url.size() > 4096) return wrong("it is too long");
  if (!std::ranges::all_of(url, [](char c) { return c > ' ' && c < '\x7f'; }))
    return wrong("it has white space or letters beyond ASCII, which are written as %20");
  const std::size_t scheme = url.find("://");
  if (scheme == std::string_view::npos ||
      (url.substr(0, scheme) != "https" && url.substr(0, scheme) != "http"))
    return wrong("it begins with https:// or http://");
  if (url.find('#') != std::string_view::npos) return wrong("a receiver never sees what follows #");
  const std::size_t end = std::min(url.find_first_of("/?", scheme + 3), url.size());
  const std::string_view authority = url.substr(scheme + 3, end - scheme - 3);
  WebAddress address{.origin = std::string(url.substr(0, end)),
                     .path = std::string(url.substr(end))};
  if (!address.path.starts_with('/')) address.path.insert(0, "/");
  const bool six = authority.starts_with('[');
  const std::size_t host_end = std::min(authority.find(six ? ']' : ':'), authority.size());
  const std::string_view behind = authority.substr(std::min(host_end + six, authority.size()));
  if (!six || host_end < authority.size())
    address.host = ToLower(authority.substr(six, host_end - six));
  const auto port = behind.empty() ? std::optional<std::int64_t>(80) : ParseInt(behind.substr(1));
  if (address.host.empty() || (!behind.empty() && behind[0] != ':') || !port || *port < 1 ||
      *port > 65535)
    return wrong("it names no host");
  return address;
}

Result<MailAddress> SplitMailServer(std::string_view server) {
  const std::size_t colon = server.rfind(':');
  const auto port =
      colon == std::string_view::npos ? std::nullopt : ParseInt(server.substr(colon + 1));
  std::string_view host = server.substr(0, colon);
  if (host.size() > 2 && host.starts_with('[') && host.ends_with(']'))
    host = host.substr(1, host.size() - 2);
  const bool sound = std::ranges::all_of(host, [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '.' ||
           c == '-' || c == ':' || c == '_';
  });
  if (!port || *port < 1 || *port > 65535 || host.empty() || !sound)
    return Wrong("`{}` is no mail server with its port", server).Fix("--smtp mail.example.org:587");
  return MailAddress{std::string(host), std::string(server.substr(colon + 1))};
}

ChannelKind KindOf(const NewChannel& channel) {
  return channel.smtp.empty() ? ChannelKind::kWebhook : ChannelKind::kSmtp;
}

Result<NewChannel> Completed(NewChannel channel) {
  GYRE_DO(CheckName("channel", channel.name));
  if (channel.webhook.empty() == channel.smtp.empty())
    return Wrong("a channel is either a webhook or a mail server")
        .Fix("gyre channels add NAME --webhook https://example.org/hooks/gyre --secret secret:NAME")
        .Fix("gyre channels add NAME --smtp mail.example.org:587 --from ADDRESS --to ADDRESS");
  return channel.smtp.empty() ? CompletedWebhook(std::move(channel))
                              : CompletedMail(std::move(channel));
}

std::string SettingsToText(const NewChannel& channel) {
  Json settings = Json::Obj();
  const std::pair<std::string_view, const std::string&> texts[] = {
      {"webhook", channel.webhook}, {"format", channel.format},    {"secret", channel.secret},
      {"smtp", channel.smtp},       {"tls", channel.tls},          {"from", channel.from},
      {"user", channel.user},       {"password", channel.password}};
  for (const auto& [name, text] : texts) {
    if (!text.empty()) settings.Set(name, text);
  }
  for (const std::string& to : channel.to) {
    Json list = settings["to"];
    list.Push(to);
    settings.Set("to", std::move(list));
  }
  if (channel.only_named) settings.Set("only_named", true).Set("kept", channel.kept);
  return settings.Dump();
}

Result<NewChannel> SettingsFromText(std::string project, std::string name, Severity severity_min,
                                    std::string_view text) {
  GYRE_TRY(const Json settings, Json::Parse(text));
  NewChannel channel{.project = std::move(project),
                     .name = std::move(name),
                     .severity_min = severity_min,
                     .webhook = settings["webhook"].AsString(),
                     .format = settings["format"].AsString(),
                     .secret = settings["secret"].AsString(),
                     .smtp = settings["smtp"].AsString(),
                     .tls = settings["tls"].AsString(),
                     .from = settings["from"].AsString(),
                     .user = settings["user"].AsString(),
                     .password = settings["password"].AsString(),
                     .only_named = settings["only_named"].AsBool(),
                     .kept = settings["kept"]};
  for (const Json& to : settings["to"].items()) channel.to.push_back(to.AsString());
  return channel;
}

}  // namespace gyre::notices

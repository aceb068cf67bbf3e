#include "ledger/notices/message.h"

#include <algorithm>

#include "base/base64.h"
#include "base/hash.h"
#include "base/id.h"
#include "base/text.h"

namespace gyre::notices {
namespace {

constexpr std::size_t kTitleBytesMax = 200, kTextBytesMax = 16 << 10, kPayloadBytesMax = 64 << 10,
                      kKeyBytesMax = 200, kLinkBytesMax = 2000, kLinksMax = 20;
constexpr std::string_view kReplacement = "\xef\xbf\xbd";

Json ParsedOr(std::string_view text, Json otherwise) {
  auto parsed = Json::Parse(text);
  return parsed ? *std::move(parsed) : otherwise;
}

std::vector<Link> LinksOf(const Notice& notice) {
  std::vector<Link> links;
  const Json list = ParsedOr(notice.links, Json::Arr());
  for (const Json& link : list.items())
    links.push_back({link["text"].AsString(), link["url"].AsString()});
  return links;
}

std::string Headline(const Notice& notice) {
  return fmt::format("[{}] {}: {}", notice.project, SeverityName(notice.severity), notice.title);
}

Json JsonBody(const Notice& notice) {
  return Json::Obj({{"type", notice.kind},
                    {"timestamp", FormatTime(notice.created_us)},
                    {"data", Json::Obj({{"id", notice.id},
                                        {"project", notice.project},
                                        {"severity", SeverityName(notice.severity)},
                                        {"title", notice.title},
                                        {"text", notice.text},
                                        {"dedupe_key", notice.dedupe_key},
                                        {"links", ParsedOr(notice.links, Json::Arr())},
                                        {"payload", ParsedOr(notice.payload, Json::Obj())}})}});
}

std::string SlackText(std::string_view text) {
  std::string out;
  for (const char c : text) {
    if (c == '&') {
      out += "&amp;";
    } else if (c == '<') {
      out += "&lt;";
    } else if (c == '>') {
      out += "&gt;";
    } else {
      out += c;
    }
  }
  return out;
}

Json SlackBody(const Notice& notice) {
  std::string text = "*" + SlackText(Headline(notice)) + "*";
  if (!notice.text.empty()) text += "\n" + SlackText(notice.text);
  for (const Link& link : LinksOf(notice))
    text += fmt::format("\n<{}|{}>", SlackText(link.url), SlackText(link.text));
  return Json::Obj({{"text", std::move(text)}});
}

Json TeamsBody(const Notice& notice) {
  const auto block = [](const std::string& text, bool large) {
    Json made = Json::Obj({{"type", "TextBlock"}, {"text", text}, {"wrap", true}});
    if (large) made.Set("size", "Medium").Set("weight", "Bolder");
    return made;
  };
  Json blocks = Json::Arr({block(Headline(notice), true)});
  if (!notice.text.empty()) blocks.Push(block(notice.text, false));
  Json actions = Json::Arr();
  for (const Link& link : LinksOf(notice))
    actions.Push(Json::Obj({{"type", "Action.OpenUrl"}, {"title", link.text}, {"url", link.url}}));
  return Json::Obj(
      {{"type", "message"},
       {"attachments",
        Json::Arr({Json::Obj({{"contentType", "application/vnd.microsoft.card.adaptive"},
                              {"content", Json::Obj({{"type", "AdaptiveCard"},
                                                     {"version", "1.4"},
                                                     {"body", std::move(blocks)},
                                                     {"actions", std::move(actions)}})}})})}});
}

std::string Signature(std::string_view key, std::string_view signed_text) {
  std::string digest;
  HexDecode(HmacSha256Hex(key, signed_text), &digest);
  return "v1," + Base64Encode(digest);
}

std::string KeyOf(std::string_view secret) {
  constexpr std::string_view kPrefix = "whsec_";
  std::string key(secret);
  if (secret.starts_with(kPrefix) && !Base64Decode(secret.substr(kPrefix.size()), &key))
    key = secret;
  return key;
}

// RFC 2047: words of at most 75 characters, none of which cuts a letter in two.
std::string HeaderText(const std::string& text) {
  if (std::ranges::all_of(text, [](char c) { return c >= ' ' && c < '\x7f'; })) return text;
  constexpr std::size_t kWordBytes = 42;
  std::string out, word;
  const auto flush = [&] {
    out += fmt::format("{}=?utf-8?B?{}?=", out.empty() ? "" : "\r\n ", Base64Encode(word));
    word.clear();
  };
  for (std::size_t i = 0; i < text.size();) {
    const std::size_t size =
        std::max<std::size_t>(1, Utf8SequenceLength(std::string_view(text).substr(i)));
    if (word.size() + size > kWordBytes) flush();
    word += text.substr(i, size);
    i += size;
  }
  flush();
  return out;
}

// RFC 5322, in UTC.
std::string MailDate(std::int64_t time_us) {
  constexpr std::string_view kDays[] = {"Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"};
  constexpr std::string_view kMonths[] = {"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                          "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
  const CivilTime t = ToCivil(time_us);
  return fmt::format("{}, {} {} {} {:02}:{:02}:{:02} +0000", kDays[t.weekday], t.day,
                     kMonths[t.month - 1], t.year, t.hour, t.minute, t.second);
}

std::string MailWords(const Notice& notice) {
  std::string words = notice.title + "\n";
  if (!notice.text.empty()) words += "\n" + notice.text + "\n";
  const std::vector<Link> links = LinksOf(notice);
  if (!links.empty()) words += "\n";
  for (const Link& link : links) words += fmt::format("{}: {}\n", link.text, link.url);
  return words + fmt::format("\n-- \nproject {}, {}, {}, {}\n", notice.project,
                             SeverityName(notice.severity), notice.kind, notice.id);
}

std::string LinksText(const std::vector<Link>& links) {
  Json list = Json::Arr();
  for (const Link& link : links) {
    if (list.size() == kLinksMax) break;
    list.Push(Json::Obj({{"text", CleanText(link.text, kTitleBytesMax, true)},
                         {"url", CleanText(link.url, kLinkBytesMax, true)}}));
  }
  return list.Dump();
}

}  // namespace

std::string_view SeverityName(Severity severity) {
  switch (severity) {
    case Severity::kInfo:
      return "info";
    case Severity::kWarning:
      return "warning";
    case Severity::kCritical:
      break;
  }
  return "critical";
}

Result<Severity> ParseSeverity(std::string_view name) {
  for (const Severity severity : {Severity::kInfo, Severity::kWarning, Severity::kCritical}) {
    if (SeverityName(severity) == name) return severity;
  }
  return InvalidArgument("GY4401", "there is no severity `{}`", name)
      .Fix("info, warning or critical");
}

std::string CleanText(std::string_view text, std::size_t bytes_max, bool one_line) {
  std::string out;
  for (std::size_t i = 0; i < text.size();) {
    const std::size_t size = Utf8SequenceLength(text.substr(i));
    std::string_view piece = size == 0 ? kReplacement : text.substr(i, size);
    i += std::max<std::size_t>(1, size);
    const char c = piece[0];
    const bool keeps = !one_line && (c == '\n' || c == '\t');
    const bool controls = (c >= 0 && c < ' ') || c == '\x7f';
    if (c == '\r' && text.substr(i).starts_with('\n')) continue;
    if (controls && !keeps) piece = " ";
    if (out.size() + piece.size() > bytes_max) return out;
    out += piece;
  }
  return out;
}

Draft Compose(NewNotice notice) {
  std::string payload = notice.payload.is_object() ? notice.payload.Dump() : "{}";
  if (payload.size() > kPayloadBytesMax)
    payload = Json::Obj({{"left_out_bytes", payload.size()}}).Dump();
  // A long key still tells two things apart.
  std::string key = CleanText(notice.dedupe_key, notice.dedupe_key.size() * 3, true);
  if (key.size() > kKeyBytesMax) key = Sha256Hex(key);
  std::string title = CleanText(notice.title, kTitleBytesMax, true);
  if (Trim(title).empty()) title = "notice";
  return {.id = NewId(),
          .project = std::move(notice.project),
          .kind = CheckName("kind", notice.kind) ? std::move(notice.kind) : "notice",
          .title = std::move(title),
          .text = CleanText(notice.text, kTextBytesMax, false),
          .dedupe_key = std::move(key),
          .links = LinksText(notice.links),
          .payload = std::move(payload),
          .severity = notice.severity,
          .channels = std::move(notice.channels)};
}

std::string WebhookBody(const Notice& notice, std::string_view format) {
  if (format == "slack") return SlackBody(notice).Dump();
  if (format == "teams") return TeamsBody(notice).Dump();
  if (format == "mlflow") return notice.payload;
  return JsonBody(notice).Dump();
}

Headers WebhookHeaders(const Notice& notice, std::string_view format, std::string_view body,
                       std::string_view secret, std::int64_t now_us) {
  const std::string timestamp = std::to_string(now_us / kMicrosPerSecond);
  const std::string signed_text = fmt::format("{}.{}.{}", notice.id, timestamp, body);
  if (format == "mlflow") {
    Headers headers = {{"Content-Type", "application/json"},
                       {"User-Agent", "gyre"},
                       {"X-MLflow-Delivery-Id", notice.id},
                       {"X-MLflow-Timestamp", timestamp}};
    if (!secret.empty()) headers.emplace_back("X-MLflow-Signature", Signature(secret, signed_text));
    return headers;
  }
  Headers headers = {{"Content-Type", "application/json"},
                     {"User-Agent", "gyre"},
                     {"Idempotency-Key", notice.id},
                     {"webhook-id", notice.id},
                     {"webhook-timestamp", timestamp}};
  if (!secret.empty())
    headers.emplace_back("webhook-signature", Signature(KeyOf(secret), signed_text));
  return headers;
}

std::string MailText(const Notice& notice, const NewChannel& channel) {
  std::string to;
  for (const std::string& address : channel.to) to += (to.empty() ? "" : ",\r\n ") + address;
  std::string text = fmt::format(
      "Date: {}\r\nFrom: {}\r\nTo: {}\r\nSubject: {}\r\nMessage-ID: <{}{}>\r\n"
      "Auto-Submitted: auto-generated\r\nMIME-Version: 1.0\r\n"
      "Content-Type: text/plain; charset=utf-8\r\nContent-Transfer-Encoding: base64\r\n\r\n",
      MailDate(notice.created_us), channel.from, to, HeaderText(Headline(notice)), notice.id,
      channel.from.substr(channel.from.find('@')));
  const std::string encoded = Base64Encode(MailWords(notice));
  constexpr std::size_t kLine = 76;
  for (std::size_t i = 0; i < encoded.size(); i += kLine) text += encoded.substr(i, kLine) + "\r\n";
  return text;
}

}  // namespace gyre::notices

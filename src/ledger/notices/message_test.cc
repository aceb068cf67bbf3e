#include "ledger/notices/message.h"

#include <gtest/gtest.h>

#include "base/base64.h"
#include "ledger/notices/channel.h"

namespace gyre::notices {
namespace {

Notice MakeNotice(NewNotice notice) {
  const Draft draft = Compose(std::move(notice));
  Notice made;
  made.id = "0123456789abcdef0123456789abcdef";
  made.project = draft.project;
  made.kind = draft.kind;
  made.severity = draft.severity;
  made.title = draft.title;
  made.text = draft.text;
  made.dedupe_key = draft.dedupe_key;
  made.links = draft.links;
  made.payload = draft.payload;
  made.created_us = 1'795'000'000LL * kMicrosPerSecond;
  return made;
}

// The secret, id, timestamp, body and signature that the Standard Webhooks libraries test with.
TEST(MessageTest, SignsAsStandardWebhooksDoes) {
  Notice notice = MakeNotice({});
  notice.id = "msg_p5jXN8AQM9LWM0D4loKWxJek";
  const Headers headers = WebhookHeaders(notice, "json", R"({"test": 2432232314})",
                                         "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw",
                                         1'614'265'330LL * kMicrosPerSecond + 999'999);
  EXPECT_EQ(headers.back(),
            (std::pair<std::string, std::string>(
                "webhook-signature", "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=")));
  EXPECT_EQ(headers[3].second, notice.id);
  EXPECT_EQ(headers[4].second, "1614265330");
  // Without a secret nothing is signed.
  EXPECT_EQ(WebhookHeaders(notice, "json", "{}", "", 0).back().first, "webhook-timestamp");
}

TEST(MessageTest, WritesEachFormat) {
  const Notice notice = MakeNotice({.project = "churn",
                                    .kind = "alert.firing",
                                    .severity = Severity::kWarning,
                                    .title = "drift in <tenure>",
                                    .text = "PSI 0.3",
                                    .dedupe_key = "alert:1",
                                    .links = {{"report", "https://example.org/r?a=1&b=2"}},
                                    .payload = Json::Obj({{"psi", 0.3}})});
  EXPECT_EQ(WebhookBody(notice, "json"),
            R"({"type":"alert.firing","timestamp":"2026-11-18T11:06:40Z","data":{)"
            R"("id":"0123456789abcdef0123456789abcdef","project":"churn","severity":"warning",)"
            R"("title":"drift in <tenure>","text":"PSI 0.3","dedupe_key":"alert:1","links":[)"
            R"({"text":"report","url":"https://example.org/r?a=1&b=2"}],"payload":{"psi":0.3}}})");
  EXPECT_EQ(WebhookBody(notice, "slack"),
            R"({"text":"*[churn] warning: drift in &lt;tenure&gt;*\nPSI 0.3\n)"
            R"(<https://example.org/r?a=1&amp;b=2|report>"})");
  const Json teams = *Json::Parse(WebhookBody(notice, "teams"));
  const Json& card = teams["attachments"].items()[0]["content"];
  EXPECT_EQ(card["body"].items()[0]["text"].AsString(), "[churn] warning: drift in <tenure>");
  EXPECT_EQ(card["actions"].items()[0]["url"].AsString(), "https://example.org/r?a=1&b=2");
}

TEST(MessageTest, WritesAMailThatNothingCanBreakOutOf) {
  const NewChannel channel{.from = "gyre@example.org", .to = {"a@example.org", "b@example.org"}};
  const Notice plain = MakeNotice({.project = "churn", .title = "one\r\nBcc: eve@example.org"});
  const std::string text = MailText(plain, channel);
  EXPECT_TRUE(
      text.starts_with("Date: Wed, 18 Nov 2026 11:06:40 +0000\r\nFrom: gyre@example.org\r\n"
                       "To: a@example.org,\r\n b@example.org\r\n"
                       "Subject: [churn] info: one Bcc: eve@example.org\r\n"
                       "Message-ID: <0123456789abcdef0123456789abcdef@example.org>\r\n"))
      << text;
  std::string body, encoded = text.substr(text.find("\r\n\r\n") + 4);
  std::erase_if(encoded, [](char c) { return c == '\r' || c == '\n'; });
  ASSERT_TRUE(Base64Decode(encoded, &body));
  EXPECT_TRUE(body.starts_with("one Bcc: eve@example.org\n\n-- \nproject churn, info, notice, "));

  std::string long_title;
  for (int i = 0; i < 30; ++i) long_title += "Übergröße";
  const std::string other = MailText(MakeNotice({.project = "p", .title = long_title}), channel);
  std::size_t begin = other.find("Subject: "), decoded = 0;
  for (std::size_t end; begin < other.find("Message-ID"); begin = end + 2) {
    end = other.find("\r\n", begin);
    EXPECT_LE(end - begin, 90u);
    const std::size_t word = other.find("?B?", begin) + 3;
    std::string bytes;
    ASSERT_TRUE(Base64Decode(other.substr(word, other.find("?=", word) - word), &bytes));
    EXPECT_EQ(CleanText(bytes, 1000, true), bytes) << "a letter is cut in two";
    decoded += bytes.size();
  }
  EXPECT_GT(decoded, 190u);
}

TEST(MessageTest, WhateverIsToldCanBeTold) {
  const Draft draft = Compose({.kind = "not a kind!",
                               .title = std::string(500, 'x') + "\xff",
                               .text = std::string("a\0b\xff\r\nc", 7),
                               .dedupe_key = std::string(1000, 'k'),
                               .payload = Json::Obj({{"big", std::string(70'000, 'p')}})});
  EXPECT_EQ(draft.kind, "notice");
  EXPECT_EQ(draft.title, std::string(200, 'x'));
  EXPECT_EQ(draft.text, "a b\xef\xbf\xbd\nc");
  EXPECT_EQ(draft.dedupe_key.size(), 64u);
  EXPECT_EQ(draft.payload, R"({"left_out_bytes":70010})");
  EXPECT_EQ(Compose({}).title, "notice");
  EXPECT_NE(Compose({}).id, Compose({}).id);
}

TEST(ChannelTest, SplitsAddresses) {
  const auto address = SplitWebAddress("https://Example.org:8443?a=b");
  ASSERT_TRUE(address);
  EXPECT_EQ(address->origin, "https://Example.org:8443");
  EXPECT_EQ(address->host, "example.org");
  EXPECT_EQ(address->path, "/?a=b");
  EXPECT_EQ(SplitWebAddress("http://[::1]:80/x")->host, "::1");
  EXPECT_EQ(SplitWebAddress("http://[::1]")->host, "::1");
  for (const char* wrong :
       {"", "example.org", "ftp://example.org", "https://", "https:///x", "https://a:b",
        "https://a:0/", "https://[::1", "https://a/ b", "https://a/#x", "https://a/\xc3\xbc"})
    EXPECT_EQ(SplitWebAddress(wrong).error().gy(), "GY4403") << wrong;
  EXPECT_EQ(SplitMailServer("[::1]:25")->host, "::1");
  for (const char* wrong : {"", "a", ":25", "a:", "a:0", "a b:25", "a\r\n:25"})
    EXPECT_EQ(SplitMailServer(wrong).error().gy(), "GY4403") << wrong;
}

TEST(ChannelTest, ACredentialIsOnlyEverAReference) {
  const std::string random = "dGhpcyBpcyBub3QgMTIzIGEgdGVzdCA5ODc2";
  const std::vector<NewChannel> written = {
      {.name = "a", .webhook = "https://x.org", .secret = "open sesame"},
      {.name = "a", .webhook = "https://ada:sesame@x.org/"},
      {.name = "a", .webhook = "https://x.org/?token=sesame"},
      {.name = "a", .webhook = "https://x.org/hooks/" + random},
      {.name = "a", .webhook = "https://hooks.slack.com/services/T0/B0/sesame"},
      {.name = "a",
       .smtp = "x.org:587",
       .from = "a@b",
       .to = {"c@d"},
       .user = "a",
       .password = "sesame"}};
  for (const NewChannel& channel : written) {
    const auto refused = Completed(channel);
    ASSERT_FALSE(refused) << channel.webhook;
    EXPECT_EQ(refused.error().gy(), "GY4404");
    EXPECT_EQ(refused.error().ToString().find("sesame"), std::string::npos);
  }
  EXPECT_TRUE(Completed({.name = "a", .webhook = "secret:slack", .format = "slack"}));
  EXPECT_TRUE(Completed({.name = "a", .webhook = "https://x.org/hooks/ops", .secret = "secret:s"}));
}

TEST(ChannelTest, SaysWhatIsMissingOrTooMuch) {
  const std::vector<NewChannel> wrong = {
      {.name = "a"},
      {.name = "a", .webhook = "https://x.org", .smtp = "x.org:25"},
      {.name = "a", .webhook = "https://x.org", .format = "xml"},
      {.name = "a", .webhook = "https://x.org", .from = "a@b"},
      {.name = "a", .smtp = "x.org:25", .from = "a@b"},
      {.name = "a", .smtp = "x.org:25", .tls = "maybe", .from = "a@b", .to = {"c@d"}},
      {.name = "a", .smtp = "x.org:25", .from = "a@b", .to = {"c@d>"}},
      {.name = "a", .smtp = "x.org:25", .from = "a@b", .to = {"c@d"}, .user = "u"},
      {.name = "a",
       .smtp = "x.org:25",
       .tls = "none",
       .from = "a@b",
       .to = {"c@d"},
       .user = "u",
       .password = "secret:p"}};
  for (const NewChannel& channel : wrong) EXPECT_EQ(Completed(channel).error().gy(), "GY4403");
  const auto mail = Completed({.name = "a", .smtp = "x.org:465", .from = "a@b", .to = {"c@d"}});
  ASSERT_TRUE(mail) << mail.error().ToString();
  EXPECT_EQ(mail->tls, "from-start");
  const auto again = SettingsFromText("", "a", Severity::kInfo, SettingsToText(*mail));
  EXPECT_EQ(again->to, mail->to);
  EXPECT_EQ(again->smtp, mail->smtp);
  EXPECT_EQ(again->tls, mail->tls);
}

}  // namespace
}  // namespace gyre::notices

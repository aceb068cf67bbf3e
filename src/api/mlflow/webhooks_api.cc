#include "api/mlflow/webhooks_api.h"

#include <algorithm>
#include <cctype>

#include "api/mlflow/answer.h"
#include "api/mlflow/endpoints.h"
#include "api/mlflow/errors.h"
#include "api/mlflow/run_words.h"
#include "api/mlflow/webhook_events.h"
#include "base/id.h"
#include "base/text.h"
#include "ledger/secrets/secrets.h"

namespace gyre::mlflow {
namespace {

using net::kRequired;
using net::Method;
using net::Permission;
using net::Type;

constexpr std::int64_t kResults = 100, kResultsMax = 1'000;
constexpr std::string_view kChannelPrefix = "mlflow-";
constexpr std::size_t kDescriptionCharactersMax = 5'000;
constexpr Permission kRead("notice.read"), kWrite("channel.write");

constexpr net::Field kEvents = {"events", Type::kObjects, "{entity, action}"};
constexpr net::Field kDescription = {"description", Type::kText, "what it is for"};
constexpr net::Field kSecret = {"secret", Type::kText, "what deliveries are signed with"};
constexpr net::Field kStatus = {"status", Type::kText, "ACTIVE or DISABLED"};

constexpr Endpoint kEndpoints[] = {
    {.method = Method::kPost,
     .path = "/mlflow/webhooks",
     .handler = Serve<&WebhooksApi::Create>,
     .permission = kWrite,
     .summary = "Have events of the registry told to an address",
     .fields = {{"name", Type::kText, "what people call it", "", kRequired},
                {"url", Type::kText, "where it goes", "", kRequired},
                {"events", Type::kObjects, "{entity, action}", "", kRequired},
                kDescription,
                kSecret,
                kStatus}},
    {.method = Method::kGet,
     .path = "/mlflow/webhooks",
     .handler = Serve<&WebhooksApi::List>,
     .permission = kRead,
     .summary = "The webhooks of a project, the newest first",
     .fields = {{"max_results", Type::kWhole, "1 to 1,000"},
                {"page_token", Type::kText, "of the page before"}}},
    {.method = Method::kGet,
     .path = "/mlflow/webhooks/{webhook_id}",
     .handler = Serve<&WebhooksApi::Get>,
     .permission = kRead,
     .summary = "One webhook"},
    {.method = Method::kPatch,
     .path = "/mlflow/webhooks/{webhook_id}",
     .handler = Serve<&WebhooksApi::Update>,
     .permission = kWrite,
     .summary = "Change a webhook",
     .fields = {{"name", Type::kText, "what people call it"},
                {"url", Type::kText, "where it goes"},
                kEvents,
                kDescription,
                kSecret,
                kStatus}},
    {.method = Method::kDelete,
     .path = "/mlflow/webhooks/{webhook_id}",
     .handler = Serve<&WebhooksApi::Delete>,
     .permission = kWrite,
     .summary = "Remove a webhook"},
    {.method = Method::kPost,
     .path = "/mlflow/webhooks/{webhook_id}/test",
     .handler = Serve<&WebhooksApi::Try>,
     .permission = kWrite,
     .summary = "Send a webhook a sample at once",
     .fields = {{"event", Type::kObject, "{entity, action}; else the first that it listens to"}}},
};

std::string ToUpper(std::string text) {
  for (char& c : text) c = static_cast<char>(std::toupper(static_cast<unsigned char>(c)));
  return text;
}

// "model_version.created" of {"entity": "MODEL_VERSION", "action": "CREATED"}.
Result<std::string> WordOf(const JsonValue& event) {
  const std::string word = ToLower(event["entity"].text()) + "." + ToLower(event["action"].text());
  if (IsWebhookEvent(word)) return word;
  return InvalidParameter(fmt::format("Invalid webhook event: {}", word.substr(0, 100)));
}

Result<Json> EventsOf(const Arguments& arguments) {
  Json words = Json::Arr();
  for (const JsonValue event : arguments.Objects("events")) {
    GYRE_TRY(const std::string word, WordOf(event));
    words.Push(word);
  }
  if (words.size() == 0) return InvalidParameter("Webhook events cannot be empty");
  return words;
}

Result<> CheckName(std::string_view name) {
  const auto alnum = [](char c) { return std::isalnum(static_cast<unsigned char>(c)) != 0; };
  const bool fine = !name.empty() && name.size() <= 63 && alnum(name.front()) &&
                    alnum(name.back()) && std::ranges::all_of(name, [&](char c) {
                      return alnum(c) || c == '.' || c == '_' || c == '-';
                    });
  if (fine) return {};
  return InvalidParameter(
      fmt::format("Webhook name '{}' is invalid. It must start and end with a letter or digit, be "
                  "less than 63 characters long, and contain only letters, digits, dots (.), "
                  "underscores (_), and hyphens (-).",
                  name.substr(0, 100)));
}

std::string ChannelOf(std::string_view id) { return fmt::format("{}{}", kChannelPrefix, id); }
constexpr std::string_view kSecretReference = "secret:", kSecretPrefix = "mlflow-webhook-";
// Each secret has a name of its own, so that the webhook goes from one to the next in one write.
std::string NewSecretName(std::string_view id) {
  return fmt::format("{}{}-{}", kSecretPrefix, id, NewId().substr(0, 8));
}
// Of "secret:NAME", one of ours; empty = it has none.
std::string SecretName(const notices::NewChannel& channel) {
  if (!channel.secret.starts_with(kSecretReference) ||
      !std::string_view(channel.secret).substr(kSecretReference.size()).starts_with(kSecretPrefix))
    return {};
  return channel.secret.substr(kSecretReference.size());
}
std::string IdOf(const notices::Channel& channel) {
  return channel.settings.name.substr(kChannelPrefix.size());
}

// Where a webhook may not lead is a mistake in a parameter, to MLflow.
Error InWebhookWords(const Error& error) {
  if (error.gy() != "GY1626" && error.gy() != "GY4404") return error;
  return InvalidParameter(fmt::format("Invalid webhook URL: {}", error.message()));
}

void Write(const notices::Channel& channel, std::string_view name, AnswerWriter* out) {
  const Json& kept = channel.settings.kept;
  out->Object(name)
      .Text("webhook_id", IdOf(channel))
      .Text("name", kept["name"].AsString())
      .Text("url", channel.settings.webhook)
      .List("events");
  for (const Json& word : kept["events"].items()) {
    const std::string& text = word.AsString();
    const std::size_t dot = text.find('.');
    out->Object()
        .Text("entity", ToUpper(text.substr(0, dot)))
        .Text("action", ToUpper(text.substr(dot + 1)))
        .End();
  }
  out->End()
      .TextUnlessEmpty("description", kept["description"].AsString())
      .Text("status", kept["status"].AsString())
      .Whole("creation_timestamp", channel.created_us / kMicrosPerMilli)
      .Whole("last_updated_timestamp", channel.changed_us / kMicrosPerMilli)
      .End();
}

// "200 body" of an attempt, or what it failed with.
net::Response TrialAnswer(const notices::Trial& trial) {
  constexpr std::string_view kAnswered = "the receiver answered ";
  std::string_view said = trial.answer;
  if (const std::size_t at = trial.error.find(kAnswered); at != std::string::npos)
    said = std::string_view(trial.error).substr(at + kAnswered.size());
  const std::size_t space = std::min(said.find(' '), said.size());
  const auto status = ParseInt(said.substr(0, space));
  return AnswerOf([&](AnswerWriter& out) {
    out.Object("result").Bool("success", trial.delivered);
    if (status) {
      out.Whole("response_status", *status);
      out.Text("response_body", Trim(said.substr(space)));
    } else {
      out.Text("error_message", fmt::format("Failed to test webhook: {}", trial.error));
    }
    out.End();
  });
}

}  // namespace

net::RouteTable WebhooksApi::table() { return {"mlflow", RoutesOf<kEndpoints>::routes(), this}; }

Result<notices::Channel> WebhooksApi::Asked(const Call& call) {
  const std::string& id = call.request.Param("webhook_id");
  auto channel = notices_.GetChannel(call.project, ChannelOf(id));
  const bool missing = channel ? channel->settings.format != kWebhookFormat
                               : channel.error().code() == Code::kNotFound;
  if (missing) return NotFound("GY4402", "Webhook with ID {} not found.", id.substr(0, 100));
  return channel;
}

Result<> WebhooksApi::Fill(const Call& call, notices::NewChannel* channel) {
  const Arguments& said = call.arguments;
  if (const std::string name = said.Text("name"); !name.empty()) {
    GYRE_DO(CheckName(name));
    channel->kept.Set("name", name);
  }
  if (const std::string url = said.Text("url"); !url.empty()) {
    // Elsewhere an address may be a secret's name; here whoever asks would learn of secrets.
    if (url.starts_with("secret:")) return InvalidParameter("Invalid webhook URL: not an address");
    channel->webhook = url;
  }
  if (said.Value("events").size() > 0) {
    GYRE_TRY(Json words, EventsOf(said));
    channel->kept.Set("events", std::move(words));
  }
  if (const auto description = said.TextIfAny("description")) {
    GYRE_DO(CheckLength("description", *description, kDescriptionCharactersMax));
    channel->kept.Set("description", *description);
  }
  if (const std::string status = said.Text("status"); !status.empty()) {
    if (status != "ACTIVE" && status != "DISABLED")
      return InvalidParameter(fmt::format("Invalid webhook status: {}", status.substr(0, 100)));
    channel->kept.Set("status", status);
  }
  return {};
}

// A webhook is never there without the secret that was asked for: a new one is kept first, the
// webhook names it in one write, and the one that is not used any more goes last.
Result<net::Response> WebhooksApi::Keep(const Call& call, const std::string& id,
                                        notices::NewChannel channel) {
  const std::string& who = call.request.principal.name;
  const auto secret = call.arguments.TextIfAny("secret");
  const std::string before = SecretName(channel);
  if (secret && secret->empty()) channel.secret.clear();
  if (secret && !secret->empty()) {
    const std::string name = NewSecretName(id);
    GYRE_DO(secrets_.Put(call.project, name, *secret, who));
    channel.secret = std::string(kSecretReference) + name;
  }
  const std::string now = SecretName(channel);
  const auto kept = notices_.AddChannel(std::move(channel), true, who);
  const std::string& unused = kept ? before : now;
  if (before != now && !unused.empty()) GYRE_DO(secrets_.Remove(call.project, unused));
  if (!kept) return InWebhookWords(kept.error());
  return AnswerOf([&](AnswerWriter& out) { Write(*kept, "webhook", &out); });
}

Result<net::Response> WebhooksApi::Create(Call& call) {
  GYRE_DO(EventsOf(call.arguments));
  const std::string id = NewId();
  notices::NewChannel channel{.project = call.project,
                              .name = ChannelOf(id),
                              .format = std::string(kWebhookFormat),
                              .only_named = true,
                              .kept = Json::Obj({{"status", "ACTIVE"}})};
  GYRE_DO(Fill(call, &channel));
  return Keep(call, id, std::move(channel));
}

Result<net::Response> WebhooksApi::List(Call& call) {
  const std::int64_t limit = call.arguments.Whole("max_results", kResults);
  if (limit < 1 || limit > kResultsMax)
    return InvalidParameter("max_results must be between 1 and 1000.");
  GYRE_TRY(auto channels, notices_.ListChannels(call.project));
  std::erase_if(channels, [](const notices::Channel& channel) {
    return channel.settings.format != kWebhookFormat;
  });
  std::ranges::sort(channels, [](const notices::Channel& a, const notices::Channel& b) {
    return std::pair(b.created_us, a.settings.name) < std::pair(a.created_us, b.settings.name);
  });
  // A page goes on behind the one that it names.
  auto first = channels.begin();
  if (const std::string token = call.arguments.Text("page_token"); !token.empty()) {
    first = std::ranges::find(channels, token, IdOf);
    if (first == channels.end()) return InvalidParameter("Invalid page token");
    ++first;
  }
  const auto count = std::min<std::int64_t>(limit, channels.end() - first);
  return AnswerOf([&](AnswerWriter& out) {
    if (count > 0) {
      out.List("webhooks");
      for (auto one = first; one != first + count; ++one) Write(*one, {}, &out);
      out.End();
    }
    if (first + count != channels.end()) out.Text("next_page_token", IdOf(*(first + count - 1)));
  });
}

Result<net::Response> WebhooksApi::Get(Call& call) {
  GYRE_TRY(const notices::Channel channel, Asked(call));
  return AnswerOf([&](AnswerWriter& out) { Write(channel, "webhook", &out); });
}

Result<net::Response> WebhooksApi::Update(Call& call) {
  GYRE_TRY(notices::Channel channel, Asked(call));
  const std::string id = IdOf(channel);
  GYRE_DO(Fill(call, &channel.settings));
  return Keep(call, id, std::move(channel.settings));
}

Result<net::Response> WebhooksApi::Delete(Call& call) {
  GYRE_TRY(const notices::Channel channel, Asked(call));
  GYRE_DO(notices_.RemoveChannel(call.project, channel.settings.name));
  if (const std::string secret = SecretName(channel.settings); !secret.empty())
    GYRE_DO(secrets_.Remove(call.project, secret));
  return EmptyAnswer();
}

Result<net::Response> WebhooksApi::Try(Call& call) {
  GYRE_TRY(const notices::Channel channel, Asked(call));
  std::string word = channel.settings.kept["events"].items().front().AsString();
  if (call.arguments.Has("event")) {
    GYRE_TRY(word, WordOf(call.arguments.Value("event")));
  }
  GYRE_TRY(const notices::Trial trial,
           notices_.TryChannel(call.project, channel.settings.name,
                               WebhookDocument(SampleOf(word), clock_.NowMicros())));
  return TrialAnswer(trial);
}

}  // namespace gyre::mlflow

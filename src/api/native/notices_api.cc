#include "api/native/notices_api.h"

#include "api/native/lists.h"
#include "api/native/removals.h"
#include "api/native/route_table.h"
#include "base/text.h"
#include "base/time.h"
#include "ledger/notices/notices.h"
#include "ml/projects/projects.h"

namespace gyre::native {
namespace {

constexpr const char* kSeverities = "info|warning|critical";

constexpr net::Route kRoutes[] = {
    {.method = Method::kGet,
     .path = "/api/v1/projects/{project}/channels",
     .handler = Bind<&NoticesApi::ListChannels>,
     .permission = Permission("notice.read"),
     .summary = "The channels that a project's notices go to, and how they do",
     .response_type = "ChannelList"},
    {.method = Method::kPost,
     .path = "/api/v1/projects/{project}/channels",
     .handler = Bind<&NoticesApi::AddChannel>,
     .permission = Permission("channel.write"),
     .summary = "Adds a channel: a webhook or a mail server; credentials only as secret:NAME",
     .body = Body::kBuffer,
     .request_type = "NewChannel",
     .response_type = "Channel",
     .members = {{"name", Type::kText, "ops", "", net::kRequired},
                 {"min_severity", Type::kText, "of notices that name no channel; else info",
                  kSeverities},
                 {"replace", Type::kBool, "a channel of that name, which keeps what waits for it"},
                 {"webhook", Type::kText, "an address, or secret:NAME"},
                 {"format", Type::kText, "of the webhook's body; else json", "json|slack|teams"},
                 {"secret", Type::kText, "secret:NAME, what the webhook is signed with"},
                 {"smtp", Type::kText, "a mail server: mail.example.org:587"},
                 {"tls", Type::kText, "with the mail server; else starttls, at port 465 from-start",
                  "starttls|from-start|none"},
                 {"from", Type::kText, "the sender's address"},
                 {"to", Type::kTexts, "the recipients' addresses"},
                 {"user", Type::kText, "of the mail server"},
                 {"password", Type::kText, "secret:NAME"}}},
    {.method = Method::kGet,
     .path = "/api/v1/projects/{project}/channels/{channel}",
     .handler = Bind<&NoticesApi::GetChannel>,
     .permission = Permission("notice.read"),
     .summary = "A channel",
     .response_type = "Channel"},
    {.method = Method::kDelete,
     .path = "/api/v1/projects/{project}/channels/{channel}",
     .handler = Bind<&NoticesApi::RemoveChannel>,
     .permission = Permission("channel.write"),
     .summary = "Removes a channel, into the trash; what waits for it is dead then",
     .response_type = "TrashItem",
     .query = {kForce, kDryRun}},
    {.method = Method::kPost,
     .path = "/api/v1/projects/{project}/channels/{channel}/test",
     .handler = Bind<&NoticesApi::TryChannel>,
     .permission = Permission("channel.write"),
     .summary = "Sends a message at once and says what the receiver answered",
     .response_type = "ChannelTrial"},
    {.method = Method::kGet,
     .path = "/api/v1/projects/{project}/notices",
     .handler = Bind<&NoticesApi::List>,
     .permission = Permission("notice.read"),
     .summary = "What a project's channels were told, newest first",
     .response_type = "NoticeList",
     .query = {{"state", Type::kText, "one of its deliveries is, or unsent: no channel took it",
                "waiting|delivered|dead|unsent"},
               kLimit,
               kPageToken}},
    {.method = Method::kPost,
     .path = "/api/v1/projects/{project}/notices",
     .handler = Bind<&NoticesApi::Publish>,
     .permission = Permission("notice.write"),
     .summary = "Tells the project's channels something; the same key again tells nothing new",
     .body = Body::kBuffer,
     .request_type = "NewNotice",
     .response_type = "Notice",
     .members = {{"title", Type::kText, "one line", "", net::kRequired},
                 {"text", Type::kText, "more of it"},
                 {"kind", Type::kText, "what it tells of; else notice"},
                 {"severity", Type::kText, "info when it is not given", kSeverities},
                 {"key", Type::kText, "a second notice with it is the first one"},
                 {"links", Type::kObjects, "{text, url}"},
                 {"payload", Type::kObject, "for programs"},
                 {"channels", Type::kTexts, "their names; else every channel of the project"}}},
    {.method = Method::kGet,
     .path = "/api/v1/projects/{project}/notices/{notice}",
     .handler = Bind<&NoticesApi::Get>,
     .permission = Permission("notice.read"),
     .summary = "A notice with its deliveries, by its id or the beginning of that",
     .response_type = "Notice"},
    {.method = Method::kPost,
     .path = "/api/v1/projects/{project}/notices/{notice}/retry",
     .handler = Bind<&NoticesApi::Retry>,
     .permission = Permission("notice.write"),
     .summary = "Gives its dead deliveries to their channels once more",
     .response_type = "Notice"},
};

// References to secrets are shown, and there is nothing else to hide: no channel holds a value.
Json ChannelToJson(const notices::Channel& channel) {
  const notices::NewChannel& settings = channel.settings;
  Json document = Json::Obj(
      {{"name", settings.name},
       {"project", settings.project},
       {"kind", channel.kind == notices::ChannelKind::kSmtp ? "smtp" : "webhook"},
       {"target", channel.kind == notices::ChannelKind::kSmtp ? settings.smtp : settings.webhook},
       {"min_severity", notices::SeverityName(settings.severity_min)}});
  const std::pair<std::string_view, const std::string&> texts[] = {
      {"webhook", settings.webhook}, {"format", settings.format},    {"secret", settings.secret},
      {"smtp", settings.smtp},       {"tls", settings.tls},          {"from", settings.from},
      {"user", settings.user},       {"password", settings.password}};
  for (const auto& [name, text] : texts) {
    if (!text.empty()) document.Set(name, text);
  }
  if (!settings.to.empty())
    document.Set("to", ItemsOf(settings.to, [](const std::string& to) { return Json(to); }));
  document.Set("waiting", channel.waiting)
      .Set("delivered", channel.delivered)
      .Set("dead", channel.dead)
      .Set("last_error", channel.last_error)
      .Set("created_at", FormatTime(channel.created_us))
      .Set("changed_at", FormatTime(channel.changed_us))
      .Set("changed_by", channel.changed_by);
  return document;
}

Json DeliveryToJson(const notices::Delivery& delivery) {
  Json document = Json::Obj({{"channel", delivery.channel},
                             {"state", delivery.state},
                             {"attempts", delivery.attempts},
                             {"changed_at", FormatTime(delivery.changed_us)}});
  if (delivery.state == "waiting") document.Set("next_at", FormatTime(delivery.next_us));
  if (!delivery.error.empty()) document.Set("error", delivery.error);
  if (!delivery.answer.empty()) document.Set("answer", delivery.answer);
  return document;
}

Json NoticeToJson(const notices::Notice& notice) {
  const auto parsed = [](const std::string& text) {
    auto json = Json::Parse(text);
    return json ? *std::move(json) : Json();
  };
  return Json::Obj({{"id", notice.id},
                    {"sequence", notice.sequence},
                    {"project", notice.project},
                    {"kind", notice.kind},
                    {"severity", notices::SeverityName(notice.severity)},
                    {"title", notice.title},
                    {"text", notice.text},
                    {"key", notice.dedupe_key},
                    {"links", parsed(notice.links)},
                    {"payload", parsed(notice.payload)},
                    {"created_at", FormatTime(notice.created_us)},
                    {"state", notice.state()},
                    {"deliveries", ItemsOf(notice.deliveries, DeliveryToJson)}});
}

// What is there must be what the table above says of it.
Result<> CheckMember(const Json& body, std::string_view name, Type type) {
  const Json* const member = body.Find(name);
  if (member == nullptr || member->is_null()) return {};
  const auto all = [&](bool (Json::*is)() const) {
    bool fit = member->is_array();
    for (const Json& item : member->items()) fit &= (item.*is)();
    return fit;
  };
  const auto [fits, what] = [&]() -> std::pair<bool, std::string_view> {
    switch (type) {
      case Type::kTexts:
        return {all(&Json::is_string), "a list of texts"};
      case Type::kObjects:
        return {all(&Json::is_object), "a list of objects"};
      case Type::kObject:
        return {member->is_object(), "an object"};
      case Type::kBool:
        return {member->is_bool(), "true or false"};
      default:
        return {member->is_string(), "a text"};
    }
  }();
  if (fits) return {};
  return InvalidArgument("GY4411", "`{}` must be {}", name, what);
}

Result<Json> ReadBody(const net::Request& request,
                      std::initializer_list<std::pair<std::string_view, Type>> others) {
  GYRE_TRY(Json body, request.JsonBody());
  for (const auto& [name, member] : body.members()) {
    Type type = Type::kText;
    for (const auto& [other, its_type] : others) {
      if (other == name) type = its_type;
    }
    GYRE_DO(CheckMember(body, name, type));
  }
  return body;
}

Result<notices::Severity> ReadSeverity(const Json& body, std::string_view name) {
  const std::string& word = body[name].AsString();
  return word.empty() ? notices::Severity::kInfo : notices::ParseSeverity(word);
}

}  // namespace

net::RouteTable NoticesApi::table() { return {"native", kRoutes, this}; }

Result<net::Response> NoticesApi::ListChannels(net::Request& request) {
  GYRE_TRY(const auto channels, notices_.ListChannels(request.Param("project")));
  return WholeList(channels, ChannelToJson);
}

Result<net::Response> NoticesApi::AddChannel(net::Request& request) {
  GYRE_TRY(const Json body, ReadBody(request, {{"to", Type::kTexts}, {"replace", Type::kBool}}));
  GYRE_TRY(const projects::Project project, projects_.Get(request.Param("project")));
  GYRE_TRY(const std::string name, body.GetString("name"));
  notices::NewChannel channel{.project = project.name,
                              .name = name,
                              .webhook = body["webhook"].AsString(),
                              .format = body["format"].AsString(),
                              .secret = body["secret"].AsString(),
                              .smtp = body["smtp"].AsString(),
                              .tls = body["tls"].AsString(),
                              .from = body["from"].AsString(),
                              .user = body["user"].AsString(),
                              .password = body["password"].AsString()};
  for (const Json& to : body["to"].items()) channel.to.push_back(to.AsString());
  GYRE_TRY(channel.severity_min, ReadSeverity(body, "min_severity"));
  GYRE_TRY(
      const notices::Channel added,
      notices_.AddChannel(std::move(channel), body["replace"].AsBool(), request.principal.name));
  return net::Response::JsonDoc(ChannelToJson(added), 201);
}

Result<net::Response> NoticesApi::GetChannel(net::Request& request) {
  GYRE_TRY(const notices::Channel channel,
           notices_.GetChannel(request.Param("project"), request.Param("channel")));
  return net::Response::JsonDoc(ChannelToJson(channel));
}

Result<net::Response> NoticesApi::RemoveChannel(net::Request& request) {
  GYRE_TRY(const notices::Channel channel,
           notices_.GetChannel(request.Param("project"), request.Param("channel")));
  return native::Remove(trash_, request, {.noun = "channel", .name = channel.settings.name});
}

Result<net::Response> NoticesApi::TryChannel(net::Request& request) {
  GYRE_TRY(const notices::Trial trial,
           notices_.TryChannel(request.Param("project"), request.Param("channel")));
  Json document = Json::Obj({{"delivered", trial.delivered}, {"seconds", trial.seconds}});
  if (trial.delivered) {
    document.Set("answer", trial.answer);
  } else {
    document.Set("error", trial.error);
    if (!trial.fix.empty()) document.Set("fix", trial.fix);
  }
  return net::Response::JsonDoc(document);
}

Result<net::Response> NoticesApi::List(net::Request& request) {
  GYRE_TRY(const SequencePage page, ReadSequencePage(request));
  GYRE_TRY(const auto notices, notices_.List({.project = request.Param("project"),
                                              .state = request.Query("state").value_or(""),
                                              .before = page.before,
                                              .limit = page.limit}));
  return PageOf(notices, page.limit, NoticeToJson, &notices::Notice::sequence);
}

Result<net::Response> NoticesApi::Publish(net::Request& request) {
  GYRE_TRY(const Json body, ReadBody(request, {{"links", Type::kObjects},
                                               {"payload", Type::kObject},
                                               {"channels", Type::kTexts}}));
  GYRE_TRY(const projects::Project project, projects_.Get(request.Param("project")));
  GYRE_TRY(const std::string title, body.GetString("title"));
  notices::NewNotice notice{.project = project.name,
                            .title = title,
                            .text = body["text"].AsString(),
                            .dedupe_key = body["key"].AsString(),
                            .payload = body["payload"]};
  if (body.Has("kind")) {
    notice.kind = body["kind"].AsString();
    GYRE_DO(CheckName("kind", notice.kind));
  }
  GYRE_TRY(notice.severity, ReadSeverity(body, "severity"));
  for (const Json& link : body["links"].items())
    notice.links.push_back({link["text"].AsString(), link["url"].AsString()});
  for (const Json& name : body["channels"].items()) notice.channels.push_back(name.AsString());
  // Whoever is there to hear it is told at once that nobody listens there.
  GYRE_DO(notices_.CheckChannels(project.name, notice.channels));
  GYRE_TRY(const notices::Published published,
           notices_.Publish(notices::Compose(std::move(notice))));
  GYRE_TRY(const notices::Notice written, notices_.Get(project.name, published.id));
  Json document = NoticeToJson(written);
  document.Set("fresh", published.fresh);
  return net::Response::JsonDoc(document, published.fresh ? 201 : 200);
}

Result<net::Response> NoticesApi::Get(net::Request& request) {
  GYRE_TRY(const notices::Notice notice,
           notices_.Get(request.Param("project"), request.Param("notice")));
  return net::Response::JsonDoc(NoticeToJson(notice));
}

Result<net::Response> NoticesApi::Retry(net::Request& request) {
  GYRE_TRY(const notices::Notice notice,
           notices_.Retry(request.Param("project"), request.Param("notice")));
  return net::Response::JsonDoc(NoticeToJson(notice), 202);
}

}  // namespace gyre::native

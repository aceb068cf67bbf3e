// gyre channels, notices, notify: who is told, and what became of it.
#include "base/text.h"
#include "cli/command.h"
#include "cli/nouns.h"
#include "cli/output.h"
#include "cli/removed.h"
#include "cli/session.h"

namespace gyre::cli {
namespace {

using Format = ColumnSpec::Format;

std::string PathOf(const Invocation& in, std::string_view noun, std::string_view name = {}) {
  std::string path = fmt::format("/api/v1/projects/{}/{}", PercentEncode(in.project()), noun);
  return name.empty() ? path : path + "/" + PercentEncode(name);
}

// --- channels ------------------------------------------------------------------------------------

Result<int> ListChannels(Invocation& in) {
  GYRE_TRY(Session* const session, in.session());
  GYRE_TRY(const Json answer, session->Get(PathOf(in, "channels")));
  in.out().Table({{"NAME", "name"},
                  {"KIND", "kind"},
                  {"TO", "target"},
                  {"FROM SEVERITY", "min_severity"},
                  {"DELIVERED", "delivered", Format::kCount},
                  {"WAITING", "waiting", Format::kCount},
                  {"DEAD", "dead", Format::kCount},
                  {"LAST ERROR", "last_error"},
                  {"CHANGED", "changed_at", Format::kTime, true},
                  {"BY", "changed_by", Format::kText, true}},
                 answer["items"]);
  if (answer["items"].size() == 0)
    in.out().Hint("gyre channels add ops --webhook https://example.org/hooks/gyre");
  return 0;
}

Result<int> ShowChannel(Invocation& in) {
  GYRE_TRY(Session* const session, in.session());
  GYRE_TRY(const Json channel, session->Get(PathOf(in, "channels", in.Get("NAME"))));
  std::string text =
      fmt::format("channel {} ({})   notices from {} up\n", channel["name"].AsString(),
                  channel["kind"].AsString(), channel["min_severity"].AsString());
  for (const std::string_view key :
       {"webhook", "format", "secret", "smtp", "tls", "from", "user", "password"}) {
    if (channel.Has(key)) text += fmt::format("  {:<10}{}\n", key, channel[key].AsString());
  }
  std::string to;
  for (const Json& each : channel["to"].items()) to += (to.empty() ? "" : ", ") + each.AsString();
  if (!to.empty()) text += fmt::format("  {:<10}{}\n", "to", to);
  text += fmt::format(
      "  {} delivered, {} waiting, {} dead\n", GroupDigits(channel["delivered"].AsInt()),
      GroupDigits(channel["waiting"].AsInt()), GroupDigits(channel["dead"].AsInt()));
  if (const std::string& error = channel["last_error"].AsString(); !error.empty())
    text += fmt::format("  last error  {}\n", error);
  in.out().Document(channel, text);
  return 0;
}

Result<int> AddChannel(Invocation& in) {
  Json body = Json::Obj({{"name", in.Get("NAME")}});
  for (const std::string_view name :
       {"webhook", "format", "secret", "smtp", "tls", "from", "user", "password"}) {
    if (in.Has(name)) body.Set(name, in.Get(name));
  }
  if (in.Has("min-severity")) body.Set("min_severity", in.Get("min-severity"));
  if (in.Has("replace")) body.Set("replace", true);
  Json to = Json::Arr();
  for (const std::string& address : in.List("to")) to.Push(address);
  if (to.size() > 0) body.Set("to", std::move(to));
  GYRE_TRY(Session* const session, in.session());
  GYRE_TRY(const Json channel, session->Post(PathOf(in, "channels"), body));
  if (in.out().json()) {
    in.out().Document(channel, "");
    return 0;
  }
  in.out().Done(fmt::format("channel {} → {}", in.Get("NAME"), channel["target"].AsString()));
  if (channel["kind"].AsString() == "webhook" && !channel.Has("secret"))
    in.out().Note("not signed: the receiver cannot tell who sent it (--secret secret:NAME)");
  in.out().Hint(session->Repeatable("gyre channels test " + in.Get("NAME")));
  return 0;
}

Result<int> RemoveChannel(Invocation& in) {
  GYRE_DO(in.Confirm("remove channel " + in.Get("NAME"), in.Get("NAME")));
  GYRE_TRY(Session* const session, in.session());
  GYRE_TRY(const Json gone, session->Delete(PathOf(in, "channels", in.Get("NAME"))));
  SayRemoved(in.out(), "channel " + in.Get("NAME"), gone);
  return 0;
}

Result<int> TryChannel(Invocation& in) {
  GYRE_TRY(Session* const session, in.session());
  GYRE_TRY(const Json trial,
           session->Post(PathOf(in, "channels", in.Get("NAME")) + "/test", Json::Obj()));
  const bool delivered = trial["delivered"].AsBool();
  Output& out = in.out();
  if (out.json()) {
    out.Document(trial, "");
  } else if (delivered) {
    out.Done(fmt::format("{} took it after {}: {}", in.Get("NAME"),
                         HumanSeconds(trial["seconds"].AsDouble()), trial["answer"].AsString()));
  } else {
    out.Warn(fmt::format("{} did not take it: {}", in.Get("NAME"), trial["error"].AsString()));
    if (trial.Has("fix")) out.Note("fix: " + trial["fix"].AsString());
  }
  return delivered ? 0 : 5;
}

// --- notices -------------------------------------------------------------------------------------

Result<int> ListNotices(Invocation& in) {
  GYRE_TRY(Session* const session, in.session());
  std::string query = "?limit=" + PercentEncode(in.Get("limit"));
  if (in.Has("state")) query += "&state=" + PercentEncode(in.Get("state"));
  GYRE_TRY(const Json answer, session->Get(PathOf(in, "notices") + query));
  Json rows = Json::Arr();
  for (const Json& notice : answer["items"].items()) {
    std::string channels, error;
    for (const Json& delivery : notice["deliveries"].items()) {
      channels += fmt::format("{}{} {}", channels.empty() ? "" : ", ",
                              delivery["channel"].AsString(), delivery["state"].AsString());
      if (delivery["state"].AsString() != "delivered") error = delivery["error"].AsString();
    }
    Json row = notice;
    row.Set("short_id", notice["id"].AsString().substr(0, 12));
    row.Set("channels", std::move(channels)).Set("error", std::move(error));
    rows.Push(std::move(row));
  }
  in.out().Table({{"ID", "short_id"},
                  {"AT", "created_at", Format::kTime},
                  {"SEVERITY", "severity"},
                  {"TITLE", "title"},
                  {"STATE", "state"},
                  {"CHANNELS", "channels"},
                  {"ERROR", "error"},
                  {"KIND", "kind", Format::kText, true}},
                 in.out().json() ? answer["items"] : rows, "id");
  return 0;
}

std::string NoticeText(const Json& notice) {
  std::string text = fmt::format("{}   {}   {}   {}\n{}\n", notice["id"].AsString(),
                                 notice["created_at"].AsString(), notice["severity"].AsString(),
                                 notice["kind"].AsString(), notice["title"].AsString());
  if (!notice["text"].AsString().empty()) text += notice["text"].AsString() + "\n";
  for (const Json& link : notice["links"].items())
    text += fmt::format("  {}: {}\n", link["text"].AsString(), link["url"].AsString());
  if (notice["deliveries"].size() == 0) text += "  no channel was there for it\n";
  for (const Json& delivery : notice["deliveries"].items()) {
    text += fmt::format("  {} {} after {} attempt{}", delivery["channel"].AsString(),
                        delivery["state"].AsString(), delivery["attempts"].AsInt(),
                        delivery["attempts"].AsInt() == 1 ? "" : "s");
    if (delivery.Has("next_at")) text += ", next at " + delivery["next_at"].AsString();
    const bool delivered = delivery["state"].AsString() == "delivered";
    const std::string& said = delivery[delivered ? "answer" : "error"].AsString();
    text += said.empty() ? "\n" : ": " + said + "\n";
  }
  return text;
}

Result<int> ShowNotice(Invocation& in) {
  GYRE_TRY(Session* const session, in.session());
  GYRE_TRY(const Json notice, session->Get(PathOf(in, "notices", in.Get("NOTICE"))));
  in.out().Document(notice, NoticeText(notice));
  return 0;
}

Result<int> RetryNotice(Invocation& in) {
  GYRE_TRY(Session* const session, in.session());
  GYRE_TRY(const Json notice,
           session->Post(PathOf(in, "notices", in.Get("NOTICE")) + "/retry", Json::Obj()));
  in.out().Done(fmt::format("notice {} goes out once more", notice["id"].AsString().substr(0, 12)));
  return 0;
}

Result<int> Notify(Invocation& in) {
  Json body = Json::Obj({{"title", in.Get("TITLE")}});
  for (const std::string_view name : {"text", "severity", "key", "kind"}) {
    if (in.Has(name)) body.Set(name, in.Get(name));
  }
  Json channels = Json::Arr();
  for (const std::string& name : in.List("channel")) channels.Push(name);
  if (channels.size() > 0) body.Set("channels", std::move(channels));
  GYRE_TRY(Session* const session, in.session());
  GYRE_TRY(const Json notice, session->Post(PathOf(in, "notices"), body));
  if (in.out().json()) {
    in.out().Document(notice, "");
    return 0;
  }
  std::string names;
  for (const Json& delivery : notice["deliveries"].items())
    names += (names.empty() ? "" : ", ") + delivery["channel"].AsString();
  const std::string id = notice["id"].AsString().substr(0, 12);
  if (!notice["fresh"].AsBool()) {
    in.out().Done(fmt::format("notice {} has that key already: nothing new is told", id));
    return 0;
  }
  in.out().Done(fmt::format(
      "notice {} {}", id,
      names.empty() ? "is written, but no channel is there for it" : "goes to " + names));
  in.out().Hint(
      session->Repeatable(names.empty() ? "gyre channels add --help" : "gyre notices show " + id));
  return 0;
}

constexpr Positional kNewName[] = {{"NAME", "what the channel is called"}};
constexpr Positional kChannel[] = {
    {.name = "NAME", .help = "the channel", .completes = "channels"}};
constexpr Option kAddOptions[] = {
    {"--webhook", "URL", "where to post; secret:NAME when knowing it is enough to write there"},
    {"--secret", "secret:NAME", "what each message is signed with (HMAC-SHA256)"},
    {"--format", "FORMAT", "json, slack or teams", ""},
    {"--smtp", "HOST:PORT", "a mail server"},
    {"--from", "ADDRESS", "who sends the mail"},
    {.name = "--to",
     .value_name = "ADDRESS",
     .help = "who gets it; again for more",
     .repeated = true},
    {"--user", "NAME", "of the mail server"},
    {"--password", "secret:NAME", "of that user"},
    {"--tls", "MODE", "starttls, from-start or none"},
    {"--min-severity", "SEVERITY", "info, warning or critical: less goes elsewhere"},
    {"--replace", "", "a channel of that name; what waits goes to the new one"}};
constexpr Positional kNotice[] = {{"NOTICE", "its id, or the beginning of that"}};
constexpr Option kListOptions[] = {{"--state", "STATE", "waiting, delivered, dead or unsent"},
                                   {"-n,--limit", "N", "how many", "50"}};
constexpr Positional kTitle[] = {{"TITLE", "one line"}};
constexpr Option kNotifyOptions[] = {{"--text", "TEXT", "more of it"},
                                     {"--severity", "SEVERITY", "info, warning or critical"},
                                     {"--kind", "KIND", "what it tells of, for programs"},
                                     {"--key", "KEY", "a second notice with it is the first one"},
                                     {.name = "--channel",
                                      .value_name = "NAME",
                                      .help = "only this one; again for more",
                                      .repeated = true,
                                      .completes = "channels"}};
constexpr Command kCommands[] = {
    {"channels ls", "where the project's notices go", "gyre channels", {}, {}, ListChannels},
    {"channels show",
     "a channel's settings and how it does",
     "gyre channels show ops",
     kChannel,
     {},
     ShowChannel},
    {"channels add", "send notices to a webhook or by mail; credentials only as secret:NAME",
     "gyre channels add ops --webhook https://example.org/hooks/gyre --secret secret:ops-key\n"
     "gyre channels add chat --webhook secret:slack-url --format slack\n"
     "gyre channels add mail --smtp mail.example.org:587 --from gyre@example.org --to "
     "ops@example.org --user gyre --password secret:mail",
     kNewName, kAddOptions, AddChannel},
    {"channels test",
     "send one message now and say what the receiver answered (exit 5: not taken)",
     "gyre channels test ops",
     kChannel,
     {},
     TryChannel},
    {"channels rm",
     "remove a channel; what waits for it is dead then; gyre undelete brings it back",
     "gyre channels rm ops --yes",
     kChannel,
     {},
     RemoveChannel},
    {"notices ls",
     "what the channels were told, newest first",
     "gyre notices\ngyre notices ls --state dead",
     {},
     kListOptions,
     ListNotices},
    {"notices show",
     "a notice and what became of it",
     "gyre notices show 4f2a",
     kNotice,
     {},
     ShowNotice},
    {"notices retry",
     "give a notice to the channels that gave it up once more",
     "gyre notices retry 4f2a",
     kNotice,
     {},
     RetryNotice},
    {"notify", "tell the project's channels something",
     "gyre notify 'nightly export is done'\n"
     "gyre notify 'drift in tenure' --severity warning --text 'PSI 0.31' --key drift-2026-11-21",
     kTitle, kNotifyOptions, Notify},
};

}  // namespace

std::span<const Command> NoticesCommands() { return kCommands; }

}  // namespace gyre::cli

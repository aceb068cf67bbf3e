// gyre audit, events, secrets: the books that gyre keeps.
#include "base/text.h"
#include "cli/command.h"
#include "cli/nouns.h"
#include "cli/output.h"
#include "cli/removed.h"
#include "cli/session.h"
#include "platform/exec/files.h"

namespace gyre::cli {
namespace {

using Format = ColumnSpec::Format;

// "?a=b&c=d" of the options that were given; `names` are option names, which are query names too.
std::string QueryOf(const Invocation& in, std::initializer_list<std::string_view> names) {
  std::string query;
  for (const std::string_view name : names) {
    const std::string value = in.Get(name);
    if (!value.empty())
      query += fmt::format("{}{}={}", query.empty() ? "?" : "&", name, PercentEncode(value));
  }
  return query;
}

// --- audit ---------------------------------------------------------------------------------------

Result<int> ListAudit(Invocation& in) {
  GYRE_TRY(Session* const session, in.session());
  GYRE_TRY(const Json answer,
           session->Get("/api/v1/audit" +
                        QueryOf(in, {"actor", "action", "object", "from", "to", "limit"})));
  in.out().Table({{"SEQ", "sequence", Format::kCount},
                  {"AT", "at", Format::kTime},
                  {"WHO", "actor.name"},
                  {"ACTION", "action"},
                  {"OBJECT", "object"},
                  {"OUTCOME", "outcome"},
                  {"PROJECT", "project", Format::kText, true},
                  {"REQUEST", "request_id", Format::kText, true},
                  {"PEER", "peer", Format::kText, true}},
                 answer["items"], "sequence");
  return 0;
}

Result<int> VerifyAudit(Invocation& in) {
  GYRE_TRY(Session* const session, in.session());
  std::string query;
  if (in.Has("anchor")) {
    const std::string anchor = in.Get("anchor");
    const std::size_t colon = anchor.find(':');
    if (colon == std::string::npos)
      return InvalidArgument("GY4160", "`{}` is no anchor", anchor)
          .Fix("SEQUENCE:HASH, as `gyre audit verify` prints");
    query = fmt::format("?sequence={}&hash={}", PercentEncode(anchor.substr(0, colon)),
                        PercentEncode(anchor.substr(colon + 1)));
  }
  GYRE_TRY(const Json verdict, session->Get("/api/v1/audit/verify" + query));
  const bool sound = verdict["sound"].AsBool();
  Output& out = in.out();
  if (out.json()) {
    out.Document(verdict, "");
  } else if (sound) {
    out.Done(fmt::format("audit log whole: {} entries", GroupDigits(verdict["entries"].AsInt())));
    const Json& anchored = verdict["anchored"];
    const std::string& at = anchored["at"].AsString();
    out.Note(
        anchored.is_null()
            ? std::string("not anchored: the log fits itself, and nothing outside vouches for it")
            : fmt::format("anchored up to entry {}{}", GroupDigits(anchored["sequence"].AsInt()),
                          at.empty() ? "" : ", written down " + at));
    out.Note(fmt::format("anchor {}:{}", verdict["anchor"]["sequence"].AsInt(),
                         verdict["anchor"]["hash"].AsString()));
  } else {
    out.Warn(fmt::format("the audit log is broken: {}", verdict["problem"].AsString()));
  }
  return sound ? 0 : 5;
}

// --- events --------------------------------------------------------------------------------------

constexpr std::string_view kEventsPath = "/api/v1/events";

Result<int> ListEvents(Invocation& in) {
  GYRE_TRY(Session* const session, in.session());
  GYRE_TRY(const Json answer,
           session->Get(std::string(kEventsPath) + QueryOf(in, {"kind", "limit"})));
  in.out().Table({{"SEQ", "sequence", Format::kCount},
                  {"AT", "created_at", Format::kTime},
                  {"KIND", "kind"},
                  {"SUBJECT", "subject"},
                  {"PROJECT", "project"}},
                 answer["items"], "sequence");
  return 0;
}

Result<int> ListParked(Invocation& in) {
  GYRE_TRY(Session* const session, in.session());
  GYRE_TRY(const Json answer, session->Get(std::string(kEventsPath) + "/parked"));
  in.out().Table({{"SUBSCRIBER", "subscriber"},
                  {"SEQ", "sequence", Format::kCount},
                  {"KIND", "kind"},
                  {"ATTEMPTS", "attempts", Format::kCount},
                  {"PARKED", "parked_at", Format::kTime},
                  {"ERROR", "error"}},
                 answer["items"], "sequence");
  return answer["items"].size() > 0 ? 5 : 0;
}

Result<int> RetryParked(Invocation& in) {
  GYRE_TRY(Session* const session, in.session());
  GYRE_TRY(const Json done, session->Post(fmt::format("{}/parked/{}/{}/retry", kEventsPath,
                                                      PercentEncode(in.Get("SUBSCRIBER")),
                                                      PercentEncode(in.Get("SEQUENCE"))),
                                          Json::Obj()));
  in.out().Done(
      fmt::format("event {} goes to {} once more", in.Get("SEQUENCE"), in.Get("SUBSCRIBER")));
  return 0;
}

// --- secrets -------------------------------------------------------------------------------------

std::string SecretPath(const Invocation& in) {
  return fmt::format("/api/v1/projects/{}/secrets/{}", PercentEncode(in.project()),
                     PercentEncode(in.Get("NAME")));
}

Result<int> ListSecrets(Invocation& in) {
  GYRE_TRY(Session* const session, in.session());
  GYRE_TRY(const Json answer,
           session->Get(fmt::format("/api/v1/projects/{}/secrets", PercentEncode(in.project()))));
  in.out().Table({{"NAME", "name"}, {"CHANGED", "changed_at", Format::kTime}, {"BY", "changed_by"}},
                 answer["items"]);
  return 0;
}

Result<int> SetSecret(Invocation& in) {
  // Never as an argument: those stand in the shell's history and the list of processes.
  const std::string file = in.Get("from-file");
  GYRE_TRY(std::string value, exec::ReadSystemFile(file == "-" ? "/dev/stdin" : file));
  if (value.ends_with('\n')) value.pop_back();
  GYRE_TRY(Session* const session, in.session());
  GYRE_TRY(const Json done, session->Put(SecretPath(in), Json::Obj({{"value", std::move(value)}})));
  in.out().Done(
      fmt::format("secret {} is set; refer to it as secret:{}", in.Get("NAME"), in.Get("NAME")));
  return 0;
}

Result<int> RemoveSecret(Invocation& in) {
  GYRE_DO(in.Confirm("remove secret " + in.Get("NAME"), in.Get("NAME")));
  GYRE_TRY(Session* const session, in.session());
  GYRE_TRY(const Json gone,
           session->Delete(SecretPath(in) + (in.Has("force") ? "?force=true" : "")));
  SayRemoved(in.out(), "secret " + in.Get("NAME"), gone);
  return 0;
}

constexpr Option kAuditOptions[] = {
    {"--actor", "NAME", "name or id of who did it"},
    {"--action", "ACTION", "exact, or a prefix that ends with a dot"},
    {"--object", "NAME", "what was changed: churn, churn/champion, an id"},
    {"--from", "TIME", "ISO 8601"},
    {"--to", "TIME", "ISO 8601"},
    {"-n,--limit", "N", "how many", "50"}};
constexpr Option kAnchor[] = {
    {"--anchor", "SEQ:HASH", "an earlier end of the log, kept elsewhere"}};
constexpr Option kEventOptions[] = {{"--kind", "KIND", "exact, or a prefix that ends with a dot"},
                                    {"-n,--limit", "N", "how many", "50"}};
constexpr Positional kParked[] = {{"SUBSCRIBER", "who could not handle it"},
                                  {"SEQUENCE", "its number"}};
constexpr Positional kSecret[] = {{"NAME", "the secret's name"}};
constexpr Option kSecretOptions[] = {
    {"--from-file", "FILE", "where the value stands; - is standard input", "-"}};
constexpr Option kForced[] = {kForce};
constexpr Command kCommands[] = {
    {"audit ls",
     "who did what, newest first",
     "gyre audit\ngyre audit ls --actor ana --action model.",
     {},
     kAuditOptions,
     ListAudit},
    {"audit verify",
     "check that no entry was changed, removed or inserted (exit 5 when one was)",
     "gyre audit verify\ngyre audit verify --anchor 120:9f2c...",
     {},
     kAnchor,
     VerifyAudit},
    {"events ls",
     "what happened, newest first",
     "gyre events\ngyre events ls --kind model.",
     {},
     kEventOptions,
     ListEvents},
    {"events parked",
     "events that a subscriber could not handle (exit 5 when there are any)",
     "gyre events parked",
     {},
     {},
     ListParked},
    {"events retry",
     "give a parked event to its subscriber once more",
     "gyre events retry serving 42",
     kParked,
     {},
     RetryParked},
    {"secrets ls", "names of the project's secrets", "gyre secrets", {}, {}, ListSecrets},
    {"secrets set", "set a secret from a file or standard input",
     "gyre secrets set db-password < password.txt", kSecret, kSecretOptions, SetSecret},
    {"secrets rm", "remove a secret; gyre undelete brings it back",
     "gyre secrets rm db-password --yes", kSecret, kForced, RemoveSecret},
};

}  // namespace

std::span<const Command> LedgerCommands() { return kCommands; }

}  // namespace gyre::cli

// Messages to people and to other programs. A notice is written in the transaction of what it
// tells of, and delivered afterwards to the project's channels (webhooks, mail) at least once, with
// the same key at each attempt; what nobody takes is parked as dead, shown, and sent again when
// somebody asks for it.
//
//   const notices::Draft draft = notices::Compose({.project = "churn", .title = "drift in
//   tenure"}); database.Write([&](db::Transaction& tx) -> Result<> {
//     ...
//     GYRE_TRY(const auto published, notices.Publish(tx, draft));
//   });
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "base/json.h"
#include "base/time.h"
#include "platform/db/database.h"

namespace gyre::events {
class Events;
}
namespace gyre::net {
class EgressGuard;
}
namespace gyre::secrets {
class Secrets;
}
namespace gyre::telemetry {
class Metrics;
}

namespace gyre::notices {

db::ModuleSchema NoticesSchema();

enum class Severity : unsigned char { kInfo, kWarning, kCritical };
std::string_view SeverityName(Severity severity);       // "warning"
Result<Severity> ParseSeverity(std::string_view name);  // kInvalidArgument GY4401

struct Link {
  std::string text, url;
};

struct NewNotice {
  std::string project = {};
  std::string kind = "notice";  // what it tells of, "alert.firing": the webhook's `type`
  Severity severity = Severity::kInfo;
  std::string title = {}, text = {};
  std::string dedupe_key = {};  // a project's second notice with that key is the first one
  std::vector<Link> links = {};
  Json payload = Json::Obj();              // for programs
  std::vector<std::string> channels = {};  // by name; empty = every channel of the project
};

// A notice as it will be written: made before the transaction, which does no JSON work.
struct Draft {
  std::string id, project, kind, title, text, dedupe_key, links, payload;
  Severity severity = Severity::kInfo;
  std::vector<std::string> channels;
};
// Never fails, so that what goes wrong can be told whatever its words are: a long title or text is
// cut, bytes that are no UTF-8 are replaced, and of a payload above 64 KiB only the size is kept.
Draft Compose(NewNotice notice);

struct Published {
  std::string id;
  bool fresh = true;  // false: the key was used before, and nothing was written
};

enum class ChannelKind : unsigned char { kWebhook, kSmtp };

// A channel as somebody describes it. A credential is only ever a reference, "secret:NAME".
struct NewChannel {
  std::string project = {}, name = {};
  Severity severity_min = Severity::kInfo;  // of the notices that name no channel
  // A webhook: an address, or secret:NAME when knowing it is enough to write there.
  std::string webhook = {};
  std::string format = {};  // json (the default), slack or teams
  std::string secret = {};  // secret:NAME, what the signature is made with
  // Mail: "mail.example.org:587".
  std::string smtp = {};
  std::string tls = {};  // starttls, from-start (the default at port 465) or none
  std::string from = {};
  std::vector<std::string> to = {};
  std::string user = {}, password = {};  // secret:NAME
  // Made by a program for what it picks itself: it gets only the notices that name it, and may have
  // the format "mlflow". `kept` is what its maker keeps with it.
  bool only_named = false;
  Json kept = {};
};

struct Channel {
  NewChannel settings;  // with what was left out filled in
  ChannelKind kind = ChannelKind::kWebhook;
  std::int64_t created_us = 0, changed_us = 0;
  std::string changed_by = {};
  // Of its deliveries that are still kept.
  std::int64_t waiting = 0, delivered = 0, dead = 0;
  std::string last_error = {};  // of the newest that is not delivered
};

struct Delivery {
  std::string channel = {};
  std::string state = {};  // waiting, delivered or dead
  int attempts = 0;
  std::int64_t next_us = 0, changed_us = 0;
  std::string error = {};   // of the last attempt that failed
  std::string answer = {};  // what the receiver said when it took it
};

struct Notice {
  std::int64_t sequence = 0;
  std::string id = {}, project = {}, kind = {}, title = {}, text = {}, dedupe_key = {};
  Severity severity = Severity::kInfo;
  std::string links = {}, payload = {};  // JSON, as text
  std::int64_t created_us = 0;
  std::vector<Delivery> deliveries = {};
  // dead or waiting when one of them is, else delivered; unsent when no channel was there for it.
  std::string_view state() const;
};

struct NoticeFilter {
  std::string project = {};
  std::string state = {};   // as Notice::state, here: one of its deliveries is; empty = all
  std::int64_t before = 0;  // sequence; 0 = the newest
  int limit = 100;
};

// What became of a message that was sent to try a channel.
struct Trial {
  bool delivered = false;
  std::string answer = {}, error = {}, fix = {};
  double seconds = 0;
};

struct Settings {
  int threads = 4;                           // that deliver at once; 0 = nobody delivers
  int attempts_max = 12;                     // about a day, with the pauses between
  std::int64_t retry_us = kMicrosPerSecond;  // first pause; four times as long each time, to 6 h
  std::int64_t timeout_us = 10 * kMicrosPerSecond;  // of one attempt
  // A command that owns the directory for a moment delivers only what was written meanwhile.
  bool only_new = false;
};

// Thread-safe.
class Notices {
 public:
  virtual ~Notices() = default;  // Stop

  // In the transaction of what it tells of; delivered after the commit. A channel that is named
  // and not there gets a dead delivery, so that nothing is lost and the caller's change goes on.
  virtual Result<Published> Publish(db::Transaction& tx, const Draft& draft) = 0;
  // The same for callers without a transaction of their own.
  virtual Result<Published> Publish(const Draft& draft) = 0;
  // For whoever keeps names of channels in a specification. Error: kNotFound GY4402.
  virtual Result<> CheckChannels(std::string_view project,
                                 const std::vector<std::string>& names) = 0;

  // Errors: kInvalidArgument GY1200, GY4403 (what it says is wrong), GY4404 (a credential that is
  // no reference), kNotFound GY4142 (the secret), kPermissionDenied GY1626 (the address),
  // kAlreadyExists GY4405 unless it may replace one.
  virtual Result<Channel> AddChannel(NewChannel channel, bool replace,
                                     std::string_view changed_by) = 0;
  virtual Result<std::vector<Channel>> ListChannels(std::string_view project) = 0;
  virtual Result<Channel> GetChannel(std::string_view project,
                                     std::string_view name) = 0;  // GY4402
  // What waits for it is dead then.
  virtual Result<> RemoveChannel(std::string_view project, std::string_view name) = 0;  // GY4402
  // Sends a message of its own at once, or the payload that is given, on the caller's thread.
  virtual Result<Trial> TryChannel(std::string_view project, std::string_view name,
                                   const Json& payload) = 0;  // GY4402
  Result<Trial> TryChannel(std::string_view project, std::string_view name) {
    return TryChannel(project, name, Json());
  }

  virtual Result<std::vector<Notice>> List(const NoticeFilter& filter) = 0;
  // By id or its beginning. Errors: kNotFound GY4406, kInvalidArgument GY4407 when several begin
  // so.
  virtual Result<Notice> Get(std::string_view project, std::string_view id) = 0;
  // Gives its dead deliveries to their channels once more. kFailedPrecondition GY4408 when none is
  // dead.
  virtual Result<Notice> Retry(std::string_view project, std::string_view id) = 0;

  virtual void Start() = 0;
  // Ends attempts that run; what is not delivered goes on at the next start. Publishing goes on.
  virtual void Stop() = 0;
  // A notice has not been tried yet, at a channel that has not just failed.
  virtual bool busy() = 0;
  // Forgets notices older than that whose deliveries have all ended. Returns their number.
  virtual Result<std::int64_t> Trim(std::int64_t before_us) = 0;
};

struct NoticeRooms {
  db::Database& database;
  events::Events& events;
  secrets::Secrets& secrets;
  telemetry::Metrics& metrics;
  const net::EgressGuard& guard;  // where a channel may lead
  const Clock& clock;
};
std::unique_ptr<Notices> OpenNotices(const NoticeRooms& rooms, Settings settings);

}  // namespace gyre::notices

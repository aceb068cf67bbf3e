// The transactional outbox: what happened is written in the transaction that made it happen, and
// told to subscribers at least once, in commit order. Each subscriber has a durable cursor,
// advanced in the transaction of its effect. An event that fails again and again is parked and
// shown; the others go on. Events are hints: a reconciler first reads the state, then follows.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "base/time.h"
#include "platform/db/database.h"

namespace gyre::events {

db::ModuleSchema EventsSchema();

struct Event {
  std::int64_t sequence = 0;  // grows in commit order; gaps are possible
  std::string kind = {};      // "model.alias_moved": noun, dot, what happened
  std::string project = {};
  std::string subject = {};  // id or name of what it happened to
  std::string payload = {};  // a JSON object, as text
  std::int64_t created_us = 0;
};

struct NewEvent {
  std::string_view kind;
  std::string_view project = {};
  std::string_view subject = {};
  std::string_view payload = "{}";  // made before the closure: closures do no JSON work
};

struct Subscription {
  std::string name;  // durable: names the cursor; unique
  std::vector<std::string> kinds =
      {};  // exact, or a prefix that ends with a dot ("model."); empty = all
  // Once per start, on the subscriber's thread, before the first event: compare what should be with
  // what is.
  std::function<Result<>()> reconcile = {};
  // Effects outside this database, before the cursor moves: repeated when the process dies in
  // between, so they must be idempotent.
  std::function<Result<>(const Event&)> react = {};
  // Effects inside this database, in the transaction that moves the cursor: exactly once.
  std::function<Result<>(db::Transaction&, const Event&)> apply = {};
  int attempts_max = 5;             // then the event is parked
  std::int64_t retry_us = 100'000;  // doubles with each attempt, up to 10 s
};

struct Parked {
  std::string subscriber;
  Event event;
  std::string error;
  int attempts = 0;
  std::int64_t parked_us = 0;
};

struct EventFilter {
  std::optional<std::vector<std::string>> projects = {};  // only these; nothing = all
  std::string kind = {};                                  // as in Subscription::kinds
  std::optional<std::int64_t> after = {};  // sequence: later ones, oldest first; 0 = from the first
  std::int64_t before = 0;  // sequence: earlier ones, newest first; 0 and no after = the newest
  int limit = 100;
};

// Thread-safe.
class Events {
 public:
  virtual ~Events() =
      default;  // ends the subscribers' threads; what they had not finished comes again
  // In the transaction of the change it tells of. Subscribers are woken after the commit.
  virtual Result<> Publish(db::Transaction& tx, const NewEvent& event) = 0;
  // Before Start. A new subscriber begins at the present; its reconcile sees what was before.
  virtual void Subscribe(Subscription subscription) = 0;
  virtual Result<> Start() = 0;

  virtual Result<std::vector<Event>> List(const EventFilter& filter) = 0;
  virtual Result<std::vector<Parked>> ListParked() = 0;
  // Gives a parked event to its subscriber once more. kNotFound GY4101 when it is not parked.
  virtual Result<> Retry(std::string_view subscriber, std::int64_t sequence) = 0;
  // Waits until every subscriber has passed what is committed now; false when the time is over. For
  // tests and draining.
  virtual Result<bool> WaitForQuiet(std::int64_t timeout_us) = 0;
  // Waits for an event with a greater sequence; false when the time is over.
  virtual Result<bool> WaitForNews(std::int64_t after, std::int64_t timeout_us) = 0;
  // Forgets events older than that which every subscriber has passed and nobody has parked. Returns
  // their number.
  virtual Result<std::int64_t> Trim(std::int64_t before_us) = 0;
};

std::unique_ptr<Events> OpenEvents(db::Database& database, const Clock& clock);

}  // namespace gyre::events

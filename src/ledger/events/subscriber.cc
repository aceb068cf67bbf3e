#include "ledger/events/subscriber.h"

#include <algorithm>
#include <exception>
#include <optional>
#include <utility>

#include "platform/exec/fault_point.h"
#include "platform/telemetry/log.h"

namespace gyre::events {
namespace {

constexpr telemetry::Logger kLog{"ledger/events"};
constexpr int kBatch = 200;
constexpr std::int64_t kRetryMicrosMax = 10'000'000;
constexpr std::int64_t kIdleMicros =
    5'000'000;  // news wake it at once; this is for what another process wrote

// Handlers belong to other modules and may use libraries that throw.
Result<> Guarded(const std::function<Result<>()>& call) {
  try {
    return call();
  } catch (const std::exception& e) {
    return Internal("GY4102", "the handler failed by an exception: {}", e.what());
  }
}

}  // namespace

Subscriber::Subscriber(Subscription subscription, db::Database& database, const Clock& clock,
                       std::shared_ptr<exec::News> published, std::shared_ptr<exec::News> moved)
    : subscription_(std::move(subscription)),
      database_(database),
      clock_(clock),
      published_(std::move(published)),
      moved_(std::move(moved)) {}

Subscriber::~Subscriber() = default;

Result<> Subscriber::Start() {
  std::int64_t sequence = 0;
  GYRE_DO(database_.Write([&](db::Transaction& tx) -> Result<> {
    GYRE_TRY(sequence, EnsureCursor(tx, subscription_.name, clock_.NowMicros()));
    return {};
  }));
  SetPosition(sequence);
  thread_ =
      exec::Worker("ev-" + subscription_.name, [this](const exec::StopFlag& stop) { Run(stop); });
  return {};
}

std::int64_t Subscriber::position() const {
  MutexLock lock(mutex_);
  return position_;
}

void Subscriber::SetPosition(std::int64_t sequence) {
  {
    MutexLock lock(mutex_);
    position_ = sequence;
  }
  moved_->Tell();
}

void Subscriber::RetryParked(std::int64_t sequence) {
  {
    MutexLock lock(mutex_);
    retries_.push_back(sequence);
  }
  published_->Tell();
}

void Subscriber::Run(const exec::StopFlag& stop) {
  if (!Reconcile(stop)) return;
  std::int64_t pause_us = subscription_.retry_us;
  while (!stop.stopped() && !published_->ended()) {
    const std::int64_t seen = published_->count();
    if (!Follow(stop) || !RunRetries(stop)) {
      // The database cannot be read or written just now (a full disk); nothing is lost, the cursor
      // stays.
      if (stop.WaitMicros(pause_us)) return;
      pause_us = std::min(pause_us * 2, kRetryMicrosMax);
      continue;
    }
    pause_us = subscription_.retry_us;
    published_->Wait(seen, kIdleMicros);
  }
}

bool Subscriber::Reconcile(const exec::StopFlag& stop) {
  if (!subscription_.reconcile) return true;
  for (std::int64_t pause_us = subscription_.retry_us;;
       pause_us = std::min(pause_us * 2, kRetryMicrosMax)) {
    const auto done = Guarded(subscription_.reconcile);
    if (done) return true;
    kLog.Failed("reconciling failed, trying again", done.error());
    if (stop.WaitMicros(pause_us)) return false;
  }
}

// Everything that is there now. False when it could not.
bool Subscriber::Follow(const exec::StopFlag& stop) {
  while (!stop.stopped()) {
    const std::int64_t start = position();
    std::vector<Event> events;
    const auto read = database_.Read([&](db::Reader& reader) -> Result<> {
      GYRE_TRY(events, ReadEventsAfter(reader, start, kBatch));
      return {};
    });
    if (!read) {
      kLog.Failed("events cannot be read", read.error());
      return false;
    }
    std::int64_t passed = start;
    for (const Event& event : events) {
      if (KindMatches(subscription_.kinds, event.kind)) {
        if (!Handle(stop, event, false)) return false;
        SetPosition(event.sequence);
      }
      passed = event.sequence;
    }
    if (passed > position()) {  // what is not for us is passed in one step
      const auto moved = database_.Write([&](db::Transaction& tx) {
        return MoveCursor(tx, subscription_.name, passed, clock_.NowMicros());
      });
      if (!moved) return false;
      SetPosition(passed);
    }
    if (std::ssize(events) < kBatch) return true;
  }
  return true;
}

bool Subscriber::RunRetries(const exec::StopFlag& stop) {
  while (true) {
    std::int64_t sequence = 0;
    {
      MutexLock lock(mutex_);
      if (retries_.empty()) return true;
      sequence = retries_.front();
    }
    std::optional<Event> event;
    const auto read = database_.Read([&](db::Reader& reader) -> Result<> {
      GYRE_TRY(event, ReadEvent(reader, sequence));
      return {};
    });
    if (!read || (event && !Handle(stop, *event, true))) return false;
    {
      MutexLock lock(mutex_);
      retries_.pop_front();
    }
    moved_->Tell();
  }
}

// Records the outcome: the effect, and the cursor or the parked row, in one transaction.
Result<> Subscriber::Settle(const std::function<Result<>(db::Transaction&)>& effect,
                            const Event& event, bool parked_before) {
  const std::int64_t now_us = clock_.NowMicros();
  return database_.Write([&](db::Transaction& tx) -> Result<> {
    GYRE_DO(effect(tx));
    return parked_before ? Result<>() : MoveCursor(tx, subscription_.name, event.sequence, now_us);
  });
}

Result<> Subscriber::Attempt(const Event& event, bool parked_before, bool* to_blame) {
  *to_blame = true;
  if (subscription_.react) GYRE_DO(Guarded([&] { return subscription_.react(event); }));
  exec::Fault("event.handled", subscription_.name);
  bool applied = false;
  auto settled = Settle(
      [&](db::Transaction& tx) -> Result<> {
        if (subscription_.apply) GYRE_DO(subscription_.apply(tx, event));
        applied = true;
        if (!parked_before) return {};
        GYRE_TRY([[maybe_unused]] const bool was_parked,
                 Unpark(tx, subscription_.name, event.sequence));
        return {};
      },
      event, parked_before);
  // A full disk or queue is nobody's fault: the event is tried again for as long as it takes.
  *to_blame = !settled && !applied && settled.error().code() != Code::kOutOfSpace &&
              settled.error().gy() != "GY1401";
  if (settled) exec::Fault("event.passed", subscription_.name);
  return settled;
}

bool Subscriber::Handle(const exec::StopFlag& stop, const Event& event, bool parked_before) {
  std::int64_t pause_us = subscription_.retry_us;
  for (int attempt = 1;;) {
    bool to_blame = false;
    const auto done = Attempt(event, parked_before, &to_blame);
    if (done) return true;
    const std::string error = done.error().ToString();
    kLog.Warn("event not handled", {{"subscriber", subscription_.name},
                                    {"sequence", event.sequence},
                                    {"kind", event.kind},
                                    {"attempt", attempt},
                                    {"error", error}});
    if (to_blame && attempt >= subscription_.attempts_max) {
      const auto parked = Settle(
          [&](db::Transaction& tx) {
            return Park(tx, subscription_.name, event.sequence, error, attempt, clock_.NowMicros());
          },
          event, parked_before);
      if (parked)
        kLog.Error("event parked", {{"subscriber", subscription_.name},
                                    {"sequence", event.sequence},
                                    {"kind", event.kind}});
      return parked.has_value();
    }
    if (to_blame) ++attempt;
    if (stop.WaitMicros(pause_us)) return false;
    pause_us = std::min(pause_us * 2, kRetryMicrosMax);
  }
}

}  // namespace gyre::events

#include "ledger/notices/courier.h"

#include <algorithm>
#include <cmath>

#include "ledger/events/events.h"
#include "platform/telemetry/log.h"
#include "platform/telemetry/metrics.h"

namespace gyre::notices {
namespace {

constexpr telemetry::Logger kLog{"ledger/notices"};
// The wall clock may jump while we wait by the other one.
constexpr std::int64_t kLookMicros = 60 * kMicrosPerSecond;
constexpr std::int64_t kTroubleMicros = kMicrosPerSecond;

// Further away than any pause: the clock was put back since.
bool IsDue(std::int64_t next_us, std::int64_t now_us) {
  return next_us <= now_us || next_us > now_us + 2 * kPauseMicrosMax;
}

std::string EventPayload(const Notice& notice, const std::string& channel, int attempts,
                         const std::string& error) {
  Json payload = Json::Obj({{"notice", notice.id},
                            {"kind", notice.kind},
                            {"title", notice.title},
                            {"channel", channel},
                            {"attempts", attempts}});
  if (!error.empty()) payload.Set("error", error);
  return payload.Dump();
}

}  // namespace

std::int64_t PauseMicros(int attempts, std::int64_t first_us, double chance) {
  const double grown = static_cast<double>(first_us) * std::pow(4.0, std::min(attempts, 32) - 1);
  const double longest = std::min(grown, static_cast<double>(kPauseMicrosMax));
  return static_cast<std::int64_t>(longest * (0.75 + 0.5 * chance));
}

Courier::Courier(const NoticeRooms& rooms, const Settings& settings, Transmit transmit)
    : rooms_(rooms),
      settings_(settings),
      transmit_(std::move(transmit)),
      since_us_(settings.only_new ? rooms.clock.NowMicros() : 0),
      random_(static_cast<std::uint64_t>(rooms.clock.NowMicros())) {}

void Courier::Start() {
  for (int i = 0; i < settings_.threads; ++i)
    threads_.emplace_back("notices", [this](const exec::StopFlag&) { Run(); });
}

void Courier::Stop() {
  news_->End();
  threads_.clear();
}

void Courier::Run() {
  while (!news_->ended()) {
    const std::int64_t seen = news_->count();
    std::int64_t wait_us = kLookMicros;
    if (const auto parcel = Take(&wait_us)) {
      Deliver(*parcel);
    } else {
      news_->Wait(seen, wait_us);
    }
  }
}

bool Courier::DeliverOne() {
  std::int64_t wait_us = 0;
  const auto parcel = Take(&wait_us);
  if (parcel) Deliver(*parcel);
  return parcel.has_value();
}

bool Courier::busy() {
  if (news_->ended() || stuck_) return false;
  MutexLock lock(mutex_);
  bool untried = false;
  const auto read = rooms_.database.Read([&](db::Reader& reader) GYRE_REQUIRES(mutex_) -> Result<> {
    GYRE_TRY(const std::vector<Due> due, ReadDue(reader, since_us_));
    for (const Due& each : due)
      untried |= each.attempts == 0 && !failing_.contains({each.project, each.channel});
    return {};
  });
  return read && untried;
}

std::optional<Due> Courier::Choose(const std::vector<Due>& due, std::int64_t* wait_us) {
  const std::int64_t now_us = rooms_.clock.NowMicros();
  const auto failing_held = std::ranges::count_if(
      held_, [&](const Name& name) GYRE_REQUIRES(mutex_) { return failing_.contains(name); });
  const int failing_max = std::max(1, settings_.threads / 2);
  for (const Due& each : due) {
    const Name name{each.project, each.channel};
    if (held_.contains(name) || (failing_.contains(name) && failing_held >= failing_max)) continue;
    if (IsDue(each.next_us, now_us)) return each;
    *wait_us = std::min(*wait_us, each.next_us - now_us);
  }
  return std::nullopt;
}

// Held over the read: what another thread has just delivered is either still held, or seen as
// delivered.
std::optional<Parcel> Courier::Take(std::int64_t* wait_us) {
  std::optional<Parcel> parcel;
  MutexLock lock(mutex_);
  const auto read = rooms_.database.Read([&](db::Reader& reader) GYRE_REQUIRES(mutex_) -> Result<> {
    GYRE_TRY(const std::vector<Due> due, ReadDue(reader, since_us_));
    const auto chosen = Choose(due, wait_us);
    if (!chosen) return {};
    GYRE_TRY(parcel, ReadParcel(reader, *chosen));
    if (parcel) held_.insert({chosen->project, chosen->channel});
    return {};
  });
  if (!read) {
    kLog.Failed("notices cannot be read", read.error());
    *wait_us = kTroubleMicros;
  }
  return parcel;
}

void Courier::Release(const Name& name, bool failed) {
  {
    MutexLock lock(mutex_);
    held_.erase(name);
    if (failed) {
      failing_.insert(name);
    } else {
      failing_.erase(name);
    }
  }
  news_->Tell();
}

void Courier::Deliver(const Parcel& parcel) {
  const Outcome outcome = transmit_(parcel.channel, parcel.notice, interrupted());
  const Name name{parcel.due.project, parcel.due.channel};
  if (news_->ended() && outcome.error) {  // cut short by our own end: it is no attempt
    Release(name, false);
    return;
  }
  auto recorded = Record(parcel, outcome);
  // On a full disk, say. It is kept in mind: sent again it would be for as long as that lasts.
  while (!recorded && !news_->ended()) {
    kLog.Failed("what became of a notice cannot be written down", recorded.error());
    stuck_ = true;
    news_->Wait(news_->count(), kTroubleMicros);
    recorded = Record(parcel, outcome);
  }
  stuck_ = false;
  Release(name, outcome.error.has_value());
}

Result<> Courier::Record(const Parcel& parcel, const Outcome& outcome) {
  const int attempts = parcel.due.attempts + 1;
  const std::int64_t now_us = rooms_.clock.NowMicros();
  double chance = 0;
  {
    MutexLock lock(mutex_);
    chance = random_.Uniform();
  }
  const bool delivered = !outcome.error;
  const bool dead = !delivered && attempts >= settings_.attempts_max;
  const std::string error =
      delivered ? std::string()
                : fmt::format("{} {}", outcome.error->gy(), outcome.error->message());
  const std::int64_t pause_us =
      std::max(PauseMicros(attempts, settings_.retry_us, chance), outcome.retry_after_us);
  const std::string payload = EventPayload(parcel.notice, parcel.due.channel, attempts, error);
  GYRE_DO(rooms_.database.Write([&](db::Transaction& tx) -> Result<> {
    GYRE_TRY(const bool written,
             WriteAttempt(tx, parcel.due,
                          {.state = delivered ? "delivered"
                                    : dead    ? "dead"
                                              : "waiting",
                           .attempts = attempts,
                           .next_us = delivered || dead ? now_us : now_us + pause_us,
                           .error = error,
                           .answer = outcome.answer},
                          now_us));
    if (!written || (!delivered && !dead)) return {};
    return rooms_.events.Publish(tx, {.kind = delivered ? "notice.delivered" : "notice.dead",
                                      .project = parcel.due.project,
                                      .subject = parcel.notice.id,
                                      .payload = payload});
  }));
  const auto count = [&](std::string_view name, std::string_view help) {
    rooms_.metrics
        .GetCounter(name, help, {{"project", parcel.due.project}, {"channel", parcel.due.channel}})
        .Add();
  };
  if (delivered) {
    count("gyre_notices_delivered_total", "Notices that a channel took.");
    kLog.Info("notice delivered", {{"project", parcel.due.project},
                                   {"channel", parcel.due.channel},
                                   {"notice", parcel.notice.id},
                                   {"attempt", attempts}});
    return {};
  }
  count("gyre_notices_failed_total", "Attempts to deliver a notice that failed.");
  if (dead) count("gyre_notices_dead_total", "Notices that a channel did not take at any attempt.");
  kLog.Warn(dead ? "notice is dead" : "notice not delivered", {{"project", parcel.due.project},
                                                               {"channel", parcel.due.channel},
                                                               {"notice", parcel.notice.id},
                                                               {"attempt", attempts},
                                                               {"error", error}});
  return {};
}

}  // namespace gyre::notices

#include "ledger/events/events.h"

#include <algorithm>
#include <utility>

#include "ledger/events/event_store.h"
#include "ledger/events/subscriber.h"

namespace gyre::events {
namespace {

class EventsImpl : public Events {
 public:
  EventsImpl(db::Database& database, const Clock& clock)
      : database_(database),
        clock_(clock),
        published_(std::make_shared<exec::News>()),
        moved_(std::make_shared<exec::News>()) {}

  ~EventsImpl() override {
    published_->End();
    moved_->End();
  }

  Result<> Publish(db::Transaction& tx, const NewEvent& event) override {
    GYRE_DO(InsertEvent(tx, event, clock_.NowMicros()));
    tx.AfterCommit([news = published_] { news->Tell(); });
    return {};
  }

  void Subscribe(Subscription subscription) override {
    GYRE_CHECK(!started_);
    GYRE_CHECK(std::ranges::none_of(
        subscribers_, [&](const auto& other) { return other->name() == subscription.name; }));
    subscribers_.push_back(std::make_unique<Subscriber>(std::move(subscription), database_, clock_,
                                                        published_, moved_));
  }

  Result<> Start() override {
    started_ = true;
    for (const auto& subscriber : subscribers_) GYRE_DO(subscriber->Start());
    return {};
  }

  Result<std::vector<Event>> List(const EventFilter& filter) override {
    std::vector<Event> events;
    GYRE_DO(database_.Read([&](db::Reader& reader) -> Result<> {
      GYRE_TRY(events, ReadEvents(reader, filter));
      return {};
    }));
    return events;
  }

  Result<std::vector<Parked>> ListParked() override {
    std::vector<Parked> parked;
    GYRE_DO(database_.Read([&](db::Reader& reader) -> Result<> {
      GYRE_TRY(parked, ReadParked(reader));
      return {};
    }));
    return parked;
  }

  Result<> Retry(std::string_view subscriber, std::int64_t sequence) override {
    GYRE_TRY(const auto parked, ListParked());
    const bool there = std::ranges::any_of(parked, [&](const Parked& p) {
      return p.subscriber == subscriber && p.event.sequence == sequence;
    });
    const auto found =
        std::ranges::find_if(subscribers_, [&](const auto& s) { return s->name() == subscriber; });
    if (!there || found == subscribers_.end()) {
      return NotFound("GY4101", "event {} is not parked for `{}`", sequence, subscriber)
          .Fix("gyre events parked");
    }
    (*found)->RetryParked(sequence);
    return {};
  }

  Result<bool> WaitForQuiet(std::int64_t timeout_us) override {
    const std::int64_t deadline_us = SystemClock().MonotonicMicros() + timeout_us;
    std::int64_t last = 0;
    GYRE_DO(database_.Read([&](db::Reader& reader) -> Result<> {
      GYRE_TRY(last, LastSequence(reader));
      return {};
    }));
    while (true) {
      const std::int64_t seen = moved_->count();
      if (std::ranges::all_of(subscribers_, [&](const auto& s) { return s->position() >= last; }))
        return true;
      if (!moved_->Wait(seen, deadline_us - SystemClock().MonotonicMicros())) return false;
    }
  }

  Result<bool> WaitForNews(std::int64_t after, std::int64_t timeout_us) override {
    const std::int64_t deadline_us = SystemClock().MonotonicMicros() + timeout_us;
    while (true) {
      const std::int64_t seen = published_->count();
      std::int64_t last = 0;
      GYRE_DO(database_.Read([&](db::Reader& reader) -> Result<> {
        GYRE_TRY(last, LastSequence(reader));
        return {};
      }));
      if (last > after) return true;
      if (!published_->Wait(seen, deadline_us - SystemClock().MonotonicMicros())) return false;
    }
  }

  Result<std::int64_t> Trim(std::int64_t before_us) override {
    std::int64_t removed = 0;
    GYRE_DO(database_.Write([&](db::Transaction& tx) -> Result<> {
      GYRE_TRY(removed, DeleteOld(tx, before_us));
      return {};
    }));
    return removed;
  }

 private:
  db::Database& database_;
  const Clock& clock_;
  const std::shared_ptr<exec::News> published_, moved_;
  bool started_ = false;
  std::vector<std::unique_ptr<Subscriber>> subscribers_;  // fixed after Start
};

}  // namespace

std::unique_ptr<Events> OpenEvents(db::Database& database, const Clock& clock) {
  return std::make_unique<EventsImpl>(database, clock);
}

}  // namespace gyre::events

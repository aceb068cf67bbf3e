#include "ledger/notices/notices.h"

#include <gtest/gtest.h>

#include <atomic>
#include <chrono>
#include <filesystem>
#include <thread>

#include "base/id.h"
#include "base/testing/set_clock.h"
#include "ledger/events/events.h"
#include "ledger/notices/courier.h"
#include "ledger/secrets/secrets.h"
#include "ledger/trash/trash.h"
#include "platform/net/egress.h"
#include "platform/telemetry/metrics.h"

namespace gyre::notices {
namespace {

class NoticesTest : public testing::Test {
 protected:
  void SetUp() override {
    directory_ = testing::TempDir() + "gyre_notices_" + NewId().substr(0, 12);
    std::filesystem::create_directories(directory_);
    database_ = *db::OpenSqlite({.path = directory_ + "/gyre.db"});
    const db::ModuleSchema schemas[] = {events::EventsSchema(), secrets::SecretsSchema(),
                                        trash::TrashSchema(), NoticesSchema()};
    ASSERT_TRUE(database_->Migrate(schemas));
    events_ = events::OpenEvents(*database_, clock_);
    secrets_ = *secrets::OpenSecrets(*database_, directory_ + "/master.key", clock_);
    notices_ = OpenNotices(Rooms(), {.threads = 0});
  }
  void TearDown() override {
    notices_.reset();
    secrets_.reset();
    events_.reset();
    database_.reset();
    std::filesystem::remove_all(directory_);
  }
  NoticeRooms Rooms() { return {*database_, *events_, *secrets_, metrics_, guard_, clock_}; }
  std::unique_ptr<Courier> MakeCourier(Settings settings = {.threads = 1}) {
    return std::make_unique<Courier>(
        Rooms(), settings,
        [this](const NewChannel& channel, const Notice& notice, const Interrupted&) {
          sent_.push_back(channel.name + ":" + notice.title);
          return broken_.contains(channel.name)
                     ? Outcome{MakeError(Code::kUnavailable, "GY4410", "broken"), "",
                               retry_after_us_}
                     : Outcome{std::nullopt, "200", 0};
        });
  }
  void Add(const std::string& name, Severity severity_min = Severity::kInfo) {
    const auto added = notices_->AddChannel({.project = "p",
                                             .name = name,
                                             .severity_min = severity_min,
                                             .webhook = "https://example.org/" + name},
                                            false, "ada");
    ASSERT_TRUE(added) << added.error().ToString();
  }
  std::string Tell(const std::string& title, NewNotice notice = {}) {
    notice.project = "p";
    notice.title = title;
    const auto published = notices_->Publish(Compose(std::move(notice)));
    EXPECT_TRUE(published);
    return published->id;
  }
  std::vector<std::string> TakeSent() { return std::exchange(sent_, {}); }
  std::string State(const std::string& id) { return std::string(notices_->Get("p", id)->state()); }
  std::vector<std::string> EventKinds() {
    std::vector<std::string> kinds;
    const auto events = events_->List({.after = 0});
    for (const events::Event& event : *events) kinds.push_back(event.kind);
    return kinds;
  }
  using Sent = std::vector<std::string>;

  SetClock clock_{1'795'000'000LL * kMicrosPerSecond};
  telemetry::Metrics metrics_;
  net::EgressGuard guard_;
  std::string directory_;
  std::unique_ptr<db::Database> database_;
  std::unique_ptr<events::Events> events_;
  std::unique_ptr<secrets::Secrets> secrets_;
  std::unique_ptr<Notices> notices_;
  std::vector<std::string> sent_;
  std::set<std::string> broken_;
  std::int64_t retry_after_us_ = 0;
};

TEST_F(NoticesTest, ExistsIfAndOnlyIfItsChangeDoes) {
  Add("ops");
  const Draft draft = Compose({.project = "p", .title = "undone"});
  EXPECT_FALSE(database_->Write([&](db::Transaction& tx) -> Result<> {
    GYRE_TRY([[maybe_unused]] const auto published, notices_->Publish(tx, draft));
    return FailedPrecondition("GY1000", "the change failed");
  }));
  EXPECT_EQ(notices_->Get("p", draft.id).error().gy(), "GY4406");
  EXPECT_FALSE(MakeCourier()->DeliverOne());
}

TEST_F(NoticesTest, AProgramsChannelGetsOnlyWhatNamesIt) {
  const NewChannel channel{.project = "p",
                           .name = "picky",
                           .webhook = "https://example.org/",
                           .format = "mlflow",
                           .only_named = true,
                           .kept = Json::Obj({{"a", 1}})};
  ASSERT_TRUE(notices_->AddChannel(channel, false, "ada"));
  EXPECT_EQ(notices_->GetChannel("p", "picky")->settings.kept, Json::Obj({{"a", 1}}));
  const auto courier = MakeCourier();
  Tell("for all");
  EXPECT_FALSE(courier->DeliverOne());
  Tell("for it", {.channels = {"picky"}});
  while (courier->DeliverOne()) continue;
  EXPECT_EQ(TakeSent(), Sent{"picky:for it"});
  EXPECT_EQ(
      notices_
          ->AddChannel(
              {.project = "p", .name = "x", .webhook = "https://example.org/", .format = "mlflow"},
              false, "ada")
          .error()
          .gy(),
      "GY4403");
}

TEST_F(NoticesTest, ReachesEveryChannelThatWantsItOrThoseItNames) {
  Add("all");
  Add("grave", Severity::kCritical);
  const auto courier = MakeCourier();
  const std::string id = Tell("small");
  while (courier->DeliverOne()) continue;
  EXPECT_EQ(TakeSent(), Sent{"all:small"});
  EXPECT_EQ(State(id), "delivered");
  Tell("large", {.severity = Severity::kCritical});
  Tell("named", {.channels = {"grave"}});
  while (courier->DeliverOne()) continue;
  EXPECT_EQ(TakeSent(), (Sent{"all:large", "grave:large", "grave:named"}));
  EXPECT_EQ(EventKinds(), Sent(4, "notice.delivered"));
  const Channel all = *notices_->GetChannel("p", "all");
  EXPECT_EQ(all.delivered, 2);
  EXPECT_EQ(all.waiting + all.dead, 0);
  EXPECT_NE(
      metrics_.ExposeText().find(R"(gyre_notices_delivered_total{project="p",channel="grave"} 2)"),
      std::string::npos)
      << metrics_.ExposeText();
}

TEST_F(NoticesTest, TheSecondOfAKeyIsTheFirst) {
  Add("ops");
  const std::string first = Tell("once", {.dedupe_key = "alert:1"});
  const auto again =
      notices_->Publish(Compose({.project = "p", .title = "twice", .dedupe_key = "alert:1"}));
  EXPECT_EQ(again->id, first);
  EXPECT_FALSE(again->fresh);
  EXPECT_NE(Tell("other", {.dedupe_key = "alert:2"}), first);
  EXPECT_EQ(notices_->List({.project = "p"})->size(), 2u);
}

TEST_F(NoticesTest, TriesAgainLaterAndLaterAndGivesUpInTheEnd) {
  Add("ops");
  broken_ = {"ops"};
  const auto courier = MakeCourier({.threads = 1, .attempts_max = 3});
  const std::string id = Tell("x");
  for (int attempt = 1; attempt <= 3; ++attempt) {
    EXPECT_TRUE(courier->DeliverOne()) << attempt;
    EXPECT_FALSE(courier->DeliverOne()) << "not before its time";
    const Delivery delivery = notices_->Get("p", id)->deliveries[0];
    EXPECT_EQ(delivery.attempts, attempt);
    EXPECT_EQ(delivery.error, "GY4410 broken");
    if (attempt < 3) clock_.now_us = delivery.next_us;
  }
  EXPECT_EQ(State(id), "dead");
  EXPECT_EQ(EventKinds(), Sent{"notice.dead"});
  EXPECT_EQ(notices_->GetChannel("p", "ops")->dead, 1);
  EXPECT_EQ(notices_->List({.project = "p", .state = "dead"})->size(), 1u);
  clock_.now_us += kMicrosPerDay;
  EXPECT_FALSE(courier->DeliverOne());

  broken_.clear();
  EXPECT_EQ(notices_->Retry("p", id.substr(0, 8))->state(), "waiting");
  EXPECT_TRUE(courier->DeliverOne());
  EXPECT_EQ(State(id), "delivered");
  EXPECT_EQ(notices_->Retry("p", id).error().gy(), "GY4408");
}

TEST_F(NoticesTest, WaitsAsLongAsTheReceiverAsks) {
  Add("ops");
  broken_ = {"ops"};
  retry_after_us_ = 600 * kMicrosPerSecond;
  const std::string id = Tell("x");
  EXPECT_TRUE(MakeCourier()->DeliverOne());
  EXPECT_EQ(notices_->Get("p", id)->deliveries[0].next_us, clock_.now_us + retry_after_us_);
}

TEST(PauseTest, GrowsToSixHoursAndJitters) {
  EXPECT_EQ(PauseMicros(1, kMicrosPerSecond, 0.5), kMicrosPerSecond);
  EXPECT_EQ(PauseMicros(3, kMicrosPerSecond, 0.5), 16 * kMicrosPerSecond);
  EXPECT_EQ(PauseMicros(1, kMicrosPerSecond, 0.0), 750'000);
  EXPECT_EQ(PauseMicros(1'000'000, kMicrosPerSecond, 0.5), kPauseMicrosMax);
}

TEST_F(NoticesTest, AClockThatIsPutBackHoldsNothingUp) {
  Add("ops");
  broken_ = {"ops"};
  const auto courier = MakeCourier();
  Tell("x");
  EXPECT_TRUE(courier->DeliverOne());
  clock_.now_us -= 365 * kMicrosPerDay;
  EXPECT_TRUE(courier->DeliverOne());
}

TEST_F(NoticesTest, AChannelThatIsGoneLosesNothing) {
  Add("ops");
  const std::string id = Tell("x"), named = Tell("y", {.channels = {"nobody"}});
  EXPECT_EQ(notices_->Get("p", named)->deliveries[0].error, "project p has no channel `nobody`");
  ASSERT_TRUE(notices_->RemoveChannel("p", "ops"));
  EXPECT_EQ(State(id), "dead");
  EXPECT_EQ(State(Tell("z")), "unsent");
  EXPECT_EQ(notices_->Retry("p", id).error().gy(), "GY4402");
  EXPECT_EQ(notices_->CheckChannels("p", {"ops"}).error().gy(), "GY4402");
  Add("ops");
  EXPECT_TRUE(notices_->CheckChannels("p", {"ops"}));
  EXPECT_TRUE(notices_->Retry("p", id));
  EXPECT_TRUE(MakeCourier()->DeliverOne());
  EXPECT_EQ(State(id), "delivered");
  EXPECT_EQ(notices_->RemoveChannel("p", "nobody").error().gy(), "GY4402");
}

TEST_F(NoticesTest, AChannelIsNamedOnceAndReplacedOnRequest) {
  Add("ops");
  const NewChannel other{.project = "p", .name = "ops", .webhook = "https://example.org/new"};
  EXPECT_EQ(notices_->AddChannel(other, false, "bob").error().gy(), "GY4405");
  broken_ = {"ops"};
  Tell("x");
  const auto courier = MakeCourier();
  EXPECT_TRUE(courier->DeliverOne());
  EXPECT_FALSE(courier->DeliverOne());
  EXPECT_EQ(notices_->AddChannel(other, true, "bob")->changed_by, "bob");
  EXPECT_TRUE(courier->DeliverOne()) << "what waited is tried at the new address at once";
  EXPECT_EQ(
      notices_
          ->AddChannel({.project = "p", .name = "in", .webhook = "http://127.0.0.1/"}, false, "bob")
          .error()
          .gy(),
      "GY1626");
  EXPECT_EQ(notices_->AddChannel({.project = "p", .name = "s", .webhook = "secret:none"}, false, "")
                .error()
                .gy(),
            "GY4142");
}

// A receiver that hangs holds one thread, and none of the others' turns.
TEST_F(NoticesTest, AReceiverThatHangsDelaysNobodyAndEndsWithUs) {
  Add("fast");
  Add("hangs");
  std::atomic<int> fast{0}, hanging{0};
  Courier courier(Rooms(), {.threads = 2},
                  [&](const NewChannel& channel, const Notice&, const Interrupted& interrupted) {
                    if (channel.name == "fast") {
                      ++fast;
                      return Outcome{};
                    }
                    ++hanging;
                    while (!interrupted())
                      std::this_thread::sleep_for(std::chrono::milliseconds(1));
                    return Outcome{MakeError(Code::kCancelled, "GY1625", "stopped"), "", 0};
                  });
  courier.Start();
  for (int i = 0; i < 20; ++i) {
    Tell("x");
    courier.news()->Tell();
  }
  while (fast < 20) std::this_thread::sleep_for(std::chrono::milliseconds(1));
  EXPECT_EQ(hanging, 1) << "one at a time";
  courier.Stop();
  const Channel hangs = *notices_->GetChannel("p", "hangs");
  EXPECT_EQ(hangs.waiting, 20);
  EXPECT_EQ(hangs.last_error, "") << "our own end is no attempt";
}

TEST_F(NoticesTest, ACommandDeliversOnlyWhatWasWrittenMeanwhile) {
  Add("ops");
  Tell("before");
  clock_.now_us += 1;
  const auto courier = MakeCourier({.threads = 1, .only_new = true});
  EXPECT_FALSE(courier->DeliverOne());
  Tell("meanwhile");
  EXPECT_TRUE(courier->DeliverOne());
  EXPECT_FALSE(courier->DeliverOne());
  EXPECT_EQ(TakeSent(), Sent{"ops:meanwhile"});
}

// While nothing can be written down, nobody is told the same again and again.
TEST_F(NoticesTest, AnAttemptThatCannotBeWrittenDownIsNotMadeAgain) {
  Add("ops");
  const auto courier = MakeCourier();
  const std::string id = Tell("x");
  ASSERT_TRUE(database_->Write([](db::Transaction& tx) {
    return tx.Execute(
        "CREATE TRIGGER full BEFORE UPDATE ON notice_delivery BEGIN SELECT RAISE(ABORT, 'full'); "
        "END",
        {});
  }));
  EXPECT_TRUE(courier->busy());
  courier->Start();
  while (courier->busy()) std::this_thread::sleep_for(std::chrono::milliseconds(1));
  for (int i = 0; i < 5; ++i) courier->news()->Tell();
  EXPECT_EQ(State(id), "waiting");
  ASSERT_TRUE(
      database_->Write([](db::Transaction& tx) { return tx.Execute("DROP TRIGGER full", {}); }));
  courier->news()->Tell();
  while (State(id) != "delivered") std::this_thread::sleep_for(std::chrono::milliseconds(1));
  courier->Stop();
  EXPECT_EQ(TakeSent(), Sent{"ops:x"});
}

TEST_F(NoticesTest, ACommandDoesNotWaitForAChannelThatFails) {
  Add("ops");
  broken_ = {"ops"};
  const auto courier = MakeCourier();
  Tell("x");
  Tell("y");
  EXPECT_TRUE(courier->busy());
  EXPECT_TRUE(courier->DeliverOne());
  EXPECT_FALSE(courier->busy());
}

TEST_F(NoticesTest, ForgetsWhatIsOldAndEnded) {
  Add("ops");
  Tell("delivered", {.dedupe_key = "k"});
  EXPECT_TRUE(MakeCourier()->DeliverOne());
  Tell("waiting");
  clock_.now_us += 100;
  Tell("young");
  EXPECT_EQ(*notices_->Trim(clock_.now_us), 1);
  EXPECT_EQ(notices_->List({.project = "p"})->size(), 2u);
  EXPECT_EQ(notices_->List({.project = "p", .state = "happy"}).error().gy(), "GY4409");
  EXPECT_EQ(notices_->Get("p", "").error().gy(), "GY4406");
}

}  // namespace
}  // namespace gyre::notices

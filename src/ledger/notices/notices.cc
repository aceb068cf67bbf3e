#include "ledger/notices/notices.h"

#include <algorithm>
#include <utility>

#include "base/id.h"
#include "base/text.h"
#include "ledger/notices/channel.h"
#include "ledger/notices/courier.h"
#include "ledger/notices/notice_store.h"
#include "ledger/secrets/secrets.h"
#include "platform/net/egress.h"
#include "platform/telemetry/metrics.h"

namespace gyre::notices {
namespace {

Result<Channel> MakeChannel(db::Reader& reader, const ChannelRow& row) {
  Channel channel;
  GYRE_TRY(channel.settings,
           SettingsFromText(row.project, row.name, row.severity_min, row.settings));
  channel.kind = KindOf(channel.settings);
  channel.created_us = row.created_us;
  channel.changed_us = row.changed_us;
  channel.changed_by = row.changed_by;
  GYRE_DO(CountDeliveries(reader, &channel));
  return channel;
}

class NoticesImpl : public Notices {
 public:
  NoticesImpl(const NoticeRooms& rooms, const Settings& settings)
      : rooms_(rooms),
        transmit_(MakeTransmit(rooms.secrets, rooms.guard, rooms.clock, settings.timeout_us)),
        courier_(rooms, settings, transmit_) {
    rooms.metrics.GaugeFunction("gyre_notices_waiting", "Notices that wait for their channel.", {},
                                [this] { return static_cast<double>(Waiting()); });
  }

  Result<Published> Publish(db::Transaction& tx, const Draft& draft) override {
    GYRE_TRY(Published published, InsertNotice(tx, draft, rooms_.clock.NowMicros()));
    if (published.fresh) tx.AfterCommit([news = courier_.news()] { news->Tell(); });
    return published;
  }
  Result<Published> Publish(const Draft& draft) override {
    Published published;
    GYRE_DO(rooms_.database.Write([&](db::Transaction& tx) -> Result<> {
      GYRE_TRY(published, Publish(tx, draft));
      return {};
    }));
    return published;
  }
  Result<> CheckChannels(std::string_view project, const std::vector<std::string>& names) override {
    return rooms_.database.Read([&](db::Reader& reader) -> Result<> {
      for (const std::string& name : names) {
        GYRE_TRY(const auto rows, ReadChannels(reader, project, name));
        if (rows.empty()) return NoChannel(project, name);
      }
      return {};
    });
  }

  Result<Channel> AddChannel(NewChannel channel, bool replace,
                             std::string_view changed_by) override;
  Result<std::vector<Channel>> ListChannels(std::string_view project) override {
    return Channels(project, "");
  }
  Result<Channel> GetChannel(std::string_view project, std::string_view name) override {
    if (name.empty()) return NoChannel(project, name);
    GYRE_TRY(std::vector<Channel> channels, Channels(project, name));
    if (channels.empty()) return NoChannel(project, name);
    return std::move(channels.front());
  }
  Result<> RemoveChannel(std::string_view project, std::string_view name) override {
    return rooms_.database.Write([&](db::Transaction& tx) {
      return notices::RemoveChannel(tx, {.project = project, .name = name, .by = "gyre"},
                                    rooms_.clock.NowMicros());
    });
  }
  Result<Trial> TryChannel(std::string_view project, std::string_view name,
                           const Json& payload) override;

  Result<std::vector<Notice>> List(const NoticeFilter& filter) override;
  Result<Notice> Get(std::string_view project, std::string_view id) override;
  Result<Notice> Retry(std::string_view project, std::string_view id) override;

  void Start() override { courier_.Start(); }
  void Stop() override { courier_.Stop(); }
  bool busy() override { return courier_.busy(); }
  Result<std::int64_t> Trim(std::int64_t before_us) override {
    std::int64_t removed = 0;
    GYRE_DO(rooms_.database.Write([&](db::Transaction& tx) -> Result<> {
      GYRE_TRY(removed, DeleteOld(tx, before_us));
      return {};
    }));
    return removed;
  }

 private:
  Result<std::vector<Channel>> Channels(std::string_view project, std::string_view name);
  std::int64_t Waiting() {
    std::int64_t waiting = 0;
    const auto read = rooms_.database.Read([&](db::Reader& reader) -> Result<> {
      GYRE_TRY(waiting, CountWaiting(reader));
      return {};
    });
    return read ? waiting : 0;
  }

  const NoticeRooms rooms_;
  const Transmit transmit_;
  Courier courier_;
};

Result<std::vector<Channel>> NoticesImpl::Channels(std::string_view project,
                                                   std::string_view name) {
  std::vector<Channel> channels;
  GYRE_DO(rooms_.database.Read([&](db::Reader& reader) -> Result<> {
    GYRE_TRY(const auto rows, ReadChannels(reader, project, name));
    for (const ChannelRow& row : rows) {
      GYRE_TRY(channels.emplace_back(), MakeChannel(reader, row));
    }
    return {};
  }));
  return channels;
}

Result<Channel> NoticesImpl::AddChannel(NewChannel channel, bool replace,
                                        std::string_view changed_by) {
  GYRE_TRY(const NewChannel settings, Completed(std::move(channel)));
  for (const std::string& text : {settings.webhook, settings.secret, settings.password}) {
    if (!IsReference(text)) continue;
    GYRE_TRY([[maybe_unused]] const std::string value,
             rooms_.secrets.Resolve(settings.project, text));
  }
  std::string host;
  if (KindOf(settings) == ChannelKind::kSmtp) {
    GYRE_TRY(const MailAddress server, SplitMailServer(settings.smtp));
    host = server.host;
  } else if (!IsReference(settings.webhook)) {
    GYRE_TRY(const WebAddress address, SplitWebAddress(settings.webhook));
    host = address.host;
  }
  GYRE_DO(rooms_.guard.CheckHost(host));
  const std::int64_t now_us = rooms_.clock.NowMicros();
  const ChannelRow row{.project = settings.project,
                       .name = settings.name,
                       .severity_min = settings.severity_min,
                       .settings = SettingsToText(settings),
                       .changed_by = std::string(changed_by),
                       .created_us = now_us,
                       .changed_us = now_us,
                       .only_named = settings.only_named};
  GYRE_DO(rooms_.database.Write([&](db::Transaction& tx) -> Result<> {
    GYRE_TRY(const bool put, PutChannel(tx, row, replace));
    if (!put)
      return MakeError(Code::kAlreadyExists, "GY4405", "project {} has a channel `{}` already",
                       row.project, row.name)
          .Fix("gyre channels add ... --replace")
          .Fix(fmt::format("gyre channels rm {}", row.name));
    tx.AfterCommit([news = courier_.news()] { news->Tell(); });
    return {};
  }));
  return GetChannel(settings.project, settings.name);
}

Result<Trial> NoticesImpl::TryChannel(std::string_view project, std::string_view name,
                                      const Json& payload) {
  GYRE_TRY(const Channel channel, GetChannel(project, name));
  Notice notice;
  notice.id = NewId();
  notice.project = project;
  notice.kind = "channel.test";
  notice.title = fmt::format("channel {} works", name);
  notice.text = "Somebody asked gyre to try this channel. There is nothing to do.";
  notice.links = "[]";
  notice.payload = payload.is_object() ? payload.Dump() : "{}";
  notice.created_us = rooms_.clock.NowMicros();
  const std::int64_t begin_us = rooms_.clock.MonotonicMicros();
  const Outcome outcome = transmit_(channel.settings, notice, courier_.interrupted());
  Trial trial;
  trial.delivered = !outcome.error;
  trial.answer = outcome.answer;
  trial.seconds = static_cast<double>(rooms_.clock.MonotonicMicros() - begin_us) / kMicrosPerSecond;
  if (outcome.error) {
    trial.error = fmt::format("{} {}", outcome.error->gy(), outcome.error->message());
    if (!outcome.error->why().empty()) trial.error += "; " + outcome.error->why();
    trial.fix = Join(outcome.error->fixes(), "; ");
  }
  return trial;
}

Result<std::vector<Notice>> NoticesImpl::List(const NoticeFilter& filter) {
  constexpr std::string_view kStates[] = {"", "waiting", "delivered", "dead", "unsent"};
  if (std::ranges::find(kStates, filter.state) == std::end(kStates))
    return InvalidArgument("GY4409", "there is no state `{}` of a notice", filter.state)
        .Fix("waiting, delivered, dead or unsent");
  std::vector<Notice> notices;
  GYRE_DO(rooms_.database.Read([&](db::Reader& reader) -> Result<> {
    GYRE_TRY(notices, ReadNotices(reader, filter));
    return {};
  }));
  return notices;
}

Result<Notice> NoticesImpl::Get(std::string_view project, std::string_view id) {
  std::vector<Notice> notices;
  GYRE_DO(rooms_.database.Read([&](db::Reader& reader) -> Result<> {
    GYRE_TRY(notices, ReadNoticesBeginning(reader, project, id, 2));
    return {};
  }));
  if (id.empty() || notices.empty())
    return NotFound("GY4406", "project {} has no notice `{}`", project, id).Fix("gyre notices");
  if (notices.size() > 1)
    return InvalidArgument("GY4407", "several notices begin with `{}`", id).Fix("write more of it");
  return std::move(notices.front());
}

Result<Notice> NoticesImpl::Retry(std::string_view project, std::string_view id) {
  GYRE_TRY(const Notice notice, Get(project, id));
  const auto dead = std::ranges::find(notice.deliveries, "dead", &Delivery::state);
  if (dead == notice.deliveries.end())
    return FailedPrecondition("GY4408", "no channel has given notice {} up: it is {}", notice.id,
                              notice.state());
  GYRE_DO(rooms_.database.Write([&](db::Transaction& tx) -> Result<> {
    GYRE_TRY(const std::int64_t revived, Revive(tx, notice.sequence, rooms_.clock.NowMicros()));
    if (revived == 0) return NoChannel(project, dead->channel);
    tx.AfterCommit([news = courier_.news()] { news->Tell(); });
    return {};
  }));
  return Get(project, notice.id);
}

}  // namespace

std::string_view Notice::state() const {
  if (deliveries.empty()) return "unsent";
  for (const std::string_view state : {"dead", "waiting"}) {
    if (std::ranges::find(deliveries, state, &Delivery::state) != deliveries.end()) return state;
  }
  return "delivered";
}

std::unique_ptr<Notices> OpenNotices(const NoticeRooms& rooms, Settings settings) {
  return std::make_unique<NoticesImpl>(rooms, settings);
}

}  // namespace gyre::notices

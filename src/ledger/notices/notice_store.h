// The SQL of this module.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "ledger/notices/notices.h"
#include "ledger/trash/trash.h"

namespace gyre::notices {

// A channel waits for no more than this; what comes then is dead at once, and said so.
constexpr std::int64_t kWaitingMax = 10'000;

Result<Published> InsertNotice(db::Transaction& tx, const Draft& draft, std::int64_t now_us);

struct ChannelRow {
  std::string project, name;
  Severity severity_min = Severity::kInfo;
  std::string settings;
  std::string changed_by;
  std::int64_t created_us = 0, changed_us = 0;
  bool only_named = false;
};
// False when there is one of that name and it may not be replaced.
Result<bool> PutChannel(db::Transaction& tx, const ChannelRow& row, bool replace);
Error NoChannel(std::string_view project, std::string_view name);
// Into the trash. Error: kNotFound GY4402.
Result<> RemoveChannel(db::Transaction& tx, const trash::Asked& asked, std::int64_t now_us);
// All of a project, or the one of that name.
Result<std::vector<ChannelRow>> ReadChannels(db::Reader& reader, std::string_view project,
                                             std::string_view name = {});
// Fills in what the deliveries say.
Result<> CountDeliveries(db::Reader& reader, Channel* channel);

Result<std::vector<Notice>> ReadNotices(db::Reader& reader, const NoticeFilter& filter);
Result<std::vector<Notice>> ReadNoticesBeginning(db::Reader& reader, std::string_view project,
                                                 std::string_view id, int limit);
// How many are given once more: dead ones whose channel is there.
Result<std::int64_t> Revive(db::Transaction& tx, std::int64_t notice, std::int64_t now_us);
Result<std::int64_t> DeleteOld(db::Transaction& tx, std::int64_t before_us);

// What is next in line for a channel.
struct Due {
  std::string project, channel;
  std::int64_t notice = 0;  // its sequence
  int attempts = 0;
  std::int64_t next_us = 0;
};
// One for each channel that something waits for, earliest first; only what changed since then.
Result<std::vector<Due>> ReadDue(db::Reader& reader, std::int64_t since_us);
struct Parcel {
  Due due;
  NewChannel channel;
  Notice notice;
};
// Nothing when it is not waiting any more.
Result<std::optional<Parcel>> ReadParcel(db::Reader& reader, const Due& due);

struct Attempted {
  std::string_view state;  // waiting, delivered, dead
  int attempts = 0;
  std::int64_t next_us = 0;
  std::string_view error, answer;
};
// False when it was not waiting any more: somebody removed the channel meanwhile.
Result<bool> WriteAttempt(db::Transaction& tx, const Due& due, const Attempted& attempted,
                          std::int64_t now_us);
Result<std::int64_t> CountWaiting(db::Reader& reader);

}  // namespace gyre::notices

#include "ledger/notices/trash_kind.h"

#include "ledger/notices/notice_store.h"

namespace gyre::notices {

trash::Kind ChannelTrash(db::Database& database, const Clock& clock) {
  return {.noun = "channel",
          .permission = "channel.write",
          .names = {{"notice_channel", "name"}},
          .remove = [&](const trash::Asked& asked) -> Result<std::string> {
            GYRE_DO(database.Write(
                [&](db::Transaction& tx) { return RemoveChannel(tx, asked, clock.NowMicros()); }));
            return std::string(asked.name);
          }};
}

trash::Holding HeldChannels() {
  return {.what = "channels",
          .count = "SELECT COUNT(*) FROM notice_channel WHERE project = ?1",
          .rows = {{"notice_channel"}}};
}

}  // namespace gyre::notices

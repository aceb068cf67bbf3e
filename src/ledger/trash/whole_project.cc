// A whole project at once: what every room holds of it, in one parcel.
#include "base/text.h"
#include "ledger/trash/trash.h"

namespace gyre::trash {
namespace {

Result<std::int64_t> Count(db::Reader& reader, std::string_view sql, std::string_view project) {
  std::int64_t count = 0;
  GYRE_DO(reader.QueryOne(sql, {project}, [&](const db::Row& row) { count = row.Int(0); }));
  return count;
}

}  // namespace

Result<std::vector<Held>> Trash::HeldBy(std::string_view project) const {
  std::vector<Held> held;
  GYRE_DO(database_.Read([&](db::Reader& reader) -> Result<> {
    for (const Holding& holding : holdings_) {
      if (holding.what.empty()) continue;
      GYRE_TRY(const std::int64_t count, Count(reader, holding.count, project));
      if (count > 0) held.push_back({std::string(holding.what), count});
    }
    return {};
  }));
  return held;
}

Result<> Trash::TakeHolding(db::Transaction& tx, Parcel& parcel, const Holding& holding,
                            std::string_view project) const {
  if (!holding.busy.empty()) {
    GYRE_TRY(const std::int64_t busy, Count(tx, holding.busy, project));
    if (busy > 0)
      return FailedPrecondition("GY5010", "project `{}` is at work: {} of its {} have not ended",
                                project, busy, holding.what)
          .Fix(fmt::format("{} --project {}    (cancel them, or wait)", holding.see, project));
  }
  for (const Holding::Blobs& blobs : holding.blobs) {
    GYRE_TRY(const auto owners,
             db::Collect<std::string>(tx, blobs.owners, {project},
                                      [](const db::Row& row) { return row.Str(0); }));
    for (const std::string& owner : owners) GYRE_DO(parcel.TakeBlobs(blobs.owner_kind, owner));
  }
  for (const Holding::Rows& rows : holding.rows)
    GYRE_DO(parcel.Take(rows.table, rows.condition, {project}));
  return {};
}

Result<> Trash::TakeAll(const Removal& removal,
                        const std::function<Result<>(db::Transaction&, Parcel&)>& with) const {
  for (const Holding& holding : holdings_)
    if (holding.before) GYRE_DO(holding.before(removal.project));
  GYRE_DO(database_.Write([&](db::Transaction& tx) -> Result<> {
    GYRE_TRY(Parcel parcel, Parcel::Begin(tx, removal));
    for (const Holding& holding : holdings_)
      GYRE_DO(TakeHolding(tx, parcel, holding, removal.project));
    return with(tx, parcel);
  }));
  return FollowAll();
}

Result<> Trash::FollowAll() const {
  for (const Holding& holding : holdings_)
    if (holding.changed) GYRE_DO(holding.changed());
  return {};
}

}  // namespace gyre::trash

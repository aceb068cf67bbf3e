// References to blobs, and the collector of what nobody refers to.
#include <vector>

#include "platform/blob/blob_store.h"

namespace gyre::blob {
namespace {

constexpr std::size_t kCollectBatch = 100;  // one short transaction each

using Digests = std::vector<Digest>;

// Commits "these are going" for those without a reference; from then on AddRef refuses them.
Result<Digests> Condemn(db::Database& database, const Digests& candidates) {
  Digests condemned;
  GYRE_DO(database.Write([&](db::Transaction& tx) -> Result<> {
    for (const Digest& digest : candidates) {
      GYRE_TRY(const bool referred, tx.QueryOne("SELECT 1 FROM blob_ref WHERE digest = ?1 LIMIT 1",
                                                {digest}, [](const db::Row&) {}));
      if (referred) continue;
      GYRE_DO(tx.Execute(
          "INSERT INTO blob_condemned (digest) VALUES (?1) ON CONFLICT (digest) DO NOTHING",
          {digest}));
      condemned.push_back(digest);
    }
    return {};
  }));
  return condemned;
}

Result<> Acquit(db::Database& database, const Digests& digests) {
  return database.Write([&](db::Transaction& tx) -> Result<> {
    for (const Digest& digest : digests)
      GYRE_DO(tx.Execute("DELETE FROM blob_condemned WHERE digest = ?1", {digest}));
    return {};
  });
}

}  // namespace

Result<> AddRef(db::Transaction& tx, std::string_view owner_kind, std::string_view owner_id,
                const Object& object) {
  GYRE_TRY(const bool going, tx.QueryOne("SELECT 1 FROM blob_condemned WHERE digest = ?1",
                                         {object.digest}, [](const db::Row&) {}));
  if (going) {
    return Error(Code::kAborted, "GY1505",
                 fmt::format("blob {} is just being removed, because nothing referred to it",
                             object.digest))
        .Fix("try again: its bytes are then stored anew");
  }
  return tx.Execute(
      "INSERT INTO blob_ref (owner_kind, owner_id, digest, size_bytes) VALUES (?1, ?2, ?3, ?4) ON "
      "CONFLICT DO NOTHING",
      {owner_kind, owner_id, object.digest, object.size_bytes});
}

Result<> DropRefs(db::Transaction& tx, std::string_view owner_kind, std::string_view owner_id) {
  return tx.Execute("DELETE FROM blob_ref WHERE owner_kind = ?1 AND owner_id = ?2",
                    {owner_kind, owner_id});
}

Result<CollectResult> Collect(db::Database& database, Store& store, std::int64_t grace_us,
                              std::int64_t now_us) {
  CollectResult result;
  const std::int64_t older_than_us = now_us - grace_us;
  Digests candidates;
  const auto flush = [&]() -> Result<> {
    GYRE_TRY(const Digests condemned, Condemn(database, candidates));
    for (const Digest& digest : condemned) {
      GYRE_TRY(const std::int64_t removed_bytes, store.RemoveIfUnused(digest, older_than_us));
      if (removed_bytes < 0) continue;
      ++result.removed;
      --result.kept;
      result.removed_bytes += removed_bytes;
    }
    candidates.clear();
    return condemned.empty() ? Result<>() : Acquit(database, condemned);
  };
  // What a collector that was killed had condemned: nothing refers to it, so its file may go now,
  // or is gone.
  GYRE_DO(database.Read([&](db::Reader& reader) {
    return reader.Query("SELECT digest FROM blob_condemned", {},
                        [&](const db::Row& row) -> Result<> {
                          candidates.push_back(row.Str(0));
                          return {};
                        });
  }));
  result.kept = std::ssize(candidates);
  GYRE_DO(flush());
  result.kept = 0;
  GYRE_DO(store.ForEach([&](const Object& object) -> Result<> {
    ++result.kept;
    candidates.push_back(object.digest);
    return candidates.size() < kCollectBatch ? Result<>() : flush();
  }));
  GYRE_DO(flush());
  return result;
}

Result<CheckResult> Check(db::Database& database, Store& store, bool deep) {
  CheckResult result;
  GYRE_DO(database.Read([&](db::Reader& reader) {
    const auto sql =
        "SELECT digest, size_bytes, min(owner_kind || ' ' || owner_id) FROM blob_ref GROUP BY "
        "digest, size_bytes ORDER BY digest";
    return reader.Query(sql, {}, [&](const db::Row& row) -> Result<> {
      const Digest digest = row.Str(0);
      const auto stream = store.Open(digest);
      if (!stream) {
        result.problems.push_back(
            fmt::format("{}, needed by {}", stream.error().message(), row.Text(2)));
      } else if ((*stream)->size_bytes() != row.Int(1)) {
        result.problems.push_back(fmt::format("blob {} has {} bytes, {} expects {}", digest,
                                              (*stream)->size_bytes(), row.Text(2), row.Int(1)));
      }
      return {};
    });
  }));
  GYRE_DO(store.ForEach([&](const Object& object) -> Result<> {
    ++result.objects;
    if (!deep) return {};
    if (const auto sound = store.Verify(object.digest); !sound)
      result.problems.push_back(sound.error().message());
    return {};
  }));
  return result;
}

}  // namespace gyre::blob

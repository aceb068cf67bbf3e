// References to blobs, and the collector of what nobody refers to.
#include <map>
#include <set>
#include <vector>

#include "platform/blob/blob_store.h"
#include "platform/blob/copied_refs.h"
#include "platform/blob/discard.h"

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

Result<> Discard(db::Transaction& tx, const Digest& digest) {
  return tx.Execute(
      "INSERT INTO blob_condemned (digest) SELECT ?1 WHERE NOT EXISTS (SELECT 1 FROM blob_ref "
      "WHERE "
      "digest = ?1) ON CONFLICT (digest) DO NOTHING",
      {digest});
}

Result<CollectResult> RemoveDiscarded(db::Database& database, Store& store) {
  CollectResult result;
  Digests discarded, gone;
  GYRE_DO(database.Read([&](db::Reader& reader) -> Result<> {
    GYRE_TRY(discarded, db::Collect<Digest>(reader, "SELECT digest FROM blob_condemned", {},
                                            [](const db::Row& row) { return row.Str(0); }));
    return {};
  }));
  for (const Digest& digest : discarded) {
    GYRE_TRY(const std::int64_t removed_bytes, store.RemoveIfUnused(digest, INT64_MAX));
    if (removed_bytes >= 0) {
      ++result.removed;
      result.removed_bytes += removed_bytes;
    }
    GYRE_TRY(const bool there, store.Exists(digest));
    if (!there) gone.push_back(digest);
  }
  if (!gone.empty()) GYRE_DO(Acquit(database, gone));
  return result;
}

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

Result<> DropRef(db::Transaction& tx, std::string_view owner_kind, std::string_view owner_id,
                 const Digest& digest) {
  return tx.Execute("DELETE FROM blob_ref WHERE owner_kind = ?1 AND owner_id = ?2 AND digest = ?3",
                    {owner_kind, owner_id, digest});
}

Result<std::vector<Object>> ReferencedAfter(db::Reader& reader, const Digest& digest,
                                            std::int64_t limit) {
  return db::Collect<Object>(reader,
                             "SELECT digest, max(size_bytes) FROM blob_ref WHERE digest > ?1 GROUP "
                             "BY digest ORDER BY digest LIMIT ?2",
                             {digest, limit},
                             [](const db::Row& row) { return Object{row.Str(0), row.Int(1)}; });
}

Result<> CopyRefs(db::Transaction& tx, const Owner& from, const Owner& to) {
  return tx.Execute(
      "INSERT INTO blob_ref (owner_kind, owner_id, digest, size_bytes) SELECT ?3, ?4, digest, "
      "size_bytes FROM blob_ref WHERE owner_kind = ?1 AND owner_id = ?2 "
      "ON CONFLICT (owner_kind, owner_id, digest) DO NOTHING",
      {from.kind, from.id, to.kind, to.id});
}

Result<std::optional<std::int64_t>> ReferencedSize(db::Database& database, const Digest& digest) {
  std::optional<std::int64_t> size;
  GYRE_DO(database.Read([&](db::Reader& reader) -> Result<> {
    GYRE_DO(reader.QueryOne("SELECT size_bytes FROM blob_ref WHERE digest = ?1 LIMIT 1", {digest},
                            [&](const db::Row& row) { size = row.Int(0); }));
    return {};
  }));
  return size;
}

Result<CollectResult> Collect(db::Database& database, Store& store, std::int64_t grace_us,
                              std::int64_t now_us) {
  // Also what a collector that was killed had condemned.
  GYRE_TRY(CollectResult result, RemoveDiscarded(database, store));
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
  GYRE_DO(store.ForEach([&](const Object& object) -> Result<> {
    ++result.kept;
    // A writer who is about to refer to it is not told to try again.
    GYRE_TRY(const bool unused, store.IsUnused(object.digest, older_than_us));
    if (unused) candidates.push_back(object.digest);
    return candidates.size() < kCollectBatch ? Result<>() : flush();
  }));
  GYRE_DO(flush());
  return result;
}

namespace {

struct Needed {
  std::int64_t size_bytes = 0;
  std::vector<Owner> owners;
};
using NeededByDigest = std::map<Digest, Needed>;

Result<NeededByDigest> ReadNeeded(db::Database& database) {
  NeededByDigest needed;
  GYRE_DO(database.Read([&](db::Reader& reader) {
    return reader.Query("SELECT digest, size_bytes, owner_kind, owner_id FROM blob_ref", {},
                        [&](const db::Row& row) -> Result<> {
                          Needed& one = needed[row.Str(0)];
                          one.size_bytes = row.Int(1);
                          one.owners.push_back({row.Str(2), row.Str(3)});
                          return {};
                        });
  }));
  return needed;
}

Result<> CheckPresence(Store& store, const Digest& digest, const Needed& needed) {
  GYRE_TRY(const auto stream, store.Open(digest));
  if (stream->size_bytes() == needed.size_bytes) return {};
  return MakeError(Code::kDataLoss, "GY1502", "blob {} is damaged: it has {} bytes, not {}", digest,
                   stream->size_bytes(), needed.size_bytes);
}

}  // namespace

Result<CheckResult> Check(db::Database& database, Store& store, const CheckOptions& options) {
  CheckResult result;
  GYRE_TRY(NeededByDigest needed, ReadNeeded(database));
  std::vector<Object> objects;
  std::int64_t all_bytes = 0;
  GYRE_DO(store.ForEach([&](const Object& object) -> Result<> {
    objects.push_back(object);
    all_bytes += object.size_bytes;
    return {};
  }));
  result.objects = std::ssize(objects);
  std::set<Digest> complained;
  for (const auto& [digest, need] : needed) {
    const auto there = CheckPresence(store, digest, need);
    if (there) continue;
    complained.insert(digest);
    result.problems.push_back({{digest, need.size_bytes}, there.error().message(), need.owners});
  }
  if (!options.contents) return result;
  for (const Object& object : objects) {
    const auto sound = store.Verify(object.digest);
    const bool gone = !sound && sound.error().code() == Code::kNotFound;  // collected meanwhile
    if (!sound && !gone && !complained.contains(object.digest))
      result.problems.push_back({object, sound.error().message(), needed[object.digest].owners});
    result.bytes_read += object.size_bytes;
    if (options.progress) GYRE_DO(options.progress(result.bytes_read, all_bytes));
  }
  return result;
}

}  // namespace gyre::blob

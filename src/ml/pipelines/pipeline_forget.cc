// What is forgotten of runs that ended long ago.
#include <algorithm>

#include "ledger/trash/parcel.h"
#include "ml/pipelines/pipeline_store.h"

namespace gyre::pipelines {
namespace {

constexpr std::int64_t kRunsMax = 100'000;            // of one time; the rest waits for the next
constexpr std::int64_t kRowsOfOneWrite = 2'000;       // keeps a closure short
constexpr std::int64_t kGraceMicros = 3'600'000'000;  // for who has just found a result

// False: there was more than `left`, its row stays for now.
Result<bool> ForgetRun(db::Transaction& tx, std::string_view id, std::int64_t* left) {
  for (const std::string_view table : {"pipeline_approval", "pipeline_attempt", "pipeline_task"}) {
    const std::int64_t most = std::max<std::int64_t>(*left, 1);
    GYRE_DO(tx.Execute(fmt::format("DELETE FROM {0} WHERE rowid IN (SELECT rowid FROM {0} WHERE "
                                   "run_id = ?1 LIMIT ?2)",
                                   table),
                       {id, most}));
    *left -= tx.changes();
    if (tx.changes() == most) return false;
  }
  GYRE_DO(blob::DropRefs(tx, kRunOwner, id));
  GYRE_DO(tx.Execute("DELETE FROM pipeline_run WHERE id = ?1", {id}));
  --*left;
  return true;
}

}  // namespace

Result<std::vector<std::string>> PipelineStore::EndedBefore(std::int64_t before_us) {
  std::vector<std::string> ids;
  GYRE_DO(database_.Read([&](db::Reader& reader) -> Result<> {
    // What began it, if another run did, is the beginning of its key.
    GYRE_TRY(ids, db::Collect<std::string>(
                      reader,
                      "SELECT id FROM pipeline_run AS r WHERE created_us < ?1 AND ended_us < ?1 "
                      "AND state <> 'running' AND NOT EXISTS (SELECT 1 FROM pipeline_run AS p "
                      "WHERE p.id = SUBSTR(r.start_key, 1, 32) AND p.state = 'running') ORDER BY "
                      "created_us LIMIT ?2",
                      {before_us, kRunsMax}, [](const db::Row& row) { return row.Str(0); }));
    return {};
  }));
  return ids;
}

Result<> PipelineStore::Forget(const std::vector<std::string>& run_ids) {
  std::size_t done = 0;
  while (done < run_ids.size()) {
    std::size_t next = done;
    GYRE_DO(database_.Write([&](db::Transaction& tx) -> Result<> {
      next = done;
      for (std::int64_t left = kRowsOfOneWrite; left > 0 && next < run_ids.size(); ++next) {
        GYRE_TRY(const bool whole, ForgetRun(tx, run_ids[next], &left));
        if (!whole) break;
      }
      return {};
    }));
    done = next;
  }
  return {};
}

Result<std::int64_t> PipelineStore::ForgetCached(std::int64_t now_us) {
  struct Key {
    std::string project, key;
  };
  std::int64_t all = 0;
  for (std::size_t found = kRowsOfOneWrite; found == kRowsOfOneWrite;) {
    GYRE_DO(database_.Write([&](db::Transaction& tx) -> Result<> {
      GYRE_TRY(const std::vector<Key> keys,
               db::Collect<Key>(
                   tx,
                   "SELECT project, cache_key FROM pipeline_cache AS c WHERE expires_us > 0 AND "
                   "expires_us < ?1 AND NOT EXISTS (SELECT 1 FROM pipeline_run AS r WHERE r.id = "
                   "c.run_id) LIMIT ?2",
                   {now_us - kGraceMicros, kRowsOfOneWrite},
                   [](const db::Row& row) { return Key{row.Str(0), row.Str(1)}; }));
      for (const Key& key : keys) {
        GYRE_DO(blob::DropRefs(tx, kCacheOwner, CacheOwnerId(key.project, key.key)));
        GYRE_DO(tx.Execute("DELETE FROM pipeline_cache WHERE project = ?1 AND cache_key = ?2",
                           {key.project, key.key}));
      }
      found = keys.size();
      return {};
    }));
    all += static_cast<std::int64_t>(found);
  }
  return all;
}

Result<bool> PipelineStore::HasRun(std::string_view id) {
  bool has = false;
  GYRE_DO(database_.Read([&](db::Reader& reader) -> Result<> {
    GYRE_TRY(has, reader.QueryOne("SELECT 1 FROM pipeline_run WHERE id = ?1", {id},
                                  [](const db::Row&) {}));
    if (has) return {};
    GYRE_TRY(has, trash::Holds(reader, "pipeline_run", id));  // its logs come back with it
    return {};
  }));
  return has;
}

}  // namespace gyre::pipelines

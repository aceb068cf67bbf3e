#include "gyre/storage_meter.h"

#include <algorithm>
#include <map>
#include <set>
#include <string>
#include <tuple>
#include <utility>

#include "ledger/usage/usage.h"

namespace gyre {
namespace {

constexpr std::int64_t kHoursMax = 31 * 24;

// Whose blob: rank, project, kind, id, label, user, digest, bytes, since when. Every owner kind of
// blob_ref.
constexpr std::string_view kOwners =
    "SELECT 1, d.project, 'dataset', d.id, d.name, v.created_by, r.digest, r.size_bytes, "
    "v.created_us FROM blob_ref r JOIN dataset_version v ON v.id = r.owner_id JOIN dataset d "
    "ON d.id = v.dataset_id WHERE r.owner_kind = 'dataset_version' "
    "UNION ALL SELECT 2, m.project, 'model', m.id, m.name, v.created_by, r.digest, "
    "r.size_bytes, v.created_us FROM blob_ref r JOIN registry_version v ON v.id = r.owner_id "
    "JOIN registry_model m ON m.id = v.model_id WHERE r.owner_kind = 'model_version' "
    "UNION ALL SELECT 3, t.project, 'run', t.id, t.name, t.created_by, r.digest, r.size_bytes, "
    "t.created_us FROM blob_ref r JOIN tracking_run t ON t.id = r.owner_id WHERE r.owner_kind "
    "= 'run' "
    "UNION ALL SELECT 4, p.project, 'pipeline_run', p.id, p.pipeline || ' ' || substr(p.id, 1, "
    "8), p.created_by, r.digest, r.size_bytes, p.created_us FROM blob_ref r JOIN pipeline_run "
    "p ON p.id = r.owner_id WHERE r.owner_kind = 'pipeline_run' "
    "UNION ALL SELECT 5, e.project, 'evaluation', e.id, '', e.created_by, r.digest, "
    "r.size_bytes, e.created_us FROM blob_ref r JOIN evaluation_record e ON e.id = r.owner_id "
    "WHERE r.owner_kind = 'evaluation' "
    "UNION ALL SELECT 6, e.project, 'endpoint', e.name, e.name, d.deployed_by, r.digest, "
    "r.size_bytes, d.created_us FROM blob_ref r JOIN serving_deployment d ON d.id = r.owner_id "
    "JOIN serving_endpoint e ON e.id = d.endpoint_id WHERE r.owner_kind = 'serving_deployment' "
    "UNION ALL SELECT 6, s.project, 'endpoint', s.endpoint, s.endpoint, '', r.digest, "
    "r.size_bytes, s.sealed_us FROM blob_ref r JOIN inference_segment s ON s.id = r.owner_id "
    "WHERE r.owner_kind = 'inference_segment' "
    "UNION ALL SELECT 6, l.project, 'endpoint', l.endpoint, l.endpoint, '', r.digest, "
    "r.size_bytes, l.received_us FROM blob_ref r JOIN inference_label_batch l ON l.id = "
    "r.owner_id WHERE r.owner_kind = 'inference_label_batch' "
    "UNION ALL SELECT 7, c.project, 'pipeline', c.pipeline, c.pipeline, '', r.digest, "
    "r.size_bytes, c.created_us FROM blob_ref r JOIN pipeline_cache c ON c.project || '/' || "
    "c.cache_key = r.owner_id WHERE r.owner_kind = 'pipeline_cache' "
    "ORDER BY 1, 4, 7";

struct Owner {
  std::string project, kind, id, user;
  auto operator<=>(const Owner&) const = default;
};
struct Stored {
  std::string label;
  std::int64_t byte_hours = 0;
};

Result<std::int64_t> LastHour(db::Reader& reader) {
  std::int64_t last_us = 0;
  GYRE_TRY([[maybe_unused]] const bool found,
           reader.QueryOne("SELECT MAX(hour_us) FROM usage_storage_hour", {},
                           [&](const db::Row& row) { last_us = row.Int(0); }));
  return last_us;
}

// Of the last `hours` those in which it was there: the hour that it came in counts.
std::int64_t HoursThere(std::int64_t since_us, std::int64_t hour_us, std::int64_t hours) {
  const std::int64_t before = hour_us - (since_us - since_us % usage::kMicrosPerHour);
  return std::clamp(before / usage::kMicrosPerHour + 1, std::int64_t{1}, hours);
}

Result<std::map<Owner, Stored>> Look(db::Reader& reader, std::int64_t hour_us, std::int64_t hours) {
  std::map<Owner, Stored> stored;
  std::set<std::pair<std::string, std::string>> counted;  // project, digest
  GYRE_DO(reader.Query(kOwners, {}, [&](const db::Row& row) -> Result<> {
    if (!counted.emplace(row.Str(1), row.Str(6)).second) return {};
    Stored& one =
        stored[{row.Str(1), row.Str(2), row.Str(3), std::string(usage::UserOf(row.Text(5)))}];
    one.label = row.Str(4);
    one.byte_hours += row.Int(7) * HoursThere(row.Int(8), hour_us, hours);
    return {};
  }));
  return stored;
}

}  // namespace

Result<> BookStorage(db::Database& database, const Clock& clock) {
  const std::int64_t now_us = clock.NowMicros();
  const std::int64_t hour_us = now_us - now_us % usage::kMicrosPerHour;
  std::int64_t done_us = hour_us;
  bool is_booked = true;
  std::map<Owner, Stored> stored;
  GYRE_DO(database.Read([&](db::Reader& reader) -> Result<> {
    GYRE_TRY(const std::int64_t last_us, LastHour(reader));
    if (last_us >= hour_us) return {};
    const std::int64_t hours =
        last_us == 0 ? 1 : std::min((hour_us - last_us) / usage::kMicrosPerHour, kHoursMax);
    GYRE_TRY(stored, Look(reader, hour_us, hours));
    // What comes within an hour pays for it, so one in which nothing is there yet stays open.
    if (stored.empty()) done_us -= usage::kMicrosPerHour;
    is_booked = last_us >= done_us;
    return {};
  }));
  if (is_booked) return {};
  return database.Write([&](db::Transaction& tx) -> Result<> {
    GYRE_DO(tx.Execute("INSERT INTO usage_storage_hour (hour_us) VALUES (?1)", {done_us}));
    for (const auto& [owner, one] : stored) {
      GYRE_DO(usage::Record(tx, {.project = owner.project,
                                 .subject_kind = owner.kind,
                                 .subject_id = owner.id,
                                 .subject_label = one.label,
                                 .at_us = now_us,
                                 .quantities = {.storage_byte_hours = one.byte_hours},
                                 .user = owner.user}));
    }
    return {};
  });
}

}  // namespace gyre

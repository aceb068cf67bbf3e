#include "ml/serving/endpoint_store.h"

#include "ledger/lineage/lineage.h"
#include "ledger/trash/parcel.h"

namespace gyre::serving {

namespace {

constexpr std::string_view kRefKind = "serving_deployment";

#define GYRE_DEPLOYMENT_COLUMNS                                                  \
  "d.id, d.number, d.model_version_id, d.model, d.reference, d.package_digest, " \
  "d.package_bytes, d.basis, d.reason, d.deployed_by, d.created_us, d.variant "
#define GYRE_ENDPOINT_SELECT                                                              \
  "SELECT e.id, e.project, e.name, e.follows, e.created_by, e.created_us, e.updated_us, " \
  "e.sticky, e.park_after_us, " GYRE_DEPLOYMENT_COLUMNS                                   \
  "FROM serving_endpoint e JOIN serving_deployment d ON d.id = e.deployment_id "
constexpr std::string_view kFindEndpoint = GYRE_ENDPOINT_SELECT "WHERE e.name = ?1";
constexpr std::string_view kListEndpoints = GYRE_ENDPOINT_SELECT
    "WHERE (?1 = '' OR e.project = ?1) AND e.name > ?2 ORDER BY e.name LIMIT ?3";
constexpr std::string_view kVariants =
    "SELECT v.name, v.share, v.shadow, " GYRE_DEPLOYMENT_COLUMNS
    "FROM serving_variant v JOIN serving_deployment d ON d.id = v.deployment_id "
    "WHERE v.endpoint_id = ?1 ORDER BY v.name";
constexpr std::string_view kDeployments =
    "SELECT " GYRE_DEPLOYMENT_COLUMNS
    "FROM serving_deployment d WHERE d.endpoint_id = ?1 ORDER BY d.number DESC LIMIT ?2";
constexpr std::string_view kDeployment =
    "SELECT " GYRE_DEPLOYMENT_COLUMNS
    "FROM serving_deployment d WHERE d.endpoint_id = ?1 AND d.number = ?2";
#undef GYRE_ENDPOINT_SELECT
#undef GYRE_DEPLOYMENT_COLUMNS

Deployment ReadDeployment(const db::Row& row, int first, std::string endpoint_id) {
  Deployment d;
  d.endpoint_id = std::move(endpoint_id);
  d.id = row.Str(first);
  d.number = static_cast<int>(row.Int(first + 1));
  d.model_version_id = row.Str(first + 2);
  d.model = row.Str(first + 3);
  d.reference = row.Str(first + 4);
  d.package.digest = row.Str(first + 5);
  d.package.size_bytes = row.Int(first + 6);
  d.basis = row.Str(first + 7);
  d.reason = row.Str(first + 8);
  d.deployed_by = row.Str(first + 9);
  d.created_us = row.Int(first + 10);
  d.variant = row.Str(first + 11);
  return d;
}

Endpoint ReadEndpoint(const db::Row& row) {
  Endpoint e;
  e.id = row.Str(0);
  e.project = row.Str(1);
  e.name = row.Str(2);
  e.follows = row.Str(3);
  e.created_by = row.Str(4);
  e.created_us = row.Int(5);
  e.updated_us = row.Int(6);
  e.sticky = row.Str(7);
  e.park_after_us = row.Int(8);
  e.deployment = ReadDeployment(row, 9, e.id);
  return e;
}

Result<> AddVariants(db::Reader& reader, Endpoint* endpoint) {
  GYRE_TRY(endpoint->variants,
           db::Collect<Variant>(reader, kVariants, {endpoint->id}, [&](const db::Row& row) {
             return Variant{.name = row.Str(0),
                            .deployment = ReadDeployment(row, 3, endpoint->id),
                            .share = row.Real(1),
                            .shadow = row.Int(2) != 0};
           }));
  return {};
}

}  // namespace

Result<> InsertEndpoint(db::Transaction& tx, const Endpoint& e) {
  return tx.Execute(
      "INSERT INTO serving_endpoint (id, project, name, follows, deployment_id, created_by, "
      "created_us, updated_us) VALUES (?1, ?2, ?3, '', '', ?4, ?5, ?6)",
      {e.id, e.project, e.name, e.created_by, e.created_us, e.updated_us});
}

Result<> AppendDeployment(db::Transaction& tx, Deployment* d) {
  GYRE_TRY(
      const bool some,
      tx.QueryOne("SELECT COALESCE(MAX(number), 0) FROM serving_deployment WHERE endpoint_id = ?1",
                  {d->endpoint_id},
                  [&](const db::Row& row) { d->number = static_cast<int>(row.Int(0)) + 1; }));
  GYRE_CHECK(some);
  GYRE_DO(
      tx.Execute("INSERT INTO serving_deployment (id, endpoint_id, number, model_version_id, "
                 "model, reference, package_digest, "
                 "package_bytes, basis, reason, deployed_by, created_us, variant) "
                 "VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13)",
                 {d->id, d->endpoint_id, d->number, d->model_version_id, d->model, d->reference,
                  d->package.digest, d->package.size_bytes, d->basis, d->reason, d->deployed_by,
                  d->created_us, d->variant}));
  return blob::AddRef(tx, kRefKind, d->id, d->package);
}

Result<> SaveEndpoint(db::Transaction& tx, const Endpoint& e) {
  GYRE_DO(
      tx.Execute("UPDATE serving_endpoint SET deployment_id = ?2, follows = ?3, sticky = ?4, "
                 "park_after_us = ?5, updated_us = ?6 WHERE id = ?1",
                 {e.id, e.deployment.id, e.follows, e.sticky, e.park_after_us, e.updated_us}));
  GYRE_DO(tx.Execute("DELETE FROM serving_variant WHERE endpoint_id = ?1", {e.id}));
  for (const Variant& v : e.variants) {
    GYRE_DO(
        tx.Execute("INSERT INTO serving_variant (endpoint_id, name, deployment_id, share, "
                   "shadow) VALUES (?1, ?2, ?3, ?4, ?5)",
                   {e.id, v.name, v.deployment.id, v.share, v.shadow ? 1 : 0}));
  }
  return {};
}

Result<> TellLineage(db::Transaction& tx, const Endpoint& endpoint, const Deployment& deployment) {
  GYRE_DO(lineage::AddNode(tx, {.id = deployment.model_version_id,
                                .kind = "model_version",
                                .label = deployment.model,
                                .project = endpoint.project,
                                .created_us = deployment.created_us}));
  GYRE_DO(lineage::AddNode(tx, {.id = endpoint.id,
                                .kind = "endpoint",
                                .label = endpoint.name,
                                .project = endpoint.project,
                                .created_us = endpoint.created_us}));
  return lineage::AddEdge(tx, deployment.model_version_id, endpoint.id, "serves");
}

Result<> RemoveEndpoint(db::Transaction& tx, const Endpoint& endpoint, std::string_view by,
                        std::int64_t now_us) {
  GYRE_TRY(const auto ids,
           db::Collect<std::string>(tx, "SELECT id FROM serving_deployment WHERE endpoint_id = ?1",
                                    {endpoint.id}, [](const db::Row& row) { return row.Str(0); }));
  GYRE_TRY(trash::Parcel parcel, trash::Parcel::Begin(tx, {.noun = "endpoint",
                                                           .project = endpoint.project,
                                                           .name = endpoint.name,
                                                           .what = endpoint.deployment.model,
                                                           .by = by,
                                                           .now_us = now_us}));
  for (const std::string& id : ids) GYRE_DO(parcel.TakeBlobs(kRefKind, id));
  for (const std::string_view table : {"serving_log", "serving_variant", "serving_deployment"})
    GYRE_DO(parcel.Take(table, "endpoint_id = ?1", {endpoint.id}));
  return parcel.Take("serving_endpoint", "id = ?1", {endpoint.id});
}

Result<> AppendLog(db::Transaction& tx, std::string_view endpoint_id, const LogEntry& entry) {
  std::int64_t number = 1;
  GYRE_DO(tx.QueryOne("SELECT COALESCE(MAX(number), 0) + 1 FROM serving_log WHERE endpoint_id = ?1",
                      {endpoint_id}, [&](const db::Row& row) { number = row.Int(0); }));
  GYRE_DO(
      tx.Execute("INSERT INTO serving_log (endpoint_id, number, at_us, variant, message) VALUES "
                 "(?1, ?2, ?3, ?4, ?5)",
                 {endpoint_id, number, entry.at_us, entry.variant, entry.message}));
  return tx.Execute("DELETE FROM serving_log WHERE endpoint_id = ?1 AND number <= ?2",
                    {endpoint_id, number - kLogKept});
}

Result<std::vector<LogEntry>> ReadLog(db::Reader& reader, std::string_view endpoint_id, int limit) {
  return db::Collect<LogEntry>(
      reader,
      "SELECT at_us, variant, message FROM serving_log WHERE endpoint_id = ?1 ORDER BY number DESC "
      "LIMIT ?2",
      {endpoint_id, limit},
      [](const db::Row& row) { return LogEntry{row.Int(0), row.Str(1), row.Str(2)}; });
}

Result<bool> FindEndpoint(db::Reader& reader, std::string_view name, Endpoint* endpoint) {
  GYRE_TRY(const bool found, reader.QueryOne(kFindEndpoint, {name}, [&](const db::Row& row) {
    *endpoint = ReadEndpoint(row);
  }));
  if (found) GYRE_DO(AddVariants(reader, endpoint));
  return found;
}

Result<std::vector<Endpoint>> ReadEndpoints(db::Reader& reader, std::string_view project, int limit,
                                            std::string_view after) {
  GYRE_TRY(auto endpoints,
           db::Collect<Endpoint>(reader, kListEndpoints, {project, after, limit}, ReadEndpoint));
  for (Endpoint& endpoint : endpoints) GYRE_DO(AddVariants(reader, &endpoint));
  return endpoints;
}

Result<std::vector<Deployment>> ReadDeployments(db::Reader& reader, std::string_view endpoint_id,
                                                int limit) {
  return db::Collect<Deployment>(
      reader, kDeployments, {endpoint_id, limit},
      [&](const db::Row& row) { return ReadDeployment(row, 0, std::string(endpoint_id)); });
}

Result<bool> FindDeployment(db::Reader& reader, std::string_view endpoint_id, int number,
                            Deployment* deployment) {
  return reader.QueryOne(kDeployment, {endpoint_id, number}, [&](const db::Row& row) {
    *deployment = ReadDeployment(row, 0, std::string(endpoint_id));
  });
}

}  // namespace gyre::serving

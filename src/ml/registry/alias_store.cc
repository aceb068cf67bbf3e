#include "ml/registry/alias_store.h"

#include <algorithm>

namespace gyre::registry {
namespace {

AliasMove MoveFromRow(const db::Row& row) {
  AliasMove move;
  move.id = row.Str(0);
  move.alias = row.Str(1);
  move.sequence = row.Int(2);
  move.version_id = row.Str(3);
  move.previous_version_id = row.Str(4);
  move.version = static_cast<int>(row.Int(5));
  move.previous_version = static_cast<int>(row.Int(6));
  move.basis = row.Str(7);
  move.verdict_id = row.Str(8);
  move.reason = row.Str(9);
  move.moved_by = row.Str(10);
  move.moved_us = row.Int(11);
  return move;
}

Verdict VerdictFromText(std::string_view text) {
  Verdict verdict;
  const auto json = Json::Parse(text);
  if (!json) return verdict;
  verdict.pass = (*json)["pass"].AsBool();
  for (const Json& reason : (*json)["reasons"].items()) {
    verdict.reasons.push_back(
        {reason["pass"].AsBool(), reason["rule"].AsString(), reason["text"].AsString()});
  }
  return verdict;
}

}  // namespace

Result<std::optional<Holder>> FindHolder(db::Reader& reader, std::string_view model_id,
                                         std::string_view alias) {
  std::optional<Holder> holder;
  GYRE_DO(reader.QueryOne(
      "SELECT v.id, v.version FROM registry_alias a JOIN registry_version v ON v.id = a.version_id "
      "WHERE a.model_id = ?1 AND a.alias = ?2",
      {model_id, alias},
      [&](const db::Row& row) { holder = Holder{row.Str(0), static_cast<int>(row.Int(1))}; }));
  return holder;
}

Result<std::vector<std::string>> AliasNames(db::Reader& reader, std::string_view model_id) {
  return db::Collect<std::string>(
      reader, "SELECT alias FROM registry_alias WHERE model_id = ?1 ORDER BY alias", {model_id},
      [](const db::Row& row) { return row.Str(0); });
}

Result<> WriteMove(db::Transaction& tx, std::string_view model_id, AliasMove* move) {
  GYRE_DO(
      tx.QueryOne("SELECT COALESCE(MAX(sequence), 0), COALESCE(MAX(moved_us), 0) FROM "
                  "registry_alias_move WHERE model_id = ?1",
                  {model_id}, [&](const db::Row& row) {
                    move->sequence = row.Int(0) + 1;
                    move->moved_us = std::max(move->moved_us, row.Int(1));
                  }));
  GYRE_DO(
      tx.Execute("INSERT INTO registry_alias_move (id, alias, sequence, version_id, "
                 "previous_version_id, version, previous_version, "
                 "basis, verdict_id, reason, moved_by, moved_us, model_id) "
                 "VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13)",
                 {move->id, move->alias, move->sequence, move->version_id,
                  move->previous_version_id, move->version, move->previous_version, move->basis,
                  move->verdict_id, move->reason, move->moved_by, move->moved_us, model_id}));
  if (move->version_id.empty()) {
    return tx.Execute("DELETE FROM registry_alias WHERE model_id = ?1 AND alias = ?2",
                      {model_id, move->alias});
  }
  return tx.Execute(
      "INSERT INTO registry_alias (model_id, alias, version_id) VALUES (?1, ?2, ?3) "
      "ON CONFLICT (model_id, alias) DO UPDATE SET version_id = excluded.version_id",
      {model_id, move->alias, move->version_id});
}

Result<std::vector<AliasMove>> ReadMoves(db::Reader& reader, std::string_view model_id,
                                         std::string_view alias, int limit) {
  return db::Collect<AliasMove>(
      reader,
      "SELECT id, alias, sequence, version_id, previous_version_id, version, previous_version, "
      "basis, verdict_id, reason, moved_by, moved_us FROM registry_alias_move WHERE model_id = ?1 "
      "AND (?2 = '' OR alias = ?2) "
      "ORDER BY sequence DESC LIMIT ?3",
      {model_id, alias, limit}, MoveFromRow);
}

Result<std::optional<AliasMove>> ReadMoveAt(db::Reader& reader, std::string_view model_id,
                                            std::string_view alias, std::int64_t time_us) {
  std::optional<AliasMove> move;
  GYRE_DO(reader.QueryOne(
      "SELECT id, alias, sequence, version_id, previous_version_id, version, previous_version, "
      "basis, verdict_id, reason, moved_by, moved_us FROM registry_alias_move WHERE model_id = ?1 "
      "AND alias = ?2 AND moved_us <= ?3 "
      "ORDER BY sequence DESC LIMIT 1",
      {model_id, alias, time_us}, [&](const db::Row& row) { move = MoveFromRow(row); }));
  return move;
}

Result<> InsertVerdict(db::Transaction& tx, const RecordedVerdict& verdict, std::string_view text) {
  return tx.Execute(
      "INSERT INTO registry_verdict (id, version_id, sequence, alias, champion_id, evaluation_id, "
      "pass, verdict, created_by, created_us, rules_hash) "
      "VALUES (?1, ?2, (SELECT COALESCE(MAX(sequence), 0) + 1 FROM registry_verdict WHERE "
      "version_id = ?2), ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10)",
      {verdict.id, verdict.version_id, verdict.alias, verdict.champion_id, verdict.evaluation_id,
       verdict.verdict.pass, text, verdict.created_by, verdict.created_us, verdict.rules_hash});
}

Result<std::optional<RecordedVerdict>> ReadLatestVerdict(db::Reader& reader,
                                                         std::string_view version_id,
                                                         std::string_view alias) {
  std::optional<RecordedVerdict> verdict;
  GYRE_DO(
      reader.QueryOne("SELECT id, version_id, alias, champion_id, evaluation_id, created_by, "
                      "verdict, created_us, rules_hash FROM registry_verdict "
                      "WHERE version_id = ?1 AND alias = ?2 ORDER BY sequence DESC LIMIT 1",
                      {version_id, alias}, [&](const db::Row& row) {
                        verdict = RecordedVerdict{row.Str(0),
                                                  row.Str(1),
                                                  row.Str(2),
                                                  row.Str(3),
                                                  row.Str(4),
                                                  row.Str(5),
                                                  VerdictFromText(row.Text(6)),
                                                  row.Int(7),
                                                  row.Str(8)};
                      }));
  return verdict;
}

Result<> InsertApproval(db::Transaction& tx, const Approval& approval) {
  return tx.Execute(
      "INSERT INTO registry_approval (id, version_id, sequence, approver, approved, comment, "
      "created_us) "
      "VALUES (?1, ?2, (SELECT COALESCE(MAX(sequence), 0) + 1 FROM registry_approval WHERE "
      "version_id = ?2), ?3, ?4, ?5, ?6)",
      {approval.id, approval.version_id, approval.approver, approval.approved, approval.comment,
       approval.created_us});
}

Result<std::vector<Approval>> ReadApprovals(db::Reader& reader, std::string_view version_id) {
  return db::Collect<Approval>(reader,
                               "SELECT id, version_id, approver, comment, approved, created_us "
                               "FROM registry_approval WHERE version_id = ?1 "
                               "ORDER BY sequence LIMIT 1000",
                               {version_id}, [](const db::Row& row) {
                                 return Approval{row.Str(0), row.Str(1),  row.Str(2),
                                                 row.Str(3), row.Bool(4), row.Int(5)};
                               });
}

Result<> PutPolicy(db::Transaction& tx, std::string_view model_id, std::string_view alias,
                   const AliasPolicy& policy, std::string_view rules, std::string_view by,
                   std::int64_t now_us) {
  return tx.Execute(
      "INSERT INTO registry_policy (model_id, alias, approvals_min, author_may_approve, rules, "
      "updated_by, updated_us, metric, dataset) "
      "VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9) ON CONFLICT (model_id, alias) DO UPDATE SET "
      "approvals_min = excluded.approvals_min, "
      "author_may_approve = excluded.author_may_approve, rules = excluded.rules, updated_by = "
      "excluded.updated_by, "
      "updated_us = excluded.updated_us, metric = excluded.metric, dataset = excluded.dataset",
      {model_id, alias, policy.approvals_min, policy.author_may_approve, rules, by, now_us,
       policy.metric, policy.dataset});
}

Result<AliasPolicy> ReadPolicy(db::Reader& reader, std::string_view model_id,
                               std::string_view alias) {
  AliasPolicy policy;
  GYRE_DO(
      reader.QueryOne("SELECT approvals_min, author_may_approve, rules, metric, dataset "
                      "FROM registry_policy WHERE model_id = ?1 AND alias = ?2",
                      {model_id, alias}, [&](const db::Row& row) {
                        policy.approvals_min = static_cast<int>(row.Int(0));
                        policy.author_may_approve = row.Bool(1);
                        if (auto rules = Json::Parse(row.Text(2))) policy.rules = *std::move(rules);
                        policy.metric = row.Str(3);
                        policy.dataset = row.Str(4);
                      }));
  return policy;
}

}  // namespace gyre::registry

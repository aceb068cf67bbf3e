// SQL of aliases, their history, verdicts, approvals and policies. Moves are inserted, never
// changed.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "ml/registry/registry.h"

namespace gyre::registry {

struct Holder {
  std::string version_id;
  int version = 0;
};
Result<std::optional<Holder>> FindHolder(db::Reader& reader, std::string_view model_id,
                                         std::string_view alias);
Result<std::vector<std::string>> AliasNames(db::Reader& reader, std::string_view model_id);
// Fills move->sequence, and moved_us so that it never lies before the last move; points the alias
// at version_id, or removes it when empty.
Result<> WriteMove(db::Transaction& tx, std::string_view model_id, AliasMove* move);
Result<std::vector<AliasMove>> ReadMoves(db::Reader& reader, std::string_view model_id,
                                         std::string_view alias,
                                         int limit);  // newest first; alias "" = all
Result<std::optional<AliasMove>> ReadMoveAt(db::Reader& reader, std::string_view model_id,
                                            std::string_view alias, std::int64_t time_us);

Result<> InsertVerdict(db::Transaction& tx, const RecordedVerdict& verdict, std::string_view text);
Result<std::optional<RecordedVerdict>> ReadLatestVerdict(db::Reader& reader,
                                                         std::string_view version_id,
                                                         std::string_view alias);
Result<> InsertApproval(db::Transaction& tx, const Approval& approval);
Result<std::vector<Approval>> ReadApprovals(db::Reader& reader,
                                            std::string_view version_id);  // oldest first
Result<> PutPolicy(db::Transaction& tx, std::string_view model_id, std::string_view alias,
                   const AliasPolicy& policy, std::string_view rules, std::string_view by,
                   std::int64_t now_us);
Result<AliasPolicy> ReadPolicy(db::Reader& reader, std::string_view model_id,
                               std::string_view alias);  // the default when there is none

}  // namespace gyre::registry

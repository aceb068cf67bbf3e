// All SQL of serving. Private.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "ml/serving/serving.h"

namespace gyre::serving {

Result<> InsertEndpoint(db::Transaction& tx, const Endpoint& endpoint);
// Writes the deployment with the next number (set in *deployment) and its reference to the package.
Result<> AppendDeployment(db::Transaction& tx, Deployment* deployment);
// What it points at, follows and is beside it; its deployments are written already.
Result<> SaveEndpoint(db::Transaction& tx, const Endpoint& endpoint);
// Model version -> endpoint.
Result<> TellLineage(db::Transaction& tx, const Endpoint& endpoint, const Deployment& deployment);
// Into the trash.
Result<> RemoveEndpoint(db::Transaction& tx, const Endpoint& endpoint, std::string_view by,
                        std::int64_t now_us);

// One entry of an endpoint's log, and no more than kLogKept of them.
struct LogEntry {
  std::int64_t at_us = 0;
  std::string variant, message;
};
inline constexpr int kLogKept = 200;
Result<> AppendLog(db::Transaction& tx, std::string_view endpoint_id, const LogEntry& entry);
Result<std::vector<LogEntry>> ReadLog(db::Reader& reader, std::string_view endpoint_id,
                                      int limit);  // newest first

// False when there is none.
Result<bool> FindEndpoint(db::Reader& reader, std::string_view name, Endpoint* endpoint);
Result<std::vector<Endpoint>> ReadEndpoints(db::Reader& reader, std::string_view project, int limit,
                                            std::string_view after);
Result<std::vector<Deployment>> ReadDeployments(db::Reader& reader, std::string_view endpoint_id,
                                                int limit);  // newest first
Result<bool> FindDeployment(db::Reader& reader, std::string_view endpoint_id, int number,
                            Deployment* deployment);

}  // namespace gyre::serving

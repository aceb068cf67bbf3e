#include "cli/cost_text.h"

#include "base/text.h"

namespace gyre::cli {

std::string CostOf(Session& session, const std::string& query) {
  const auto answer = session.Get("/api/v1/usage?" + query);
  if (!answer || (*answer)["items"].size() == 0) return {};
  return fmt::format("{} {}", (*answer)["total"]["cost_text"].AsString(),
                     (*answer)["currency"].AsString());
}

std::string ExpectedText(const Json& expected) {
  const std::string& how = expected["how"].AsString();
  if (!expected["known"].AsBool()) return how;
  return fmt::format("{} of CPU, {}, {} {}: {}", HumanSeconds(expected["cpu_seconds"].AsDouble()),
                     HumanBytes(expected["memory_bytes"].AsInt()), expected["cost_text"].AsString(),
                     expected["currency"].AsString(), how);
}

}  // namespace gyre::cli

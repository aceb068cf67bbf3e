#include "cli/cost_text.h"

#include "base/text.h"

namespace gyre::cli {

std::string CostOf(Session& session, const std::string& query) {
  const auto answer = session.Get("/api/v1/usage?" + query);
  if (!answer || (*answer)["items"].size() == 0) return {};
  const std::string& currency = (*answer)["currency"].AsString();
  std::string text = fmt::format("{} {}", (*answer)["total"]["cost_text"].AsString(), currency);
  const Json& line = (*answer)["items"].items()[0];
  if ((*answer)["items"].size() == 1 && line.Has("expected_text"))
    text += fmt::format(" ({} {} expected, {} of CPU: {})", line["expected_text"].AsString(),
                        currency, HumanSeconds(line["expected_cpu_seconds"].AsDouble()),
                        line["expected_how"].AsString());
  return text;
}

std::string ExpectedText(const Json& expected) {
  const std::string& how = expected["how"].AsString();
  if (!expected["known"].AsBool()) return how;
  return fmt::format("{} of CPU, {}, {} {}: {}", HumanSeconds(expected["cpu_seconds"].AsDouble()),
                     HumanBytes(expected["memory_bytes"].AsInt()), expected["cost_text"].AsString(),
                     expected["currency"].AsString(), how);
}

}  // namespace gyre::cli

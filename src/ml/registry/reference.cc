#include "ml/registry/reference.h"

#include "base/text.h"
#include "ml/registry/words.h"

namespace gyre::registry {
namespace {

Error Bad(std::string_view text, std::string_view what) {
  return InvalidArgument("GY3601", "model reference '{}' {}", text.substr(0, 200), what)
      .Why("a reference is [project/]name, then :vN for a version or @alias, or neither")
      .Fix("write for example churn, churn:v3 or churn@champion");
}

}  // namespace

std::string ModelReference::ToString() const {
  std::string text;
  if (!project.empty()) text += project + "/";
  text += model;
  if (version != 0) text += fmt::format(":v{}", version);
  if (!alias.empty()) text += "@" + alias;
  return text;
}

Result<ModelReference> ParseReference(std::string_view text) {
  ModelReference reference;
  std::string_view rest = text;
  if (const std::size_t slash = rest.find('/'); slash != std::string_view::npos) {
    reference.project = rest.substr(0, slash);
    if (!CheckName("project", reference.project)) return Bad(text, "has a project that is no name");
    rest.remove_prefix(slash + 1);
  }
  const std::size_t mark = rest.find_first_of(":@");
  reference.model = rest.substr(0, mark);
  if (!CheckName("model", reference.model)) return Bad(text, "has a model that is no name");
  if (mark == std::string_view::npos) return reference;
  const std::string_view tail = rest.substr(mark + 1);
  if (rest[mark] == '@') {
    reference.alias = tail;
    if (!CheckAliasText(reference.alias)) return Bad(text, "has an alias that is no name");
    return reference;
  }
  if (!tail.starts_with('v') || tail.size() < 2 || tail[1] < '1' || tail[1] > '9') {
    return Bad(text, "has no version like v3 after ':'");
  }
  const auto number = ParseInt(tail.substr(1));
  if (!number || *number > 1'000'000'000) return Bad(text, "has no version like v3 after ':'");
  reference.version = static_cast<int>(*number);
  return reference;
}

}  // namespace gyre::registry

#include "ml/serving/earlier.h"

#include <algorithm>

#include "base/text.h"

namespace gyre::serving {
namespace {

const Deployment* Numbered(std::span<const Deployment> history, std::int64_t number) {
  const auto found = std::ranges::find(history, number, &Deployment::number);
  return found == history.end() ? nullptr : &*found;
}

// The deployment that this one went back to; itself when it was no rollback.
const Deployment* Origin(std::span<const Deployment> history, const Deployment* deployment) {
  while (deployment->basis.starts_with(kRollbackTo)) {
    const auto number = ParseInt(deployment->basis.substr(kRollbackTo.size()));
    // Only an earlier one, so that following them ends.
    if (!number || *number >= deployment->number) break;
    const Deployment* const origin = Numbered(history, *number);
    if (origin == nullptr) break;
    deployment = origin;
  }
  return deployment;
}

const Deployment* JustBefore(std::span<const Deployment> history, int number) {
  const Deployment* before = nullptr;
  for (const Deployment& one : history) {
    const bool of_champion = one.variant.empty() && one.number < number;
    if (of_champion && (before == nullptr || one.number > before->number)) before = &one;
  }
  return before;
}

}  // namespace

const Deployment* DeploymentBefore(std::span<const Deployment> history, const Deployment& present) {
  const Deployment* earlier = &present;
  do {
    earlier = JustBefore(history, Origin(history, earlier)->number);
  } while (earlier != nullptr && earlier->model_version_id == present.model_version_id);
  return earlier;
}

}  // namespace gyre::serving

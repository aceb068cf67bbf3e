// Whole projects go into the trash with all that they hold, and come back.
#pragma once

#include "ledger/trash/trash.h"
#include "ml/projects/declarations.h"
#include "ml/projects/projects.h"

namespace gyre::projects {

// Errors of a removal: kNotFound GY3902, kFailedPrecondition GY3913 the default project stays,
// GY5010 something in it is at work.
trash::Kind ProjectTrash(trash::Trash& trash, Projects& projects, const Clock& clock);
// Noun "source" or "recipe".
trash::Kind DeclarationTrash(std::string_view noun, Declarations& declarations);
Result<bool> ProjectExists(db::Reader& reader, std::string_view name);
// "3 datasets, 1 endpoint"
std::string HeldText(const std::vector<trash::Held>& held);

}  // namespace gyre::projects

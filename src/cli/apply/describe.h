// The tables of kinds.h for editors and for readers. Pure.
#pragma once

#include <string>

#include "base/json.h"

namespace gyre::cli::apply {

// JSON Schema, draft 7, which editors' YAML servers complete and check by.
Json EditorSchema();
// The reference page, in Markdown.
std::string ReferencePage();

}  // namespace gyre::cli::apply

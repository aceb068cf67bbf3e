// What a project is made of, as a gyre.yaml that apply finds without drift.
#pragma once

#include <string>
#include <vector>

#include "base/error.h"
#include "base/json.h"
#include "cli/session.h"

namespace gyre::cli::apply {

struct Exported {
  Json document = {};              // of the file
  std::vector<std::string> notes;  // what was left out, and why
};
Result<Exported> ExportProject(Session& session, const std::string& project);

// Its sections, one blank line apart.
std::string FileText(const Json& document);

}  // namespace gyre::cli::apply

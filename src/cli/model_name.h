// Models as they are named on the command line: [PROJECT/]MODEL[:vN|@ALIAS].
#pragma once

#include <string>

#include "base/text.h"
#include "cli/command.h"
#include "cli/session.h"

namespace gyre::cli {

struct NamedModel {
  std::string project, model;
  std::string version;  // "v3", "champion"; empty = not said
};
inline NamedModel NameModel(const Invocation& in, std::string reference) {
  NamedModel named{in.project(), {}, {}};
  if (const std::size_t slash = reference.find('/'); slash != std::string::npos) {
    named.project = reference.substr(0, slash);
    reference.erase(0, slash + 1);
  }
  const std::size_t end = reference.find_first_of(":@");
  named.model = reference.substr(0, end);
  if (end != std::string::npos) named.version = reference.substr(end + 1);
  return named;
}

// A dry run still finds out that there is no such model.
inline Result<> CheckModel(const Invocation& in, Session& session, const std::string& reference) {
  const NamedModel named = NameModel(in, reference);
  std::string path = fmt::format("/api/v1/projects/{}/models/{}", PercentEncode(named.project),
                                 PercentEncode(named.model));
  if (!named.version.empty()) path += "/versions/" + PercentEncode(named.version);
  const auto found = session.Get(path);
  return found ? Result<>() : found.error();
}

}  // namespace gyre::cli

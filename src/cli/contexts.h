// Places that commands talk to, by name: a server or a data directory, and a project. Kept in
// contexts.yaml beside the user's config.yaml, which people write and no program touches.
#pragma once

#include <map>
#include <string>

#include "base/error.h"

namespace gyre::cli {

struct Context {
  std::string server, data, project;
};

struct Contexts {
  std::string current;  // "" = none: this machine's own data directory
  std::map<std::string, Context> by_name;

  static Result<Contexts> Load();  // none are kept: empty
  Result<> Save() const;
  Result<Context> Find(const std::string& name) const;  // kNotFound GY4040
};

// What holds when the command line says neither --server nor --data: --context, GYRE_CONTEXT, or,
// unless GYRE_SERVER or GYRE_DATA say where, the current one. Empty members say nothing.
struct ChosenContext : Context {
  bool named = false;  // asked for by this call, not only current
  std::string name = {};
};
Result<ChosenContext> ChooseContext(const std::string& flag);

}  // namespace gyre::cli

// The grammar of the CLI as data. Each noun file declares rows; one file (cli.cc) turns them into a
// parser, help, completion and man pages. A command always speaks the native API through a Session:
// it never includes a domain module.
#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "base/json.h"
#include "platform/config/settings.h"

namespace gyre::cli {

class Session;  // session.h: the API, local or remote
class Output;   // output.h: tables, documents, progress

struct Positional {
  std::string_view name;  // "DATASET"
  std::string_view help;
  bool required = true;
  bool repeated = false;            // takes the rest
  std::string_view completes = {};  // noun whose names complete it: "datasets", "file"
};

struct Option {
  std::string_view name;             // "--target"; short names after a comma: "-n,--limit"
  std::string_view value_name = {};  // "COLUMN"; empty = a flag
  std::string_view help;
  std::string_view default_value = {};  // shown in help; applied when the option is absent
  bool repeated = false;
  std::string_view completes = {};
};

// What the user typed, after parsing.
class Invocation {
 public:
  virtual ~Invocation() = default;
  virtual bool Has(std::string_view name)
      const = 0;  // given on the command line; name as declared without dashes: "target", "DATASET"
  virtual std::string Get(std::string_view name) const = 0;  // value or default or ""
  virtual std::vector<std::string> List(std::string_view name) const = 0;
  virtual Result<std::int64_t> GetInt(std::string_view name) const = 0;  // GY4002 names the option
  virtual Result<double> GetDouble(std::string_view name) const = 0;
  virtual Result<double> GetSeconds(std::string_view name) const = 0;  // "60s", "5m", "1h", "90"
  virtual std::string project() const = 0;  // --project, GYRE_PROJECT, gyre.yaml, else "default"
  // What commands are about and talk to, like settings: [{name, value, origin, doc, ...}].
  virtual Json place() const = 0;
  // What a server started here would go by. Errors: those of Settings::Load.
  virtual Result<config::Settings> LoadSettings() const = 0;
  virtual Result<Session*>
  session() = 0;  // connects, or becomes the owner of the data directory, at the first call
  // Asks whoever answers, for a short time; never becomes the owner.
  virtual Result<Json> Ask(std::string_view path) const = 0;
  virtual std::string data_directory() const = 0;
  // Of an empty data directory that goes with the command: for trying things out.
  virtual Result<Session*> scratch_session() = 0;
  virtual Output& out() = 0;
  virtual bool dry_run() const = 0;
  // Before something is lost for good: --yes, or the name typed on a terminal. Errors: GY4062
  // nobody to ask, GY4063 another answer.
  virtual Result<> Confirm(std::string_view what, std::string_view name) = 0;
};

struct Command {
  std::string_view path;      // "datasets show", "train"; the noun alone is its `ls`
  std::string_view summary;   // one line
  std::string_view examples;  // lines; stand first in --help
  std::span<const Positional> positionals;
  std::span<const Option> options;
  Result<int> (*run)(
      Invocation& invocation);  // the exit code: 0 ok, 5 gate said no or findings present
  bool passes_rest =
      false;  // everything after the positionals belongs to a program (`gyre run CMD ...`)
  // Works for long: Ctrl-C leaves the job to whoever owns the data directory, which is another
  // process even when no server runs.
  bool may_be_left = false;
};

// Exit codes of errors: 1 failed, 2 usage, 3 not found, 4 login needed, 6 conflict, 7 timeout, 8
// budget or quota, 130 interrupted.
int ExitCodeOf(const Error& error);

}  // namespace gyre::cli

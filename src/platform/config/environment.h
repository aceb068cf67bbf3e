// What the surroundings say: environment variables, the home folder, the terminal. Nothing else in
// the house asks for them.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"

namespace gyre::config {

std::optional<std::string> Environment(std::string_view name);  // empty when unset
// All variables by name. A value is left out ("(hidden)") when the name or the value looks like a
// secret.
std::map<std::string, std::string> RedactedEnvironment();
std::string HomeDirectory();         // $HOME, else the password database
std::string DefaultDataDirectory();  // GYRE_DATA, XDG_DATA_HOME/gyre, ~/.local/share/gyre
std::string UserConfigDirectory();   // XDG_CONFIG_HOME/gyre, ~/.config/gyre
// The gyre.yaml of this folder ("gyre.yaml"), else of the nearest folder above it (its whole path),
// up to the home folder or the root; empty when there is none. It is a regular file; above this
// folder, it and its folder belong to this user or root, and nobody else can write to them. What
// is passed over is told in `refused`: "/tmp/gyre.yaml: why".
std::string FindProjectFile(std::vector<std::string>* refused = nullptr);
std::string AbsolutePath(std::string_view path);  // "~/x" and relative paths; touches no file

// A small text file; empty optional when it is not there. Errors: GY1801 unreadable, GY1802 larger
// than bytes_max.
Result<std::optional<std::string>> ReadSmallFile(const std::string& path,
                                                 std::size_t bytes_max = 1 << 20);
// Temporary file, fsync, rename. The file gets `mode`.
Result<> WriteSmallFile(const std::string& path, std::string_view text, unsigned mode = 0644);
Result<> MakeDirectories(const std::string& path, unsigned mode = 0755);
Result<std::string> CurrentDirectory();

struct Terminal {
  bool is_terminal = false;
  int columns = 80;
};
Terminal TerminalOf(int descriptor);
bool LocaleIsUtf8();  // LC_ALL, LC_CTYPE, LANG

}  // namespace gyre::config

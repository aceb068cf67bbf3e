// Where a program is, and which one it is.
#pragma once

#include <span>
#include <string>
#include <string_view>

namespace gyre::exec {

// The last PATH of an environment of "NAME=value", or the system's.
std::string_view PathOf(std::span<const std::string> environment);
// The file that a name means in a PATH; the name itself when it has a slash or is nowhere.
std::string FindProgram(std::string_view name, std::string_view path);
// Its path, the file behind all links with its size and time of change: another text after an
// upgrade. Empty when there is no such program.
std::string ProgramIdentity(std::string_view name, std::string_view path);

}  // namespace gyre::exec

// Commands that people copy.
#pragma once

#include <string>
#include <string_view>

namespace gyre {

// A word as a shell reads it back; plain words stay as they are.
std::string ShellWord(std::string_view word);

}  // namespace gyre

// Which environment variables hold secrets, so that a run's record leaves them out. Pure.
#pragma once

#include <string_view>

namespace gyre::config {

// By the name's words (KEY, TOKEN, PAT, ...), by how well-known tokens begin (ghp_, AKIA, a PEM
// block, ...), by credentials in a URL, and by being long and random.
bool LooksSecret(std::string_view name, std::string_view value);

}  // namespace gyre::config

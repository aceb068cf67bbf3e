// What a report of a fault may say to strangers.
#pragma once

#include <string>

namespace gyre::cli {

// Without whatever lets somebody in, or says whose machine this is.
std::string WithoutSecrets(const std::string& text);

// Lines of a log without what people called their things, who they are and where they sit: names in
// the paths of requests, `quoted` names, users, addresses.
std::string WithoutNames(const std::string& text);

}  // namespace gyre::cli

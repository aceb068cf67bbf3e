// The machine as `gyre doctor` sees it: what gyre needs of it, and what it does badly without.
#pragma once

#include <cstdint>
#include <string>

#include "cli/findings.h"

namespace gyre::cli {

void CheckDisk(const std::string& folder, Findings& found);
void CheckFileSystem(const std::string& folder, Findings& found);
void CheckSync(const std::string& folder, Findings& found);
void CheckLibraries(Findings& found);
void CheckClock(const std::string& data, Findings& found);
// `training_bytes`: what one training may use.
void CheckMemory(std::int64_t training_bytes, Findings& found);
void CheckKernel(std::int64_t connections_max, Findings& found);

}  // namespace gyre::cli

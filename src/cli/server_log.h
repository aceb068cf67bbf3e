// Where a server's log is, looked at from outside.
#pragma once

#include <optional>
#include <string>

#include "platform/config/data_directory.h"

namespace gyre::cli {

struct ServerLog {
  std::string file;       // empty: in no file
  std::string elsewhere;  // then: where it is, and how to come by it
};

// Of the server that runs: its log file, or where its standard error goes. Of one that does not:
// `setting` (log.file), or the file that `gyre server start` writes.
ServerLog FindServerLog(const std::optional<config::OwnerInfo>& owner, const std::string& setting,
                        const std::string& data_directory);

}  // namespace gyre::cli

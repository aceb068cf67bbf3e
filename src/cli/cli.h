// The command line of the program: rows of commands in, an exit code out.
#pragma once

#include <functional>
#include <memory>
#include <span>
#include <string>
#include <string_view>

#include "base/error.h"
#include "cli/command.h"
#include "platform/config/settings.h"

namespace gyre::cli {

// This process as the owner of a data directory: it serves the API on the directory's socket until
// it is destroyed.
class Owner {
 public:
  virtual ~Owner() = default;
  // Other commands may be using our socket, and jobs may be running: returns when nobody is.
  virtual void WaitUntilIdle() = 0;
};

struct OwnerRequest {
  std::string data_directory;
  std::string config_file;
  bool is_scratch = false;      // the directory goes with the command
  bool may_be_damaged = false;  // the command looks at damage, or mends it
};

// What only the composition root knows.
struct Host {
  std::string_view version;
  std::span<const Command> commands;  // of the program itself: server, worker
  std::function<Result<std::unique_ptr<Owner>>(const OwnerRequest&)> become_owner;
  std::function<Result<config::Settings>(const std::string& config_file)> load_settings;
};

int Main(int argc, char** argv, const Host& host);

}  // namespace gyre::cli

// The whole program, put together: the only place that knows everyone.
#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "base/error.h"
#include "cli/cli.h"
#include "ml/runners/tasks.h"
#include "platform/config/data_directory.h"
#include "platform/config/settings.h"

namespace gyre {

std::string_view Version();

// Errors: those of Settings::Load.
Result<config::Settings> LoadSettings(const config::Sources& sources);

struct HouseOptions {
  std::string data_directory;  // absolute
  config::Sources sources;
  bool is_server = false;       // listens on TCP and outlives commands; else only on the socket
  bool is_keeper = false;       // owns the directory for a command that may be left
  bool is_scratch = false;      // of a directory that goes with the command, whose user asks
  bool may_be_damaged = false;  // opened to look at damage
  bool any_port = false;        // when the address is in use, take any free port
};

// An open house owns its data directory. Rooms are built from the ground up and closed from the top
// down.
class House : public cli::Owner {
 public:
  // Errors: GY1405 the database is damaged; GY1830 somebody else owns the directory; those of each
  // room.
  static Result<std::unique_ptr<House>> Open(const HouseOptions& options);
  ~House() override;

  const config::OwnerInfo& info() const;
  const config::Settings& settings() const;
  const std::string& data_directory() const;
  std::string setup_url() const;  // one-time link while there is no user; "" otherwise
  // Reads the settings again and takes up those that are hot. Errors: those of Settings::Load.
  Result<> ReloadSettings();
  Result<> ReloadCertificate();  // nothing to do without TLS
  void Drain();                  // no new requests; running ones finish
  bool busy() const;             // somebody's request or job runs
  void WaitUntilIdle() override;

 private:
  struct Rooms;
  explicit House(std::unique_ptr<Rooms> rooms);
  std::unique_ptr<Rooms> rooms_;
};

// What `gyre worker` can compute.
runners::TaskRegistry AllTasks();

}  // namespace gyre

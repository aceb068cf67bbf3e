// The data directory: who owns it. One process holds the lock, listens on DIR/gyre.sock and says in
// DIR/server.json who it is. The lock is the truth (the kernel drops it with the process); socket
// and server.json of a dead owner are stale and replaced.
#pragma once

#include <memory>
#include <optional>
#include <string>

#include "base/error.h"
#include "base/json.h"

namespace gyre::config {

struct OwnerInfo {
  int pid = 0;
  std::string url;  // "" when it listens on the socket only
  std::string version;
  // "server"; "command" for one that owns the directory while it runs; "keeper" for the process
  // that owns it for a command that may be left.
  std::string kind;
  std::string log_file;
  std::int64_t started_us = 0;
  std::string taken = {};         // the address that it was to have, when another program had it
  std::string base_path() const;  // the path of `url`: what requests on the socket begin with
};

std::string SocketPath(const std::string& data_directory);  // DIR/gyre.sock

bool IsDataDirectory(const std::string& path);  // somebody has owned it before

// Says who owns the directory now, from the lock; empty when nobody does.
Result<std::optional<OwnerInfo>> FindOwner(const std::string& data_directory);

// Ownership. Released, and server.json and the socket removed, on destruction.
// Inside a directory: a restore into it has not ended.
inline constexpr std::string_view kRestoringFolder = ".restoring";

class DirectoryLock {
 public:
  // Makes the directory (0700) when it is missing. Errors: kFailedPrecondition GY1830 when another
  // process owns it (named), GY1831 when the path is too long for a socket or the file system has
  // no locks, GY1832 when a restore into it has not ended.
  static Result<DirectoryLock> Acquire(const std::string& data_directory);
  DirectoryLock(DirectoryLock&&) noexcept;
  DirectoryLock& operator=(DirectoryLock&&) noexcept;
  ~DirectoryLock();

  Result<> Announce(const OwnerInfo& info);  // writes server.json
  const std::string& directory() const;

 private:
  struct Impl;
  explicit DirectoryLock(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace gyre::config

// The folder in which a restore works, and how it becomes the data directory: beside it by one
// rename; inside it, entry by entry, where the directory is a mount point or its parent is another
// user's. Private.
#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "base/error.h"

namespace gyre::backup {

inline constexpr std::string_view kOfTheDisk = "lost+found";  // at its root from the beginning

// Held by a lock, so that what a killed restore left can be told from one that is at work. Goes
// with us, unless it has become the directory.
class ComingFolder {
 public:
  // What a killed restore left is removed. Errors: kAlreadyExists GY1905 something else is in the
  // directory; kFailedPrecondition GY1909 another restore is at work.
  static Result<std::unique_ptr<ComingFolder>> Make(const std::string& directory);
  ~ComingFolder();
  ComingFolder(const ComingFolder&) = delete;
  ComingFolder& operator=(const ComingFolder&) = delete;

  const std::string& path() const { return path_; }
  // All of it belongs to whom the directory belonged to, where we may say so. A gyre that is
  // started meanwhile finds that it has not ended (config::kRestoringFolder).
  Result<> Become();

 private:
  ComingFolder(std::string path, std::string directory, int fd);
  Result<> GiveToOwner() const;
  Result<> MoveOut();

  const std::string path_, directory_;
  const int fd_;
  bool done_ = false;
};

}  // namespace gyre::backup

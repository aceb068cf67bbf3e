// A file that programs append to and that may take only so much of the disk: what it holds beyond
// that is given back from its middle. Its beginning and its end stay, and so does each offset.
#pragma once

#include <cstdint>
#include <string>

#include "base/error.h"

namespace gyre::exec {

// Gives back what is too much, where the file system can (ext4, xfs, btrfs, tmpfs).
void BoundLog(const std::string& path, std::int64_t bytes_max);

struct PieceOfLog {
  std::string text;
  std::int64_t next_offset = 0;
};
// Up to `bytes_max` from there; in place of what was given back a line that says how much it was.
Result<PieceOfLog> ReadLogFrom(const std::string& path, std::int64_t offset,
                               std::int64_t bytes_max);

}  // namespace gyre::exec

// What a child and its descendants use together. Linux, from /proc.
#pragma once

#include <cstdint>
#include <vector>

namespace gyre::exec {

// `pid` first, then its descendants as far as their parents live: who was orphaned belongs to
// somebody else.
std::vector<int> ProcessTree(int pid);

// Bytes of memory that only these processes account for: anonymous, shared between them (counted
// once for each) and swapped out, without the pages of files, which the system can take back.
std::int64_t MemoryBytes(const std::vector<int>& pids);

}  // namespace gyre::exec

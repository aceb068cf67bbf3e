// What a child and its descendants use together. Linux, from /proc.
#pragma once

#include <cstdint>
#include <vector>

namespace gyre::exec {

// `pid` first, then its descendants as far as their parents live: who was orphaned belongs to
// somebody else.
std::vector<int> ProcessTree(int pid);

// Bytes of memory that these processes use together: anonymous, shared between them and swapped
// out, without the pages of files, which the system can take back. kQuick counts a page once for
// each process that maps it, so it is an upper bound: a forked child shares its parent's pages.
// kExact divides such pages among those who share them, and costs a walk over the page tables.
enum class MemoryCount { kQuick, kExact };
std::int64_t MemoryBytes(const std::vector<int>& pids, MemoryCount count);

}  // namespace gyre::exec

// Checksums of an object's blocks. Private.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "base/limits.h"
#include "base/mutex.h"
#include "platform/blob/blob_store.h"

namespace gyre::blob {

inline constexpr std::int64_t kBlockBytes = kMiB;

// magic, object size, one XXH3 per block, XXH3 of all that.
std::string EncodeSums(std::int64_t size, const std::vector<std::uint64_t>& sums);
// Empty when the bytes are not what EncodeSums wrote for an object of that size.
std::vector<std::uint64_t> DecodeSums(std::string_view bytes, std::int64_t size);

// What objects of one block sum up to, as of when their SHA-256 was computed: later damage is found
// by XXH3, at a thirtieth of the price. It may forget: then the SHA-256 tells again. Thread-safe.
class SmallSums {
 public:
  std::optional<std::uint64_t> Find(const Digest& digest);
  void Keep(const Digest& digest, std::uint64_t sum);

 private:
  Mutex mutex_;
  std::unordered_map<std::uint64_t, std::uint64_t> sums_ GYRE_GUARDED_BY(mutex_);  // by its hash
};

}  // namespace gyre::blob

#include "platform/blob/block_sums.h"

#include "base/hash.h"

namespace gyre::blob {
namespace {

constexpr std::string_view kSumMagic = "gyresum1";

void AppendU64(std::uint64_t value, std::string* out) {
  for (int i = 0; i < 8; ++i) out->push_back(static_cast<char>(value >> (8 * i)));
}

std::uint64_t ReadU64(std::string_view bytes) {
  std::uint64_t value = 0;
  for (std::size_t i = 0; i < 8; ++i)
    value |= std::uint64_t{static_cast<unsigned char>(bytes[i])} << (8 * i);
  return value;
}

}  // namespace

std::string EncodeSums(std::int64_t size, const std::vector<std::uint64_t>& sums) {
  std::string out(kSumMagic);
  AppendU64(static_cast<std::uint64_t>(size), &out);
  for (const std::uint64_t sum : sums) AppendU64(sum, &out);
  AppendU64(Xxh3(out), &out);
  return out;
}

std::vector<std::uint64_t> DecodeSums(std::string_view bytes, std::int64_t size) {
  const std::size_t blocks = static_cast<std::size_t>((size + kBlockBytes - 1) / kBlockBytes);
  if (bytes.size() != kSumMagic.size() + 8 * (blocks + 2) || !bytes.starts_with(kSumMagic))
    return {};
  if (ReadU64(bytes.substr(bytes.size() - 8)) != Xxh3(bytes.substr(0, bytes.size() - 8))) return {};
  if (ReadU64(bytes.substr(kSumMagic.size())) != static_cast<std::uint64_t>(size)) return {};
  std::vector<std::uint64_t> sums(blocks);
  for (std::size_t i = 0; i < blocks; ++i)
    sums[i] = ReadU64(bytes.substr(kSumMagic.size() + 8 * (i + 1)));
  return sums;
}

std::optional<std::uint64_t> SmallSums::Find(const Digest& digest) {
  const MutexLock lock(mutex_);
  const auto found = sums_.find(Xxh3(digest));
  if (found == sums_.end()) return std::nullopt;
  return found->second;
}

void SmallSums::Keep(const Digest& digest, std::uint64_t sum) {
  constexpr std::size_t kSumsMax = 50'000;
  const MutexLock lock(mutex_);
  if (sums_.size() >= kSumsMax) sums_.clear();
  sums_[Xxh3(digest)] = sum;
}

}  // namespace gyre::blob

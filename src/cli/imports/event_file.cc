#include "cli/imports/event_file.h"

#include <algorithm>
#include <array>

namespace gyre::cli::imports {
namespace {

// A length of eight bytes and its checksum, the event, its checksum.
constexpr std::size_t kLengthBytes = 8, kChecksumBytes = 4;
constexpr std::uint64_t kEventBytesMax = std::uint64_t{1} << 30;
constexpr std::uint32_t kPolynomial = 0x82F63B78U;  // of CRC-32C, reflected

constexpr std::array<std::uint32_t, 256> MakeTable() {
  std::array<std::uint32_t, 256> table{};
  for (std::uint32_t i = 0; i < table.size(); ++i) {
    std::uint32_t value = i;
    for (int bit = 0; bit < 8; ++bit) value = (value >> 1) ^ ((value & 1U) != 0 ? kPolynomial : 0U);
    table[i] = value;
  }
  return table;
}
constexpr auto kTable = MakeTable();

std::uint64_t Little(std::string_view bytes) {
  std::uint64_t value = 0;
  for (std::size_t i = bytes.size(); i-- > 0;)
    value = (value << 8) | static_cast<unsigned char>(bytes[i]);
  return value;
}

}  // namespace

std::uint32_t MaskedCrc32c(std::string_view bytes) {
  std::uint32_t crc = 0xFFFFFFFFU;
  for (const char c : bytes)
    crc = kTable[(crc ^ static_cast<unsigned char>(c)) & 0xFFU] ^ (crc >> 8);
  crc = ~crc;
  return ((crc >> 15) | (crc << 17)) + 0xA282EAD8U;
}

Result<EventFile> EventFile::Open(const std::string& path) {
  GYRE_TRY(File file, OpenFile(path, "r"));
  return EventFile(std::move(file));
}

// In pieces: a length that is not true must not take memory.
bool EventFile::Read(std::size_t count, std::string* bytes) {
  constexpr std::size_t kPiece = 1 << 20;
  bytes->clear();
  while (bytes->size() < count) {
    const std::size_t have = bytes->size(), want = std::min(kPiece, count - have);
    bytes->resize(have + want);
    const std::size_t got = std::fread(bytes->data() + have, 1, want, file_.get());
    bytes->resize(have + got);
    if (got < want) return false;
  }
  return true;
}

bool EventFile::Next(std::string* event) {
  if (end_ != End::kNone) return false;
  std::string head, tail;
  if (!Read(kLengthBytes + kChecksumBytes, &head))
    return Stop(head.empty() ? End::kWhole : End::kCutOff);
  const std::string_view length = std::string_view(head).substr(0, kLengthBytes);
  if (Little(std::string_view(head).substr(kLengthBytes)) != MaskedCrc32c(length))
    return Stop(End::kDamaged);
  const std::uint64_t size = Little(length);
  if (size > kEventBytesMax) return Stop(End::kDamaged);
  if (!Read(size, event) || !Read(kChecksumBytes, &tail)) return Stop(End::kCutOff);
  if (Little(tail) != MaskedCrc32c(*event)) return Stop(End::kDamaged);
  offset_ += static_cast<std::int64_t>(head.size() + event->size() + tail.size());
  return true;
}

}  // namespace gyre::cli::imports

#include "ml/training/zip_file.h"

#include <set>

#include "base/text.h"
#include "ml/training/inflate.h"

namespace gyre::training {
namespace {

constexpr std::size_t kMembersMax = 20'000, kCommentMax = 65'535;
constexpr std::size_t kLocalBytes = 30, kEntryBytes = 46, kEndBytes = 22, kEnd64Bytes = 56,
                      kLocatorBytes = 20;
constexpr std::string_view kLocalMark("PK\x03\x04", 4), kEntryMark("PK\x01\x02", 4),
    kEndMark("PK\x05\x06", 4), kEnd64Mark("PK\x06\x06", 4), kLocatorMark("PK\x06\x07", 4);
constexpr std::uint64_t kIn64 = 0xffffffff, kEncrypted = 1;

Error Broken(std::string_view what) {
  return InvalidArgument("GY3549", "the zip archive {}", what);
}

// `at` is within, for whoever calls has looked.
std::uint64_t Number(std::string_view bytes, std::size_t at, int width) {
  std::uint64_t value = 0;
  for (int i = width; i-- > 0;)
    value = (value << 8) | static_cast<unsigned char>(bytes[at + static_cast<std::size_t>(i)]);
  return value;
}

struct Directory {
  std::uint64_t count = 0, size = 0, offset = 0;
  std::uint64_t ends = 0;  // where what follows it begins
};

// Where the archive is larger than 32 bits say, or was written so that it could be.
Result<Directory> Directory64(std::string_view bytes, std::size_t locator) {
  const std::uint64_t at = Number(bytes, locator + 8, 8);
  if (at > locator || locator - at < kEnd64Bytes || bytes.substr(at, 4) != kEnd64Mark)
    return Broken("has no directory where it says");
  return Directory{Number(bytes, at + 32, 8), Number(bytes, at + 40, 8), Number(bytes, at + 48, 8),
                   at};
}

Result<Directory> FindDirectory(std::string_view bytes) {
  const std::size_t end = bytes.rfind(kEndMark);
  if (end == std::string_view::npos || bytes.size() - end < kEndBytes)
    return Broken("has no directory");
  // Readers look for its end in different ways: only one that all of them find will do.
  if (bytes.size() - end != kEndBytes + Number(bytes, end + 20, 2) ||
      bytes.size() - end > kEndBytes + kCommentMax)
    return Broken("does not end where its directory does");
  if (Number(bytes, end + 4, 2) != 0 || Number(bytes, end + 6, 2) != 0)
    return Broken("is one of several parts");
  Directory directory{Number(bytes, end + 10, 2), Number(bytes, end + 12, 4),
                      Number(bytes, end + 16, 4), end};
  if (end >= kLocatorBytes && bytes.substr(end - kLocatorBytes, 4) == kLocatorMark) {
    GYRE_TRY(directory, Directory64(bytes, end - kLocatorBytes));
  }
  if (directory.size > directory.ends || directory.offset != directory.ends - directory.size)
    return Broken("has bytes that its directory does not explain");
  if (directory.count > kMembersMax) return Broken("has more than 20,000 members");
  return directory;
}

// Sizes and the place that did not fit into 32 bits, in the order in which they are missing.
Result<> Take64(std::string_view extra, std::initializer_list<std::uint64_t*> values) {
  bool missing = false;
  for (const std::uint64_t* const value : values) missing = missing || *value == kIn64;
  while (missing && extra.size() >= 4) {
    const std::uint64_t id = Number(extra, 0, 2), size = Number(extra, 2, 2);
    extra.remove_prefix(4);
    if (size > extra.size()) return Broken("is cut off");
    std::string_view field = extra.substr(0, size);
    extra.remove_prefix(size);
    if (id != 1) continue;
    for (std::uint64_t* const value : values) {
      if (*value != kIn64) continue;
      if (field.size() < 8) return Broken("does not say how large a member is");
      *value = Number(field, 0, 8);
      field.remove_prefix(8);
    }
    return {};
  }
  return {};
}

// The member's own header repeats what the directory says: torch and others read either.
Result<> FindBytes(std::string_view bytes, std::uint64_t at, std::uint64_t size,
                   ZipMember* member) {
  if (at > bytes.size() || bytes.size() - at < kLocalBytes || bytes.substr(at, 4) != kLocalMark)
    return Broken("has a member that is not where it says");
  const std::uint64_t name_size = Number(bytes, at + 26, 2);
  const std::uint64_t begins = at + kLocalBytes + name_size + Number(bytes, at + 28, 2);
  if (begins > bytes.size() || size > bytes.size() - begins) return Broken("is cut off");
  if (bytes.substr(at + kLocalBytes, name_size) != member->name)
    return Broken("has a member of two names");
  if ((Number(bytes, at + 8, 2) != 0) != member->compressed)
    return Broken("has a member that is compressed in two ways");
  member->bytes = bytes.substr(begins, size);
  return {};
}

// Takes the entry off the front of `entries`.
Result<ZipMember> ReadEntry(std::string_view bytes, std::string_view* entries) {
  if (entries->size() < kEntryBytes || entries->substr(0, 4) != kEntryMark)
    return Broken("has a broken directory");
  const std::string_view entry = *entries;
  const std::uint64_t name_size = Number(entry, 28, 2), extra_size = Number(entry, 30, 2);
  const std::uint64_t whole = kEntryBytes + name_size + extra_size + Number(entry, 32, 2);
  if (whole > entry.size()) return Broken("has a broken directory");
  entries->remove_prefix(whole);
  const std::uint64_t method = Number(entry, 10, 2);
  if ((Number(entry, 8, 2) & kEncrypted) != 0) return Broken("is encrypted");
  if (method != 0 && method != 8) return Broken("is compressed in a way that gyre does not read");
  ZipMember member{
      std::string(entry.substr(kEntryBytes, name_size)), {}, method == 8, Number(entry, 24, 4)};
  std::uint64_t packed = Number(entry, 20, 4), at = Number(entry, 42, 4);
  GYRE_DO(Take64(entry.substr(kEntryBytes + name_size, extra_size), {&member.size, &packed, &at}));
  if (!member.compressed && packed != member.size) return Broken("has a member of two sizes");
  if (!IsValidUtf8(member.name) || member.name.find('\0') != std::string::npos)
    return Broken("has a member whose name is no text");
  GYRE_DO(FindBytes(bytes, at, packed, &member));
  return member;
}

}  // namespace

bool IsZip(std::string_view bytes) {
  return bytes.starts_with(kLocalMark) || bytes.starts_with(kEndMark);
}

Result<std::vector<ZipMember>> ReadZip(std::string_view bytes) {
  GYRE_TRY(const Directory directory, FindDirectory(bytes));
  std::string_view entries = bytes.substr(directory.offset, directory.size);
  std::vector<ZipMember> members;
  std::set<std::string, std::less<>> names;
  for (std::uint64_t i = 0; i < directory.count; ++i) {
    GYRE_TRY(ZipMember member, ReadEntry(bytes, &entries));
    if (!names.insert(member.name).second) return Broken("has two members of one name");
    members.push_back(std::move(member));
  }
  if (!entries.empty()) return Broken("has more members than it says");
  return members;
}

Result<std::string> Unfold(const ZipMember& member, std::size_t bytes_max) {
  if (member.size > bytes_max) return TooLarge(bytes_max);
  if (!member.compressed) return std::string(member.bytes);
  GYRE_TRY(std::string whole, Inflate(member.bytes, kNoWrapper, member.size));
  if (whole.size() != member.size) return Broken("has a member of two sizes");
  return whole;
}

}  // namespace gyre::training

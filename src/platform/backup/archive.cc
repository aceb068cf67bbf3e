#include "platform/backup/archive.h"

#include <algorithm>
#include <array>

#include "base/time.h"

namespace gyre::backup {
namespace {

constexpr std::int64_t kBlock = 512;
constexpr std::int64_t kTailBytes = 2 * kBlock;
constexpr std::size_t kNameBytes = 100;
constexpr std::int64_t kOctalSizeMax = std::int64_t{1} << 33;
constexpr std::string_view kEndName = "archive.sha256";
constexpr std::size_t kHexDigits = 64;

// Offsets of the ustar header.
struct Field {
  std::size_t at, length;
};
constexpr Field kName{0, kNameBytes}, kMode{100, 8}, kUser{108, 8}, kGroup{116, 8}, kSize{124, 12},
    kTime{136, 12}, kChecksum{148, 8}, kType{156, 1}, kMagic{257, 8};

void Put(std::string* header, Field field, std::string_view bytes) {
  header->replace(field.at, bytes.size(), bytes);
}

std::string_view Get(std::string_view header, Field field) {
  return header.substr(field.at, field.length);
}

// As ustar writes it, and as GNU tar and its kin write what ustar cannot.
std::string SizeText(std::int64_t size) {
  if (size < kOctalSizeMax) return fmt::format("{:011o}", size) + '\0';
  std::string text(kSize.length, '\0');
  for (std::size_t i = 0; i < 8; ++i)
    text[kSize.length - 1 - i] = static_cast<char>(static_cast<std::uint64_t>(size) >> (8 * i));
  text[0] = static_cast<char>(0x80);
  return text;
}

std::int64_t OctalOf(std::string_view text) {
  std::int64_t value = 0;
  for (const char c : text.substr(0, text.find('\0'))) {
    if (c < '0' || c > '7') return -1;
    value = value * 8 + (c - '0');
  }
  return value;
}

std::int64_t SizeOf(std::string_view text) {
  if (static_cast<unsigned char>(text[0]) != 0x80) return OctalOf(text);
  std::uint64_t value = 0;
  for (std::size_t i = 4; i < kSize.length; ++i)
    value = value << 8 | static_cast<unsigned char>(text[i]);
  return static_cast<std::int64_t>(value);
}

std::string HeaderOf(std::string_view name, std::int64_t size, std::int64_t time_s) {
  std::string header(kBlock, '\0');
  Put(&header, kName, name);
  Put(&header, kMode, "0000600");
  Put(&header, kUser, "0000000");
  Put(&header, kGroup, "0000000");
  Put(&header, kSize, SizeText(size));
  Put(&header, kTime, fmt::format("{:011o}", time_s));
  Put(&header, kType, "0");
  Put(&header, kMagic, std::string_view("ustar\00000", 8));
  Put(&header, kChecksum, "        ");
  std::int64_t sum = 0;
  for (const char c : header) sum += static_cast<unsigned char>(c);
  Put(&header, kChecksum, fmt::format("{:06o}", sum) + '\0' + ' ');
  return header;
}

std::int64_t PaddingOf(std::int64_t size) { return (kBlock - size % kBlock) % kBlock; }

bool AllZero(std::string_view bytes) {
  return bytes.find_first_not_of('\0') == std::string_view::npos;
}

}  // namespace

// --- writing -------------------------------------------------------------------------------------

Result<> ArchiveWriter::Put(std::string_view bytes) {
  whole_.Update(bytes);
  return sink_(bytes);
}

Result<> ArchiveWriter::Pad(std::int64_t size) {
  return Put(std::string(static_cast<std::size_t>(PaddingOf(size)), '\0'));
}

Result<> ArchiveWriter::Add(std::string_view name, std::string_view bytes) {
  GYRE_CHECK(name.size() < kNameBytes);
  GYRE_DO(Put(HeaderOf(name, std::ssize(bytes), made_us_ / kMicrosPerSecond)));
  GYRE_DO(Put(bytes));
  return Pad(std::ssize(bytes));
}

Result<> ArchiveWriter::AddStream(std::string_view name, std::int64_t size, const Source& source) {
  GYRE_CHECK(name.size() < kNameBytes);
  GYRE_DO(Put(HeaderOf(name, size, made_us_ / kMicrosPerSecond)));
  std::int64_t done = 0;
  for (;;) {
    GYRE_TRY(const std::string piece, source());
    if (piece.empty()) break;
    done += std::ssize(piece);
    if (done > size) break;
    GYRE_DO(Put(piece));
  }
  if (done != size)
    return MakeError(Code::kDataLoss, "GY1900", "{} has changed while it was copied: not {} bytes",
                     name, size);
  return Pad(size);
}

Result<> ArchiveWriter::Finish() {
  const std::string hash = whole_.FinishHex();
  GYRE_DO(sink_(HeaderOf(kEndName, std::ssize(hash), made_us_ / kMicrosPerSecond)));
  GYRE_DO(sink_(hash));
  return sink_(std::string(static_cast<std::size_t>(PaddingOf(kHexDigits) + kTailBytes), '\0'));
}

// --- reading -------------------------------------------------------------------------------------

std::string ArchiveReader::Where() const {
  if (member_.name.empty()) return fmt::format("byte {}", offset_);
  return fmt::format("byte {}, in {} (which begins at {})", offset_, member_.name, member_.offset);
}

Error ArchiveReader::Damaged(std::string_view what) const {
  return MakeError(Code::kDataLoss, "GY1902", "the backup is damaged: {}", what)
      .Where(Where())
      .Why("every byte of a backup is checked against what was written")
      .Fix("use another copy of it, or another backup");
}

Result<> ArchiveReader::Feed(std::string_view bytes) {
  while (!bytes.empty()) {
    if (state_ == State::kDone) return Damaged("something stands after its end");
    const std::int64_t wanted =
        state_ == State::kHeader ? kBlock - std::ssize(header_) : remaining_;
    const auto take =
        static_cast<std::size_t>(std::min(wanted, static_cast<std::int64_t>(bytes.size())));
    GYRE_DO(Step(bytes.substr(0, take)));
    bytes.remove_prefix(take);
  }
  return {};
}

// Never more than what the state waits for.
Result<> ArchiveReader::Step(std::string_view bytes) {
  offset_ += std::ssize(bytes);
  if (state_ == State::kHeader) {
    header_ += bytes;
    return std::ssize(header_) < kBlock ? Result<>() : TakeHeader();
  }
  remaining_ -= std::ssize(bytes);
  if (state_ == State::kData) {
    if (is_end_) {
      end_text_ += bytes;
    } else {
      whole_.Update(bytes);
      GYRE_DO(sink_.Data(bytes));
    }
    return remaining_ == 0 ? EndMember() : Result<>();
  }
  if (!AllZero(bytes)) return Damaged("what stands between its members is not empty");
  if (state_ == State::kPadding && !is_end_) whole_.Update(bytes);
  if (remaining_ > 0) return {};
  if (state_ == State::kTail) {
    state_ = State::kDone;
  } else if (is_end_) {
    state_ = State::kTail;
    remaining_ = kTailBytes;
  } else {
    state_ = State::kHeader;
  }
  return {};
}

Result<> ArchiveReader::TakeHeader() {
  const std::string header = std::exchange(header_, {});
  const std::string_view name_field = Get(header, kName);
  Member member{std::string(name_field.substr(0, name_field.find('\0'))),
                SizeOf(Get(header, kSize)), offset_ - kBlock};
  const std::int64_t time_s = OctalOf(Get(header, kTime));
  const bool first = made_s_ < 0;
  if (first) made_s_ = time_s;
  const bool ours = !member.name.empty() && member.name.size() < kNameBytes && member.size >= 0 &&
                    time_s >= 0 && time_s == made_s_ &&
                    HeaderOf(member.name, member.size, time_s) == header;
  if (first && member.offset == 0 && !ours && Get(header, kMagic).substr(0, 5) != "ustar")
    return InvalidArgument("GY1901", "this is no gyre backup")
        .Fix("gyre backup FILE   (makes one)");
  if (!ours) {
    member_ = {};
    return Damaged("the header of a member is not as it was written");
  }
  member_ = std::move(member);
  is_end_ = member_.name == kEndName;
  if (is_end_ && member_.size != static_cast<std::int64_t>(kHexDigits))
    return Damaged("its own hash has another length");
  if (!is_end_) {
    whole_.Update(header);
    GYRE_DO(sink_.Begin(member_));
  }
  state_ = State::kData;
  remaining_ = member_.size;
  return remaining_ == 0 ? EndMember() : Result<>();
}

Result<> ArchiveReader::EndMember() {
  if (!is_end_) {
    GYRE_DO(sink_.End());
  } else if (end_text_ != whole_.FinishHex()) {
    return Damaged("its bytes have another SHA-256 than when they were written");
  }
  remaining_ = PaddingOf(member_.size);
  state_ = remaining_ == 0 ? State::kHeader : State::kPadding;
  return {};
}

Result<> ArchiveReader::Finish() {
  if (state_ == State::kDone) return {};
  if (offset_ == 0) return InvalidArgument("GY1901", "this is no gyre backup: it is empty");
  return Error(Code::kDataLoss, "GY1903", "the backup ends before it is complete")
      .Where(Where())
      .Why("its writer or a copy of it was cut short")
      .Fix("use another copy of it, or another backup");
}

}  // namespace gyre::backup

#include "platform/table/archive.h"

#include <fcntl.h>
#include <unistd.h>
#include <zlib.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>

#include "base/text.h"
#include "platform/exec/descriptor.h"
#include "platform/exec/files.h"
#include "platform/table/text_source.h"

namespace gyre::table {
namespace {
constexpr std::size_t kBlock = 512;
constexpr std::size_t kNameMax = 100;
constexpr std::size_t kFilesMax = 100'000;
constexpr std::size_t kLongNameMax = 64 * 1024;

// Offsets of the ustar header.
struct Field {
  std::size_t at, length;
};
constexpr Field kName{0, 100}, kMode{100, 8}, kSize{124, 12}, kTime{136, 12}, kChecksum{148, 8},
    kType{156, 1}, kMagic{257, 6}, kPrefix{345, 155};

class OutFile {
 public:
  static Result<OutFile> Create(const std::string& path) {
    const int fd = open(path.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    if (fd < 0) return SystemError("writing " + path, errno);
    return OutFile(exec::Descriptor(fd), path);
  }
  Result<> Write(std::string_view bytes) { return exec::WriteWhole(fd_, path_, bytes); }

 private:
  OutFile(exec::Descriptor fd, std::string path) : fd_(std::move(fd)), path_(std::move(path)) {}
  exec::Descriptor fd_;
  std::string path_;
};

std::string Header(std::string_view name, std::uint64_t size, char type) {
  std::string block(kBlock, '\0');
  const auto put = [&](Field field, std::string_view text) {
    std::memcpy(block.data() + field.at, text.data(), std::min(field.length, text.size()));
  };
  put(kName, name);
  put(kMode, "0000644");
  put(kSize, fmt::format("{:011o}", size));
  put(kTime, "00000000000");
  put(kMagic, std::string_view("ustar\0"
                               "00",
                               8));
  block[kType.at] = type;
  put(kChecksum, "        ");
  unsigned sum = 0;
  for (const char c : block) sum += static_cast<unsigned char>(c);
  put(kChecksum, fmt::format("{:06o}", sum) + '\0' + ' ');
  return block;
}

std::string Padding(std::uint64_t size) {
  return std::string((kBlock - size % kBlock) % kBlock, '\0');
}

std::string_view TextOf(std::string_view block, Field field) {
  const std::string_view text = block.substr(field.at, field.length);
  return text.substr(0, std::min(text.size(), text.find('\0')));
}

// Octal, or (GNU) a big number in base 256.
std::optional<std::uint64_t> SizeOf(std::string_view block) {
  const std::string_view bytes = block.substr(kSize.at, kSize.length);
  std::uint64_t value = 0;
  if (static_cast<unsigned char>(bytes[0]) == 0x80) {
    for (const char c : bytes.substr(4)) value = value << 8 | static_cast<unsigned char>(c);
    return value >> 62 == 0 ? std::optional(value) : std::nullopt;
  }
  for (const char c : Trim(TextOf(block, kSize))) {
    if (c < '0' || c > '7') return std::nullopt;
    value = value * 8 + static_cast<std::uint64_t>(c - '0');
  }
  return value;
}

// "path" of a pax header: records of "LENGTH key=value\n".
std::string PaxPath(std::string_view text) {
  const std::size_t at = text.find(" path=");
  if (at == std::string_view::npos) return {};
  const std::string_view value = text.substr(at + 6);
  return std::string(value.substr(0, value.find('\n')));
}

class TarReader {
 public:
  TarReader(ByteSource& bytes, std::string name) : bytes_(bytes), name_(std::move(name)) {}

  Error Broken() const {
    return InvalidArgument("GY2043", "{} is not a whole tar archive", name_)
        .Fix("pack the folder again: tar -cf folder.tar folder");
  }
  Result<std::string> ReadExactly(std::size_t length) {
    std::string out(length, '\0');
    std::size_t have = 0;
    while (have < length) {
      GYRE_TRY(const std::size_t got, bytes_.Read(out.data() + have, length - have));
      if (got == 0) return Broken();
      have += got;
    }
    return out;
  }
  Result<> CopyTo(std::uint64_t length, OutFile* out) {
    std::uint64_t left = length + (kBlock - length % kBlock) % kBlock;
    while (left > 0) {
      GYRE_TRY(const std::size_t got,
               bytes_.Read(buffer_.data(), std::min<std::uint64_t>(left, buffer_.size())));
      if (got == 0) return Broken();
      const std::uint64_t wanted = std::min<std::uint64_t>(got, length);
      if (out != nullptr) GYRE_DO(out->Write({buffer_.data(), wanted}));
      length -= wanted;
      left -= got;
    }
    return {};
  }

 private:
  ByteSource& bytes_;
  std::string name_;
  std::array<char, 64 * 1024> buffer_;
};
}  // namespace

bool IsTable(std::string_view path) {
  const std::string_view name = path.substr(path.rfind('/') + 1);
  if (name.starts_with('.') || name.starts_with('_')) return false;
  std::string lower = ToLower(name);
  for (const std::string_view packed : {".gz", ".zst"}) {
    if (lower.ends_with(packed)) lower.resize(lower.size() - packed.size());
  }
  for (const std::string_view suffix :
       {".csv", ".tsv", ".txt", ".json", ".jsonl", ".ndjson", ".parquet"}) {
    if (lower.ends_with(suffix)) return true;
  }
  return false;
}

Result<std::vector<SourceFile>> ListTables(const std::string& directory) {
  GYRE_TRY(const auto entries, exec::ListFiles(directory, kFilesMax));
  std::vector<SourceFile> files;
  for (const exec::FileEntry& entry : entries) {
    if (IsTable(entry.path)) files.push_back({directory + "/" + entry.path, entry.path});
  }
  if (files.empty()) {
    return NotFound("GY2042", "the folder {} holds no table", directory)
        .Why(
            "files that end in csv, tsv, txt, json, jsonl, ndjson or parquet (also .gz, .zst) are "
            "looked for");
  }
  return files;
}

Result<> WriteTar(const std::vector<SourceFile>& files, const std::string& out_path) {
  GYRE_TRY(OutFile out, OutFile::Create(out_path));
  std::vector<char> buffer(1 << 20);
  for (const SourceFile& file : files) {
    const int fd = open(file.path.c_str(), O_RDONLY | O_CLOEXEC);
    if (fd < 0) return NotFound("GY2004", "the file {} cannot be read", file.path);
    const auto size = static_cast<std::uint64_t>(std::max<off_t>(0, lseek(fd, 0, SEEK_END)));
    close(fd);
    if (file.name.size() > kNameMax) {
      GYRE_DO(out.Write(Header("././@LongLink", file.name.size() + 1, 'L') + file.name + '\0' +
                        Padding(file.name.size() + 1)));
    }
    GYRE_DO(out.Write(Header(file.name, size, '0')));
    std::uint64_t done = 0;
    while (done < size) {
      const auto want =
          static_cast<std::int64_t>(std::min<std::uint64_t>(buffer.size(), size - done));
      GYRE_TRY(const std::string piece,
               exec::ReadFilePart(file.path, static_cast<std::int64_t>(done), want));
      if (piece.empty())
        return FailedPrecondition("GY2043", "the file {} became shorter while it was read",
                                  file.path);
      GYRE_DO(out.Write(piece));
      done += piece.size();
    }
    GYRE_DO(out.Write(Padding(size)));
  }
  return out.Write(std::string(2 * kBlock, '\0'));
}

Result<> WriteTarGz(const std::vector<SourceFile>& files, const std::string& out_path) {
  const std::string plain = out_path + ".part";
  auto written = WriteTar(files, plain);
  if (written) {
    // Small: nobody packs more than some logs this way.
    const auto bytes = exec::ReadFile(plain);
    const gzFile out = bytes ? gzopen(out_path.c_str(), "wb") : nullptr;
    const bool whole =
        out != nullptr && gzwrite(out, bytes->data(), static_cast<unsigned>(bytes->size())) ==
                              static_cast<int>(bytes->size());
    if ((out != nullptr && gzclose(out) != Z_OK) || !whole)
      written = SystemError("writing " + out_path, errno);
  }
  (void)exec::RemoveTree(plain).has_value();
  return written;
}

Result<std::vector<SourceFile>> ExtractTar(const std::string& path, const std::string& shown_name,
                                           const std::string& directory) {
  GYRE_TRY(const auto bytes, OpenBytes(path, shown_name));
  auto tar = std::make_unique<TarReader>(*bytes, shown_name);
  std::vector<SourceFile> files;
  std::string long_name;
  for (;;) {
    GYRE_TRY(const std::string block, tar->ReadExactly(kBlock));
    if (block.find_first_not_of('\0') == std::string::npos) break;
    const auto size = SizeOf(block);
    if (TextOf(block, kMagic).substr(0, 5) != "ustar" || !size) return tar->Broken();
    const char type = block[kType.at];
    if (type == 'L' || type == 'x') {
      if (*size > kLongNameMax) return tar->Broken();
      GYRE_TRY(const std::string text,
               tar->ReadExactly(*size + (kBlock - *size % kBlock) % kBlock));
      long_name = type == 'x' ? PaxPath(std::string_view(text).substr(0, *size))
                              : std::string(text.c_str());
      continue;
    }
    std::string name = std::exchange(long_name, {});
    if (name.empty()) {
      const std::string_view prefix = TextOf(block, kPrefix);
      name = prefix.empty() ? std::string(TextOf(block, kName))
                            : fmt::format("{}/{}", prefix, TextOf(block, kName));
    }
    const bool plain = (type == '0' || type == '\0') && IsTable(name);
    if (!plain) {
      GYRE_DO(tar->CopyTo(type == '5' ? 0 : *size, nullptr));
      continue;
    }
    if (files.size() >= kFilesMax)
      return InvalidArgument("GY2043", "{} holds more than {} files", shown_name, kFilesMax);
    if (!IsValidUtf8(name)) name = fmt::format("file {}", files.size());
    const std::string out_path = fmt::format("{}/{:06}", directory, files.size());
    GYRE_TRY(OutFile out, OutFile::Create(out_path));
    GYRE_DO(tar->CopyTo(*size, &out));
    files.push_back({out_path, name});
  }
  if (files.empty())
    return InvalidArgument("GY2043", "{} holds no table", shown_name)
        .Fix("pack csv, json lines or parquet files");
  std::sort(files.begin(), files.end(),
            [](const SourceFile& a, const SourceFile& b) { return a.name < b.name; });
  return files;
}

}  // namespace gyre::table

#include "platform/table/text_source.h"

#include <fcntl.h>
#include <unistd.h>
#include <zlib.h>
#include <zstd.h>

#include <cerrno>
#include <utility>
#include <vector>

#include "base/text.h"

namespace gyre::table {

namespace {
constexpr std::size_t kBlockBytes = 1 << 20;
constexpr std::size_t kSampleBytes = 64 * 1024;

class PlainFile : public ByteSource {
 public:
  PlainFile(int fd, std::string name) : fd_(fd), name_(std::move(name)) {}
  ~PlainFile() override { close(fd_); }
  PlainFile(const PlainFile&) = delete;
  PlainFile& operator=(const PlainFile&) = delete;

  Result<std::size_t> Read(char* out, std::size_t length) override {
    for (;;) {
      const ssize_t got = read(fd_, out, length);
      if (got < 0 && errno == EINTR) continue;
      if (got < 0) return SystemError("reading " + name_, errno);
      read_ += got;
      return static_cast<std::size_t>(got);
    }
  }
  std::int64_t stored_bytes_read() const override { return read_; }

 private:
  int fd_;
  std::string name_;
  std::int64_t read_ = 0;
};

Error Broken(const std::string& name, std::string_view kind) {
  return InvalidArgument("GY2033", "{} is not a whole {} file", name, kind)
      .Why("its compressed bytes are cut off or damaged")
      .Fix("send the file again");
}

class GzipFile : public ByteSource {
 public:
  GzipFile(std::unique_ptr<ByteSource> in, std::string name)
      : in_(std::move(in)), name_(std::move(name)), buffer_(64 * 1024) {
    ready_ = inflateInit2(&stream_, 15 + 16) == Z_OK;
  }
  ~GzipFile() override { inflateEnd(&stream_); }
  GzipFile(const GzipFile&) = delete;
  GzipFile& operator=(const GzipFile&) = delete;

  Result<std::size_t> Read(char* out, std::size_t length) override {
    if (!ready_) return Internal("GY2033", "zlib cannot start");
    stream_.next_out = reinterpret_cast<Bytef*>(out);
    stream_.avail_out = static_cast<uInt>(length);
    while (stream_.avail_out == length) {
      if (stream_.avail_in == 0) {
        GYRE_TRY(const std::size_t got, in_->Read(buffer_.data(), buffer_.size()));
        if (got == 0) {
          if (inside_) return Broken(name_, "gzip");
          return 0uz;
        }
        stream_.next_in = reinterpret_cast<Bytef*>(buffer_.data());
        stream_.avail_in = static_cast<uInt>(got);
      }
      inside_ = true;
      const int status = inflate(&stream_, Z_NO_FLUSH);
      if (status == Z_STREAM_END) {  // another member may follow
        inside_ = false;
        inflateReset(&stream_);
      } else if (status != Z_OK && status != Z_BUF_ERROR) {
        return Broken(name_, "gzip");
      }
    }
    return length - stream_.avail_out;
  }
  std::int64_t stored_bytes_read() const override { return in_->stored_bytes_read(); }

 private:
  std::unique_ptr<ByteSource> in_;
  std::string name_;
  std::vector<char> buffer_;
  z_stream stream_ = {};
  bool ready_ = false, inside_ = true;
};

class ZstdFile : public ByteSource {
 public:
  ZstdFile(std::unique_ptr<ByteSource> in, std::string name)
      : in_(std::move(in)),
        name_(std::move(name)),
        buffer_(ZSTD_DStreamInSize()),
        stream_(ZSTD_createDStream(), ZSTD_freeDStream) {}

  Result<std::size_t> Read(char* out, std::size_t length) override {
    ZSTD_outBuffer output = {out, length, 0};
    while (output.pos == 0) {
      if (input_.pos == input_.size) {
        GYRE_TRY(const std::size_t got, in_->Read(buffer_.data(), buffer_.size()));
        if (got == 0) {
          if (inside_) return Broken(name_, "zstd");
          return 0uz;
        }
        input_ = {buffer_.data(), got, 0};
      }
      const std::size_t status = ZSTD_decompressStream(stream_.get(), &output, &input_);
      if (ZSTD_isError(status)) return Broken(name_, "zstd");
      inside_ = status != 0;
    }
    return output.pos;
  }
  std::int64_t stored_bytes_read() const override { return in_->stored_bytes_read(); }

 private:
  std::unique_ptr<ByteSource> in_;
  std::string name_;
  std::vector<char> buffer_;
  std::unique_ptr<ZSTD_DStream, std::size_t (*)(ZSTD_DStream*)> stream_;
  ZSTD_inBuffer input_ = {nullptr, 0, 0};
  bool inside_ = true;
};

// 0x80..0x9f of Windows-1252; the five holes stand for themselves.
constexpr std::uint16_t kWindows1252[32] = {
    0x20AC, 0x81,   0x201A, 0x0192, 0x201E, 0x2026, 0x2020, 0x2021, 0x02C6, 0x2030, 0x0160,
    0x2039, 0x0152, 0x8D,   0x017D, 0x8F,   0x90,   0x2018, 0x2019, 0x201C, 0x201D, 0x2022,
    0x2013, 0x2014, 0x02DC, 0x2122, 0x0161, 0x203A, 0x0153, 0x9D,   0x017E, 0x0178};

void AppendCodePoint(std::uint32_t c, std::string* out) {
  if (c < 0x80) {
    *out += static_cast<char>(c);
  } else if (c < 0x800) {
    *out += static_cast<char>(0xC0 | (c >> 6));
    *out += static_cast<char>(0x80 | (c & 63));
  } else if (c < 0x10000) {
    *out += static_cast<char>(0xE0 | (c >> 12));
    *out += static_cast<char>(0x80 | ((c >> 6) & 63));
    *out += static_cast<char>(0x80 | (c & 63));
  } else {
    *out += static_cast<char>(0xF0 | (c >> 18));
    *out += static_cast<char>(0x80 | ((c >> 12) & 63));
    *out += static_cast<char>(0x80 | ((c >> 6) & 63));
    *out += static_cast<char>(0x80 | (c & 63));
  }
}

bool AppendUtf16(std::string_view bytes, bool big, bool at_end, std::string* out,
                 std::string* rest) {
  const auto unit = [&](std::size_t i) {
    const auto a = static_cast<unsigned char>(bytes[i]),
               b = static_cast<unsigned char>(bytes[i + 1]);
    return static_cast<std::uint32_t>(big ? a << 8 | b : b << 8 | a);
  };
  std::size_t i = 0;
  while (i + 1 < bytes.size()) {
    std::uint32_t c = unit(i);
    if (c >= 0xD800 && c < 0xE000) {
      if (c >= 0xDC00) return false;
      if (i + 3 >= bytes.size()) break;
      const std::uint32_t low = unit(i + 2);
      if (low < 0xDC00 || low >= 0xE000) return false;
      c = 0x10000 + ((c - 0xD800) << 10) + (low - 0xDC00);
      i += 2;
    }
    i += 2;
    AppendCodePoint(c, out);
  }
  rest->assign(bytes.substr(i));
  return !at_end || rest->empty();
}

// Bytes at the end that begin a sequence which is not complete.
std::size_t IncompleteTail(std::string_view bytes) {
  for (std::size_t back = 1; back <= 3 && back <= bytes.size(); ++back) {
    const auto c = static_cast<unsigned char>(bytes[bytes.size() - back]);
    if (c < 0x80) return 0;
    if (c >= 0xC0) {
      const std::size_t needed = c >= 0xF0 ? 4 : c >= 0xE0 ? 3 : 2;
      return needed > back ? back : 0;
    }
  }
  return 0;
}
}  // namespace

std::string_view EncodingName(Encoding encoding) {
  constexpr std::string_view kNames[] = {"UTF-8", "UTF-16LE", "UTF-16BE", "Windows-1252"};
  return kNames[static_cast<std::size_t>(encoding)];
}

Encoding DetectEncoding(std::string_view sample, std::size_t* mark_bytes) {
  *mark_bytes = 0;
  if (sample.starts_with("\xEF\xBB\xBF")) {
    *mark_bytes = 3;
    return Encoding::kUtf8;
  }
  if (sample.starts_with("\xFF\xFE") || sample.starts_with("\xFE\xFF")) {
    *mark_bytes = 2;
    return sample[0] == '\xFF' ? Encoding::kUtf16Little : Encoding::kUtf16Big;
  }
  std::size_t zeros[2] = {0, 0};
  for (std::size_t i = 0; i < sample.size(); ++i) zeros[i % 2] += sample[i] == 0;
  // Western text in UTF-16 has a zero in almost every second byte, and none in the others.
  if (zeros[1] * 4 > sample.size() && zeros[0] == 0) return Encoding::kUtf16Little;
  if (zeros[0] * 4 > sample.size() && zeros[1] == 0) return Encoding::kUtf16Big;
  sample.remove_suffix(IncompleteTail(sample));
  return IsValidUtf8(sample) ? Encoding::kUtf8 : Encoding::kWindows1252;
}

bool AppendDecoded(std::string_view bytes, Encoding encoding, bool at_end, std::string* out,
                   std::string* rest) {
  switch (encoding) {
    case Encoding::kUtf8: {
      const std::size_t tail = at_end ? 0 : IncompleteTail(bytes);
      rest->assign(bytes.substr(bytes.size() - tail));
      bytes.remove_suffix(tail);
      if (!IsValidUtf8(bytes)) return false;
      out->append(bytes);
      return true;
    }
    case Encoding::kUtf16Little:
    case Encoding::kUtf16Big:
      return AppendUtf16(bytes, encoding == Encoding::kUtf16Big, at_end, out, rest);
    case Encoding::kWindows1252:
      for (const char byte : bytes) {
        const auto c = static_cast<unsigned char>(byte);
        AppendCodePoint(c >= 0x80 && c < 0xA0 ? kWindows1252[c - 0x80] : c, out);
      }
      rest->clear();
      return true;
  }
  return false;
}

Result<std::unique_ptr<ByteSource>> OpenBytes(const std::string& path,
                                              const std::string& shown_name) {
  const int fd = open(path.c_str(), O_RDONLY | O_CLOEXEC);
  if (fd < 0) return NotFound("GY2004", "the file {} cannot be read", shown_name);
  char magic[6] = {};
  const ssize_t got = pread(fd, magic, sizeof magic, 0);
  std::unique_ptr<ByteSource> source = std::make_unique<PlainFile>(fd, shown_name);
  const std::string_view head(magic, got > 0 ? static_cast<std::size_t>(got) : 0);
  if (head.starts_with("\x1f\x8b"))
    return std::unique_ptr<ByteSource>(std::make_unique<GzipFile>(std::move(source), shown_name));
  if (head.starts_with("\x28\xb5\x2f\xfd"))
    return std::unique_ptr<ByteSource>(std::make_unique<ZstdFile>(std::move(source), shown_name));
  for (const auto& [mark, kind] :
       {std::pair<std::string_view, std::string_view>{"PK\x03\x04", "zip (or Excel)"},
        {std::string_view("\xfd"
                          "7zXZ\0",
                          6),
         "xz"},
        {"BZh", "bzip2"},
        {"7z\xbc\xaf", "7z"}}) {
    if (head.starts_with(mark)) {
      return InvalidArgument("GY2033", "{} is a {} file, which cannot be read", shown_name, kind)
          .Why("CSV, JSON lines and Parquet are read, plain or compressed with gzip or zstd")
          .Fix("unpack it, or save it as CSV, and add that");
    }
  }
  return source;
}

Result<TextSource> TextSource::Open(const std::string& path, const std::string& shown_name,
                                    std::optional<Encoding> forced) {
  TextSource text;
  GYRE_TRY(text.bytes_, OpenBytes(path, shown_name));
  text.name_ = shown_name;
  text.buffer_.resize(kBlockBytes);
  while (text.sample_.size() < kSampleBytes) {
    GYRE_TRY(const std::size_t got, text.bytes_->Read(text.buffer_.data(), kSampleBytes));
    if (got == 0) break;
    text.sample_.append(text.buffer_.data(), got);
  }
  std::size_t mark = 0;
  text.encoding_ = DetectEncoding(text.sample_, &mark);
  text.sample_.erase(0, mark);
  if (forced) text.encoding_ = *forced;
  const bool wide =
      text.encoding_ == Encoding::kUtf16Little || text.encoding_ == Encoding::kUtf16Big;
  if (!wide && text.sample_.find('\0') != std::string::npos) {
    return InvalidArgument("GY2033", "{} is not a text file", shown_name)
        .Why("it holds zero bytes; CSV, JSON lines and Parquet can be read")
        .Fix("save it as CSV, and add that");
  }
  return text;
}

Result<bool> TextSource::Next(std::string* out) {
  const std::size_t before = out->size();
  while (out->size() == before) {
    if (at_end_) return false;
    std::string bytes = std::exchange(rest_, {});
    if (!sample_.empty()) {
      bytes += std::exchange(sample_, {});
    } else {
      GYRE_TRY(const std::size_t got, bytes_->Read(buffer_.data(), buffer_.size()));
      bytes.append(buffer_.data(), got);
      at_end_ = got == 0;
    }
    if (!AppendDecoded(bytes, encoding_, at_end_, out, &rest_)) {
      return InvalidArgument("GY2030", "{} is not {} text", name_, EncodingName(encoding_))
          .Why("its first bytes are, later ones are not")
          .Fix("save the file as UTF-8, and add that");
    }
  }
  return true;
}

}  // namespace gyre::table

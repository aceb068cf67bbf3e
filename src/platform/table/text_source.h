// A file as UTF-8 text, block by block: decompressed (gzip, zstd) and decoded (UTF-8, UTF-16,
// Windows-1252). Private to platform/table.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "base/error.h"

namespace gyre::table {

enum class Encoding : unsigned char { kUtf8, kUtf16Little, kUtf16Big, kWindows1252 };
std::string_view EncodingName(Encoding encoding);

// What the first bytes of a text say. `length` of the byte order mark goes to *mark_bytes.
Encoding DetectEncoding(std::string_view sample, std::size_t* mark_bytes);
// Appends `bytes` as UTF-8; what is incomplete at the end stays behind in *rest. False when the
// bytes do not fit the encoding.
bool AppendDecoded(std::string_view bytes, Encoding encoding, bool at_end, std::string* out,
                   std::string* rest);

// Bytes of a file after decompression.
class ByteSource {
 public:
  virtual ~ByteSource() = default;
  virtual Result<std::size_t> Read(char* out, std::size_t length) = 0;  // 0 = end
  virtual std::int64_t stored_bytes_read() const = 0;
};
// Errors: kNotFound GY2004; kInvalidArgument GY2033 a kind of file that cannot be read (zip, xz,
// bzip2), broken compression.
Result<std::unique_ptr<ByteSource>> OpenBytes(const std::string& path,
                                              const std::string& shown_name);

class TextSource {
 public:
  // Errors: those of OpenBytes; kInvalidArgument GY2033 when the file is not text.
  static Result<TextSource> Open(const std::string& path, const std::string& shown_name,
                                 std::optional<Encoding> forced);
  // Appends up to about 1 MiB of text to *out; false at the end (nothing was appended).
  // Error: kInvalidArgument GY2030 when the bytes do not fit the encoding that the start of the
  // file promised.
  Result<bool> Next(std::string* out);
  Encoding encoding() const { return encoding_; }
  std::int64_t stored_bytes_read() const { return bytes_->stored_bytes_read(); }

 private:
  TextSource() = default;
  std::unique_ptr<ByteSource> bytes_;
  std::string name_, sample_, rest_, buffer_;
  Encoding encoding_ = Encoding::kUtf8;
  bool at_end_ = false;
};

}  // namespace gyre::table

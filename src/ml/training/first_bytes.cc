#include "ml/training/first_bytes.h"

namespace gyre::training {

bool IsPickle(std::string_view bytes) {
  if (bytes.size() > 2 && bytes[0] == '\x80' && bytes[1] >= 2 && bytes[1] <= 5) return true;
  // Protocol 0 has no mark of its own: text that ends as a pickle does.
  return (bytes.starts_with('c') || bytes.starts_with("(")) && bytes.ends_with('.');
}

std::string_view CompressionOf(std::string_view bytes) {
  if (bytes.starts_with("\x1f\x8b")) return "gzip";
  if (bytes.starts_with("BZh")) return "bzip2";
  if (bytes.starts_with("\xfd"
                        "7zXZ") ||
      bytes.starts_with(std::string_view("\x5d\x00\x00", 3)))
    return "xz";
  if (bytes.starts_with("\x04\x22\x4d\x18")) return "lz4";
  const bool zlib =
      bytes.size() > 2 && bytes[0] == '\x78' &&
      ((static_cast<unsigned char>(bytes[0]) << 8U) + static_cast<unsigned char>(bytes[1])) % 31 ==
          0;
  return zlib ? "zlib" : "";
}

}  // namespace gyre::training

// Zip archives and compressed bytes, made in memory.
#pragma once

#include <zlib.h>

#include <cstdint>
#include <string>
#include <vector>

namespace gyre::training {

// `bytes` as they are to lie in the archive, `size` what it says of them unfolded.
struct Packed {
  std::string name, bytes;
  std::uint64_t size = ~std::uint64_t{0};  // as many as there are
  bool compressed = false;
};

inline std::string LittleEndian(std::uint64_t value, int width) {
  std::string bytes;
  for (int i = 0; i < width; ++i) bytes += static_cast<char>((value >> (8 * i)) & 0xff);
  return bytes;
}

// The checksums are left at 0: nobody who inspects needs them.
inline std::string ZipOf(const std::vector<Packed>& members) {
  std::string archive, directory;
  for (const Packed& one : members) {
    const std::uint64_t size = one.size == ~std::uint64_t{0} ? one.bytes.size() : one.size;
    const std::string facts = LittleEndian(one.compressed ? 8 : 0, 2) + std::string(8, '\0') +
                              LittleEndian(one.bytes.size(), 4) + LittleEndian(size, 4) +
                              LittleEndian(one.name.size(), 2) + LittleEndian(0, 2);
    directory += "PK\x01\x02" + LittleEndian(20, 2) + LittleEndian(20, 2) + LittleEndian(0, 2) +
                 facts + std::string(10, '\0') + LittleEndian(archive.size(), 4) + one.name;
    archive += "PK\x03\x04" + LittleEndian(20, 2) + LittleEndian(0, 2) + facts + one.name;
    archive += one.bytes;
  }
  return archive + directory + "PK\x05\x06" + std::string(4, '\0') +
         LittleEndian(members.size(), 2) + LittleEndian(members.size(), 2) +
         LittleEndian(directory.size(), 4) + LittleEndian(archive.size(), 4) + LittleEndian(0, 2);
}

inline std::string Deflated(const std::string& bytes, int window = -15) {
  z_stream stream{};
  deflateInit2(&stream, 9, Z_DEFLATED, window, 9, Z_DEFAULT_STRATEGY);
  std::string out(deflateBound(&stream, bytes.size()) + 64, '\0');
  stream.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(bytes.data()));  // NOLINT
  stream.avail_in = static_cast<uInt>(bytes.size());
  stream.next_out = reinterpret_cast<Bytef*>(out.data());  // NOLINT
  stream.avail_out = static_cast<uInt>(out.size());
  deflate(&stream, Z_FINISH);
  out.resize(stream.total_out);
  deflateEnd(&stream);
  return out;
}

}  // namespace gyre::training

#include "ml/training/inflate.h"

#include <zlib.h>

#include <algorithm>
#include <limits>

#include "base/text.h"

namespace gyre::training {
namespace {

constexpr std::size_t kPiece = std::size_t{1} << 20;

struct Stream {
  explicit Stream(int window) : ready(inflateInit2(&z, window) == Z_OK) {}
  ~Stream() {
    if (ready) inflateEnd(&z);
  }
  Stream(const Stream&) = delete;
  Stream& operator=(const Stream&) = delete;

  // zlib reads from a pointer that is not const, and counts in 32 bits.
  void Feed(std::string_view* rest) {
    if (z.avail_in > 0) return;
    const std::size_t size = std::min<std::size_t>(rest->size(), std::numeric_limits<uInt>::max());
    z.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(rest->data()));  // NOLINT
    z.avail_in = static_cast<uInt>(size);
    rest->remove_prefix(size);
  }

  z_stream z{};
  bool ready;
};

}  // namespace

Error CannotUnfold(std::string_view why) {
  return InvalidArgument("GY3548", "it cannot be unfolded: {}", why);
}

Error TooLarge(std::size_t bytes_max) {
  return CannotUnfold(
      fmt::format("it comes to more than {}", HumanBytes(static_cast<std::int64_t>(bytes_max))));
}

Result<std::string> Inflate(std::string_view bytes, int window, std::size_t bytes_max) {
  Stream stream(window);
  if (!stream.ready) return CannotUnfold("zlib does not start");
  std::string out, piece(kPiece, '\0');
  int status = Z_OK;
  while (status == Z_OK && out.size() <= bytes_max) {
    stream.Feed(&bytes);
    stream.z.next_out = reinterpret_cast<Bytef*>(piece.data());  // NOLINT: zlib's bytes
    stream.z.avail_out = static_cast<uInt>(piece.size());
    status = inflate(&stream.z, Z_NO_FLUSH);
    out.append(piece, 0, piece.size() - stream.z.avail_out);
  }
  if (out.size() > bytes_max) return TooLarge(bytes_max);
  if (status != Z_STREAM_END) return CannotUnfold("it is broken");
  return out;
}

}  // namespace gyre::training

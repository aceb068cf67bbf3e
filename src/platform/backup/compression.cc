#include "platform/backup/compression.h"

#include <zstd.h>

#include "base/limits.h"

namespace gyre::backup {
namespace {

constexpr int kLevel = 3;
constexpr int kWindowLogMax = 27;  // 128 MiB: no frame makes a reader take more memory

struct FreeCompressor {
  void operator()(ZSTD_CCtx* context) const { ZSTD_freeCCtx(context); }
};
using Compressor = std::unique_ptr<ZSTD_CCtx, FreeCompressor>;

Compressor NewCompressor() {
  Compressor context(ZSTD_createCCtx());
  GYRE_CHECK(context);
  ZSTD_CCtx_setParameter(context.get(), ZSTD_c_compressionLevel, kLevel);
  ZSTD_CCtx_setParameter(context.get(), ZSTD_c_checksumFlag, 1);
  return context;
}

}  // namespace

std::string CompressIfItPays(std::string_view bytes) {
  const Compressor context = NewCompressor();
  std::string out(ZSTD_compressBound(bytes.size()), '\0');
  const std::size_t size =
      ZSTD_compress2(context.get(), out.data(), out.size(), bytes.data(), bytes.size());
  if (ZSTD_isError(size) != 0 || size > bytes.size() - bytes.size() / 10) return {};
  out.resize(size);
  return out;
}

Result<> Compress(const Source& source, std::int64_t size, const Sink& out) {
  const Compressor context = NewCompressor();
  ZSTD_CCtx_setPledgedSrcSize(context.get(), static_cast<unsigned long long>(size));
  std::string buffer(ZSTD_CStreamOutSize(), '\0');
  for (bool last = false; !last;) {
    GYRE_TRY(const std::string piece, source());
    last = piece.empty();
    ZSTD_inBuffer in{piece.data(), piece.size(), 0};
    for (std::size_t left = 1; left != 0;) {
      ZSTD_outBuffer to{buffer.data(), buffer.size(), 0};
      left = ZSTD_compressStream2(context.get(), &to, &in, last ? ZSTD_e_end : ZSTD_e_continue);
      if (ZSTD_isError(left) != 0)
        return MakeError(Code::kDataLoss, "GY1900", "a file has changed while it was copied: {}",
                         ZSTD_getErrorName(left));
      GYRE_DO(out(std::string_view(buffer.data(), to.pos)));
      if (!last && in.pos == in.size) break;
    }
  }
  return {};
}

struct Decompressor::State {
  ZSTD_DCtx* context = ZSTD_createDCtx();
  std::string buffer = std::string(ZSTD_DStreamOutSize(), '\0');
  std::string start;  // until the size of the content is known
  std::int64_t declared = -1;
  std::int64_t made = 0;
  bool complete = false;
  ~State() { ZSTD_freeDCtx(context); }

  Result<bool> Take(std::string_view bytes, const Sink& out) {
    ZSTD_inBuffer in{bytes.data(), bytes.size(), 0};
    for (;;) {
      ZSTD_outBuffer to{buffer.data(), buffer.size(), 0};
      const std::size_t left = ZSTD_decompressStream(context, &to, &in);
      if (ZSTD_isError(left) != 0) return false;
      made += static_cast<std::int64_t>(to.pos);
      if (made > declared) return false;
      if (to.pos > 0) GYRE_DO(out(std::string_view(buffer.data(), to.pos)));
      if (left == 0) {
        complete = made == declared && in.pos == in.size;
        return complete;
      }
      if (in.pos == in.size && to.pos < to.size) return true;
    }
  }
};

Decompressor::Decompressor() : state_(std::make_unique<State>()) {
  GYRE_CHECK(state_->context != nullptr);
  ZSTD_DCtx_setParameter(state_->context, ZSTD_d_windowLogMax, kWindowLogMax);
}
Decompressor::~Decompressor() = default;

Result<bool> Decompressor::Feed(std::string_view bytes, const Sink& out) {
  constexpr std::size_t kHeaderMax = 18;  // of a frame
  State& state = *state_;
  if (bytes.empty()) return true;
  if (state.complete) return false;
  if (state.declared >= 0) return state.Take(bytes, out);
  state.start += bytes;
  const unsigned long long size = ZSTD_getFrameContentSize(state.start.data(), state.start.size());
  const bool known = size != ZSTD_CONTENTSIZE_UNKNOWN && size != ZSTD_CONTENTSIZE_ERROR;
  if (!known) return state.start.size() < kHeaderMax;
  if (size > static_cast<unsigned long long>(INT64_MAX)) return false;
  state.declared = static_cast<std::int64_t>(size);
  return state.Take(std::exchange(state.start, {}), out);
}

bool Decompressor::complete() const { return state_->complete; }

}  // namespace gyre::backup

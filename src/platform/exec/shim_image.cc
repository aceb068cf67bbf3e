#include "platform/exec/shim_image.h"

asm(R"(
  .section .rodata
  .global gyre_shim_begin
  .global gyre_shim_end
gyre_shim_begin:
  .incbin ")" GYRE_SHIM_FILE R"("
gyre_shim_end:
  .previous
)");

extern "C" {
extern const char gyre_shim_begin[];
extern const char gyre_shim_end[];
}

namespace gyre::exec {

std::string_view ShimImage() {
  return {gyre_shim_begin, static_cast<std::size_t>(gyre_shim_end - gyre_shim_begin)};
}

}  // namespace gyre::exec

// The bytes of the shim program, compiled in. Private.
#pragma once

#include <string_view>

namespace gyre::exec {

std::string_view ShimImage();

}  // namespace gyre::exec

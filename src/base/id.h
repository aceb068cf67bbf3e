// Ids: 32 hexadecimal digits, random, so that a short prefix already tells two things apart.
#pragma once

#include <string>
#include <string_view>

namespace gyre {

std::string NewId();                    // 128 random bits from the kernel
bool LooksLikeId(std::string_view id);  // 32 lower-case hexadecimal digits

}  // namespace gyre

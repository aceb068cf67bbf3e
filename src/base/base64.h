// Base64 of RFC 4648, section 4: with padding, without line breaks.
#pragma once

#include <string>
#include <string_view>

namespace gyre {

std::string Base64Encode(std::string_view bytes);
// False on a foreign character, a wrong length or wrong padding.
bool Base64Decode(std::string_view text, std::string* bytes);

}  // namespace gyre

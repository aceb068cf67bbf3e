// LIKE and ILIKE.
#include <algorithm>
#include <iterator>

#include "base/text.h"
#include "ml/tracking/filter.h"

namespace gyre::tracking {
namespace {

// Letters of the scripts that have capitals, as far as one letter stands for one.
struct Capitals {
  char32_t first, last;
  char32_t distance;  // to the small letter; 0 = every second one is a capital, the next is small
};
constexpr Capitals kCapitals[] = {
    {'A', 'Z', 32},         {0xC0, 0xD6, 32},    {0xD8, 0xDE, 32},    {0x100, 0x12F, 0},
    {0x132, 0x137, 0},      {0x139, 0x148, 0},   {0x14A, 0x177, 0},   {0x179, 0x17E, 0},
    {0x386, 0x386, 38},     {0x388, 0x38A, 37},  {0x38C, 0x38C, 64},  {0x38E, 0x38F, 63},
    {0x391, 0x3A1, 32},     {0x3A3, 0x3AB, 32},  {0x400, 0x40F, 80},  {0x410, 0x42F, 32},
    {0x460, 0x481, 0},      {0x48A, 0x4BF, 0},   {0x4C1, 0x4CE, 0},   {0x4D0, 0x52F, 0},
    {0x531, 0x556, 48},     {0x1E00, 0x1E95, 0}, {0x1EA0, 0x1EFF, 0}, {0xFF21, 0xFF3A, 32},
    {0x10400, 0x10427, 40},
};

char32_t Small(char32_t letter) {
  const auto* const range = std::ranges::lower_bound(kCapitals, letter, {}, &Capitals::last);
  if (range == std::end(kCapitals) || letter < range->first) return letter;
  if (range->distance != 0) return letter + range->distance;
  return letter + 1 - (letter - range->first) % 2;
}

// The first character of `text` and its bytes; a byte that begins none counts as one.
struct Character {
  char32_t code = 0;
  std::size_t bytes = 1;
};
Character FirstOf(std::string_view text) {
  const std::size_t length = Utf8SequenceLength(text);
  const auto byte = [&](std::size_t i) { return static_cast<unsigned char>(text[i]); };
  if (length <= 1) return {byte(0), 1};
  char32_t code = byte(0) & (0xFFU >> (length + 1));
  for (std::size_t i = 1; i < length; ++i) code = code << 6U | (byte(i) & 0x3FU);
  return {code, length};
}

}  // namespace

// Only the last '%' can take more text: O(text * pattern) at worst, without recursion.
bool Matches(std::string_view text, std::string_view pattern, bool ignore_case) {
  std::size_t t = 0, p = 0, star = std::string_view::npos, taken = 0;
  while (t < text.size()) {
    const Character character = FirstOf(text.substr(t));
    const Character wanted = p < pattern.size() ? FirstOf(pattern.substr(p)) : Character{};
    const bool same = wanted.code == character.code ||
                      (ignore_case && Small(wanted.code) == Small(character.code));
    if (p < pattern.size() && wanted.code == '%') {
      star = ++p;
      taken = t;
    } else if (p < pattern.size() && (wanted.code == '_' || same)) {
      t += character.bytes;
      p += wanted.bytes;
    } else if (star != std::string_view::npos) {
      taken += FirstOf(text.substr(taken)).bytes;
      t = taken;
      p = star;
    } else {
      return false;
    }
  }
  return pattern.substr(p).find_first_not_of('%') == std::string_view::npos;
}

}  // namespace gyre::tracking

// LIKE and ILIKE.
#include <string.h>

#include <algorithm>
#include <bitset>
#include <iterator>
#include <map>
#include <optional>
#include <string>

#include "base/text.h"
#include "ml/tracking/filter.h"
#include "ml/tracking/filter_fields.h"

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

void AppendCharacter(char32_t code, std::string* out) {
  const auto more = [&](unsigned shift) {
    *out += static_cast<char>(0x80U | (code >> shift & 0x3FU));
  };
  if (code < 0x80) {
    *out += static_cast<char>(code);
  } else if (code < 0x800) {
    *out += static_cast<char>(0xC0U | code >> 6U);
  } else if (code < 0x10000) {
    *out += static_cast<char>(0xE0U | code >> 12U);
    more(6);
  } else {
    *out += static_cast<char>(0xF0U | code >> 18U);
    more(12);
    more(6);
  }
  if (code >= 0x80) more(0);
}

// With small letters only.
std::string Folded(std::string_view text) {
  std::string folded;
  folded.reserve(text.size());
  while (!text.empty()) {
    const Character character = FirstOf(text);
    const bool broken = character.bytes == 1 && character.code >= 0x80;
    const char32_t small = broken ? character.code : Small(character.code);
    if (small == character.code) {
      folded += text.substr(0, character.bytes);
    } else {
      AppendCharacter(small, &folded);
    }
    text.remove_prefix(character.bytes);
  }
  return folded;
}

// --- pieces: what stands between two '%'; '_' is any character -----------------------------------
using Rest =
    std::optional<std::string_view>;  // what comes behind a piece; nothing = it is not there

Rest Begins(std::string_view text, std::string_view piece) {
  while (!piece.empty()) {
    if (text.empty()) return std::nullopt;
    const Character wanted = FirstOf(piece), character = FirstOf(text);
    if (wanted.code != '_' && wanted.code != character.code) return std::nullopt;
    piece.remove_prefix(wanted.bytes);
    text.remove_prefix(character.bytes);
  }
  return text;
}

// All places where the piece may have begun are followed at once, a bit each.
Rest FindByBits(std::string_view text, std::string_view piece) {
  using Bits = std::bitset<kLikeBytesMax>;
  Bits any;
  std::map<char32_t, Bits> known;
  std::size_t length = 0;
  for (; !piece.empty(); ++length) {
    const Character wanted = FirstOf(piece);
    (wanted.code == '_' ? any : known[wanted.code]).set(length);
    piece.remove_prefix(wanted.bytes);
  }
  for (auto& [code, bits] : known) bits |= any;
  Bits begun;
  while (!text.empty()) {
    const Character character = FirstOf(text);
    text.remove_prefix(character.bytes);
    const auto bits = known.find(character.code);
    begun = (begun << 1U).set(0) & (bits == known.end() ? any : bits->second);
    if (begun[length - 1]) return text;
  }
  return std::nullopt;
}

Rest Find(std::string_view text, std::string_view piece) {
  if (!piece.contains('_')) {
    const void* const place = memmem(text.data(), text.size(), piece.data(), piece.size());
    if (place == nullptr) return std::nullopt;
    const auto begin = static_cast<std::size_t>(static_cast<const char*>(place) - text.data());
    return text.substr(begin + piece.size());
  }
  constexpr std::size_t kStepsFew = 1 << 14;  // cost less than to make the bits
  if (text.size() * piece.size() > kStepsFew && piece.size() <= kLikeBytesMax)
    return FindByBits(text, piece);
  for (; !text.empty(); text.remove_prefix(FirstOf(text).bytes))
    if (const Rest rest = Begins(text, piece)) return rest;
  return std::nullopt;
}

bool IsInside(char byte) { return (static_cast<unsigned char>(byte) & 0xC0U) == 0x80U; }

// `text` without the piece at its end.
Rest WithoutEnd(std::string_view text, std::string_view piece) {
  std::size_t begin = text.size();
  for (; !piece.empty(); piece.remove_prefix(FirstOf(piece).bytes)) {
    if (begin == 0) return std::nullopt;
    for (--begin; begin > 0 && IsInside(text[begin]);) --begin;
  }
  return text.substr(0, begin);
}

bool IsLike(std::string_view text, std::string_view pattern) {
  const std::size_t first = pattern.find('%');
  Rest rest = Begins(text, pattern.substr(0, first));
  if (first == std::string_view::npos || !rest) return rest && rest->empty();
  const std::size_t last = pattern.rfind('%');
  const std::string_view end = pattern.substr(last + 1);
  const Rest before = WithoutEnd(*rest, end);
  if (!before || !Begins(rest->substr(before->size()), end)) return false;
  rest = before;
  for (const std::string_view piece : Split(pattern.substr(first, last - first), '%')) {
    if (!piece.empty()) rest = Find(*rest, piece);
    if (!rest) return false;
  }
  return true;
}

}  // namespace

// The first place of each piece is as good as any later one: no step goes back over the text, so
// that the time grows with the text alone (for patterns of kLikeBytesMax).
bool Matches(std::string_view text, std::string_view pattern, bool ignore_case) {
  return ignore_case ? IsLike(Folded(text), Folded(pattern)) : IsLike(text, pattern);
}

}  // namespace gyre::tracking

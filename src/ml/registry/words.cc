#include "ml/registry/words.h"

#include <algorithm>
#include <cctype>
#include <cstdint>

#include "base/text.h"

namespace gyre::registry {
namespace {

constexpr std::size_t kNameBytesMax = 128;

bool IsAlnum(char c) { return std::isalnum(static_cast<unsigned char>(c)) != 0; }
bool IsControl(char c) {
  const auto byte = static_cast<unsigned char>(c);
  return byte < 0x20 || byte == 0x7f;
}

std::size_t Characters(std::string_view text) {
  return static_cast<std::size_t>(std::ranges::count_if(
      text, [](char c) { return (static_cast<unsigned char>(c) & 0xC0) != 0x80; }));
}

// Beyond ASCII what is no letter stands in few blocks: spaces, punctuation, symbols, what is for
// private use.
bool IsLetterBeyondAscii(std::uint32_t c) {
  constexpr std::pair<std::uint32_t, std::uint32_t> kNone[] = {
      {0x80, 0xA9},     {0xAB, 0xB1},     {0xB4, 0xB4},     {0xB6, 0xB8},     {0xBB, 0xBB},
      {0xBF, 0xBF},     {0xD7, 0xD7},     {0xF7, 0xF7},     {0x2000, 0x206F}, {0x20A0, 0x20CF},
      {0x2190, 0x245F}, {0x2500, 0x2BFF}, {0x2E00, 0x2E7F}, {0x3000, 0x3004}, {0x3008, 0x3020},
      {0xD800, 0xF8FF}, {0xFE00, 0xFE6F}, {0xFF01, 0xFF0F}, {0xFF1A, 0xFF20}, {0x1F000, 0x1FAFF},
  };
  return std::ranges::none_of(
      kNone, [c](const auto& range) { return c >= range.first && c <= range.second; });
}

std::uint32_t CodePoint(std::string_view sequence) {
  const auto first = static_cast<unsigned char>(sequence[0]);
  std::uint32_t point = sequence.size() == 1   ? first
                        : sequence.size() == 2 ? first & 0x1F
                        : sequence.size() == 3 ? first & 0x0F
                                               : first & 0x07;
  for (const char c : sequence.substr(1))
    point = (point << 6) | (static_cast<unsigned char>(c) & 0x3F);
  return point;
}

bool IsWord(std::string_view text, std::string_view others) {
  while (!text.empty()) {
    const std::size_t length = Utf8SequenceLength(text);
    if (length == 0) return false;
    const char c = text[0];
    const bool fine = length > 1 ? IsLetterBeyondAscii(CodePoint(text.substr(0, length)))
                                 : IsAlnum(c) || others.find(c) != std::string_view::npos;
    if (!fine) return false;
    text.remove_prefix(length);
  }
  return true;
}

bool IsVersionWord(std::string_view alias) {
  if (EqualsIgnoreCase(alias, "latest")) return true;
  return alias.size() > 1 && (alias[0] == 'v' || alias[0] == 'V') &&
         std::ranges::all_of(alias.substr(1), [](char c) { return c >= '0' && c <= '9'; });
}

Error BadAlias(std::string_view alias, std::string why) {
  return InvalidArgument("GY3634", "`{}` is no name for an alias", alias.substr(0, 300))
      .Why(std::move(why));
}

}  // namespace

Result<> CheckTitle(std::string_view title) {
  const auto bad = [&](std::string why) {
    return InvalidArgument("GY3631", "`{}` is no name for a model", title.substr(0, 300))
        .Why(std::move(why));
  };
  if (Trim(title).empty()) return bad("it is empty");
  if (!IsValidUtf8(title)) return bad("it is not valid UTF-8");
  if (Characters(title) > kTitleMax)
    return bad(fmt::format("it has more than {} characters", kTitleMax));
  if (title.find_first_of("%/:") != std::string_view::npos)
    return bad("'%', '/' and ':' are for paths and references");
  if (std::ranges::any_of(title, IsControl)) return bad("it has control characters");
  if (title == "." || title == "..") return bad("it is a folder's name");
  return {};
}

std::string NameOfTitle(std::string_view title) {
  if (CheckName("model", title)) return std::string(title);
  std::string name;
  for (const char c : title) {
    const bool fits = IsAlnum(c) || c == '.' || c == '_' || c == '-';
    if (name.empty() && !IsAlnum(c)) continue;
    if (fits) {
      name += c;
    } else if (!name.ends_with('-')) {
      name += '-';
    }
  }
  name.resize(std::min(name.size(), kNameBytesMax));
  while (name.ends_with('-')) name.pop_back();
  return name.empty() ? "model" : name;
}

Result<> CheckAliasText(std::string_view alias) {
  if (alias.empty()) return BadAlias(alias, "it is empty");
  if (!IsWord(alias, "_-.")) return BadAlias(alias, "an alias has letters, digits, '_', '-', '.'");
  if (Characters(alias) > kAliasMax)
    return BadAlias(alias, fmt::format("it has more than {} characters", kAliasMax));
  return {};
}

Result<> CheckAlias(std::string_view alias) {
  GYRE_DO(CheckAliasText(alias));
  if (IsVersionWord(alias)) return BadAlias(alias, "versions are called so");
  return {};
}

Result<> CheckDescription(std::string_view text) {
  if (!IsValidUtf8(text)) return InvalidArgument("GY3632", "the description is not valid UTF-8");
  if (Characters(text) > kDescriptionMax)
    return InvalidArgument("GY3632", "the description has more than {} characters",
                           kDescriptionMax);
  return {};
}

Result<> CheckTag(std::string_view key, std::string_view value) {
  const auto bad = [&](std::string why) {
    return InvalidArgument("GY3633", "the tag `{}` cannot be set", key.substr(0, 300))
        .Why(std::move(why));
  };
  if (key.empty()) return bad("its key is empty");
  if (!IsValidUtf8(key) || !IsValidUtf8(value)) return bad("it is not valid UTF-8");
  if (std::ranges::any_of(key, IsControl)) return bad("its key has control characters");
  if (Characters(key) > kTagKeyMax)
    return bad(fmt::format("its key has more than {} characters", kTagKeyMax));
  if (Characters(value) > kTagMax)
    return bad(fmt::format("its value has more than {} characters", kTagMax));
  return {};
}

}  // namespace gyre::registry

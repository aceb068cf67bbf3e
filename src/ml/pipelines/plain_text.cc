#include "ml/pipelines/plain_text.h"

#include <algorithm>

#include "base/text.h"

namespace gyre::pipelines {

std::string PlainText(std::string_view text, std::size_t bytes_max) {
  constexpr std::string_view kNoLetter = "\xEF\xBF\xBD";
  std::string plain;
  plain.reserve(std::min(text.size(), bytes_max));
  while (!text.empty()) {
    const std::size_t length = text[0] == '\0' ? 0 : Utf8SequenceLength(text);
    const std::string_view letter = length == 0 ? kNoLetter : text.substr(0, length);
    if (plain.size() + letter.size() > bytes_max) break;
    plain += letter;
    text.remove_prefix(std::max<std::size_t>(1, length));
  }
  return plain;
}

}  // namespace gyre::pipelines

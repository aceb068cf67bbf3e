// Text that comes from programs, as it may be stored and shown. Private.
#pragma once

#include <string>
#include <string_view>

namespace gyre::pipelines {

constexpr std::size_t kReasonBytesMax = 2000;

// Whatever is no letter of UTF-8 becomes U+FFFD, as a zero byte does; what is longer than
// `bytes_max` is cut between two letters.
std::string PlainText(std::string_view text, std::size_t bytes_max = kReasonBytesMax);

}  // namespace gyre::pipelines

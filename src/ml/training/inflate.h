// What zlib compressed, unfolded up to a bound. Pure. Private.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

#include "base/error.h"

namespace gyre::training {

inline constexpr int kEitherWrapper = 15 + 32;  // zlib's or gzip's
inline constexpr int kNoWrapper = -15;          // of members of a zip archive

// GY3548: "it comes to more than 1 GB".
Error CannotUnfold(std::string_view why);
Error TooLarge(std::size_t bytes_max);

// Error: kInvalidArgument GY3548 it is broken, or unfolds to more than that.
Result<std::string> Inflate(std::string_view bytes, int window, std::size_t bytes_max);

}  // namespace gyre::training

// What a file is, by the bytes it begins with. Pure. Private.
#pragma once

#include <string_view>

namespace gyre::training {

// A compressed one does not look like a pickle.
bool IsPickle(std::string_view bytes);
// "zlib", "gzip", "bzip2", "xz", "lz4", or nothing.
std::string_view CompressionOf(std::string_view bytes);

}  // namespace gyre::training

// Zip archives, as far as model files use them. Anything that two readers could take differently is
// refused: what is inspected is what is loaded. Pure. Private.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"

namespace gyre::training {

struct ZipMember {
  std::string name;
  std::string_view bytes;  // as they lie in the archive
  bool compressed = false;
  std::uint64_t size = 0;  // unfolded, as the archive says
};

bool IsZip(std::string_view bytes);

// The members of the archive's directory. Error: kInvalidArgument GY3549 it is broken, encrypted,
// compressed otherwise than by "deflate", has bytes that no member explains, or two members of one
// name.
Result<std::vector<ZipMember>> ReadZip(std::string_view bytes);

// A member's bytes, whole. Errors: GY3549 its size is not what the archive says; GY3548.
Result<std::string> Unfold(const ZipMember& member, std::size_t bytes_max);

}  // namespace gyre::training

// The price books as a report needs them. Private.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "ledger/usage/usage.h"

namespace gyre::usage {

Result<std::vector<PriceBook>> ReadBooks(db::Reader& reader);  // oldest first, at least one
// The book that is valid at a time; the first one is valid from the beginning.
std::size_t BookAt(const std::vector<PriceBook>& books, std::int64_t at_us);

}  // namespace gyre::usage

// The words of a route table, so that every noun's table reads alike.
#pragma once

#include "platform/net/http.h"

namespace gyre::native {

using net::Bind;
using net::Body;
using net::Method;
using net::Permission;
using net::Type;
using net::Where;

// Query parameters that several nouns take.
inline constexpr net::Field kLimit{"limit", Type::kWhole, "items of a page: 1 to 1000, else 100"};
inline constexpr net::Field kPageToken{"page_token", Type::kText,
                                       "next_page_token of the page before"};
inline constexpr net::Field kOfProject{"project", Type::kText, "only what belongs to it"};
inline constexpr net::Field kOffset{"offset", Type::kWhole, "bytes that the reader has already"};

}  // namespace gyre::native

// What the lists of the ledger share: pages by sequence number, and times in queries.
#pragma once

#include <string>
#include <string_view>

#include "platform/net/http.h"

namespace gyre::native {

struct SequencePage {
  std::int64_t before = 0;  // 0 = the newest
  int limit = 100;
};
// ?limit= and ?page_token= (a sequence number). Error: kInvalidArgument GY4151.
Result<SequencePage> ReadPage(const net::Request& request);
// ISO 8601 in ?name=, 0 when it is not given. Error: kInvalidArgument GY4152.
Result<std::int64_t> ReadTime(const net::Request& request, std::string_view name);
// {"items": [...], "next_page_token": "..."}: the token is there when the page is full.
net::Response PageResponse(Json items, const SequencePage& page, std::int64_t last_sequence);

}  // namespace gyre::native

#include "api/native/ledger_pages.h"

#include "base/limits.h"
#include "base/text.h"
#include "base/time.h"

namespace gyre::native {

Result<SequencePage> ReadPage(const net::Request& request) {
  GYRE_TRY(const std::int64_t limit, request.QueryInt("limit", 100, 1, kPageSizeMax));
  SequencePage page{0, static_cast<int>(limit)};
  if (const auto token = request.Query("page_token"); token && !token->empty()) {
    const auto before = ParseInt(*token);
    if (!before || *before < 1) {
      return InvalidArgument("GY4151", "`{}` is no page token of this list", *token)
          .Fix("use next_page_token of the page before");
    }
    page.before = *before;
  }
  return page;
}

Result<std::int64_t> ReadTime(const net::Request& request, std::string_view name) {
  const auto text = request.Query(name);
  if (!text || text->empty()) return 0;
  const auto time_us = ParseTime(*text);
  if (!time_us)
    return InvalidArgument("GY4152", "`{}` is no time: {}", name, *text)
        .Fix("as in 2026-11-21 or 2026-11-21T08:30:00Z");
  return *time_us;
}

net::Response PageResponse(Json items, const SequencePage& page, std::int64_t last_sequence) {
  const bool full = items.size() == static_cast<std::size_t>(page.limit);
  Json answer = Json::Obj({{"items", std::move(items)}});
  if (full) answer.Set("next_page_token", fmt::format("{}", last_sequence));
  return net::Response::JsonDoc(answer);
}

}  // namespace gyre::native

// How every list of this API is asked and answers:
// {"items": [...], "next_page_token": "..."}.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "base/json.h"
#include "platform/net/http.h"

namespace gyre::native {

// ?limit=: 100 when it is not given, at most kPageSizeMax.
Result<int> ReadLimit(const net::Request& request);

// The projects whose things a caller is shown: ?project= if he may see it, else all that he may.
// Nothing = every one. For routes that are `per_project`.
std::optional<std::vector<std::string>> VisibleProjects(const net::Request& request);

// Lists by name or id: the page token is the last one of the page before.
struct NamePage {
  int limit = 100;
  std::string after;
};
Result<NamePage> ReadNamePage(const net::Request& request);

// Lists by sequence number, newest first.
struct SequencePage {
  int limit = 100;
  std::int64_t before = 0;  // 0 = the newest
};
// Error: kInvalidArgument GY4151, the page token is none.
Result<SequencePage> ReadSequencePage(const net::Request& request);

// ISO 8601 in ?name=, 0 when it is not given. Error: kInvalidArgument GY4152.
Result<std::int64_t> ReadTime(const net::Request& request, std::string_view name);

template <typename Rows, typename ToJson>
Json ItemsOf(const Rows& rows, const ToJson& to_json) {
  Json items = Json::Arr();
  for (const auto& row : rows) items.Push(to_json(row));
  return items;
}

// All there is, in one answer.
template <typename Rows, typename ToJson>
net::Response WholeList(const Rows& rows, const ToJson& to_json) {
  return net::Response::JsonDoc(Json::Obj({{"items", ItemsOf(rows, to_json)}}));
}

// One page. A full one (things that have no row may stand in front of `limit` rows) has a token,
// the key of its last row: there may be more.
template <typename Rows, typename ToJson, typename Key>
net::Response PageOf(const Rows& rows, int limit, const ToJson& to_json, const Key& key) {
  Json answer = Json::Obj({{"items", ItemsOf(rows, to_json)}});
  if (!rows.empty() && rows.size() >= static_cast<std::size_t>(limit))
    answer.Set("next_page_token", fmt::format("{}", std::invoke(key, rows.back())));
  return net::Response::JsonDoc(answer);
}

}  // namespace gyre::native

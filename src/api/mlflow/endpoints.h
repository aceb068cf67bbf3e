// Each endpoint is stated once and served below all its prefixes by the same handler, so that no
// prefix can forget a check: /api/N.0, /ajax-api/N.0, and both below /p/{project}.
#pragma once

#include <array>
#include <cstddef>
#include <string_view>
#include <utility>

#include "api/mlflow/call.h"
#include "api/mlflow/errors.h"
#include "base/limits.h"
#include "platform/net/http.h"

namespace gyre::mlflow {

// Below which prefixes.
enum class Doors : unsigned char {
  kApi2,   // /api/2.0 and /ajax-api/2.0
  kApi3,   // /api/3.0 and /ajax-api/3.0
  kAjax2,  // /ajax-api/2.0
  kRoot,   // none: /health
};

struct Endpoint {
  net::Method method;
  std::string_view path;  // "/mlflow/runs/get"
  net::HandlerFunction handler;
  net::Permission permission;
  std::string_view summary;
  net::Fields fields = {};  // of the query of a GET, else of the JSON object in the body
  Doors doors = Doors::kApi2;
  std::int64_t body_bytes_max = kJsonBodyBytesMax;
  bool raw_body = false;      // not JSON: the handler streams it
  bool encoded_body = false;  // the handler undoes Content-Encoding
  bool audited = true;
  bool of_server =
      false;  // not of a project: not below /p/{project}, and the permission everywhere
  net::Where where = net::Where::kBlocking;
  net::Response (*error_response)(const Error& error, std::string_view request_id) = ErrorDocument;
};

inline constexpr std::string_view kProjectPrefix = "/p/{project}";

constexpr std::array<std::string_view, 2> PrefixesOf(Doors doors) {
  switch (doors) {
    case Doors::kApi2:
      return {"/api/2.0", "/ajax-api/2.0"};
    case Doors::kApi3:
      return {"/api/3.0", "/ajax-api/3.0"};
    case Doors::kAjax2:
      return {"/ajax-api/2.0", ""};
    case Doors::kRoot:
      break;
  }
  return {"", ""};
}
constexpr std::size_t PrefixCount(Doors doors) {
  return doors == Doors::kApi2 || doors == Doors::kApi3 ? 2 : 1;
}

// The rows of the endpoints of one noun: kEndpoints is an array of static storage.
template <const auto& kEndpoints>
class RoutesOf {
 public:
  static constexpr const auto& routes() { return kRoutes; }

 private:
  // Without and with the project.
  static constexpr std::size_t Placings(const Endpoint& endpoint) {
    return endpoint.of_server ? 1 : 2;
  }
  static constexpr std::size_t Count() {
    std::size_t count = 0;
    for (const Endpoint& endpoint : kEndpoints)
      count += Placings(endpoint) * PrefixCount(endpoint.doors);
    return count;
  }
  // Row i is prefix `i` of its endpoint, of those with and without the project.
  struct Row {
    std::size_t endpoint = 0;
    std::string_view prefix;
    bool of_project = false;
    std::size_t text_at = 0, text_size = 0;
  };
  static constexpr std::array<Row, Count()> Rows() {
    std::array<Row, Count()> rows{};
    std::size_t at = 0, row = 0, index = 0;
    for (const Endpoint& endpoint : kEndpoints) {
      const std::size_t placings = Placings(endpoint);
      for (std::size_t i = 0; i < placings * PrefixCount(endpoint.doors); ++i) {
        const std::string_view prefix = PrefixesOf(endpoint.doors)[i / placings];
        const bool of_project = i % placings == 1;
        const std::size_t size =
            (of_project ? kProjectPrefix.size() : 0) + prefix.size() + endpoint.path.size();
        rows[row++] = {index, prefix, of_project, at, size};
        at += size;
      }
      ++index;
    }
    return rows;
  }
  static constexpr std::array<Row, Count()> kRows = Rows();

  static constexpr auto Texts() {
    std::array<char, kRows.back().text_at + kRows.back().text_size> text{};
    for (const Row& row : kRows) {
      std::size_t at = row.text_at;
      const auto add = [&](std::string_view part) {
        for (const char c : part) text[at++] = c;
      };
      if (row.of_project) add(kProjectPrefix);
      add(row.prefix);
      add(kEndpoints[row.endpoint].path);
    }
    return text;
  }
  static constexpr auto kText = Texts();

  // The project that a path names is read from the database, which waits.
  static constexpr net::Route RouteOf(const Row& row) {
    const Endpoint& endpoint = kEndpoints[row.endpoint];
    const bool get = endpoint.method == net::Method::kGet;
    return {.method = endpoint.method,
            .path = std::string_view(kText.data() + row.text_at, row.text_size),
            .handler = endpoint.handler,
            .permission = endpoint.permission,
            .summary = endpoint.summary,
            .body = endpoint.raw_body ? net::Body::kStream
                    : get             ? net::Body::kNone
                                      : net::Body::kBuffer,
            .body_bytes_max = endpoint.body_bytes_max,
            .where = row.of_project ? net::Where::kBlocking : endpoint.where,
            .audited = endpoint.audited,
            .error_response = endpoint.error_response,
            .per_project = !endpoint.of_server,
            .query = get ? endpoint.fields : net::Fields{},
            .members = get ? net::Fields{} : endpoint.fields,
            .any_query = true,
            .encoded_body = endpoint.encoded_body};
  }
  template <std::size_t... kIndex>
  static constexpr std::array<net::Route, sizeof...(kIndex)> Expand(
      std::index_sequence<kIndex...>) {
    return {RouteOf(kRows[kIndex])...};
  }
  static constexpr std::array<net::Route, Count()> kRoutes =
      Expand(std::make_index_sequence<Count()>());
};

}  // namespace gyre::mlflow

// Finds the route of a request: a trie over path segments. Private to platform/net.
#pragma once

#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/error.h"
#include "platform/net/http.h"

namespace gyre::net {

struct RouteMatch {
  const Route* route = nullptr;  // null: see methods
  const RouteTable* table = nullptr;
  std::vector<Method> allowed;  // when the path exists with other methods only
};

using Pairs = std::vector<std::pair<std::string, std::string>>;

class RouteIndex {
 public:
  // Two rows with the same method and shape are a programmer error (GYRE_CHECK). `tables` is
  // copied; the routes must live on.
  explicit RouteIndex(std::span<const RouteTable> tables);
  ~RouteIndex();

  // `path` is still percent-encoded; parameters come out decoded once. HEAD falls back to GET.
  // Error: kInvalidArgument GY1614 for a path that could mean two things (encoded slash, dot
  // segment, NUL, backslash, broken escape or UTF-8).
  Result<RouteMatch> Find(Method method, std::string_view path, Pairs* params) const;

  // Who answers what finds no route: a route that has all below the place which the path comes to
  // ("/api/2.0/{rest*}"), of the deepest such place. Its error_response then knows what clients of
  // that place understand. Null where nobody has.
  RouteMatch KeeperOf(std::string_view path) const;

 private:
  struct Node;
  std::vector<RouteTable> tables_;
  std::unique_ptr<Node> root_;
};

// Decodes "a=1&b=2" once. Error: kInvalidArgument GY1614 for a broken escape, invalid UTF-8 or more
// than 256 pairs.
Result<> ParseQuery(std::string_view query, Pairs* pairs);

}  // namespace gyre::net

#include "platform/net/route_index.h"

#include <array>

#include "base/text.h"

namespace gyre::net {
namespace {

constexpr std::size_t kSegmentsMax = 32;
constexpr std::size_t kQueryPairsMax = 256;

struct Segments {
  std::array<std::string_view, kSegmentsMax> part;
  std::array<std::string, 4> decoded;  // storage of those that had escapes
  std::size_t count = 0;
  std::size_t decoded_count = 0;
  std::vector<std::string> more;  // storage beyond the first four
};

Error BadPath(std::string_view rule) {
  return InvalidArgument("GY1614", "the path cannot be used: {}", rule)
      .Why("a path is decoded exactly once and must mean the same to every reader");
}

Result<> CheckSegment(std::string_view segment) {
  if (segment == "." || segment == "..") return BadPath("it has a dot segment");
  bool ascii = true;
  for (const char c : segment) {
    ascii = ascii && static_cast<unsigned char>(c) < 0x80;
    if (static_cast<unsigned char>(c) < 0x20 || c == 0x7f)
      return BadPath("it has a control character");
    if (c == '\\') return BadPath("it has a backslash");
    if (c == '/') return BadPath("a name in it holds an encoded slash");
  }
  if (!ascii && !IsValidUtf8(segment)) return BadPath("it is not UTF-8");
  return {};
}

// A string whose address stays: the views in `part` point at it.
std::string_view Keep(std::string text, Segments* segments) {
  if (segments->decoded_count < segments->decoded.size()) {
    std::string& slot = segments->decoded[segments->decoded_count++];
    slot = std::move(text);
    return slot;
  }
  if (segments->more.empty()) segments->more.reserve(kSegmentsMax);
  segments->more.push_back(std::move(text));
  return segments->more.back();
}

Result<bool> SplitPath(std::string_view path, Segments* segments) {
  if (path.empty() || path[0] != '/') return BadPath("it does not begin with a slash");
  path.remove_prefix(1);
  while (true) {
    if (segments->count == kSegmentsMax) return false;
    const std::size_t slash = path.find('/');
    std::string_view segment = path.substr(0, slash);
    if (segment.find('%') != std::string_view::npos) {
      bool ok = false;
      std::string text = PercentDecode(segment, false, &ok);
      if (!ok) return BadPath("it has a broken percent escape");
      segment = Keep(std::move(text), segments);
    }
    GYRE_DO(CheckSegment(segment));
    segments->part[segments->count++] = segment;
    if (slash == std::string_view::npos) return true;
    path.remove_prefix(slash + 1);
  }
}

}  // namespace

struct RouteIndex::Node {
  struct Row {
    const Route* route;
    const RouteTable* table;
    std::vector<std::string_view> names;  // of the parameters on the way, in order
  };
  std::vector<std::pair<std::string_view, std::unique_ptr<Node>>> literals;
  std::unique_ptr<Node> parameter;
  std::vector<Row> rows, rest_rows;  // ending here; and "{name*}" beginning here

  Node& Literal(std::string_view text) {
    for (auto& [key, node] : literals) {
      if (key == text) return *node;
    }
    literals.emplace_back(text, std::make_unique<Node>());
    return *literals.back().second;
  }
  Node& Parameter() {
    if (!parameter) parameter = std::make_unique<Node>();
    return *parameter;
  }
};

RouteIndex::~RouteIndex() = default;

RouteIndex::RouteIndex(std::span<const RouteTable> tables)
    : tables_(tables.begin(), tables.end()), root_(std::make_unique<Node>()) {
  for (const RouteTable& table : tables_) {
    for (const Route& route : table.routes) {
      GYRE_CHECK(route.path.starts_with('/') && route.handler != nullptr && table.self != nullptr);
      GYRE_CHECK(route.where != Where::kDeferred || !route.audited);
      Node* node = root_.get();
      Node::Row row{&route, &table, {}};
      bool rest = false;
      for (const std::string_view part : Split(route.path.substr(1), '/')) {
        GYRE_CHECK(!rest);
        const bool named = part.size() > 2 && part.front() == '{' && part.back() == '}';
        if (!named) {
          node = &node->Literal(part);
          continue;
        }
        rest = part[part.size() - 2] == '*';
        row.names.push_back(part.substr(1, part.size() - (rest ? 3 : 2)));
        if (!rest) node = &node->Parameter();
      }
      std::vector<Node::Row>& rows = rest ? node->rest_rows : node->rows;
      for (const Node::Row& other : rows) GYRE_CHECK(other.route->method != route.method);
      rows.push_back(std::move(row));
    }
  }
}

namespace {

// Depth-first: a literal before a parameter before the rest. Recursion is bounded by kSegmentsMax.
template <class Node>
struct Search {
  const Segments& segments;
  Method method;
  std::array<std::uint8_t, kSegmentsMax> taken{};  // which segments are parameters
  std::size_t taken_count = 0;
  const typename Node::Row* found = nullptr;
  std::size_t rest_from = 0;
  bool is_rest = false;
  std::vector<Method> allowed;

  bool Among(const std::vector<typename Node::Row>& rows) {
    const typename Node::Row* get = nullptr;
    for (const auto& row : rows) {
      if (row.route->method == method) {
        found = &row;
        return true;
      }
      if (row.route->method == Method::kGet) get = &row;
      allowed.push_back(row.route->method);
    }
    if (method == Method::kHead && get != nullptr) found = get;
    return found != nullptr;
  }
  bool At(const Node& node, std::size_t i) {
    if (i == segments.count) return Among(node.rows);
    for (const auto& [text, next] : node.literals) {
      if (text == segments.part[i] && At(*next, i + 1)) return true;
    }
    if (node.parameter && !segments.part[i].empty()) {
      taken[taken_count++] = static_cast<std::uint8_t>(i);
      if (At(*node.parameter, i + 1)) return true;
      --taken_count;
    }
    if (!node.rest_rows.empty() && !segments.part[i].empty() && Among(node.rest_rows)) {
      rest_from = i;
      is_rest = true;
      return true;
    }
    return false;
  }
};

}  // namespace

Result<RouteMatch> RouteIndex::Find(Method method, std::string_view path, Pairs* params) const {
  params->clear();
  Segments segments;
  GYRE_TRY(const bool short_enough, SplitPath(path, &segments));
  RouteMatch match;
  if (!short_enough) return match;
  Search<Node> search{segments, method, {}, 0, nullptr, 0, false, {}};
  if (!search.At(*root_, 0)) {
    match.allowed = std::move(search.allowed);
    return match;
  }
  match.route = search.found->route;
  match.table = search.found->table;
  const auto& names = search.found->names;
  for (std::size_t i = 0; i < search.taken_count; ++i)
    params->emplace_back(names[i], segments.part[search.taken[i]]);
  if (search.is_rest) {
    std::string rest;
    for (std::size_t i = search.rest_from; i < segments.count; ++i) {
      if (segments.part[i].empty()) return BadPath("it has an empty segment");
      if (!rest.empty()) rest += '/';
      rest += segments.part[i];
    }
    params->emplace_back(names.back(), std::move(rest));
  }
  return match;
}

RouteMatch RouteIndex::KeeperOf(std::string_view path) const {
  RouteMatch keeper;
  const Node* node = root_.get();
  while (node != nullptr && path.starts_with('/')) {
    if (!node->rest_rows.empty()) {
      keeper.route = node->rest_rows.front().route;
      keeper.table = node->rest_rows.front().table;
    }
    path.remove_prefix(1);
    const std::string_view segment = path.substr(0, path.find('/'));
    path.remove_prefix(segment.size());
    const Node* next = segment.empty() ? nullptr : node->parameter.get();
    for (const auto& [text, literal] : node->literals) {
      if (text == segment) next = literal.get();
    }
    node = next;
  }
  return keeper;
}

Result<> ParseQuery(std::string_view query, Pairs* pairs) {
  pairs->clear();
  while (!query.empty()) {
    const std::size_t end = query.find('&');
    const std::string_view piece = query.substr(0, end);
    query = end == std::string_view::npos ? std::string_view() : query.substr(end + 1);
    if (piece.empty()) continue;
    if (pairs->size() == kQueryPairsMax)
      return InvalidArgument("GY1614", "the query has more than {} parameters", kQueryPairsMax);
    const std::size_t equals = piece.find('=');
    bool name_ok = false;
    bool value_ok = true;
    std::string name = PercentDecode(piece.substr(0, equals), true, &name_ok);
    std::string value;
    if (equals != std::string_view::npos)
      value = PercentDecode(piece.substr(equals + 1), true, &value_ok);
    if (!name_ok || !value_ok)
      return InvalidArgument("GY1614", "the query has a broken percent escape");
    if (!IsValidUtf8(name) || !IsValidUtf8(value))
      return InvalidArgument("GY1614", "the query is not UTF-8");
    pairs->emplace_back(std::move(name), std::move(value));
  }
  return {};
}

}  // namespace gyre::net

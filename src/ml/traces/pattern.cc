#include "ml/traces/pattern.h"

#include <algorithm>
#include <cctype>
#include <memory>
#include <optional>

#include "base/text.h"
#include "platform/db/read_budget.h"

namespace gyre::traces {
namespace {

constexpr std::size_t kPatternBytesMax = 1'000, kStepsMax = 1'000;
constexpr int kLevelsMax = 50;
constexpr char32_t kLast = 0x10ffff, kNone = 0xffffffff;

using Set = Pattern::Set;
using Op = Pattern::Op;

char32_t Decode(std::string_view* text) {
  const std::size_t length = std::max<std::size_t>(Utf8SequenceLength(*text), 1);
  const auto byte = [&](std::size_t i) { return static_cast<unsigned char>((*text)[i]); };
  char32_t point = byte(0);
  if (length > 1) {
    point &= 0xffU >> (length + 1);
    for (std::size_t i = 1; i < length; ++i) point = (point << 6U) | (byte(i) & 0x3fU);
  }
  text->remove_prefix(length);
  return point;
}

bool IsWord(char32_t c) {
  return c < 0x80 ? std::isalnum(static_cast<int>(c)) != 0 || c == '_' : c != kNone;
}
char32_t OtherCase(char32_t c) {
  if (c >= 'a' && c <= 'z') return c - 'a' + 'A';
  return c >= 'A' && c <= 'Z' ? c - 'A' + 'a' : c;
}

bool HasPoint(const Set& set, char32_t c) {
  return std::ranges::any_of(set.ranges, [&](const auto& r) { return r.low <= c && c <= r.high; });
}

// The class of \d, \w or \s; empty for other letters.
std::vector<Pattern::Range> ClassOf(char32_t letter) {
  if (letter == 'd') return {{'0', '9'}};
  if (letter == 'w') return {{'0', '9'}, {'A', 'Z'}, {'_', '_'}, {'a', 'z'}, {0x80, kLast}};
  if (letter == 's') return {{'\t', '\r'}, {' ', ' '}, {0xa0, 0xa0}};
  return {};
}

std::vector<Pattern::Range> Opposite(std::vector<Pattern::Range> ranges) {
  std::vector<Pattern::Range> rest;
  char32_t from = 0;
  for (const auto& range : ranges) {  // in order, as ClassOf writes them
    if (range.low > from) rest.push_back({from, range.low - 1});
    from = range.high + 1;
  }
  if (from <= kLast) rest.push_back({from, kLast});
  return rest;
}

struct Node {
  enum class Kind : unsigned char { kNothing, kSet, kAssert, kSequence, kEither, kRepeat };
  Kind kind = Kind::kNothing;
  Set set = {};
  Op assertion = Op::kBegin;
  int least = 0, most = 0;  // of kRepeat; most -1 = any number
  std::vector<Node> children = {};
};

// Errors are told by `wrong`, which says why; parsing ends at the first.
class Parser {
 public:
  explicit Parser(std::string_view text) : rest_(text) {}
  Node Whole() {
    Node node = Either(0);
    if (wrong.empty() && !rest_.empty()) wrong = "a ) without its (";
    return node;
  }
  std::string wrong;

 private:
  Node Fail(std::string_view why) {
    if (wrong.empty()) wrong = why;
    rest_ = {};
    return {};
  }
  bool Take(std::string_view word) {
    if (!rest_.starts_with(word)) return false;
    rest_.remove_prefix(word.size());
    return true;
  }

  Node Either(int level) {
    if (level > kLevelsMax) return Fail("it is nested too deep");
    Node either{.kind = Node::Kind::kEither};
    do {
      Node sequence{.kind = Node::Kind::kSequence};
      while (!rest_.empty() && rest_[0] != '|' && rest_[0] != ')')
        sequence.children.push_back(Repeated(level));
      either.children.push_back(std::move(sequence));
    } while (Take("|"));
    return either.children.size() == 1 ? std::move(either.children[0]) : either;
  }

  Node Repeated(int level) {
    Node node = One(level);
    bool repeated = false;
    while (!rest_.empty()) {
      const auto times = Times();
      if (!times) break;
      if (repeated) return Fail("two repetitions follow each other");
      repeated = true;
      static_cast<void>(Take("?"));  // what is found does not depend on it
      Node outer{.kind = Node::Kind::kRepeat, .least = times->first, .most = times->second};
      outer.children.push_back(std::move(node));
      node = std::move(outer);
    }
    return node;
  }

  std::optional<std::pair<int, int>> Times() {
    if (Take("*")) return std::pair(0, -1);
    if (Take("+")) return std::pair(1, -1);
    if (Take("?")) return std::pair(0, 1);
    const std::size_t end = rest_.find('}');
    if (rest_[0] != '{' || end == std::string_view::npos) return std::nullopt;
    const auto parts = Split(rest_.substr(1, end - 1), ',');
    const auto least = parts[0].empty() ? std::optional<std::int64_t>(0) : ParseInt(parts[0]);
    const bool open = parts.size() == 2 && parts[1].empty();
    const auto most = parts.size() == 1 ? least
                      : open            ? std::optional<std::int64_t>(-1)
                                        : ParseInt(parts[1]);
    if (parts.size() > 2 || !least || !most || (parts[0].empty() && open) ||
        (parts.size() == 1 && parts[0].empty()))
      return std::nullopt;  // then it is text
    rest_.remove_prefix(end + 1);
    const auto limit = static_cast<std::int64_t>(kStepsMax);
    if (*least < 0 || *least > limit || *most > limit || (*most >= 0 && *most < *least)) {
      static_cast<void>(Fail("a repetition's bounds"));
      return std::nullopt;
    }
    return std::pair(static_cast<int>(*least), static_cast<int>(*most));
  }

  static Node OfSet(std::vector<Pattern::Range> ranges, bool negated = false) {
    return {.kind = Node::Kind::kSet, .set = {std::move(ranges), negated}};
  }
  static Node OfAssertion(Op op) { return {.kind = Node::Kind::kAssert, .assertion = op}; }

  Node One(int level) {
    if (Take("(")) {
      if (rest_.starts_with("?") && !Take("?:"))
        return Fail("groups that begin with (? are not known");
      Node group = Either(level + 1);
      return Take(")") ? std::move(group) : Fail("a ( without its )");
    }
    if (Take("[")) return Class();
    if (Take(".")) return OfSet({{'\n', '\n'}}, true);
    if (Take("^")) return OfAssertion(Op::kBegin);
    if (Take("$")) return OfAssertion(Op::kEnd);
    if (Take("\\")) return Escape();
    if (std::string_view("*+?").contains(rest_[0])) return Fail("nothing to repeat");
    const char32_t c = Decode(&rest_);
    return OfSet({{c, c}});
  }

  Node Escape() {
    if (rest_.empty()) return Fail("it ends with \\");
    if (Take("b")) return OfAssertion(Op::kEdge);
    if (Take("B")) return OfAssertion(Op::kNoEdge);
    if (Take("A")) return OfAssertion(Op::kBegin);
    if (Take("Z")) return OfAssertion(Op::kEnd);
    return OfSet(Escaped());
  }

  std::vector<Pattern::Range> Escaped() {
    const char32_t c = Decode(&rest_);
    if (auto known = ClassOf(c); !known.empty()) return known;
    if (c < 0x80 && std::isupper(static_cast<int>(c)) != 0) {
      if (auto known = ClassOf(OtherCase(c)); !known.empty()) return Opposite(std::move(known));
    }
    constexpr std::string_view kNames = "nrtfv0", kValues("\n\r\t\f\v\0", 6);
    if (c < 0x80 && kNames.contains(static_cast<char>(c))) {
      const auto value = static_cast<char32_t>(kValues[kNames.find(static_cast<char>(c))]);
      return {{value, value}};
    }
    if (c < 0x80 && std::isalnum(static_cast<int>(c)) != 0)
      static_cast<void>(Fail("an escape that is not known"));
    return {{c, c}};
  }

  Node Class() {
    Node node{.kind = Node::Kind::kSet};
    node.set.negated = Take("^");
    for (bool first = true; !rest_.empty() && (first || rest_[0] != ']'); first = false) {
      std::vector<Pattern::Range> low = Bound();
      const bool range = rest_.size() > 1 && rest_[0] == '-' && rest_[1] != ']';
      if (range && low.size() == 1 && low[0].low == low[0].high) {
        rest_.remove_prefix(1);
        const auto high = Bound();
        if (high.size() != 1 || high[0].low != high[0].high || high[0].low < low[0].low)
          return Fail("a range's bounds");
        low[0].high = high[0].low;
      }
      node.set.ranges.insert(node.set.ranges.end(), low.begin(), low.end());
    }
    return Take("]") ? std::move(node) : Fail("a [ without its ]");
  }
  std::vector<Pattern::Range> Bound() {
    if (rest_.empty()) return {};
    if (Take("\\")) return rest_.empty() ? std::vector<Pattern::Range>() : Escaped();
    const char32_t c = Decode(&rest_);
    return {{c, c}};
  }

  std::string_view rest_;
};

// Steps are laid from the end to the start: each knows where it goes on.
class Layer {
 public:
  explicit Layer(Pattern::Program* program) : program_(*program) {}
  bool full() const { return program_.steps.size() > kStepsMax; }

  std::size_t Add(Pattern::Step step) {
    program_.steps.push_back(step);
    return program_.steps.size() - 1;
  }
  // The step that begins `node` and goes on with `next`.
  std::size_t Lay(const Node& node, std::size_t next) {
    if (full()) return next;
    switch (node.kind) {
      case Node::Kind::kNothing:
        return next;
      case Node::Kind::kSet:
        program_.sets.push_back(node.set);
        return Add({.op = Op::kOne, .next = next, .set = program_.sets.size() - 1});
      case Node::Kind::kAssert:
        return Add({.op = node.assertion, .next = next});
      case Node::Kind::kSequence:
        for (std::size_t i = node.children.size(); i-- > 0;) next = Lay(node.children[i], next);
        return next;
      case Node::Kind::kEither:
        return LayEither(node, next);
      case Node::Kind::kRepeat:
        return LayRepeat(node, next);
    }
    return next;
  }

 private:
  std::size_t LayEither(const Node& node, std::size_t next) {
    std::size_t start = Lay(node.children.back(), next);
    for (std::size_t i = node.children.size() - 1; i-- > 0;) {
      const std::size_t way = Lay(node.children[i], next);
      start = Add({.op = Op::kSplit, .next = way, .other = start});
    }
    return start;
  }
  std::size_t LayRepeat(const Node& node, std::size_t next) {
    std::size_t start = next;
    if (node.most < 0) {
      start = Add({.op = Op::kSplit, .next = next, .other = next});
      const std::size_t body = Lay(node.children[0], start);
      program_.steps[start].other = body;
    }
    for (int i = node.least; i < node.most && !full(); ++i) {
      const std::size_t body = Lay(node.children[0], start);
      start = Add({.op = Op::kSplit, .next = body, .other = next});
    }
    for (int i = 0; i < node.least && !full(); ++i) start = Lay(node.children[0], start);
    return start;
  }

  Pattern::Program& program_;
};

// The steps that wait for the next character, each once.
class Ways {
 public:
  explicit Ways(const Pattern::Program& program)
      : program_(program), seen_(program.steps.size(), 0) {}
  void Clear() {
    waiting.clear();
    ++round_;
  }
  // True when the end is reached on the way. `before` and `after`: the characters around this
  // place.
  bool Add(std::size_t start, char32_t before, char32_t after, bool at_end) {
    stack_.assign(1, start);
    while (!stack_.empty()) {
      const std::size_t at = stack_.back();
      stack_.pop_back();
      if (seen_[at] == round_) continue;
      seen_[at] = round_;
      const Pattern::Step& step = program_.steps[at];
      const bool edge = IsWord(before) != IsWord(after);
      switch (step.op) {
        case Op::kFound:
          return true;
        case Op::kOne:
          waiting.push_back(at);
          break;
        case Op::kSplit:
          stack_.push_back(step.other);
          stack_.push_back(step.next);
          break;
        case Op::kBegin:
          if (before == kNone) stack_.push_back(step.next);
          break;
        case Op::kEnd:
          if (at_end) stack_.push_back(step.next);
          break;
        case Op::kEdge:
        case Op::kNoEdge:
          if (edge == (step.op == Op::kEdge)) stack_.push_back(step.next);
          break;
      }
    }
    return false;
  }
  std::vector<std::size_t> waiting;

 private:
  const Pattern::Program& program_;
  std::vector<std::size_t> seen_, stack_;
  std::size_t round_ = 0;
};

}  // namespace

bool Pattern::Set::Has(char32_t c, bool ignore_case) const {
  const bool in = HasPoint(*this, c) || (ignore_case && HasPoint(*this, OtherCase(c)));
  return in != negated;
}

Result<Pattern> Pattern::Parse(std::string_view text) {
  const auto refused = [&](std::string_view why) {
    return InvalidArgument("GY3455", "`{}` is not a regular expression that RLIKE takes",
                           text.substr(0, 100))
        .Why(std::string(why));
  };
  if (text.size() > kPatternBytesMax) return refused("it is longer than 1,000 bytes");
  Program program;
  std::string_view rest = text;
  if (rest.starts_with("(?i)")) {
    program.ignore_case = true;
    rest.remove_prefix(4);
  }
  Parser parser(rest);
  const Node root = parser.Whole();
  if (!parser.wrong.empty()) return refused(parser.wrong);
  Layer layer(&program);
  program.start = layer.Lay(root, layer.Add({.op = Op::kFound}));
  if (layer.full()) return refused("it is too large: repetitions count as often as they repeat");
  return Pattern(std::move(program));
}

bool Pattern::FoundIn(std::string_view text) const {
  Ways ways[] = {Ways(program_), Ways(program_)};
  char32_t before = kNone;
  ways[1].Clear();
  constexpr std::size_t kPlacesBetween = 1'024;
  for (std::size_t place = 1;; ++place) {
    if (place % kPlacesBetween == 0 && db::ReadBudget::Spent()) return false;
    const std::size_t turn = place % 2;
    Ways &now = ways[turn], &then = ways[1 - turn];
    std::string_view rest = text;
    const char32_t after = rest.empty() ? kNone : Decode(&rest);
    if (now.Add(program_.start, before, after, text.empty() || text == "\n")) return true;
    if (text.empty()) return false;
    std::string_view peek = rest;
    const char32_t next = peek.empty() ? kNone : Decode(&peek);
    then.Clear();
    for (const std::size_t at : now.waiting) {
      const Step& step = program_.steps[at];
      if (!program_.sets[step.set].Has(after, program_.ignore_case)) continue;
      if (then.Add(step.next, after, next, rest.empty() || rest == "\n")) return true;
    }
    before = after;
    text = rest;
  }
}

}  // namespace gyre::traces

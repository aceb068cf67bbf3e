// Regular expressions of filters (RLIKE), found anywhere in a text in time that grows with its
// length alone: all ways are followed at once. Literals, `.`, [classes], \d \w \s \b and their
// opposites, ^ $, groups, |, * + ? {m,n}, (?i) at the start. What needs to go back over the text
// (back references, looking around) is refused. Characters are code points. Private.
#pragma once

#include <cstdint>
#include <string_view>
#include <vector>

#include "base/error.h"

namespace gyre::traces {

class Pattern {
 public:
  struct Range {
    char32_t low = 0, high = 0;
  };
  struct Set {
    std::vector<Range> ranges;
    bool negated = false;
    bool Has(char32_t c, bool ignore_case) const;
  };
  enum class Op : unsigned char { kOne, kSplit, kBegin, kEnd, kEdge, kNoEdge, kFound };
  struct Step {
    Op op = Op::kFound;
    std::size_t next = 0, other = 0;  // other: of kSplit
    std::size_t set = 0;              // of kOne
  };
  struct Program {
    std::vector<Step> steps;
    std::vector<Set> sets;
    std::size_t start = 0;
    bool ignore_case = false;
  };

  static Result<Pattern> Parse(std::string_view text);  // GY3455
  bool FoundIn(std::string_view text) const;

 private:
  explicit Pattern(Program program) : program_(std::move(program)) {}
  Program program_;
};

}  // namespace gyre::traces

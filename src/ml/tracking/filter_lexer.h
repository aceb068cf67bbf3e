// The words of a filter. A pure function of the text; whether a quoted word is a key or a value
// depends on its place, which the parser knows.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace gyre::tracking {

struct FilterToken {
  enum class Kind : unsigned char {
    kEnd,
    kWord,    // metrics.`val loss`: parts "metrics", "val loss"
    kText,    // 'single quotes'
    kDouble,  // "double quotes": a text, or a key of one part
    kNumber,
    kSymbol,  // a comparator that is made of signs, also an unknown one
    kOpen,
    kClose,
    kComma,
    kOther,  // what no filter holds; text that is not closed
  };
  Kind kind = Kind::kEnd;
  std::string_view raw = {};            // as written
  std::size_t place = 0;                // of its first byte
  std::vector<std::string> parts = {};  // of kWord and kDouble, without quotes
  std::string text = {};                // of kText and kDouble
  double number = 0;
};

// The last one is kEnd.
std::vector<FilterToken> FilterTokens(std::string_view text);

}  // namespace gyre::tracking

// Categories and their codes. A key is a text, a 64-bit integer (int, bool, date) or a number by
// its bits.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "base/json.h"
#include "ml/recipes/lane.h"
#include "platform/table/frame.h"

namespace gyre::recipes {

class Dictionary {
 public:
  enum class Kind : unsigned char { kText, kInteger, kNumber };
  static constexpr std::int32_t kMissing = -1, kUnseen = -2;

  explicit Dictionary(Kind kind = Kind::kText) : kind_(kind) {}
  static Kind KindOf(table::Type type);

  std::int32_t Insert(std::string_view key);  // the code, new or known
  std::int32_t Insert(std::int64_t key);
  std::int32_t Find(std::string_view key) const;
  std::int32_t Find(std::int64_t key) const;
  // Code of each row; kMissing, kUnseen.
  void Encode(const Lane& in, std::size_t rows, std::int32_t* codes) const;
  void InsertAll(const Lane& in, std::size_t rows, std::int32_t* codes);

  std::size_t size() const { return kind_ == Kind::kText ? ends_.size() : integers_.size(); }
  Kind kind() const { return kind_; }
  std::string_view text(std::size_t code) const;
  std::string Name(std::size_t code) const;       // for people and output names
  bool Less(std::size_t a, std::size_t b) const;  // bytes, integers or numbers in order
  std::vector<std::uint32_t> SortedCodes() const;
  Dictionary Pick(const std::vector<std::uint32_t>& codes)
      const;  // code i of the result is codes[i] of this one

  Json ToJson()
      const;  // texts as they are (or {"hex": ..} when not UTF-8), integers, numbers as bits
  static Result<Dictionary> FromJson(Kind kind, const Json& json);
  // From what a person wrote in a recipe: "S", 3, 2.5.
  static Result<Dictionary> FromPeople(Kind kind, const Json& list);

 private:
  template <class Key>
  std::int32_t Place(Key key, std::uint64_t hash, bool insert);
  void Grow();
  std::uint64_t HashOf(std::size_t code) const;

  Kind kind_;
  std::string chars_;
  std::vector<std::size_t> ends_;
  std::vector<std::int64_t> integers_;
  std::vector<std::uint32_t> slots_;  // code + 1, 0 = empty; a power of two of them
};

// The bits that stand for a number as a category: -0 is 0, every NaN is missing before this.
std::int64_t NumberKey(double value);

// All values of a column with their counts. Codes follow the sort order of the keys, so nothing
// depends on the order of rows.
struct Distinct {
  Dictionary dictionary;
  std::vector<std::int32_t> codes;   // per row; kMissing
  std::vector<std::int64_t> counts;  // per code
  std::int64_t missing = 0;
};
Distinct CountDistinct(const Lane& in, table::Type type, std::size_t rows);

}  // namespace gyre::recipes

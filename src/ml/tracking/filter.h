// What people write to find things: "metrics.auc > 0.9 AND (params.model = 'gbm' OR NOT
// tags.owner LIKE 'a%')", and the order of what is found: "metrics.auc DESC". One grammar for runs,
// experiments, models, versions, logged models and traces; a table of fields says which of its
// words a noun knows. Pure functions.
//
//   filter     = and { "OR" and }
//   and        = term { ["AND"] term } ; AND binds closer than OR, and may be left out or repeated
//   term       = "NOT" term | "(" filter ")" | comparison
//   comparison = identifier comparator value | identifier "IS" ["NOT"] "NULL"
//              | identifier ["NOT"] "IN" "(" text { "," text } [","] ")"
//   identifier = [entity "."] key ; key bare, in `backticks` or in quotes
//   comparator = "=" | "!=" | ">" | ">=" | "<" | "<=" | "LIKE" | "ILIKE" | "RLIKE"
//   value      = text | number ; text in 'quotes' or "quotes", as it is: there are no escapes, but
//   a
//                quote that is doubled or follows '\' does not end it
//
// AND, comparisons and the words of entities are those of MLflow's search syntax; OR, NOT and
// parentheses are ours. Key words in any case; entities and attributes as the table writes them.
//
// A comparison holds only for what has the key, also `!=` and NOT IN; NOT turns that round.
#pragma once

#include <initializer_list>
#include <span>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "base/error.h"

namespace gyre::tracking {

enum class Compare : unsigned char {
  kLess,
  kLessEqual,
  kGreater,
  kGreaterEqual,
  kEqual,
  kNotEqual,
  kLike,
  kILike,
  kRLike,
  kIn,
  kNotIn,
  kIsNull,
  kIsNotNull,
};
std::string_view CompareText(Compare compare);  // ">=", "NOT IN"

// Of IS NULL: the empty text.
using FilterValue = std::variant<std::string, double, std::vector<std::string>>;

// "metrics.`val loss` > 0.5": entity kMetric, key "val loss". Attributes: entity kAttribute, key as
// the table of fields names it ("start_time" also for "created").
enum class Entity : unsigned char {
  kAttribute,
  kMetric,
  kMetricLeast,
  kMetricMost,
  kMetricBest,
  kParam,
  kTag,
  kDataset,
  kMetadata,
  kSpan,  // key "name", "type", "status", "content" or "attributes.KEY"
  kFeedback,
  kExpectation,
};

struct Comparison {
  Entity entity = Entity::kAttribute;
  std::string key;
  Compare compare = Compare::kEqual;
  FilterValue value;
  friend bool operator==(const Comparison&, const Comparison&) = default;
};

// A tree; an empty filter (no node) holds for everything. No kAnd stands in a kAnd, no kOr in a
// kOr, no kNot in a kNot; kAnd and kOr have two children or more.
struct FilterNode {
  enum class Kind : unsigned char { kComparison, kAnd, kOr, kNot };
  Kind kind = Kind::kComparison;
  Comparison comparison = {};             // of kComparison
  std::vector<FilterNode> children = {};  // of kAnd, kOr; one of kNot
  friend bool operator==(const FilterNode&, const FilterNode&) = default;
};
struct Filter {
  std::vector<FilterNode> root = {};  // empty or one
  bool empty() const { return root.empty(); }
  friend bool operator==(const Filter&, const Filter&) = default;
};

struct OrderBy {
  Entity entity = Entity::kAttribute;
  std::string key = {};
  bool ascending = true;
  friend bool operator==(const OrderBy&, const OrderBy&) = default;
};

// --- what a noun knows ---------------------------------------------------------------------------
class CompareSet {
 public:
  constexpr CompareSet(std::initializer_list<Compare> members) {
    for (const Compare member : members) bits_ |= 1U << static_cast<unsigned>(member);
  }
  constexpr bool Has(Compare compare) const {
    return (bits_ >> static_cast<unsigned>(compare) & 1U) != 0;
  }
  constexpr bool empty() const { return bits_ == 0; }

 private:
  unsigned bits_ = 0;
};

enum class FieldType : unsigned char {
  kText,
  kNumber,
  kInteger,
  kScore,  // a text with = and LIKE, a number with > and <
};
struct AttributeField {
  std::string_view name;  // "start_time"
  FieldType type;
  CompareSet compares;              // none = only to order by
  std::string_view aliases = {};    // "created|Created"
  std::string_view complaint = {};  // of another comparator; empty = the noun's
  bool ordered = true;
};
struct EntityField {
  Entity entity;
  std::string_view words;  // "metric|metrics": what may stand before the dot
  FieldType type = FieldType::kText;
  CompareSet compares = {};
  std::string_view keys = {};  // "name|attributes.": these, those that begin so; empty = any
  std::string_view complaint = {};
  std::string_view unknown_key = {};
  bool ordered = false;
};
// What is said of what the noun does not know. Filled by name: {written}, {known} as a set,
// {listed} as a list, {entity}, {key}.
struct FieldComplaints {
  std::string_view entity, order_entity, order_key, compare;
  std::string_view text;       // an attribute that is a text is compared with something else
  std::string_view null = {};  // IS NULL of what always has a value; empty = as `compare`
};
struct FieldTable {
  std::string_view noun;  // "runs", for errors
  std::span<const AttributeField> attributes;
  std::span<const EntityField> entities;
  FieldComplaints complaints;
  bool numbers_as_text = false;  // "params.lr = 0.01" means '0.01'
  bool text_as_numbers = false;  // "version_number = '3'" means 3
};
extern const FieldTable kRunFields, kExperimentFields, kModelFields, kModelVersionFields,
    kLoggedModelFields, kTraceFields;

inline constexpr std::size_t kFilterBytesMax = 10'000;
inline constexpr int kFilterComparisonsMax = 200;
inline constexpr int kFilterLevelsMax = 30;  // of parentheses and NOT
inline constexpr std::size_t kFilterListMax = 1'000;

// Errors: kInvalidArgument GY3430; its message is MLflow's where it has one, its rule says what is
// wrong at which place.
Result<Filter> ParseFilter(std::string_view text, const FieldTable& fields);
// "metrics.auc DESC"; nothing may come twice. Error: GY3431.
Result<std::vector<OrderBy>> ParseOrder(std::span<const std::string> texts,
                                        const FieldTable& fields);

// One text for one filter, whatever it was written like, and another one for another.
std::string FilterText(const Filter& filter, const FieldTable& fields);

// LIKE of SQL: % any text, _ one character; ILIKE ignores the case of letters.
bool Matches(std::string_view text, std::string_view pattern, bool ignore_case);

}  // namespace gyre::tracking

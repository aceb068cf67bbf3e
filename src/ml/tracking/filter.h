// What people write to find things: "metrics.auc > 0.9 AND (params.model = 'gbm' OR NOT
// tags.owner LIKE 'a%')", and the order of what is found: "metrics.auc DESC". One grammar for runs,
// experiments, models, versions, logged models and traces; a table of fields says which of its
// words a noun knows. Pure functions.
//
//   filter  = term { ("AND" | "OR") term } ; AND binds closer; both and NOT in any case
//   term    = "NOT" term | "(" filter ")" | comparison
//   comparison = identifier comparator value | identifier ["NOT"] "IN" "(" value {"," value} ")"
//   identifier = [entity "."] key ; key bare, or in `backticks` or "double quotes"
//   comparator = "=" | "!=" | ">" | ">=" | "<" | "<=" | "LIKE" | "ILIKE" | "RLIKE"
//   value   = 'text' | "text" | number
//
// AND, comparisons and the words of entities are those of MLflow's search syntax; OR, NOT and
// parentheses are ours.
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "base/error.h"

namespace gyre::tracking {

enum class Compare : unsigned char {
  kEqual, kNotEqual, kGreater, kGreaterEqual, kLess, kLessEqual,
  kLike, kILike, kRLike, kIn, kNotIn, kIsNull, kIsNotNull,
};

using FilterValue = std::variant<double, std::string, std::vector<std::string>>;

// "metrics.`val loss` > 0.5": entity kMetric, key "val loss". Attributes: entity kAttribute, key as
// the table of fields names it ("start_time" also for "created").
enum class Entity : unsigned char {
  kAttribute, kMetric, kMetricLeast, kMetricMost, kMetricBest, kParam, kTag, kDataset,
  kMetadata, kSpan, kFeedback, kExpectation,
};

struct Comparison {
  Entity entity = Entity::kAttribute;
  std::string key;
  Compare compare = Compare::kEqual;
  FilterValue value;
};

// A tree; an empty filter (no node) holds for everything.
struct FilterNode {
  enum class Kind : unsigned char { kComparison, kAnd, kOr, kNot };
  Kind kind = Kind::kComparison;
  Comparison comparison;             // of kComparison
  std::vector<FilterNode> children;  // of kAnd, kOr; one of kNot
};
struct Filter {
  std::vector<FilterNode> root;  // empty or one
  bool empty() const { return root.empty(); }
};

struct OrderBy {
  Entity entity = Entity::kAttribute;
  std::string key;
  bool ascending = true;
  friend bool operator==(const OrderBy&, const OrderBy&) = default;
};

// --- what a noun knows ---------------------------------------------------------------------------
enum class FieldType : unsigned char { kText, kNumber };
struct AttributeField {
  std::string_view name;           // "start_time"
  FieldType type;
  std::string_view compares;       // "= != LIKE ILIKE", as the noun takes them
  std::string_view aliases = {};   // "created, Created"
};
struct EntityField {
  Entity entity;
  std::string_view words;          // "metric metrics": what may stand before the dot
  FieldType type;
  std::string_view compares;
  std::string_view keys = {};      // of kDataset: "name digest context"; empty = any
};
struct FieldTable {
  std::string_view noun;           // "run", for errors
  std::span<const AttributeField> attributes;
  std::span<const EntityField> entities;
  std::string_view orders = {};    // attributes that may be ordered by; empty = all
};
extern const FieldTable kRunFields, kExperimentFields, kModelFields, kModelVersionFields,
    kLoggedModelFields, kTraceFields;

// At most 10,000 bytes, 200 comparisons, 30 levels. Errors: kInvalidArgument GY3430 (what is wrong,
// at which place, what is allowed there). The text of the message is MLflow's where it has one.
Result<Filter> ParseFilter(std::string_view text, const FieldTable& fields);
// "metrics.auc DESC"; nothing may come twice. Error: GY3431.
Result<std::vector<OrderBy>> ParseOrder(std::span<const std::string> texts,
                                        const FieldTable& fields);

// LIKE of SQL: % any text, _ one character; ASCII case is ignored by ILIKE.
bool Matches(std::string_view text, std::string_view pattern, bool ignore_case);

}  // namespace gyre::tracking

// What a comparison that was written says, by the table of its noun. Pure functions; their errors
// hold a message only: the caller knows the place.
#pragma once

#include <expected>
#include <string>
#include <string_view>
#include <vector>

#include "ml/tracking/filter.h"

namespace gyre::tracking {

inline constexpr std::size_t kLikeBytesMax = 1'000;  // of a pattern of LIKE and ILIKE

template <class T>
using OrMessage = std::expected<T, std::string>;

// What stands right of a comparator, as written.
struct WrittenValue {
  enum class Kind : unsigned char { kNone, kText, kNumber, kBare, kList };
  Kind kind = Kind::kNone;
  std::string_view raw = {};
  std::string text = {};
  double number = 0;
  std::vector<std::string> items = {};
  std::string problem = {};  // of a list
};

struct Field {
  Entity entity = Entity::kAttribute;
  std::string_view word;  // "parameter" also for "params"
  std::string key;
  FieldType type = FieldType::kText;
  CompareSet compares = {};
  std::string_view complaint;  // of another comparator
  bool ordered = false;
};

// `parts`: "metrics", "auc". One part is an attribute.
OrMessage<Field> FindField(const std::vector<std::string>& parts, const FieldTable& fields);
OrMessage<Field> FindOrderField(const std::vector<std::string>& parts, const FieldTable& fields);

// `comparator` in capitals, as written otherwise: "LIKE", "<>", "NOT LIKE".
OrMessage<Comparison> MakeComparison(const Field& field, std::string_view comparator,
                                     const WrittenValue& value, const FieldTable& fields);

// What stands before the dot in FilterText.
std::string_view EntityWord(Entity entity, const FieldTable& fields);

// "'it''s'" as messages quote what was written: 'it' or "it's".
std::string Quoted(std::string_view text);
std::string QuotedList(std::span<const std::string> texts, std::string_view open,
                       std::string_view close);

}  // namespace gyre::tracking

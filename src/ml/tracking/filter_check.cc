#include <fmt/args.h>
#include <fmt/format.h>

#include <array>
#include <cmath>
#include <optional>

#include "base/text.h"
#include "ml/tracking/filter_fields.h"

namespace gyre::tracking {
namespace {

using Kind = WrittenValue::Kind;

constexpr std::array<std::string_view, 13> kCompareTexts = {
    "<",     "<=",    ">",  ">=",     "=",       "!=",         "LIKE",
    "ILIKE", "RLIKE", "IN", "NOT IN", "IS NULL", "IS NOT NULL"};

std::optional<Compare> ParseCompare(std::string_view text) {
  for (std::size_t i = 0; i < kCompareTexts.size(); ++i)
    if (kCompareTexts[i] == text) return static_cast<Compare>(i);
  return std::nullopt;
}

std::vector<std::string> Words(std::string_view list) {
  std::vector<std::string> words;
  if (list.empty()) return words;
  for (const std::string_view word : Split(list, '|')) words.emplace_back(word);
  return words;
}

bool HasWord(std::string_view list, std::string_view word) {
  for (const std::string_view one : Split(list, '|'))
    if (one == word && !word.empty()) return true;
  return false;
}

// "name|attributes.": a word that ends with a dot stands for all that begin so.
bool TakesKey(std::string_view keys, std::string_view key) {
  if (keys.empty()) return true;
  for (const std::string_view one : Split(keys, '|')) {
    if (one == key && !one.ends_with('.')) return true;
    if (one.ends_with('.') && key.starts_with(one) && key.size() > one.size()) return true;
  }
  return false;
}

std::string AsSet(const std::vector<std::string>& words) { return QuotedList(words, "{", "}"); }

struct Filling {
  std::string written = {}, known = {}, listed = {}, entity = {}, key = {};
};
std::string Fill(std::string_view complaint, const Filling& with) {
  return fmt::format(fmt::runtime(complaint), fmt::arg("written", with.written),
                     fmt::arg("known", with.known), fmt::arg("listed", with.listed),
                     fmt::arg("entity", with.entity), fmt::arg("key", with.key));
}
std::unexpected<std::string> Complain(std::string_view complaint, const Filling& with) {
  return std::unexpected(Fill(complaint, with));
}

std::string KnownAttributes(const FieldTable& fields, bool to_order) {
  std::vector<std::string> names;
  for (const AttributeField& field : fields.attributes) {
    if (to_order ? !field.ordered : field.compares.empty()) continue;
    names.emplace_back(field.name);
    for (std::string& alias : Words(field.aliases))
      if (!to_order || !alias.contains(' ')) names.push_back(std::move(alias));
  }
  return AsSet(names);
}

std::string KnownEntities(const FieldTable& fields) {
  std::vector<std::string> words;
  for (const EntityField& field : fields.entities)
    for (std::string& word : Words(field.words)) words.push_back(std::move(word));
  return AsSet(words);
}

OrMessage<Field> FindAttribute(std::string_view name, std::string_view word,
                               const FieldTable& fields, bool to_order) {
  for (const AttributeField& field : fields.attributes) {
    if (to_order ? !field.ordered : field.compares.empty()) continue;
    const bool alias = HasWord(field.aliases, name) && !(to_order && name.contains(' '));
    if (field.name != name && !alias) continue;
    return Field{.entity = Entity::kAttribute,
                 .word = word,
                 .key = std::string(field.name),
                 .type = field.type,
                 .compares = field.compares,
                 .complaint = field.complaint.empty() ? fields.complaints.compare : field.complaint,
                 .ordered = field.ordered};
  }
  const std::string_view complaint = to_order
                                         ? fields.complaints.order_key
                                         : "Invalid attribute key '{written}' specified. Valid "
                                           "keys are '{known}'";
  return Complain(complaint, {.written = std::string(name),
                              .known = KnownAttributes(fields, to_order),
                              .key = std::string(name)});
}

OrMessage<Field> Find(const std::vector<std::string>& parts, const FieldTable& fields,
                      bool to_order) {
  if (parts.size() == 1) {
    return FindAttribute(parts.front(), EntityWord(Entity::kAttribute, fields), fields, to_order);
  }
  const std::string key = Join(std::span(parts).subspan(1), ".");
  std::string_view unknown_key, keys;
  for (const EntityField& field : fields.entities) {
    if (!HasWord(field.words, parts.front())) continue;
    const std::string_view word = EntityWord(field.entity, fields);
    if (field.entity == Entity::kAttribute) return FindAttribute(key, word, fields, to_order);
    if (TakesKey(field.keys, key)) {
      return Field{
          .entity = field.entity,
          .word = word,
          .key = key,
          .type = field.type,
          .compares = field.compares,
          .complaint = field.complaint.empty() ? fields.complaints.compare : field.complaint,
          .ordered = field.ordered};
    }
    unknown_key = field.unknown_key;
    keys = field.keys;
  }
  if (!unknown_key.empty()) return Complain(unknown_key, {.known = AsSet(Words(keys)), .key = key});
  return Complain(fields.complaints.entity,
                  {.written = parts.front(), .known = KnownEntities(fields), .key = key});
}

// --- values --------------------------------------------------------------------------------------
bool IsOrdering(Compare compare) { return compare <= Compare::kGreaterEqual; }

std::unexpected<std::string> NotAText(const Field& field, const WrittenValue& value,
                                      const FieldTable& fields) {
  const std::string raw(value.raw);
  if (value.kind == Kind::kBare && !EqualsIgnoreCase(raw, "NULL")) {
    return std::unexpected(
        fmt::format("Parameter value is either not quoted or unidentified quote types used for "
                    "string value {}. Use either single or double quotes.",
                    raw));
  }
  if (field.entity == Entity::kDataset) {
    return std::unexpected(
        fmt::format("Expected a quoted string value for dataset attributes. Got value {}", raw));
  }
  if (field.entity != Entity::kAttribute) {
    return std::unexpected(fmt::format(
        "Expected a quoted string value for {} (e.g. 'my-value'). Got value {}", field.word, raw));
  }
  std::vector<std::string> names;
  for (const AttributeField& one : fields.attributes) {
    const bool wanted =
        value.kind == Kind::kList ? one.compares.Has(Compare::kIn) : one.type != FieldType::kText;
    if (wanted) names.emplace_back(one.name);
  }
  if (value.kind == Kind::kList && !names.empty()) {
    return std::unexpected(
        fmt::format("Only {} attributes support comparison with a list of quoted string values.",
                    QuotedList(names, "[", "]")));
  }
  if (value.kind == Kind::kNumber && fields.text_as_numbers) {
    return std::unexpected(fmt::format(
        "Only the '{}' attributes support comparison with numeric values.", AsSet(names)));
  }
  return Complain(fields.complaints.text, {.written = raw});
}

OrMessage<FilterValue> TextValue(const Field& field, const WrittenValue& value,
                                 const FieldTable& fields) {
  if (value.kind == Kind::kText) return value.text;
  if (value.kind == Kind::kNumber && fields.numbers_as_text) return std::string(value.raw);
  if (value.kind == Kind::kList && field.compares.Has(Compare::kIn)) {
    if (!value.problem.empty()) return std::unexpected(value.problem);
    return value.items;
  }
  return NotAText(field, value, fields);
}

OrMessage<FilterValue> NumberValue(const Field& field, const WrittenValue& value,
                                   const FieldTable& fields) {
  const bool attribute = field.entity == Entity::kAttribute;
  if (attribute && fields.text_as_numbers && value.kind == Kind::kText) {
    const auto number = ParseInt(value.text);
    if (number) return static_cast<double>(*number);
  } else if (value.kind == Kind::kNumber) {
    const bool whole = std::nearbyint(value.number) == value.number;
    if (whole || field.type != FieldType::kInteger) return value.number;
  } else if (attribute) {
    return std::unexpected(fmt::format(
        "Expected numeric value type for numeric attribute: {}. Found {}", field.key, value.raw));
  } else {
    return std::unexpected(
        fmt::format("Expected numeric value type for metric. Found {}", value.raw));
  }
  return std::unexpected(
      fmt::format("Invalid value for numeric attribute '{}': {}", field.key, value.raw));
}

OrMessage<FilterValue> ScoreValue(const Field& field, bool ordering, std::string_view comparator,
                                  const WrittenValue& value, const FieldTable& fields) {
  if (!ordering) return TextValue(field, value, fields);
  if (value.kind == Kind::kNumber) return value.number;
  return std::unexpected(
      fmt::format("Expected a numeric value for {} when using comparator '{}'. Got value {}",
                  field.word, comparator, value.raw));
}

OrMessage<FilterValue> ValueOf(const Field& field, std::optional<Compare> compare,
                               std::string_view comparator, const WrittenValue& value,
                               const FieldTable& fields) {
  if (value.kind == Kind::kNone) return std::string();
  switch (field.type) {
    case FieldType::kText:
      return TextValue(field, value, fields);
    case FieldType::kNumber:
    case FieldType::kInteger:
      return NumberValue(field, value, fields);
    case FieldType::kScore:
      return ScoreValue(field, compare && IsOrdering(*compare), comparator, value, fields);
  }
  return std::string();
}

std::unexpected<std::string> WrongCompare(const Field& field, std::string_view comparator,
                                          const FieldTable& fields) {
  std::vector<std::string> known;
  for (std::size_t i = 0; i < kCompareTexts.size(); ++i)
    if (field.compares.Has(static_cast<Compare>(i))) known.emplace_back(kCompareTexts[i]);
  const bool null = comparator == "IS NULL" || comparator == "IS NOT NULL";
  return Complain(
      null && !fields.complaints.null.empty() ? fields.complaints.null : field.complaint,
      {.written = std::string(comparator),
       .known = AsSet(known),
       .listed = QuotedList(known, "(", ")"),
       .entity = std::string(field.word),
       .key = field.key});
}

}  // namespace

std::string_view CompareText(Compare compare) {
  return kCompareTexts[static_cast<std::size_t>(compare)];
}

std::string Quoted(std::string_view text) {
  const bool doubled = text.contains('\'') && !text.contains('"');
  const char quote = doubled ? '"' : '\'';
  std::string quoted(1, quote);
  for (const char c : text) {
    if (c == quote || c == '\\') quoted += '\\';
    quoted += c;
  }
  return quoted + quote;
}

std::string QuotedList(std::span<const std::string> texts, std::string_view open,
                       std::string_view close) {
  std::string list(open);
  for (const std::string& text : texts) {
    if (list.size() > open.size()) list += ", ";
    list += Quoted(text);
  }
  return list + std::string(close);
}

std::string_view EntityWord(Entity entity, const FieldTable& fields) {
  for (const EntityField& field : fields.entities)
    if (field.entity == entity) return field.words.substr(0, field.words.find('|'));
  return "";
}

OrMessage<Field> FindField(const std::vector<std::string>& parts, const FieldTable& fields) {
  return Find(parts, fields, false);
}

OrMessage<Field> FindOrderField(const std::vector<std::string>& parts, const FieldTable& fields) {
  auto field = Find(parts, fields, true);
  if (!field || field->ordered) return field;
  return Complain(fields.complaints.order_entity, {.written = std::string(field->word),
                                                   .known = KnownAttributes(fields, true),
                                                   .key = field->key});
}

OrMessage<Comparison> MakeComparison(const Field& field, std::string_view comparator,
                                     const WrittenValue& value, const FieldTable& fields) {
  const auto compare = ParseCompare(comparator);
  auto made = ValueOf(field, compare, comparator, value, fields);
  if (!made) return std::unexpected(std::move(made).error());
  if (!compare || !field.compares.Has(*compare)) return WrongCompare(field, comparator, fields);
  const bool list = *compare == Compare::kIn || *compare == Compare::kNotIn;
  if (list != std::holds_alternative<std::vector<std::string>>(*made))
    return NotAText(field, value, fields);
  const bool pattern = *compare == Compare::kLike || *compare == Compare::kILike;
  if (pattern && std::get<std::string>(*made).size() > kLikeBytesMax) {
    return std::unexpected(fmt::format("A pattern of {} has at most {} bytes", comparator,
                                       GroupDigits(kLikeBytesMax)));
  }
  return Comparison{
      .entity = field.entity, .key = field.key, .compare = *compare, .value = *std::move(made)};
}

}  // namespace gyre::tracking

#include "ml/inference_log/labels.h"

#include <algorithm>
#include <cmath>

#include "base/id.h"
#include "base/text.h"
#include "base/time.h"
#include "ml/inference_log/keyed_hash.h"
#include "ml/inference_log/label_join.h"
#include "ml/inference_log/segment_file.h"
#include "platform/table/append.h"

namespace gyre::inference_log {
namespace {

using table::Type;

constexpr std::size_t kFrameRows = 65'536;
constexpr std::size_t kIdBytesMax = 512;
constexpr std::size_t kUnknownShown = 20;

Error Wrong(std::string_view place, std::string_view member, std::string_view rule) {
  return InvalidArgument("GY4610", "{}.{} must be {}", place, member, rule)
      .Where(fmt::format("{}.{}", place, member));
}

std::string Shown(std::string_view text) {
  constexpr std::size_t kShownBytes = 60;
  std::string shown(text.substr(0, kShownBytes));
  while (!shown.empty() && !IsValidUtf8(shown)) shown.pop_back();
  return shown.size() < text.size() ? shown + "..." : shown;
}

std::string_view WantedWords(const LabelRule& rule) {
  if (rule.numbers()) return "a number";
  switch (rule.target_type) {
    case Type::kBool:
      return "true or false";
    case Type::kInt:
      return "a whole number";
    case Type::kDouble:
      return "a number";
    default:
      return "text";
  }
}

Error NoLabel(const LabelRule& rule, std::string_view where, std::string_view sent) {
  Error error = InvalidArgument("GY4611", "{} must be {}, as `{}` is, but is {}", where,
                                WantedWords(rule), rule.target, Shown(sent))
                    .Where(std::string(where));
  if (rule.numbers()) return error;
  std::vector<std::string> some(
      rule.classes.begin(),
      rule.classes.begin() +
          static_cast<std::ptrdiff_t>(std::min<std::size_t>(rule.classes.size(), 5)));
  return std::move(error).Why(fmt::format("the model knows {}", Join(some, ", ")));
}

// The class that this value is, however it is spelled; a class that the model does not know as it
// would be spelled.
std::optional<std::string> ClassOf(std::string_view text, const LabelRule& rule) {
  if (std::ranges::find(rule.classes, text) != rule.classes.end()) return std::string(text);
  switch (rule.target_type) {
    case Type::kBool: {
      const std::string low = ToLower(text);
      const bool yes = low == "true" || low == "1";
      if (!yes && low != "false" && low != "0") return std::nullopt;
      for (const std::string& name : rule.classes) {
        if (name == (yes ? "true" : "false") || name == (yes ? "1" : "0")) return name;
      }
      return yes ? "true" : "false";
    }
    case Type::kInt:
    case Type::kDouble: {
      const auto value = ParseDouble(text);
      if (!value || !std::isfinite(*value)) return std::nullopt;
      if (rule.target_type == Type::kInt && *value != std::floor(*value)) return std::nullopt;
      for (const std::string& name : rule.classes) {
        if (ParseDouble(name) == *value) return name;
      }
      return ValueText(Type::kDouble, 0, *value, {});
    }
    default:
      return std::string(text);
  }
}

Result<std::string> IdOf(const Json& row, std::string_view member, std::string_view place) {
  const Json& value = row[member];
  if (value.is_null()) return std::string();
  if (value.is_int()) return std::to_string(value.AsInt());
  if (!value.is_string() || value.AsString().empty() || value.AsString().size() > kIdBytesMax)
    return Wrong(place, member, "text of 1 to 512 bytes");
  return value.AsString();
}

// A value of a document as a person would write it in a file; empty for what is no value.
std::string PlainText(const Json& value) {
  if (value.is_string()) return value.AsString();
  if (value.is_bool() || value.is_number()) return value.Dump();
  return {};
}

}  // namespace

LabelRule RuleOf(const StreamSpec& spec) {
  return {.target = spec.target, .target_type = spec.target_type, .classes = spec.classes};
}

Json RuleToJson(const LabelRule& rule) {
  Json classes = Json::Arr();
  for (const std::string& name : rule.classes) classes.Push(name);
  return Json::Obj({{"target", rule.target},
                    {"target_type", table::TypeName(rule.target_type)},
                    {"classes", std::move(classes)},
                    {"hash_key", rule.hash_key},
                    {"key_column", rule.key_column}});
}

LabelRule RuleFromJson(const Json& json) {
  LabelRule rule;
  rule.target = json["target"].AsString();
  rule.target_type = table::ParseType(json["target_type"].AsString()).value_or(Type::kText);
  for (const Json& name : json["classes"].items()) rule.classes.push_back(name.AsString());
  rule.hash_key = json["hash_key"].AsString();
  rule.key_column = json["key_column"].AsString();
  return rule;
}

std::string CanonicalId(std::string id) {
  constexpr std::size_t kIdDigits = 32;
  if (id.size() == kIdDigits + 2 && id.ends_with("-0") &&
      LooksLikeId(std::string_view(id).substr(0, kIdDigits)))
    id.resize(kIdDigits);
  return id;
}

Result<> SetLabel(std::string_view text, const LabelRule& rule, std::string_view where,
                  Label* label) {
  if (rule.numbers()) {
    const auto number = ParseDouble(text);
    if (!number || !std::isfinite(*number)) return NoLabel(rule, where, text);
    label->number = *number;
    return {};
  }
  auto word = ClassOf(text, rule);
  if (!word) return NoLabel(rule, where, text);
  label->word = *std::move(word);
  return {};
}

Result<Label> ReadLabel(const Json& row, const LabelRule& rule, std::string_view place,
                        std::int64_t received_us) {
  if (!row.is_object())
    return InvalidArgument("GY4610", "{} is no object", place).Where(std::string(place));
  for (const auto& [name, value] : row.members()) {
    static constexpr std::string_view kKnown[] = {"inference_id", "key", "label", "time",
                                                  "version"};
    if (std::ranges::find(kKnown, name) == std::end(kKnown))
      return InvalidArgument("GY4610", "{} has an unknown member `{}`", place, name)
          .Why("a label has inference_id or key, label, and maybe time and version")
          .Where(fmt::format("{}.{}", place, name));
  }
  Label label;
  GYRE_TRY(std::string id, IdOf(row, "inference_id", place));
  label.inference_id = CanonicalId(std::move(id));
  GYRE_TRY(label.key, IdOf(row, "key", place));
  if (label.inference_id.empty() && label.key.empty())
    return InvalidArgument("GY4610", "{} has neither inference_id nor key", place)
        .Where(std::string(place));
  const Json& value = row["label"];
  const std::string where = fmt::format("{}.label", place);
  // As in a file of labels: what is written as the target's type is of it, also as text.
  if (PlainText(value).empty()) return NoLabel(rule, where, value.Dump());
  GYRE_DO(SetLabel(PlainText(value), rule, where, &label));
  label.time_us = received_us;
  if (row.Has("time")) {
    const auto time_us = ParseTime(row["time"].AsString());
    if (!time_us) return Wrong(place, "time", "a time like \"2026-11-21T08:30:00Z\"");
    label.time_us = *time_us;
  }
  if (row.Has("version")) {
    if (!row["version"].is_int()) return Wrong(place, "version", "a whole number");
    label.version = row["version"].AsInt();
  }
  return label;
}

LabelBatch::LabelBatch(const LabelRule& rule, std::int64_t received_us, Sink sink)
    : rule_(rule),
      received_us_(received_us),
      sink_(std::move(sink)),
      frame_(table::EmptyFrame(LabelSchema(rule.numbers() ? Type::kDouble : Type::kText))) {}

Result<> LabelBatch::Add(const Label& label) {
  const auto push = [&](LabelColumn column, std::string_view text) {
    if (text.empty())
      frame_.columns[column].PushNull();
    else
      frame_.columns[column].PushText(text);
  };
  push(kLabelId, label.inference_id);
  push(kLabelKey, rule_.hash_key.empty() || label.key.empty()
                      ? label.key
                      : KeyedHash(rule_.hash_key, label.key));
  if (rule_.numbers()) {
    frame_.columns[kLabelValue].PushDouble(label.number);
  } else {
    frame_.columns[kLabelValue].PushText(label.word);
    if (std::ranges::find(rule_.classes, label.word) == rule_.classes.end() &&
        (unknown_.size() < kUnknownShown || unknown_.contains(label.word)))
      ++unknown_[label.word];
  }
  frame_.columns[kLabelTime].PushInt(label.time_us);
  frame_.columns[kLabelVersion].PushInt(label.version);
  frame_.columns[kLabelReceived].PushInt(received_us_);
  ++rows_;
  return frame_.rows() >= kFrameRows ? Flush() : Result<>();
}

Result<> LabelBatch::Flush() {
  std::string bytes;
  // An id of its own: the same labels again are another file.
  if (!begun_) AppendHead(Json::Obj({{"kind", "labels"}, {"id", NewId()}}), &bytes);
  begun_ = true;
  if (frame_.rows() > 0) AppendFrameRecord(frame_, &bytes);
  if (!bytes.empty()) GYRE_DO(sink_(bytes));
  frame_ = table::EmptyFrame(frame_.schema());
  return {};
}

Result<> LabelBatch::Finish() { return Flush(); }

Json LabelBatch::unknown_classes() const {
  Json classes = Json::Obj();
  for (const auto& [name, count] : unknown_) classes.Set(name, count);
  return classes;
}

}  // namespace gyre::inference_log

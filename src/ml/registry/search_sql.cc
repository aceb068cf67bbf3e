#include "ml/registry/search_sql.h"

#include <algorithm>

#include "base/base64.h"
#include "base/hash.h"
#include "base/json.h"
#include "ml/registry/catalog.h"

namespace gyre::registry {
namespace {

using tracking::Compare;
using tracking::Comparison;
using tracking::Entity;
using tracking::Filter;
using tracking::FilterNode;

std::string_view ColumnOf(SortKey key, bool versions) {
  switch (key.by) {
    case SortBy::kTitle:
      return "m.title";
    case SortBy::kVersion:
      return "v.version";
    case SortBy::kCreated:
      return "v.created_us";
    case SortBy::kUpdated:
      break;
  }
  return versions ? "v.updated_us" : "m.updated_us";
}

SortBy SortByOf(std::string_view key) {
  if (key == "name") return SortBy::kTitle;
  if (key == "version_number") return SortBy::kVersion;
  if (key == "creation_timestamp") return SortBy::kCreated;
  return SortBy::kUpdated;
}

bool IsPromptTag(const Comparison& c) { return c.entity == Entity::kTag && c.key == kPromptTag; }

bool Mentions(const FilterNode& node) {
  if (node.kind == FilterNode::Kind::kComparison) return IsPromptTag(node.comparison);
  return std::ranges::any_of(node.children, Mentions);
}

// The comparisons that all must hold.
std::vector<Comparison> AllOf(const Filter& filter) {
  std::vector<Comparison> all;
  if (filter.empty()) return all;
  const FilterNode& root = filter.root.front();
  if (root.kind == FilterNode::Kind::kComparison) all.push_back(root.comparison);
  if (root.kind != FilterNode::Kind::kAnd) return all;
  for (const FilterNode& child : root.children) {
    if (child.kind == FilterNode::Kind::kComparison) all.push_back(child.comparison);
  }
  return all;
}

const std::string* EqualText(const Comparison& c) {
  return c.compare == Compare::kEqual ? std::get_if<std::string>(&c.value) : nullptr;
}

// One of the comparisons that all must hold. What is not asked of the database is held against each
// row anyway.
void Demand(const Comparison& c, bool versions, Condition* condition) {
  if (c.compare == Compare::kIn && c.entity == Entity::kAttribute && c.key == "run_id") {
    std::string places;
    for (const std::string& id : std::get<std::vector<std::string>>(c.value))
      places += fmt::format("{}{}", places.empty() ? "" : ", ", condition->Bind(id));
    condition->And(fmt::format("v.run_id IN ({})", places));
  }
  const std::string* text = EqualText(c);
  if (text == nullptr || IsPromptTag(c)) return;
  if (c.entity == Entity::kTag) {
    condition->And(
        fmt::format("EXISTS (SELECT 1 FROM {} t WHERE t.{} AND t.name = {} AND t.value "
                    "= {})",
                    versions ? "registry_version_tag" : "registry_model_tag",
                    versions ? "version_id = v.id" : "model_id = m.id", condition->Bind(c.key),
                    condition->Bind(*text)));
  } else if (c.key == "name") {
    condition->And(fmt::format("m.title = {}", condition->Bind(*text)));
  } else if (c.key == "run_id") {
    condition->And(fmt::format("v.run_id = {}", condition->Bind(*text)));
  } else if (c.key == "source_path") {
    condition->And(fmt::format("v.source = {}", condition->Bind(*text)));
  }
}

Error BadToken() {
  return InvalidArgument("GY3638", "Invalid page token")
      .Why("it is not one that this search has answered");
}

std::string StampOf(const ModelSearch& search) {
  std::string text = tracking::FilterText(search.filter, tracking::kModelVersionFields);
  for (const tracking::OrderBy& order : search.order)
    text += fmt::format("|{} {}", order.key, order.ascending);
  return Sha256Hex(search.project + "|" + text).substr(0, 16);
}

}  // namespace

std::string Condition::Bind(std::string_view text) {
  values_.emplace_back(std::string_view(texts_.emplace_back(text)));
  return fmt::format("?{}", values_.size());
}

std::string Condition::Bind(std::int64_t number) {
  values_.emplace_back(number);
  return fmt::format("?{}", values_.size());
}

std::vector<SortKey> SortKeysOf(const ModelSearch& search, bool versions) {
  std::vector<SortKey> keys;
  for (const tracking::OrderBy& order : search.order)
    keys.push_back({SortByOf(order.key), order.ascending});
  if (keys.empty() && versions) keys.push_back({SortBy::kUpdated, false});
  const auto also = [&](SortBy by, bool ascending) {
    if (std::ranges::find(keys, by, &SortKey::by) == keys.end()) keys.push_back({by, ascending});
  };
  also(SortBy::kTitle, true);
  if (versions) also(SortBy::kVersion, false);
  return keys;
}

bool AsksForPrompts(const Filter& filter) {
  return !filter.empty() && Mentions(filter.root.front());
}

Condition Demanded(const ModelSearch& search, bool versions, const WalkedTag* walked) {
  Condition condition;
  condition.And(fmt::format("m.project = {}", condition.Bind(search.project)));
  condition.And("m.deleted_us = 0");
  if (versions) condition.And("v.deleted_us = 0");
  if (!AsksForPrompts(search.filter)) {
    const std::string tag = condition.Bind(kPromptTag);
    condition.And(
        fmt::format("NOT EXISTS (SELECT 1 FROM registry_model_tag p WHERE p.model_id = m.id AND "
                    "p.name = {} AND p.value = 'true')",
                    tag));
    if (versions) {
      condition.And(
          fmt::format("NOT EXISTS (SELECT 1 FROM registry_version_tag p WHERE p.version_id = v.id "
                      "AND p.name = {} AND p.value = 'true')",
                      tag));
    }
  }
  for (const Comparison& c : AllOf(search.filter)) {
    const bool asked = walked != nullptr && c.entity == Entity::kTag && c.key == walked->key &&
                       EqualText(c) != nullptr && *EqualText(c) == walked->value;
    if (!asked) Demand(c, versions, &condition);
  }
  return condition;
}

std::vector<WalkedTag> TagsDemanded(const ModelSearch& search) {
  std::vector<WalkedTag> tags;
  for (const Comparison& c : AllOf(search.filter)) {
    const std::string* text = EqualText(c);
    if (c.entity == Entity::kTag && text != nullptr && !IsPromptTag(c))
      tags.push_back({c.key, *text});
  }
  return tags;
}

// As the index has it. What is longer is held against each row, as all of the filter is.
void AndIsTag(const WalkedTag& tag, Condition* condition) {
  condition->And(fmt::format("w.name = {} AND substr(w.value, 1, 64) = substr({}, 1, 64)",
                             condition->Bind(tag.key), condition->Bind(tag.value)));
}

void AndAfter(const std::vector<SortKey>& keys, const std::vector<SortValue>& last, bool versions,
              Condition* condition) {
  if (last.empty()) return;
  std::string before, whole;
  for (std::size_t i = 0; i < keys.size(); ++i) {
    const std::string_view column = ColumnOf(keys[i], versions);
    const auto* number = std::get_if<std::int64_t>(&last[i]);
    const std::string place = number != nullptr ? condition->Bind(*number)
                                                : condition->Bind(std::get<std::string>(last[i]));
    const std::string_view beyond = keys[i].ascending ? ">" : "<";
    // So that an index leads there.
    if (i == 0) condition->And(fmt::format("{} {}= {}", column, beyond, place));
    whole +=
        fmt::format("{}({}{} {} {})", whole.empty() ? "" : " OR ", before, column, beyond, place);
    before += fmt::format("{} = {} AND ", column, place);
  }
  condition->And(fmt::format("({})", whole));
}

std::string OrderText(const std::vector<SortKey>& keys, bool versions) {
  std::string text;
  for (const SortKey key : keys)
    text += fmt::format("{}{}{}", text.empty() ? "" : ", ", ColumnOf(key, versions),
                        key.ascending ? "" : " DESC");
  return text;
}

std::string TokenOf(const ModelSearch& search, const std::vector<SortValue>& last) {
  Json values = Json::Arr();
  for (const SortValue& value : last) {
    std::visit([&](const auto& one) { values.Push(Json(one)); }, value);
  }
  return Base64Encode(Json::Obj({{"of", StampOf(search)}, {"after", std::move(values)}}).Dump());
}

Result<std::vector<SortValue>> ReadToken(const ModelSearch& search,
                                         const std::vector<SortKey>& keys) {
  std::vector<SortValue> last;
  if (search.page_token.empty()) return last;
  std::string text;
  if (!Base64Decode(search.page_token, &text)) return BadToken();
  const auto token = Json::Parse(text);
  if (!token || (*token)["of"].AsString() != StampOf(search) ||
      (*token)["after"].size() != keys.size())
    return BadToken();
  for (std::size_t i = 0; i < keys.size(); ++i) {
    const Json& value = (*token)["after"].items()[i];
    if (value.is_string() != (keys[i].by == SortBy::kTitle)) return BadToken();
    if (value.is_string()) {
      last.emplace_back(value.AsString());
    } else {
      last.emplace_back(value.AsInt());
    }
  }
  return last;
}

}  // namespace gyre::registry

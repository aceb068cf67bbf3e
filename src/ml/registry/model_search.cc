#include "ml/registry/model_search.h"

#include <algorithm>
#include <map>
#include <unordered_map>

#include "ml/registry/catalog.h"
#include "ml/registry/search_sql.h"
#include "ml/registry/version_store.h"
#include "ml/tracking/filter_match.h"

namespace gyre::registry {
namespace {

using tracking::Entity;
using tracking::FieldValue;

// Rows that are looked at together when a filter must be held against them.
constexpr int kLookedAtOnce = 1'000;
constexpr std::size_t kIdsAtOnce = 100;
// Rows of a tag that are sorted rather than looked for in order.
constexpr std::int64_t kWalkedMax = 2'000;

// "(?1, ?2, ... ?100)".
const std::string& IdPlaces() {
  static const std::string text = [] {
    std::string places;
    for (std::size_t i = 1; i <= kIdsAtOnce; ++i)
      places += fmt::format("{}?{}", i == 1 ? "(" : ", ", i);
    return places + ")";
  }();
  return text;
}

// Rows that belong to these ids, many ids at a time. `sql` ends with "IN"; a statement that is
// short of ids repeats the last, so that there is one statement to prepare.
Result<> ForEachOf(db::Reader& reader, std::string_view sql,
                   const std::vector<std::string_view>& ids, const db::Reader::RowCallback& row) {
  const std::string text = fmt::format("{} {}", sql, IdPlaces());
  for (std::size_t from = 0; from < ids.size(); from += kIdsAtOnce) {
    std::vector<db::Value> values;
    values.reserve(kIdsAtOnce);
    for (std::size_t i = 0; i < kIdsAtOnce; ++i)
      values.emplace_back(ids[std::min(from + i, ids.size() - 1)]);
    GYRE_DO(reader.QueryList(text, values, row));
  }
  return {};
}

template <class Thing>
std::vector<std::string_view> IdsOf(const std::vector<Thing>& things) {
  std::vector<std::string_view> ids;
  ids.reserve(things.size());
  for (const Thing& thing : things) ids.push_back(thing.id);
  return ids;
}

// The thing that a row's first column names.
template <class Thing>
class ById {
 public:
  explicit ById(std::vector<Thing>& things) {
    things_.reserve(things.size());
    for (Thing& thing : things) things_.emplace(thing.id, &thing);
  }
  Thing& operator[](std::string_view id) const { return *things_.at(id); }

 private:
  std::unordered_map<std::string_view, Thing*> things_;
};

template <class Thing>
Result<> ReadTags(db::Reader& reader, std::string_view sql, std::vector<Thing>& things) {
  if (things.empty()) return {};
  const ById<Thing> by_id(things);
  return ForEachOf(reader, sql, IdsOf(things), [&](const db::Row& row) -> Result<> {
    by_id[row.Text(0)].tags.emplace(row.Str(1), row.Str(2));
    return {};
  });
}

constexpr std::string_view kModelTags =
    "SELECT model_id, name, value FROM registry_model_tag WHERE model_id IN";
constexpr std::string_view kVersionTags =
    "SELECT version_id, name, value FROM registry_version_tag WHERE version_id IN";

FieldValue TagOf(const Tags& tags, const std::string& key) {
  const auto found = tags.find(key);
  if (key == kPromptTag)  // what lacks it is none
    return found != tags.end() && found->second == "true" ? "true" : "false";
  return found == tags.end() ? FieldValue() : FieldValue(found->second);
}

bool Fits(const tracking::Filter& filter, const Model& model) {
  return tracking::Holds(filter, [&](Entity entity, const std::string& key) -> FieldValue {
    return entity == Entity::kTag ? TagOf(model.tags, key) : FieldValue(model.title);
  });
}

bool Fits(const tracking::Filter& filter, const ModelVersion& version) {
  return tracking::Holds(filter, [&](Entity entity, const std::string& key) -> FieldValue {
    if (entity == Entity::kTag) return TagOf(version.tags, key);
    if (key == "version_number") return static_cast<double>(version.version);
    return key == "run_id" ? version.run_id : key == "source_path" ? version.source : version.title;
  });
}

SortValue ValueOf(SortBy by, const Model& model) {
  return by == SortBy::kTitle ? SortValue(model.title) : SortValue(model.updated_us);
}

SortValue ValueOf(SortBy by, const ModelVersion& version) {
  switch (by) {
    case SortBy::kTitle:
      return version.title;
    case SortBy::kVersion:
      return std::int64_t{version.version};
    case SortBy::kCreated:
      return version.created_us;
    case SortBy::kUpdated:
      break;
  }
  return version.updated_us;
}

template <class Thing>
std::vector<SortValue> ValuesOf(const std::vector<SortKey>& keys, const Thing& thing) {
  std::vector<SortValue> values;
  for (const SortKey key : keys) values.push_back(ValueOf(key.by, thing));
  return values;
}

// What is read, and whose tags.
struct Sources {
  std::string_view columns, from, tags, walked_tags, thing_of_tag;
};
constexpr Sources kModels = {
    .columns =
        "m.id, m.project, m.name, m.description, m.created_by, m.created_us, m.title, m.updated_us",
    .from = "registry_model m",
    .tags = kModelTags,
    .walked_tags = "registry_model_tag w",
    .thing_of_tag = "m.id = w.model_id"};
constexpr Sources kVersions = {
    .columns = kVersionColumns,
    .from = "registry_version v JOIN registry_model m ON m.id = v.model_id",
    .tags = kVersionTags,
    .walked_tags = "registry_version_tag w",
    .thing_of_tag = "v.id = w.version_id"};

// A tag that all must have and few have: to sort these few costs less than to look at all in order.
Result<std::optional<WalkedTag>> FewByTag(db::Reader& reader, const ModelSearch& search,
                                          const Sources& sources) {
  for (WalkedTag& tag : TagsDemanded(search)) {
    Condition condition;
    AndIsTag(tag, &condition);
    std::int64_t found = 0;
    GYRE_DO(reader.QueryList(
        fmt::format("SELECT COUNT(*) FROM (SELECT 1 FROM {} WHERE {} LIMIT {}) few",
                    sources.walked_tags, condition.sql(), kWalkedMax + 1),
        condition.values(), [&](const db::Row& row) -> Result<> {
          found = row.Int(0);
          return {};
        }));
    if (found <= kWalkedMax) return std::optional(std::move(tag));
  }
  return std::optional<WalkedTag>();
}

// Reads rows behind `last` in the order, in portions, until `limit` and one more fit.
template <class Thing, class Make>
Result<std::vector<Thing>> ReadFitting(db::Reader& reader, const ModelSearch& search,
                                       std::vector<SortValue> last, const Sources& sources,
                                       const Make& make) {
  constexpr bool kOfVersions = std::is_same_v<Thing, ModelVersion>;
  const std::vector<SortKey> keys = SortKeysOf(search, kOfVersions);
  const std::size_t wanted = static_cast<std::size_t>(search.limit) + 1;
  const std::size_t portion =
      search.filter.empty() ? wanted : std::max<std::size_t>(wanted, kLookedAtOnce);
  GYRE_TRY(const std::optional<WalkedTag> walked, FewByTag(reader, search, sources));
  // CROSS JOIN: in this order.
  const std::string from = walked
                               ? fmt::format("{} CROSS JOIN {}", sources.walked_tags, sources.from)
                               : std::string(sources.from);
  std::vector<Thing> found;
  for (;;) {
    Condition condition = Demanded(search, kOfVersions, walked ? &*walked : nullptr);
    if (walked) {
      AndIsTag(*walked, &condition);
      condition.And(sources.thing_of_tag);
    }
    AndAfter(keys, last, kOfVersions, &condition);
    const std::string limit = condition.Bind(static_cast<std::int64_t>(portion));
    std::vector<Thing> rows;
    GYRE_DO(reader.QueryList(
        fmt::format("SELECT {} FROM {} WHERE {} ORDER BY {} LIMIT {}", sources.columns, from,
                    condition.sql(), OrderText(keys, kOfVersions), limit),
        condition.values(), [&](const db::Row& row) -> Result<> {
          rows.push_back(make(row));
          return {};
        }));
    const bool more = rows.size() == portion;
    if (more) last = ValuesOf(keys, rows.back());
    if (!search.filter.empty()) GYRE_DO(ReadTags(reader, sources.tags, rows));
    for (Thing& thing : rows) {
      if (found.size() < wanted && Fits(search.filter, thing)) found.push_back(std::move(thing));
    }
    if (!more || found.size() == wanted) return found;
  }
}

// Cuts the one more off; its predecessor is where the next page begins.
template <class Thing>
std::string CutPage(const ModelSearch& search, std::vector<Thing>* found) {
  if (found->size() <= static_cast<std::size_t>(search.limit)) return {};
  found->pop_back();
  if (found->empty()) return {};
  const auto keys = SortKeysOf(search, std::is_same_v<Thing, ModelVersion>);
  return TokenOf(search, ValuesOf(keys, found->back()));
}

Model ModelFromRow(const db::Row& row) {
  Model model;
  model.id = row.Str(0);
  model.project = row.Str(1);
  model.name = row.Str(2);
  model.description = row.Str(3);
  model.created_by = row.Str(4);
  model.created_us = row.Int(5);
  model.title = row.Str(6);
  model.updated_us = row.Int(7);
  return model;
}

Result<> ReadVersionAliases(db::Reader& reader, std::vector<ModelVersion>& versions) {
  if (versions.empty()) return {};
  const ById<ModelVersion> by_id(versions);
  GYRE_DO(ForEachOf(reader, "SELECT version_id, alias FROM registry_alias WHERE version_id IN",
                    IdsOf(versions), [&](const db::Row& row) -> Result<> {
                      by_id[row.Text(0)].aliases.push_back(row.Str(1));
                      return {};
                    }));
  for (ModelVersion& version : versions) std::ranges::sort(version.aliases);
  return {};
}

Result<> ReadModelAliases(db::Reader& reader, std::vector<Model>& models) {
  if (models.empty()) return {};
  const ById<Model> by_id(models);
  GYRE_DO(ForEachOf(reader,
                    "SELECT a.model_id, a.alias, v.version FROM registry_alias a JOIN "
                    "registry_version v ON v.id = a.version_id WHERE a.model_id IN",
                    IdsOf(models), [&](const db::Row& row) -> Result<> {
                      by_id[row.Text(0)].aliases.emplace_back(row.Str(1),
                                                              static_cast<int>(row.Int(2)));
                      return {};
                    }));
  for (Model& model : models) std::ranges::sort(model.aliases);
  return {};
}

// The newest version of each stage, of many models. Nearly all versions stand in none; those that
// stand in one are few, and are found together.
Result<std::vector<ModelVersion>> ReadLatest(db::Reader& reader, const std::vector<Model>& models) {
  static const std::string kInNone = fmt::format(
      "SELECT {} FROM registry_model m JOIN registry_version v ON v.model_id = m.id AND v.stage = "
      "'none' AND v.deleted_us = 0 AND v.version = (SELECT MAX(x.version) FROM registry_version x "
      "WHERE x.model_id = m.id AND x.stage = 'none' AND x.deleted_us = 0) WHERE m.id IN",
      kListedVersionColumns);
  static const std::string kInOthers = fmt::format(
      "SELECT {} FROM registry_version v JOIN registry_model m ON m.id = v.model_id WHERE "
      "v.deleted_us = 0 AND v.stage <> 'none' AND NOT EXISTS (SELECT 1 FROM registry_version x "
      "WHERE x.model_id = v.model_id AND x.stage = v.stage AND x.deleted_us = 0 AND x.version > "
      "v.version) AND v.model_id IN",
      kListedVersionColumns);
  std::vector<ModelVersion> latest;
  if (models.empty()) return latest;
  latest.reserve(models.size() + 1);
  const std::vector<std::string_view> ids = IdsOf(models);
  const auto add = [&](const db::Row& row) -> Result<> {
    latest.push_back(VersionFromRow(row, false));
    return {};
  };
  GYRE_DO(ForEachOf(reader, kInNone, ids, add));
  const auto in_none = std::ssize(latest);
  GYRE_DO(ForEachOf(reader, kInOthers, ids, add));
  std::ranges::sort(latest.begin() + in_none, latest.end(), {}, &ModelVersion::stage);
  GYRE_DO(ReadTags(reader, kVersionTags, latest));
  GYRE_DO(ReadVersionAliases(reader, latest));
  return latest;
}

}  // namespace

Result<FoundModels> ModelSearcher::Models(const ModelSearch& search) {
  GYRE_TRY(const auto last, ReadToken(search, SortKeysOf(search, false)));
  FoundModels page;
  GYRE_DO(database_.Read([&](db::Reader& reader) -> Result<> {
    GYRE_TRY(std::vector<Model> models,
             ReadFitting<Model>(reader, search, last, kModels, ModelFromRow));
    page.next_page_token = CutPage(search, &models);
    if (search.filter.empty()) GYRE_DO(ReadTags(reader, kModelTags, models));
    GYRE_DO(ReadModelAliases(reader, models));
    GYRE_TRY(std::vector<ModelVersion> latest, ReadLatest(reader, models));
    std::unordered_map<std::string, std::size_t> places;
    for (Model& model : models) {
      places.emplace(model.name, places.size());
      page.models.push_back({std::move(model), {}});
    }
    for (ModelVersion& version : latest)
      page.models[places.at(version.model)].latest.push_back(std::move(version));
    return {};
  }));
  return page;
}

Result<FoundVersions> ModelSearcher::Versions(const ModelSearch& search) {
  GYRE_TRY(const auto last, ReadToken(search, SortKeysOf(search, true)));
  FoundVersions page;
  GYRE_DO(database_.Read([&](db::Reader& reader) -> Result<> {
    GYRE_TRY(page.versions,
             ReadFitting<ModelVersion>(reader, search, last, kVersions, [](const db::Row& row) {
               return VersionFromRow(row, false);
             }));
    page.next_page_token = CutPage(search, &page.versions);
    if (search.filter.empty()) GYRE_DO(ReadTags(reader, kVersionTags, page.versions));
    return ReadVersionAliases(reader, page.versions);
  }));
  return page;
}

}  // namespace gyre::registry

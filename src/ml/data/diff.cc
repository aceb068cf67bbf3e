#include "ml/data/diff.h"

#include <set>
#include <string>

namespace gyre::data {

namespace {
const Json* ColumnOf(const Json& profile, std::string_view name) {
  for (const Json& column : profile["columns"].items()) {
    if (column["name"].AsString() == name) return &column;
  }
  return nullptr;
}

Json Change(const Json& from, const Json& to) { return Json::Obj({{"from", from}, {"to", to}}); }

// Statistics that differ, by name; for frequent values also which came and went.
Json ColumnChanges(const Json& from, const Json& to) {
  Json changes = Json::Obj();
  for (const std::string_view key : {"type", "missing", "missing_fraction", "distinct", "min",
                                     "max", "mean", "deviation", "mean_words"}) {
    if (!from.Has(key) && !to.Has(key)) continue;
    if (from[key] != to[key]) changes.Set(key, Change(from[key], to[key]));
  }
  if (from["quantiles"]["0.5"] != to["quantiles"]["0.5"])
    changes.Set("median", Change(from["quantiles"]["0.5"], to["quantiles"]["0.5"]));
  std::set<std::string> before, after;
  for (const Json& value : from["top"].items()) before.insert(value["value"].AsString());
  for (const Json& value : to["top"].items()) after.insert(value["value"].AsString());
  const bool few = from["distinct"].AsInt() <= 10 &&
                   to["distinct"].AsInt() <= 10;  // then the lists are complete
  Json added = Json::Arr(), removed = Json::Arr();
  for (const std::string& value : after) {
    if (!before.contains(value)) added.Push(value);
  }
  for (const std::string& value : before) {
    if (!after.contains(value)) removed.Push(value);
  }
  if (few && added.size() > 0) changes.Set("values_added", std::move(added));
  if (few && removed.size() > 0) changes.Set("values_removed", std::move(removed));
  return changes;
}
}  // namespace

Json DiffVersions(const Version& from, const Json& from_profile, const Version& to,
                  const Json& to_profile) {
  Json added = Json::Arr(), removed = Json::Arr(), retyped = Json::Arr(), columns = Json::Arr();
  for (const Json& column : to_profile["columns"].items()) {
    if (ColumnOf(from_profile, column["name"].AsString()) == nullptr)
      added.Push(Json::Obj({{"name", column["name"]}, {"type", column["type"]}}));
  }
  for (const Json& column : from_profile["columns"].items()) {
    const Json* now = ColumnOf(to_profile, column["name"].AsString());
    if (now == nullptr) {
      removed.Push(Json::Obj({{"name", column["name"]}, {"type", column["type"]}}));
      continue;
    }
    if (column["type"] != (*now)["type"])
      retyped.Push(
          Json::Obj({{"name", column["name"]}, {"from", column["type"]}, {"to", (*now)["type"]}}));
    Json changes = ColumnChanges(column, *now);
    if (changes.size() > 0)
      columns.Push(Json::Obj({{"name", column["name"]}, {"changes", std::move(changes)}}));
  }
  return Json::Obj({{"from", from.reference()},
                    {"to", to.reference()},
                    {"same", from.content_hash == to.content_hash},
                    {"rows", Json::Obj({{"from", from.rows}, {"to", to.rows}})},
                    {"schema", Json::Obj({{"added", std::move(added)},
                                          {"removed", std::move(removed)},
                                          {"changed", std::move(retyped)}})},
                    {"columns", std::move(columns)}});
}

}  // namespace gyre::data

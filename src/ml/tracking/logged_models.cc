#include "ml/tracking/logged_models.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>
#include <optional>
#include <set>
#include <tuple>
#include <utility>

#include "base/hash.h"
#include "base/id.h"
#include "base/text.h"
#include "ml/tracking/checks.h"
#include "ml/tracking/experiment_store.h"
#include "ml/tracking/filter_match.h"
#include "ml/tracking/model_points.h"

namespace gyre::tracking {
namespace {

constexpr std::array<std::string_view, 3> kStatusNames = {"pending", "ready", "failed"};
constexpr std::string_view kIdBegin = "m-";
constexpr std::string_view kColumns =
    "id, project, experiment, run_id, name, model_type, status, artifact_root, created_us, "
    "updated_us, deleted_us";

LoggedModel ModelOf(const db::Row& row) {
  LoggedModel model;
  model.id = row.Str(0);
  model.project = row.Str(1);
  model.experiment = row.Int(2);
  model.run_id = row.Str(3);
  model.name = row.Str(4);
  model.model_type = row.Str(5);
  const auto status = std::ranges::find(kStatusNames, row.Text(6));
  model.status = static_cast<ModelStatus>(status - kStatusNames.begin());
  model.artifact_root = row.Str(7);
  model.created_us = row.Int(8);
  model.updated_us = row.Int(9);
  model.deleted_us = row.Int(10);
  return model;
}

Result<std::map<std::string, std::string>> ReadTexts(db::Reader& reader, std::string_view table,
                                                     std::string_view model) {
  std::map<std::string, std::string> texts;
  GYRE_DO(reader.Query(fmt::format("SELECT name, value FROM {} WHERE model = ?1", table), {model},
                       [&](const db::Row& row) -> Result<> {
                         texts.emplace(row.Str(0), row.Str(1));
                         return {};
                       }));
  return texts;
}

Result<> ReadParts(db::Reader& reader, LoggedModel* model) {
  GYRE_TRY(model->params, ReadTexts(reader, "tracking_logged_model_param", model->id));
  GYRE_TRY(model->tags, ReadTexts(reader, "tracking_logged_model_tag", model->id));
  return reader.Query(
      "SELECT name, value, step, time_us, run_id, dataset_name, dataset_digest FROM "
      "tracking_logged_model_metric WHERE model = ?1 ORDER BY name, time_us, step",
      {model->id}, [&](const db::Row& row) -> Result<> {
        const double value = row.IsNull(1) ? std::numeric_limits<double>::quiet_NaN() : row.Real(1);
        model->metrics.push_back(
            {row.Str(0), value, row.Int(2), row.Int(3), row.Str(4), row.Str(5), row.Str(6)});
        return {};
      });
}

bool LooksLikeModelId(std::string_view id) {
  return id.starts_with(kIdBegin) && LooksLikeId(id.substr(kIdBegin.size()));
}

Error NoModelId(std::string_view id, std::string_view why) {
  return InvalidArgument("GY3445", "`{}` cannot be the id of a logged model", id.substr(0, 100))
      .Why(std::string(why));
}

Result<LoggedModel> ReadModel(db::Reader& reader, std::string_view project, std::string_view id) {
  LoggedModel model;
  GYRE_TRY(const bool found,
           reader.QueryOne(fmt::format("SELECT {} FROM tracking_logged_model WHERE id = ?1 AND "
                                       "project = ?2",
                                       kColumns),
                           {id, project}, [&](const db::Row& row) { model = ModelOf(row); }));
  if (!found) return NotFound("GY3441", "there is no logged model `{}`", id.substr(0, 100));
  GYRE_DO(ReadParts(reader, &model));
  return model;
}

Result<> PutTexts(db::Transaction& tx, std::string_view table, std::string_view model,
                  const std::map<std::string, std::string>& texts, bool replaces) {
  const std::string sql = fmt::format(
      "INSERT INTO {} (model, name, value) VALUES (?1, ?2, ?3) ON CONFLICT (model, name) DO {}",
      table, replaces ? "UPDATE SET value = excluded.value" : "NOTHING");
  for (const auto& [key, value] : texts) GYRE_DO(tx.Execute(sql, {model, key, value}));
  return {};
}

bool Counts(const ModelPoint& point, const DatasetFilter& dataset) {
  return (dataset.name.empty() || point.dataset_name == dataset.name) &&
         (dataset.digest.empty() || point.dataset_digest == dataset.digest);
}

// The last value of a metric, by time and step, on any of the data sets.
FieldValue LatestOf(const LoggedModel& model, const std::string& key,
                    std::span<const DatasetFilter> datasets) {
  const ModelPoint* latest = nullptr;
  for (const ModelPoint& point : model.metrics) {
    const bool counts = datasets.empty() || std::ranges::any_of(datasets, [&](const auto& dataset) {
                          return Counts(point, dataset);
                        });
    if (point.key != key || !counts) continue;
    if (latest == nullptr ||
        std::tie(point.time_us, point.step) >= std::tie(latest->time_us, latest->step))
      latest = &point;
  }
  return latest == nullptr ? FieldValue() : FieldValue(latest->value);
}

FieldValue TextIn(const std::map<std::string, std::string>& texts, const std::string& key) {
  const auto found = texts.find(key);
  return found == texts.end() ? FieldValue() : FieldValue(found->second);
}

FieldValue AttributeOf(const LoggedModel& model, const std::string& key) {
  constexpr double kMicrosPerMilli = 1'000;
  if (key == "name") return model.name;
  if (key == "model_id") return model.id;
  if (key == "model_type") return model.model_type.empty() ? FieldValue() : model.model_type;
  if (key == "source_run_id") return model.run_id.empty() ? FieldValue() : model.run_id;
  if (key == "experiment_id") return fmt::format("{}", model.experiment);
  if (key == "creation_timestamp")
    return std::floor(static_cast<double>(model.created_us) / kMicrosPerMilli);
  if (key == "last_updated_timestamp")
    return std::floor(static_cast<double>(model.updated_us) / kMicrosPerMilli);
  if (key != "status") return {};
  std::string status(ModelStatusName(model.status));
  std::ranges::transform(status, status.begin(),
                         [](char c) { return static_cast<char>(c - 'a' + 'A'); });
  return status;
}

FieldValue FieldOfModel(const LoggedModel& model, Entity entity, const std::string& key,
                        std::span<const DatasetFilter> datasets) {
  switch (entity) {
    case Entity::kMetric:
      return LatestOf(model, key, datasets);
    case Entity::kParam:
      return TextIn(model.params, key);
    case Entity::kTag:
      return TextIn(model.tags, key);
    default:
      return AttributeOf(model, key);
  }
}

bool IsWanted(const LoggedModel& model, const ModelSearch& search) {
  const bool measured =
      search.datasets.empty() || std::ranges::any_of(model.metrics, [&](const ModelPoint& point) {
        return std::ranges::any_of(search.datasets,
                                   [&](const auto& dataset) { return Counts(point, dataset); });
      });
  return measured && Holds(search.filter, [&](Entity entity, const std::string& key) {
           return FieldOfModel(model, entity, key, search.datasets);
         });
}

bool Before(const ModelSearch& search, const LoggedModel& a, const LoggedModel& b) {
  for (const ModelOrder& order : search.order) {
    std::vector<DatasetFilter> datasets = search.datasets;
    if (!order.dataset.name.empty()) datasets = {order.dataset};
    const auto compared =
        CompareFields(FieldOfModel(a, order.by.entity, order.by.key, datasets),
                      FieldOfModel(b, order.by.entity, order.by.key, datasets), order.by.ascending);
    if (compared != 0) return compared < 0;
  }
  return std::tie(b.created_us, a.id) < std::tie(a.created_us, b.id);
}

// Tells this search from others, so that a token is not taken for another's.
std::uint64_t FingerprintOf(const ModelSearch& search) {
  std::string text =
      fmt::format("{}\n{}", search.project, FilterText(search.filter, kLoggedModelFields));
  for (const std::int64_t experiment : search.experiments) text += fmt::format("\n{}", experiment);
  for (const ModelOrder& order : search.order)
    text += fmt::format("\n{} {} {} {} {}", static_cast<int>(order.by.entity), order.by.key,
                        order.by.ascending, order.dataset.name, order.dataset.digest);
  return Xxh3(text);
}

// The last model of the page before: what comes meanwhile shifts nothing. Empty = from the
// beginning.
Result<std::optional<LoggedModel>> LastOf(db::Reader& reader, const ModelSearch& search) {
  if (search.page_token.empty()) return std::optional<LoggedModel>();
  const auto parts = Split(search.page_token, '.');
  if (parts.size() == 2 && parts[1] == fmt::format("{:x}", FingerprintOf(search))) {
    auto last = ReadModel(reader, search.project, parts[0]);
    if (last) return std::optional(*std::move(last));
    if (last.error().code() != Code::kNotFound) return last.error();
  }
  return InvalidArgument("GY3432", "`{}` is not a page token of this search",
                         search.page_token.substr(0, 100))
      .Fix("begin without a page token");
}

// Models of an experiment, the newest first, behind that one when it is given.
Result<std::vector<LoggedModel>> ReadNewest(db::Reader& reader, const ModelSearch& search,
                                            std::int64_t experiment, const LoggedModel* behind,
                                            int most) {
  const std::int64_t created_us =
      behind == nullptr ? std::numeric_limits<std::int64_t>::max() : behind->created_us;
  const std::string id = behind == nullptr ? std::string() : behind->id;
  return db::Collect<LoggedModel>(
      reader,
      fmt::format("SELECT {} FROM tracking_logged_model WHERE experiment = ?1 AND deleted_us = 0 "
                  "AND project = ?2 AND created_us <= ?3 AND (created_us < ?3 OR id > ?4) ORDER BY "
                  "created_us DESC, id LIMIT ?5",
                  kColumns),
      {experiment, search.project, created_us, id, most}, ModelOf);
}

// Those of an experiment that are wanted behind `last`; where the order is that of time, no more
// than `most`.
Result<> TakeFrom(db::Reader& reader, const ModelSearch& search, std::int64_t experiment,
                  const std::optional<LoggedModel>& last, std::size_t most,
                  std::vector<LoggedModel>* found) {
  constexpr int kReadAtOnce = 500;
  const bool along_time = search.order.empty();
  std::optional<LoggedModel> behind = along_time ? last : std::nullopt;
  std::size_t taken = 0;
  while (true) {
    GYRE_TRY(auto models,
             ReadNewest(reader, search, experiment, behind ? &*behind : nullptr, kReadAtOnce));
    const bool more = models.size() == static_cast<std::size_t>(kReadAtOnce);
    if (!models.empty()) behind = models.back();
    for (LoggedModel& model : models) {
      GYRE_DO(ReadParts(reader, &model));
      if (!IsWanted(model, search) || (last && !Before(search, *last, model))) continue;
      found->push_back(std::move(model));
      if (along_time && ++taken == most) return {};
    }
    if (!more) return {};
  }
}

}  // namespace

std::string_view ModelStatusName(ModelStatus status) {
  return kStatusNames[static_cast<std::size_t>(status)];
}

Result<> LoggedModels::ChangeOne(std::string_view project, std::string_view id,
                                 const Change& change) {
  return database_.Write([&](db::Transaction& tx) -> Result<> {
    GYRE_TRY(const LoggedModel model, ReadModel(tx, project, id));
    GYRE_DO(change(tx, model));
    return tx.Execute("UPDATE tracking_logged_model SET updated_us = ?2 WHERE id = ?1",
                      {id, clock_.NowMicros()});
  });
}

Result<LoggedModel> LoggedModels::Create(const NewLoggedModel& from) {
  GYRE_DO(CheckTexts("param", from.params, kParamBytesMax));
  GYRE_DO(CheckTexts("tag", from.tags, kTagBytesMax));
  LoggedModel model;
  model.id = from.id.empty() ? std::string(kIdBegin) + NewId() : from.id;
  if (!LooksLikeModelId(model.id)) return NoModelId(model.id, "it is `m-` and 32 digits of 0-9a-f");
  model.project = from.project;
  model.run_id = from.run_id;
  model.name = from.name;
  model.model_type = from.model_type;
  model.experiment = from.experiment;
  model.created_us = model.updated_us = from.created_us > 0 ? from.created_us : clock_.NowMicros();
  model.params = from.params;
  model.tags = from.tags;
  GYRE_DO(database_.Write([&](db::Transaction& tx) -> Result<> {
    GYRE_TRY(const Experiment experiment, ReadActiveExperiment(tx, from.project, from.experiment));
    GYRE_TRY(const bool taken, tx.QueryOne("SELECT 1 FROM tracking_logged_model WHERE id = ?1",
                                           {model.id}, [](const db::Row&) {}));
    if (taken) return NoModelId(model.id, "there is one of this id, here or in another project");
    if (!experiment.artifact_root.empty())
      model.artifact_root =
          fmt::format("{}/models/{}/artifacts", experiment.artifact_root, model.id);
    GYRE_DO(tx.Execute(
        fmt::format("INSERT INTO tracking_logged_model ({}) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, "
                    "?8, ?9, ?9, 0)",
                    kColumns),
        {model.id, model.project, model.experiment, model.run_id, model.name, model.model_type,
         ModelStatusName(model.status), model.artifact_root, model.created_us}));
    GYRE_DO(PutTexts(tx, "tracking_logged_model_param", model.id, model.params, false));
    return PutTexts(tx, "tracking_logged_model_tag", model.id, model.tags, true);
  }));
  return model;
}

Result<LoggedModel> LoggedModels::Get(std::string_view project, std::string_view id,
                                      bool deleted_too) {
  LoggedModel model;
  GYRE_DO(database_.Read([&](db::Reader& reader) -> Result<> {
    GYRE_TRY(model, ReadModel(reader, project, id));
    return {};
  }));
  if (model.deleted_us == 0 || deleted_too) return model;
  return NotFound("GY3441", "the logged model `{}` is deleted", id);
}

Result<LoggedModel> LoggedModels::Finish(std::string_view project, std::string_view id,
                                         ModelStatus status) {
  GYRE_DO(ChangeOne(project, id, [&](db::Transaction& tx, const LoggedModel&) {
    return tx.Execute("UPDATE tracking_logged_model SET status = ?2 WHERE id = ?1",
                      {id, ModelStatusName(status)});
  }));
  return Get(project, id, true);
}

Result<> LoggedModels::Delete(std::string_view project, std::string_view id) {
  return ChangeOne(project, id, [&](db::Transaction& tx, const LoggedModel&) {
    return tx.Execute("UPDATE tracking_logged_model SET deleted_us = ?2 WHERE id = ?1",
                      {id, clock_.NowMicros()});
  });
}

Result<> LoggedModels::AddParams(std::string_view project, std::string_view id,
                                 const std::map<std::string, std::string>& params) {
  GYRE_DO(CheckTexts("param", params, kParamBytesMax));
  return ChangeOne(project, id, [&](db::Transaction& tx, const LoggedModel&) {
    return PutTexts(tx, "tracking_logged_model_param", id, params, false);
  });
}

Result<> LoggedModels::SetTags(std::string_view project, std::string_view id,
                               const std::map<std::string, std::string>& tags) {
  GYRE_DO(CheckTexts("tag", tags, kTagBytesMax));
  return ChangeOne(project, id, [&](db::Transaction& tx, const LoggedModel&) {
    return PutTexts(tx, "tracking_logged_model_tag", id, tags, true);
  });
}

Result<> LoggedModels::DeleteTag(std::string_view project, std::string_view id,
                                 std::string_view key) {
  return ChangeOne(project, id, [&](db::Transaction& tx, const LoggedModel&) -> Result<> {
    GYRE_DO(tx.Execute("DELETE FROM tracking_logged_model_tag WHERE model = ?1 AND name = ?2",
                       {id, key}));
    if (tx.changes() > 0) return {};
    return NotFound("GY3442", "the logged model {} has no tag `{}`", id, key.substr(0, 100));
  });
}

Result<> LoggedModels::AddPoints(std::string_view project, std::string_view id,
                                 const std::vector<ModelPoint>& points) {
  return ChangeOne(project, id, [&](db::Transaction& tx, const LoggedModel&) {
    return PutModelPoints(tx, project, {{std::string(id), points}});
  });
}

Result<> PutModelPoints(db::Transaction& tx, std::string_view project,
                        const ModelPoints& by_model) {
  for (const auto& [id, points] : by_model) {
    GYRE_TRY(const bool there,
             tx.QueryOne("SELECT 1 FROM tracking_logged_model WHERE id = ?1 AND project = ?2",
                         {id, project}, [](const db::Row&) {}));
    if (!there) continue;
    for (const ModelPoint& point : points)
      GYRE_DO(tx.Execute(
          "INSERT INTO tracking_logged_model_metric (model, name, time_us, step, run_id, value, "
          "dataset_name, dataset_digest) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8) ON CONFLICT "
          "(model, name, time_us, step, run_id) DO NOTHING",
          {id, point.key, point.time_us, point.step, point.run_id, point.value, point.dataset_name,
           point.dataset_digest}));
  }
  return {};
}

Result<FoundModels> LoggedModels::Search(const ModelSearch& search) {
  const std::set<std::int64_t> experiments(search.experiments.begin(), search.experiments.end());
  const auto most = static_cast<std::size_t>(std::max(search.limit, 1));
  std::vector<LoggedModel> found;
  GYRE_DO(database_.Read([&](db::Reader& reader) -> Result<> {
    GYRE_TRY(const auto last, LastOf(reader, search));
    for (const std::int64_t experiment : experiments)
      GYRE_DO(TakeFrom(reader, search, experiment, last, most + 1, &found));
    return {};
  }));
  std::ranges::stable_sort(
      found, [&](const LoggedModel& a, const LoggedModel& b) { return Before(search, a, b); });
  const bool more = found.size() > most;
  if (more) found.erase(found.begin() + static_cast<long>(most), found.end());
  FoundModels page{.models = std::move(found), .next_page_token = {}};
  if (more)
    page.next_page_token = fmt::format("{}.{:x}", page.models.back().id, FingerprintOf(search));
  return page;
}

}  // namespace gyre::tracking

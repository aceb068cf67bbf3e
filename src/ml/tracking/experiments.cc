#include "ml/tracking/experiments.h"

#include <algorithm>
#include <iterator>

#include "base/text.h"
#include "ml/tracking/checks.h"
#include "ml/tracking/experiment_folders.h"
#include "ml/tracking/experiment_store.h"
#include "ml/tracking/filter_match.h"

namespace gyre::tracking {
namespace {

constexpr std::size_t kTagValueBytesMax = 5'000;

FieldValue FieldOfExperiment(const Experiment& e, Entity entity, const std::string& key,
                             bool to_order) {
  if (entity == Entity::kTag) {
    const auto tag = e.tags.find(key);
    return tag == e.tags.end() ? FieldValue() : FieldValue(tag->second);
  }
  if (key == "name") return e.title;
  if (key == "experiment_id" && to_order) return static_cast<double>(e.number);
  if (key == "experiment_id") return std::to_string(e.number);
  // Times of filters are milliseconds.
  if (key == "creation_time") return static_cast<double>(e.created_us / 1'000);
  if (key == "last_update_time") return static_cast<double>(e.updated_us / 1'000);
  return {};
}

// "t<created_us>.<number>" along time, "o<offset>" along another order.
struct PageToken {
  std::optional<ExperimentPlace> place;
  std::size_t offset = 0;
};

Result<PageToken> ParseToken(const ExperimentSearch& search) {
  PageToken token;
  const std::string_view text = search.page_token;
  if (text.empty()) return token;
  const auto parts = Split(text.substr(1), '.');
  const auto first = ParseInt(parts[0]);
  if (search.order.empty() && text[0] == 't' && parts.size() == 2) {
    const auto number = ParseInt(parts[1]);
    if (first && number) token.place = ExperimentPlace{*first, *number};
  } else if (!search.order.empty() && text[0] == 'o' && parts.size() == 1 && first && *first > 0) {
    token.offset = static_cast<std::size_t>(*first);
  }
  if (token.place || token.offset > 0) return token;
  return InvalidArgument("GY3432", "Invalid page token, `{}` is not of this search",
                         text.substr(0, 100))
      .Fix("begin without a page token");
}

bool Before(const ExperimentSearch& search, const Experiment& a, const Experiment& b) {
  for (const OrderBy& by : search.order) {
    const auto order = CompareFields(FieldOfExperiment(a, by.entity, by.key, true),
                                     FieldOfExperiment(b, by.entity, by.key, true), by.ascending);
    if (order != 0) return order < 0;
  }
  return a.number > b.number;
}

class ExperimentsImpl final : public Experiments {
 public:
  ExperimentsImpl(db::Database& database, const Clock& clock, RunStamps& stamps)
      : database_(database), clock_(clock), stamps_(stamps) {}

  Result<Experiment> Create(const NewExperiment& from) override;
  Result<Experiment> Get(std::string_view project, std::int64_t number) override;
  Result<Experiment> Find(std::string_view project, std::string_view title) override;
  Result<Experiment> Resolve(std::string_view project, std::string_view reference) override;
  Result<ExperimentPage> Search(const ExperimentSearch& search) override;
  Result<FolderPage> ListFolder(const FolderQuery& query) override;
  Result<std::vector<std::int64_t>> Below(std::string_view project,
                                          std::string_view folder) override;
  Result<std::int64_t> CountRuns(std::int64_t number) override;
  Result<std::vector<DatasetUse>> Datasets(std::string_view project,
                                           std::span<const std::int64_t> numbers,
                                           int limit) override;
  Result<> Change(std::string_view project, std::int64_t number,
                  const ExperimentChange& change) override;
  Result<> Rename(std::string_view project, std::int64_t number, std::string_view title) override {
    return Change(project, number, {.title = std::string(title)});
  }
  Result<> SetTags(std::string_view project, std::int64_t number,
                   const std::map<std::string, std::string>& tags) override {
    return Change(project, number, {.tags = tags});
  }
  Result<> DeleteTag(std::string_view project, std::int64_t number, std::string_view key) override;
  Result<> Delete(std::string_view project, std::int64_t number) override;
  Result<> Restore(std::string_view project, std::int64_t number) override;
  Result<int> MoveFolder(std::string_view project, std::string_view from,
                         std::string_view to) override;

 private:
  // Calls with the experiment, which must be active, inside of a transaction.
  using Body = std::function<Result<>(db::Transaction&, const Experiment&)>;
  Result<> ChangeActive(std::string_view project, std::int64_t number, const Body& change);
  // The Default of a project is there for whoever asks.
  Result<Experiment> Default(std::string_view project);

  db::Database& database_;
  const Clock& clock_;
  RunStamps& stamps_;
};

Result<> ExperimentsImpl::ChangeActive(std::string_view project, std::int64_t number,
                                       const Body& change) {
  GYRE_TRY(const Experiment known, Get(project, number));
  return database_.Write([&](db::Transaction& tx) -> Result<> {
    GYRE_TRY(const Experiment experiment, ReadActiveExperiment(tx, project, known.number));
    return change(tx, experiment);
  });
}

Result<Experiment> ExperimentsImpl::Create(const NewExperiment& from) {
  GYRE_DO(CheckTitle(from.title));
  GYRE_DO(CheckTexts("tag", from.tags, kTagValueBytesMax));
  Experiment made;
  GYRE_DO(database_.Write([&](db::Transaction& tx) -> Result<> {
    GYRE_TRY(made, InsertExperiment(tx, from, clock_.NowMicros()));
    return {};
  }));
  return made;
}

Result<Experiment> ExperimentsImpl::Default(std::string_view project) {
  std::optional<Experiment> there;
  GYRE_DO(database_.Read([&](db::Reader& reader) -> Result<> {
    GYRE_TRY(there, FindExperiment(reader, project, kDefaultExperiment));
    return {};
  }));
  if (there) return *std::move(there);
  Experiment made;
  GYRE_DO(database_.Write([&](db::Transaction& tx) -> Result<> {
    GYRE_TRY(made, EnsureExperiment(tx, project, kDefaultExperiment, clock_.NowMicros()));
    return {};
  }));
  return made;
}

Result<Experiment> ExperimentsImpl::Get(std::string_view project, std::int64_t number) {
  if (number == 0) return Default(project);
  Experiment experiment;
  GYRE_DO(database_.Read([&](db::Reader& reader) -> Result<> {
    GYRE_TRY(experiment, ReadExperiment(reader, project, number));
    return {};
  }));
  return experiment;
}

Result<Experiment> ExperimentsImpl::Find(std::string_view project, std::string_view title) {
  if (title == kDefaultExperiment) return Default(project);
  std::optional<Experiment> there;
  GYRE_DO(database_.Read([&](db::Reader& reader) -> Result<> {
    GYRE_TRY(there, FindExperiment(reader, project, title));
    return {};
  }));
  if (there) return *std::move(there);
  return NotFound("GY3422", "there is no experiment `{}` in project {}", title.substr(0, 200),
                  project);
}

Result<Experiment> ExperimentsImpl::Resolve(std::string_view project, std::string_view reference) {
  if (reference == kDefaultExperiment) return Default(project);
  if (const auto number = ParseInt(reference); number && *number >= 0) {
    auto found = Get(project, *number);
    if (found || found.error().code() != Code::kNotFound) return found;
  }
  std::optional<Experiment> there;
  GYRE_DO(database_.Read([&](db::Reader& reader) -> Result<> {
    GYRE_TRY(there, FindByTitleOrName(reader, project, reference));
    return {};
  }));
  if (there) return *std::move(there);
  return NotFound("GY3422", "there is no experiment `{}` in project {}", reference.substr(0, 200),
                  project)
      .Fix("gyre experiments            (lists them)");
}

Result<FolderPage> ExperimentsImpl::ListFolder(const FolderQuery& query) {
  GYRE_TRY([[maybe_unused]] const Experiment always_there, Default(query.project));
  FolderPage page;
  GYRE_DO(database_.Read([&](db::Reader& reader) -> Result<> {
    GYRE_TRY(page, ReadFolder(reader, query));
    return {};
  }));
  return page;
}

Result<std::vector<std::int64_t>> ExperimentsImpl::Below(std::string_view project,
                                                         std::string_view folder) {
  std::vector<std::int64_t> numbers;
  GYRE_DO(database_.Read([&](db::Reader& reader) -> Result<> {
    GYRE_TRY(numbers, ReadBelow(reader, project, folder));
    return {};
  }));
  return numbers;
}

Result<std::int64_t> ExperimentsImpl::CountRuns(std::int64_t number) {
  std::int64_t count = 0;
  GYRE_DO(database_.Read([&](db::Reader& reader) -> Result<> {
    GYRE_TRY([[maybe_unused]] const bool counted,
             reader.QueryOne(
                 "SELECT COUNT(*) FROM tracking_run WHERE experiment = ?1 AND deleted_us = 0",
                 {number}, [&](const db::Row& row) { count = row.Int(0); }));
    return {};
  }));
  return count;
}

Result<ExperimentPage> ExperimentsImpl::Search(const ExperimentSearch& search) {
  GYRE_TRY(const PageToken token, ParseToken(search));
  GYRE_TRY([[maybe_unused]] const Experiment always_there, Default(search.project));
  const auto limit = static_cast<std::size_t>(search.limit);
  const bool along_time = search.order.empty();
  ExperimentPage page;
  GYRE_DO(database_.Read([&](db::Reader& reader) {
    return WalkExperiments(
        reader, search.project, search.view, token.place, [&](Experiment&& experiment) {
          const bool holds = Holds(search.filter, [&](Entity entity, const std::string& key) {
            return FieldOfExperiment(experiment, entity, key, false);
          });
          if (holds) page.experiments.push_back(std::move(experiment));
          return !along_time || page.experiments.size() < limit;
        });
  }));
  if (along_time) {
    if (page.experiments.size() == limit)
      page.next_page_token =
          fmt::format("t{}.{}", page.experiments.back().created_us, page.experiments.back().number);
    return page;
  }
  std::ranges::stable_sort(page.experiments, [&](const Experiment& a, const Experiment& b) {
    return Before(search, a, b);
  });
  const std::size_t begin = std::min(token.offset, page.experiments.size());
  const std::size_t end = std::min(begin + limit, page.experiments.size());
  if (end - begin == limit) page.next_page_token = fmt::format("o{}", end);
  page.experiments = {std::make_move_iterator(page.experiments.begin() + static_cast<long>(begin)),
                      std::make_move_iterator(page.experiments.begin() + static_cast<long>(end))};
  return page;
}

Result<std::vector<DatasetUse>> ExperimentsImpl::Datasets(std::string_view project,
                                                          std::span<const std::int64_t> numbers,
                                                          int limit) {
  std::vector<DatasetUse> uses;
  GYRE_DO(database_.Read([&](db::Reader& reader) -> Result<> {
    for (const std::int64_t number : numbers) {
      const int left = limit - static_cast<int>(uses.size());
      GYRE_TRY(auto more, ReadDatasetUses(reader, project, number, left));
      std::ranges::move(more, std::back_inserter(uses));
    }
    return {};
  }));
  return uses;
}

Result<> ExperimentsImpl::Change(std::string_view project, std::int64_t number,
                                 const ExperimentChange& change) {
  if (change.title) GYRE_DO(CheckTitle(*change.title));
  GYRE_DO(CheckTexts("tag", change.tags, kTagValueBytesMax));
  return ChangeActive(project, number,
                      [&](db::Transaction& tx, const Experiment& experiment) -> Result<> {
                        const std::int64_t now_us = clock_.NowMicros();
                        if (change.title)
                          GYRE_DO(RenameExperiment(tx, experiment, *change.title, now_us));
                        for (const auto& [key, value] : change.tags)
                          GYRE_DO(PutExperimentTag(tx, experiment.number, key, value));
                        for (const std::string& key : change.removed_tags)
                          GYRE_DO(RemoveExperimentTag(tx, experiment.number, key));
                        return TouchExperiment(tx, experiment.number, now_us);
                      });
}

Result<> ExperimentsImpl::DeleteTag(std::string_view project, std::int64_t number,
                                    std::string_view key) {
  return ChangeActive(
      project, number, [&](db::Transaction& tx, const Experiment& experiment) -> Result<> {
        GYRE_TRY(const bool removed, RemoveExperimentTag(tx, experiment.number, key));
        if (!removed)
          return NotFound("GY3424", "experiment {} has no tag `{}`", experiment.number,
                          key.substr(0, 100));
        return TouchExperiment(tx, experiment.number, clock_.NowMicros());
      });
}

Result<> ExperimentsImpl::Delete(std::string_view project, std::int64_t number) {
  GYRE_DO(ChangeActive(project, number, [&](db::Transaction& tx, const Experiment& experiment) {
    return MarkExperiment(tx, experiment.number, clock_.NowMicros());
  }));
  stamps_.TouchAll();
  return {};
}

Result<> ExperimentsImpl::Restore(std::string_view project, std::int64_t number) {
  GYRE_TRY(const Experiment known, Get(project, number));
  GYRE_DO(database_.Write([&](db::Transaction& tx) -> Result<> {
    GYRE_TRY(const Experiment experiment, ReadExperiment(tx, project, known.number));
    if (experiment.deleted_us == 0)
      return FailedPrecondition("GY3423", "the experiment `{}` is not deleted", experiment.title);
    return UnmarkExperiment(tx, experiment);
  }));
  stamps_.TouchAll();
  return {};
}

Result<int> ExperimentsImpl::MoveFolder(std::string_view project, std::string_view from,
                                        std::string_view to) {
  int moved = 0;
  GYRE_DO(database_.Write([&](db::Transaction& tx) -> Result<> {
    GYRE_TRY(moved, RenameFolder(tx, project, from, to, clock_.NowMicros()));
    return {};
  }));
  return moved;
}

}  // namespace

Json ExperimentToJson(const Experiment& experiment) {
  Json tags = Json::Obj();
  for (const auto& [key, value] : experiment.tags) tags.Set(key, value);
  return Json::Obj({{"id", experiment.id},
                    {"number", experiment.number},
                    {"project", experiment.project},
                    {"name", experiment.name},
                    {"title", experiment.title},
                    {"created_at", FormatTime(experiment.created_us)},
                    {"deleted_at",
                     experiment.deleted_us == 0 ? Json() : Json(FormatTime(experiment.deleted_us))},
                    {"tags", std::move(tags)}});
}

Result<std::unique_ptr<Experiments>> OpenExperiments(db::Database& database, const Clock& clock,
                                                     RunStamps& stamps) {
  return std::make_unique<ExperimentsImpl>(database, clock, stamps);
}

}  // namespace gyre::tracking

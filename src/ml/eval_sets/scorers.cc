#include "ml/eval_sets/scorers.h"

#include <algorithm>

#include "base/id.h"
#include "base/text.h"

namespace gyre::eval_sets {
namespace {

constexpr std::size_t kNameBytesMax = 256;
constexpr std::string_view kSelect =
    "SELECT s.id, s.name, s.experiment, v.version, v.created_us, v.body FROM eval_sets_scorer s "
    "JOIN eval_sets_scorer_version v ON v.scorer = s.id WHERE s.project = ?1";

Scorer ScorerOf(const db::Row& row) {
  Scorer scorer;
  scorer.id = row.Str(0);
  scorer.name = row.Str(1);
  scorer.experiment = row.Int(2);
  scorer.version = row.Int(3);
  scorer.created_us = row.Int(4);
  scorer.body = row.Str(5);
  return scorer;
}

Error NoScorer(const ScorerName& of) {
  return NotFound("GY3735", "experiment {} has no such scorer `{}`", of.experiment,
                  of.name.substr(0, 100));
}

Result<std::vector<Scorer>> ReadVersions(db::Reader& reader, const ScorerName& of) {
  GYRE_TRY(auto versions,
           db::Collect<Scorer>(
               reader,
               fmt::format("{} AND s.experiment = ?2 AND s.name = ?3 ORDER BY v.version", kSelect),
               {of.project, of.experiment, of.name}, ScorerOf));
  if (versions.empty()) return NoScorer(of);
  return versions;
}

}  // namespace

Result<Scorer> Scorers::Register(const ScorerName& of, std::string_view body) {
  if (Trim(of.name).empty() || of.name.size() > kNameBytesMax || body.size() > kScorerBytesMax)
    return InvalidArgument("GY3734", "a scorer has a name of 1 to {} bytes and is at most {}",
                           kNameBytesMax, HumanBytes(kScorerBytesMax));
  Scorer made{.id = NewId(), .name = of.name};
  made.experiment = of.experiment;
  made.created_us = clock_.NowMicros();
  made.body = body;
  GYRE_DO(database_.Write([&](db::Transaction& tx) -> Result<> {
    GYRE_DO(tx.Execute(
        "INSERT INTO eval_sets_scorer (id, project, experiment, name, newest) VALUES (?1, ?2, ?3, "
        "?4, 1) ON CONFLICT (project, experiment, name) DO UPDATE SET newest = "
        "eval_sets_scorer.newest + 1",
        {made.id, of.project, of.experiment, of.name}));
    GYRE_DO(
        tx.QueryOne("SELECT id, newest FROM eval_sets_scorer WHERE project = ?1 AND "
                    "experiment = ?2 AND name = ?3",
                    {of.project, of.experiment, of.name}, [&](const db::Row& row) {
                      made.id = row.Str(0);
                      made.version = row.Int(1);
                    }));
    return tx.Execute(
        "INSERT INTO eval_sets_scorer_version (scorer, version, body, created_us) "
        "VALUES (?1, ?2, ?3, ?4)",
        {made.id, made.version, made.body, made.created_us});
  }));
  return made;
}

Result<std::vector<Scorer>> Scorers::List(
    std::string_view project, const std::optional<std::vector<std::int64_t>>& experiments) {
  std::vector<Scorer> newest;
  GYRE_DO(database_.Read([&](db::Reader& reader) {
    return reader.Query(
        fmt::format("{} AND v.version = (SELECT MAX(w.version) FROM eval_sets_scorer_version w "
                    "WHERE w.scorer = s.id) ORDER BY s.experiment, s.name",
                    kSelect),
        {project}, [&](const db::Row& row) -> Result<> {
          const bool wanted =
              !experiments || std::ranges::find(*experiments, row.Int(2)) != experiments->end();
          if (wanted) newest.push_back(ScorerOf(row));
          return {};
        });
  }));
  return newest;
}

Result<std::vector<Scorer>> Scorers::Versions(const ScorerName& of) {
  std::vector<Scorer> versions;
  GYRE_DO(database_.Read([&](db::Reader& reader) -> Result<> {
    GYRE_TRY(versions, ReadVersions(reader, of));
    return {};
  }));
  return versions;
}

Result<Scorer> Scorers::Get(const ScorerName& of, std::optional<std::int64_t> version) {
  GYRE_TRY(auto versions, Versions(of));
  if (!version) return std::move(versions.back());
  for (Scorer& scorer : versions)
    if (scorer.version == *version) return std::move(scorer);
  return NoScorer(of);
}

Result<> Scorers::Remove(const ScorerName& of, std::optional<std::int64_t> version) {
  return database_.Write([&](db::Transaction& tx) -> Result<> {
    GYRE_TRY(const auto versions, ReadVersions(tx, of));
    const std::string& id = versions.front().id;
    const bool there =
        !version || std::ranges::find(versions, *version, &Scorer::version) != versions.end();
    if (!there) return NoScorer(of);
    const bool last = !version || versions.size() == 1;
    GYRE_DO(
        tx.Execute("DELETE FROM eval_sets_scorer_version WHERE scorer = ?1 AND (?2 = 0 OR "
                   "version = ?2)",
                   {id, version.value_or(0)}));
    if (!last) return {};
    return tx.Execute("DELETE FROM eval_sets_scorer WHERE id = ?1", {id});
  });
}

}  // namespace gyre::eval_sets

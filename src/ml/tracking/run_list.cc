// Lists of runs for people: newest first, or by one metric.
#include <utility>

#include "base/text.h"
#include "ml/tracking/run_store.h"

namespace gyre::tracking {

namespace {

// Conditions of a query with their parameters. Values always travel as parameters.
class Conditions {
 public:
  void Equals(std::string_view column, std::string_view value) {
    if (!value.empty()) text_ += fmt::format(" AND {} = ?{}", column, Add(value));
  }
  void Raw(std::string_view text) { text_ += text; }
  std::size_t Add(db::Value value) {
    values_.push_back(value);
    return values_.size();
  }
  const std::string& text() const { return text_; }
  std::span<const db::Value> values() const { return values_; }

 private:
  std::string text_;
  std::vector<db::Value> values_;
};

// Order by what nobody has measured is a slip, unless nothing has been measured yet.
Result<> CheckMeasured(db::Reader& reader, const std::string& project, const std::string& metric) {
  constexpr std::string_view kFrom =
      "FROM tracking_metric m JOIN tracking_run r ON r.number = m.run JOIN tracking_name n ON n.id "
      "= "
      "m.name WHERE r.project = ?1";
  GYRE_TRY(const bool there,
           reader.QueryOne(fmt::format("SELECT 1 {} AND n.name = ?2 LIMIT 1", kFrom),
                           {project, metric}, [](const db::Row&) {}));
  if (there) return {};
  GYRE_TRY(const auto names,
           db::Collect<std::string>(
               reader, fmt::format("SELECT DISTINCT n.name {} ORDER BY n.name LIMIT 50", kFrom),
               {project}, [](const db::Row& row) { return row.Str(0); }));
  if (names.empty()) return {};
  Error error = InvalidArgument("GY3415", "no run of project `{}` has a metric `{}`", project,
                                metric.substr(0, 100));
  if (const auto close = ClosestMatch(metric, names))
    error = std::move(error).Fix("did you mean `" + *close + "`?");
  return std::move(error).Fix("there are " + Join(names, ", "));
}

void AddTags(const RunQuery& query, Conditions* where) {
  for (const auto& [key, value] : query.tags) {
    // An index leads from it to its run; there is none from the values of other tags.
    if (key == kImportKey) {
      where->Raw(fmt::format(" AND r.import_key = ?{} AND r.import_key <> ''", where->Add(value)));
      continue;
    }
    const std::size_t k = where->Add(key), v = where->Add(value);
    where->Raw(
        fmt::format(" AND EXISTS (SELECT 1 FROM tracking_run_tag t WHERE t.run = r.number AND "
                    "t.name = (SELECT id FROM tracking_name WHERE name = ?{}) AND t.value = ?{})",
                    k, v));
  }
}

}  // namespace

Result<RunIdPage> FindRuns(db::Reader& reader, const RunQuery& query) {
  Conditions where;
  const std::size_t project = where.Add(query.project);
  where.Equals("e.name", query.experiment);
  where.Equals("r.kind", query.kind);
  where.Equals("r.job", query.job);
  where.Equals("r.parent", query.parent);
  if (query.status) where.Equals("r.status", RunStatusName(*query.status));
  AddTags(query, &where);
  // Pages go by number (newest first) or, ordered by a metric, by position.
  const bool by_metric = !query.order_by_metric.empty();
  const auto token = ParseInt(query.page_token);
  if (!query.page_token.empty() && (!token || *token < 0)) {
    return InvalidArgument("GY3406", "`{}` is not a page token of this list", query.page_token)
        .Fix("begin without page_token");
  }
  std::string join, order = " ORDER BY r.number DESC", page;
  if (by_metric) {
    GYRE_DO(CheckMeasured(reader, query.project, query.order_by_metric));
    join = fmt::format(
        " LEFT JOIN tracking_metric m ON m.run = r.number AND m.name = (SELECT id FROM "
        "tracking_name WHERE name = ?{})",
        where.Add(query.order_by_metric));
    order = fmt::format(
        " ORDER BY CASE WHEN m.value IS NULL THEN 1 ELSE 0 END, m.value {}, r.number DESC",
        query.ascending ? "ASC" : "DESC");
    if (token) page = fmt::format(" OFFSET ?{}", where.Add(*token));
  } else if (token) {
    where.Raw(fmt::format(" AND r.number < ?{}", where.Add(*token)));
  }
  const std::size_t limit = where.Add(query.limit + 1);
  const std::string sql = fmt::format(
      "SELECT r.id, r.number FROM tracking_run r JOIN tracking_experiment e ON "
      "e.number = r.experiment{} WHERE r.project = ?{} AND r.deleted_us = 0{}{} LIMIT ?{}{}",
      join, project, where.text(), order, limit, page);
  RunIdPage result;
  std::int64_t last_number = 0;
  bool more = false;
  GYRE_DO(reader.QueryList(sql, where.values(), [&](const db::Row& row) -> Result<> {
    if (static_cast<int>(result.ids.size()) == query.limit) {
      more = true;
      return {};
    }
    result.ids.push_back(row.Str(0));
    last_number = row.Int(1);
    return {};
  }));
  if (more)
    result.next_page_token =
        fmt::format("{}", by_metric ? token.value_or(0) + query.limit : last_number);
  return result;
}

}  // namespace gyre::tracking

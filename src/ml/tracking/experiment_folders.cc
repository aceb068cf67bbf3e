#include "ml/tracking/experiment_folders.h"

#include "ml/tracking/checks.h"
#include "ml/tracking/experiment_store.h"

namespace gyre::tracking {
namespace {

constexpr std::string_view kAfterAll = "\xf4\x8f\xbf\xbf";

// Titles below a folder stand from `begin` to before `end`.
struct Span {
  std::string begin, end;
};
Span SpanOf(std::string_view folder) {
  if (folder.empty()) return {"", std::string(kAfterAll)};
  return {std::string(folder) + '/', std::string(folder) + static_cast<char>('/' + 1)};
}

std::string_view ConditionOf(View view) {
  constexpr std::string_view kViews[] = {" AND deleted_us = 0", " AND deleted_us > 0", ""};
  return kViews[static_cast<std::size_t>(view)];
}

// The folder that a title of the span lies in, if it does not lie in the span's own: a title may
// begin with a slash.
std::string_view FolderIn(const Span& span, std::string_view title) {
  const std::size_t slash = title.find('/', span.begin.size() + 1);
  return slash == std::string_view::npos ? std::string_view() : title.substr(0, slash);
}

class FolderWalk {
 public:
  FolderWalk(db::Reader& reader, const FolderQuery& query)
      : reader_(reader), query_(query), span_(SpanOf(TrimFolder(query.folder))) {}

  Result<FolderPage> Read() {
    from_ = span_.begin;
    if (!query_.page_token.empty()) GYRE_DO(GoOn());
    while (!ended_ && Size() < query_.limit) GYRE_DO(TakeSome());
    if (!ended_) page_.next_page_token = last_;
    return std::move(page_);
  }

 private:
  int Size() const { return static_cast<int>(page_.folders.size() + page_.experiments.size()); }

  // The last entry of a page is its token: "eTITLE" or "fFOLDER".
  Result<> GoOn() {
    last_ = query_.page_token;
    from_ = BehindEntry();
    if (last_.size() > 1 && from_ > span_.begin && from_ <= span_.end) return {};
    return InvalidArgument("GY3435", "`{}` is no page token of this folder",
                           query_.page_token.substr(0, 100))
        .Fix("begin without page_token");
  }

  // The first text that may follow the last entry.
  std::string BehindEntry() const {
    return last_.starts_with('f') ? SpanOf(last_.substr(1)).end : last_.substr(1) + '\x01';
  }

  Result<> TakeSome() {
    GYRE_TRY(const auto found,
             db::Collect<std::pair<std::string, std::int64_t>>(
                 reader_,
                 fmt::format("SELECT title, number FROM tracking_experiment WHERE project = ?1 AND "
                             "title >= ?2 AND title < ?3{} ORDER BY title LIMIT ?4",
                             ConditionOf(query_.view)),
                 {query_.project, from_, span_.end, query_.limit - Size()},
                 [](const db::Row& row) { return std::pair(row.Str(0), row.Int(1)); }));
    for (const auto& [title, number] : found) {
      if (const std::string_view folder = FolderIn(span_, title); !folder.empty())
        return TakeFolder(folder);
      last_ = "e" + title;
      from_ = BehindEntry();
      GYRE_TRY(Experiment experiment, ReadExperiment(reader_, query_.project, number));
      page_.experiments.push_back(std::move(experiment));
    }
    ended_ = found.empty();
    return {};
  }

  Result<> TakeFolder(std::string_view path) {
    const Span below = SpanOf(path);
    Folder folder{.path = std::string(path)};
    GYRE_TRY([[maybe_unused]] const bool counted,
             reader_.QueryOne(
                 fmt::format("SELECT COUNT(*) FROM tracking_experiment WHERE project = ?1 AND "
                             "title >= ?2 AND title < ?3{}",
                             ConditionOf(query_.view)),
                 {query_.project, below.begin, below.end},
                 [&](const db::Row& row) { folder.experiments = row.Int(0); }));
    last_ = "f" + folder.path;
    from_ = BehindEntry();
    page_.folders.push_back(std::move(folder));
    return {};
  }

  db::Reader& reader_;
  const FolderQuery& query_;
  const Span span_;
  std::string from_, last_;
  bool ended_ = false;
  FolderPage page_;
};

Result<> CheckMove(std::string_view from, std::string_view to) {
  if (from.empty())
    return InvalidArgument("GY3434", "the top is no folder that could be moved")
        .Fix("name the folder: gyre experiments mv team/churn archive/churn");
  const bool inside = to == from || to.starts_with(std::string(from) + '/');
  if (!inside) return {};
  return InvalidArgument("GY3434", "the folder `{}` cannot be moved to `{}`", from, to)
      .Why("a folder does not lie in itself");
}

}  // namespace

std::string_view TrimFolder(std::string_view folder) {
  while (folder.ends_with('/')) folder.remove_suffix(1);
  return folder;
}

Result<FolderPage> ReadFolder(db::Reader& reader, const FolderQuery& query) {
  return FolderWalk(reader, query).Read();
}

Result<std::vector<std::int64_t>> ReadBelow(db::Reader& reader, std::string_view project,
                                            std::string_view folder) {
  const Span span = SpanOf(TrimFolder(folder));
  return db::Collect<std::int64_t>(
      reader,
      "SELECT number FROM tracking_experiment WHERE project = ?1 AND title >= ?2 AND title < ?3 "
      "AND deleted_us = 0 ORDER BY number DESC LIMIT ?4",
      {project, span.begin, span.end, kFolderMax}, [](const db::Row& row) { return row.Int(0); });
}

Result<int> RenameFolder(db::Transaction& tx, std::string_view project, std::string_view from,
                         std::string_view to, std::int64_t now_us) {
  from = TrimFolder(from);
  to = TrimFolder(to);
  GYRE_DO(CheckMove(from, to));
  const Span span = SpanOf(from);
  GYRE_TRY(const auto found,
           db::Collect<std::pair<std::int64_t, std::string>>(
               tx,
               "SELECT number, title FROM tracking_experiment WHERE project = ?1 AND title >= ?2 "
               "AND title < ?3 ORDER BY number LIMIT ?4",
               {project, span.begin, span.end, kFolderMax + 1},
               [](const db::Row& row) { return std::pair(row.Int(0), row.Str(1)); }));
  if (found.empty())
    return NotFound("GY3433", "there is no folder `{}` of experiments in project {}",
                    from.substr(0, 200), project)
        .Fix("gyre experiments ls /            (lists them)");
  if (found.size() > static_cast<std::size_t>(kFolderMax))
    return InvalidArgument("GY3434", "the folder `{}` has more than {} experiments", from,
                           kFolderMax)
        .Fix("move the folders in it one by one");
  // Out of the way first: on the way up a title may meet one that is moved itself.
  for (const auto& [number, title] : found)
    GYRE_DO(tx.Execute(
        "UPDATE tracking_experiment SET title = char(1) || id, name = id WHERE number = ?1",
        {number}));
  for (const auto& [number, title] : found) {
    std::string moved = to.empty() ? title.substr(span.begin.size())
                                   : fmt::format("{}/{}", to, title.substr(span.begin.size()));
    GYRE_DO(CheckTitle(moved));
    GYRE_TRY(const Experiment experiment, ReadExperiment(tx, project, number));
    GYRE_DO(RenameExperiment(tx, experiment, moved, now_us));
  }
  return static_cast<int>(found.size());
}

}  // namespace gyre::tracking

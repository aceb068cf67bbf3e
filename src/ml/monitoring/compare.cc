#include "ml/monitoring/compare.h"

#include <algorithm>
#include <atomic>

#include "base/mutex.h"
#include "base/text.h"
#include "ml/monitoring/column_report.h"
#include "platform/exec/thread_pool.h"

namespace gyre::monitoring {
namespace {

using table::Field;
using table::Schema;
using table::Type;

constexpr std::int64_t kBatchBytes = 64 << 20;  // of numbers that are read at once, per thread
constexpr std::size_t kDistinctMax = 100'000;

const Field* Find(const Schema& schema, std::string_view name) {
  const auto found = std::ranges::find(schema, name, &Field::name);
  return found == schema.end() ? nullptr : &*found;
}

bool IsNumber(Type type) { return type != Type::kText && type != Type::kBool; }

// A column that both have, as the wider of its types; none where they cannot be compared.
std::optional<Type> TogetherAs(Type a, Type b) {
  if (a == b) return a;
  const auto real = [](Type type) { return type == Type::kInt || type == Type::kDouble; };
  if (real(a) && real(b)) return Type::kDouble;
  return std::nullopt;
}

// What one thread does at a time: columns of numbers that are read together, or one column of
// values.
struct Batch {
  bool numbers = false;
  std::vector<std::size_t> columns;  // indexes of reports
};

// Memory that one column leaves to the next.
struct Scratch {
  std::vector<table::NumberColumn> reference, current;
  statistics::SortScratch sort;
};

class Comparison {
 public:
  Comparison(const TableSide& reference, const TableSide& current, const CompareOptions& options)
      : reference_(reference), current_(current), options_(options) {}

  Result<Json> Run() {
    GYRE_DO(CheckRows());
    GYRE_DO(Plan());
    GYRE_DO(Compare());
    return Answer();
  }

 private:
  Result<> CheckRows() const {
    for (const TableSide* side : {&reference_, &current_}) {
      if (side->rows > 0) continue;
      return InvalidArgument("GY4522", "{} has no rows", side->name)
          .Fix("compare with a table that has rows");
    }
    return {};
  }

  // The columns of the reference in their order, then those that only the current table has.
  Result<std::vector<std::string>> Names() const {
    std::vector<std::string> names;
    for (const Field& field : reference_.schema) names.push_back(field.name);
    for (const Field& field : current_.schema) {
      if (Find(reference_.schema, field.name) == nullptr) names.push_back(field.name);
    }
    for (const std::string& wanted : options_.columns) {
      if (std::ranges::find(names, wanted) != names.end()) continue;
      Error error = InvalidArgument("GY4523", "neither {} nor {} has a column `{}`",
                                    reference_.name, current_.name, wanted);
      if (const auto close = ClosestMatch(wanted, names))
        return std::move(error).Fix(fmt::format("did you mean `{}`?", *close));
      return std::move(error).Fix("one of " + Join(names, ", "));
    }
    if (!options_.columns.empty()) return options_.columns;
    return names;
  }

  Result<> Plan() {
    GYRE_TRY(const std::vector<std::string> names, Names());
    bool common = false;
    for (const std::string& name : names) {
      const Field *a = Find(reference_.schema, name), *b = Find(current_.schema, name);
      common = common || (a != nullptr && b != nullptr);
      PlanColumn(a, b);
    }
    if (common) return {};
    return InvalidArgument("GY4521", "{} and {} have no column in common", reference_.name,
                           current_.name)
        .Why("columns are compared by their names")
        .Fix("name the columns of both alike, and see that each file has a header line");
  }

  void PlanColumn(const Field* a, const Field* b) {
    if (a == nullptr || b == nullptr) {
      const bool gone = b == nullptr;
      reports_.push_back(ReportOfStatus(
          gone ? *a : *b, gone ? "only_in_reference" : "only_in_current",
          fmt::format("{} has no such column", gone ? current_.name : reference_.name)));
      fields_.push_back(gone ? *a : *b);
      return;
    }
    const std::optional<Type> type = TogetherAs(a->type, b->type);
    fields_.push_back({a->name, type.value_or(a->type)});
    if (!type) {
      reports_.push_back(
          ReportOfStatus(*a, "type_changed",
                         fmt::format("{} in the reference, {} in the current table",
                                     table::TypeName(a->type), table::TypeName(b->type))));
      return;
    }
    reports_.emplace_back();
    AddToBatch(reports_.size() - 1, IsNumber(*type));
  }

  void AddToBatch(std::size_t column, bool numbers) {
    const std::int64_t bytes =
        static_cast<std::int64_t>(sizeof(double)) * (reference_.rows + current_.rows);
    const auto columns_max =
        static_cast<std::size_t>(std::max(std::int64_t{1}, kBatchBytes / bytes));
    const auto open = std::ranges::find_if(batches_, [&](const Batch& batch) {
      return batch.numbers && batch.columns.size() < columns_max;
    });
    if (numbers && open != batches_.end())
      open->columns.push_back(column);
    else
      batches_.push_back({numbers, {column}});
  }

  // With ours. Each needs a DuckDB and memory of its own, which small tables are not worth.
  std::size_t Threads() const {
    const auto cells =
        static_cast<std::int64_t>(fields_.size()) * (reference_.rows + current_.rows);
    const std::int64_t worth = 1 + cells / options_.cells_per_thread;
    const std::int64_t threads = std::min({static_cast<std::int64_t>(options_.threads), worth,
                                           static_cast<std::int64_t>(batches_.size())});
    return static_cast<std::size_t>(std::max(threads, std::int64_t{1}));
  }

  // The threads take batches until none is left or one failed.
  Result<> Compare() {
    const std::size_t wanted = Threads();
    {
      std::vector<exec::Worker> helpers;
      for (std::size_t i = 1; i < wanted; ++i)
        helpers.emplace_back("compare", [this](const exec::StopFlag&) { Work(); });
      Work();
    }
    const MutexLock held(mutex_);
    if (failure_) return *failure_;
    return {};
  }

  void Work() {
    const auto done = WorkThrough();
    if (done) return;
    const MutexLock held(mutex_);
    if (!failure_) failure_ = done.error();
    next_ = batches_.size();
  }

  Result<> WorkThrough() {
    GYRE_TRY(const auto reader,
             table::ColumnReader::Open({.scratch_directory = options_.scratch_directory,
                                        .cancelled = options_.cancelled}));
    Scratch scratch;
    for (;;) {
      const std::size_t index = next_.fetch_add(1);
      if (index >= batches_.size()) return {};
      const Batch& batch = batches_[index];
      GYRE_DO(batch.numbers ? CompareNumbers(*reader, batch, &scratch)
                            : CompareValues(*reader, batch.columns[0]));
      if (!options_.progress) continue;
      const MutexLock held(mutex_);
      done_ += batch.columns.size();
      options_.progress(static_cast<double>(done_) / static_cast<double>(reports_.size()),
                        fields_[batch.columns.back()].name);
    }
  }

  // Each side is read as it is typed there: an int column may be a double on the other side.
  Schema FieldsOf(const TableSide& side, const Batch& batch) const {
    Schema fields;
    for (const std::size_t i : batch.columns) fields.push_back(*Find(side.schema, fields_[i].name));
    return fields;
  }

  // Memory that grew while it is filled would be written twice.
  static void Reserve(const TableSide& side, const Batch& batch,
                      std::vector<table::NumberColumn>* columns) {
    columns->resize(batch.columns.size());
    for (table::NumberColumn& column : *columns)
      column.values.reserve(static_cast<std::size_t>(side.rows));
  }

  Result<> CompareNumbers(table::ColumnReader& reader, const Batch& batch, Scratch* scratch) {
    Reserve(reference_, batch, &scratch->reference);
    Reserve(current_, batch, &scratch->current);
    GYRE_DO(reader.Numbers(reference_.paths, FieldsOf(reference_, batch), &scratch->reference));
    GYRE_DO(reader.Numbers(current_.paths, FieldsOf(current_, batch), &scratch->current));
    for (std::size_t k = 0; k < batch.columns.size(); ++k) {
      const std::size_t i = batch.columns[k];
      reports_[i] = ReportOfNumbers(fields_[i], &scratch->reference[k], &scratch->current[k],
                                    options_.drift, &scratch->sort);
    }
    return {};
  }

  Result<> CompareValues(table::ColumnReader& reader, std::size_t i) {
    GYRE_TRY(const auto reference, reader.Count(reference_.paths, fields_[i].name, kDistinctMax));
    GYRE_TRY(const auto current, reader.Count(current_.paths, fields_[i].name, kDistinctMax));
    reports_[i] = ReportOfValues(fields_[i], reference, current, options_.drift);
    return {};
  }

  Json Answer() {
    std::vector<statistics::Drift*> drifts;
    std::size_t corrected_for = 0;
    for (ColumnReport& report : reports_) {
      if (!report.drift) continue;
      drifts.push_back(&*report.drift);
      corrected_for += report.drift->calibrated;
    }
    statistics::CorrectForColumns(drifts);
    Json columns = Json::Arr();
    std::int64_t drifted = 0;
    bool schema_changed = false;
    for (ColumnReport& report : reports_) {
      WriteVerdict(&report, corrected_for);
      drifted += report.drift && report.drift->drifted;
      const std::string& status = report.document["status"].AsString();
      schema_changed = schema_changed || status == "type_changed" || status.starts_with("only_in_");
      columns.Push(std::move(report.document));
    }
    const auto side = [](const TableSide& of) {
      return Json::Obj({{"name", of.name}, {"rows", of.rows}});
    };
    return Json::Obj(
        {{"schema", "gyre.comparison.v1"},
         {"reference", side(reference_)},
         {"current", side(current_)},
         {"rows", Json::Obj({{"reference", reference_.rows}, {"current", current_.rows}})},
         {"method", options_.drift.method == nullptr ? "calibrated" : options_.drift.method->name},
         {"drifted", drifted > 0},
         {"drifted_columns", drifted},
         {"compared_columns", drifts.size()},
         {"schema_changed", schema_changed},
         {"columns", std::move(columns)}});
  }

  const TableSide& reference_;
  const TableSide& current_;
  const CompareOptions& options_;
  std::vector<Field> fields_;          // as compared
  std::vector<ColumnReport> reports_;  // one a column; each written by one thread
  std::vector<Batch> batches_;
  std::atomic<std::size_t> next_{0};
  Mutex mutex_;
  std::size_t done_ GYRE_GUARDED_BY(mutex_) = 0;
  std::optional<Error> failure_ GYRE_GUARDED_BY(mutex_);
};

}  // namespace

Result<Json> CompareTables(const TableSide& reference, const TableSide& current,
                           const CompareOptions& options) {
  return Comparison(reference, current, options).Run();
}

}  // namespace gyre::monitoring

#include "platform/table/partitions.h"

#include <algorithm>
#include <utility>

#include "base/text.h"
#include "platform/table/cell_types.h"

namespace gyre::table {

namespace {

constexpr std::string_view kNoValue = "__HIVE_DEFAULT_PARTITION__";  // as Hive and Spark write it

RawCell CellOf(const Partition& partition) {
  if (partition.missing) return {};
  return {partition.value.data(), static_cast<std::uint32_t>(partition.value.size()), 0,
          CellKind::kPlain};
}

std::string Decoded(std::string_view text) {
  bool ok = true;
  std::string plain = PercentDecode(text, false, &ok);
  return ok && IsValidUtf8(plain) ? plain : std::string(text);
}

class Partitioned : public RecordSource {
 public:
  Partitioned(std::unique_ptr<RecordSource> source, std::vector<Partition> partitions)
      : source_(std::move(source)), partitions_(std::move(partitions)) {
    columns_ = source_->columns();
  }

  Result<bool> Next(RecordBatch* batch) override {
    GYRE_TRY(const bool more, source_->Next(batch));
    if (!more) return false;
    columns_ = source_->columns();
    std::vector<RawCell> added;
    for (const Partition& partition : partitions_) {
      if (std::ranges::find(columns_, partition.column) != columns_.end()) continue;
      columns_.push_back(partition.column);
      added.push_back(CellOf(partition));
    }
    const std::size_t width = batch->width;
    std::vector<RawCell> cells;
    cells.reserve(batch->rows() * columns_.size());
    for (std::size_t row = 0; row < batch->rows(); ++row) {
      const auto begin = batch->cells.begin() + static_cast<std::ptrdiff_t>(row * width);
      cells.insert(cells.end(), begin, begin + static_cast<std::ptrdiff_t>(width));
      cells.insert(cells.end(), added.begin(), added.end());
    }
    batch->cells = std::move(cells);
    batch->width = columns_.size();
    return true;
  }

  const std::vector<std::string>& columns() const override { return columns_; }
  const std::string& file() const override { return source_->file(); }
  std::int64_t bytes_read() const override { return source_->bytes_read(); }
  std::vector<BadRecord> TakeBadRecords() override { return source_->TakeBadRecords(); }
  char decimal_point() const override { return source_->decimal_point(); }
  char delimiter() const override { return source_->delimiter(); }
  std::string Description() const override { return source_->Description(); }

 private:
  std::unique_ptr<RecordSource> source_;
  std::vector<Partition> partitions_;
  std::vector<std::string> columns_;
};

// A value that is not of the others' type makes the column text: it is a name that somebody chose.
ColumnPlan PlanOf(const std::vector<std::vector<Partition>>& all, std::size_t at) {
  KindCounts counts;
  for (const auto& partitions : all) counts.Add(CellOf(partitions[at]), '.');
  const Decision decision = Decide(counts, '.');
  return decision.bad > 0 ? ColumnPlan() : decision.plan;
}

void PushCell(const RawCell& cell, Type type, Column* column) {
  ColumnPlan plan;
  plan.type = type;
  const CellValue value = ParseCell(cell, plan);
  if (value.outcome != CellOutcome::kValue) {
    column->PushNull();
  } else if (type == Type::kText) {
    column->PushText(value.text);
  } else if (type == Type::kDouble) {
    column->PushDouble(value.d);
  } else {
    column->PushInt(value.i);
  }
}

}  // namespace

std::vector<Partition> PartitionsOf(std::string_view name) {
  std::vector<Partition> partitions;
  for (std::size_t slash = name.find('/'); slash != std::string_view::npos;
       slash = name.find('/')) {
    const std::string_view folder = name.substr(0, slash);
    name.remove_prefix(slash + 1);
    const std::size_t equals = folder.find('=');
    if (equals == std::string_view::npos || equals == 0) continue;
    const std::string_view value = folder.substr(equals + 1);
    partitions.push_back(
        {Decoded(folder.substr(0, equals)), Decoded(value), value == kNoValue || value.empty()});
  }
  return partitions;
}

std::unique_ptr<RecordSource> WithPartitions(std::unique_ptr<RecordSource> source,
                                             std::vector<Partition> partitions) {
  if (partitions.empty()) return source;
  return std::make_unique<Partitioned>(std::move(source), std::move(partitions));
}

Result<PartitionColumns> PartitionColumns::AddTo(Schema* schema,
                                                 const std::vector<SourceFile>& files) {
  std::vector<std::vector<Partition>> all;
  for (const SourceFile& file : files) {
    all.push_back(PartitionsOf(file.name));
    if (!std::ranges::equal(all[0], all.back(), {}, &Partition::column, &Partition::column))
      return InvalidArgument("GY2038", "{} does not lie below the same columns as {}", file.name,
                             files[0].name)
          .Why("folders like `year=2024` give every row that column")
          .Fix("add the files one by one, each under its own --name");
  }
  PartitionColumns columns;
  for (std::size_t i = 0; i < all[0].size(); ++i) {
    const std::string& name = all[0][i].column;
    if (std::ranges::find(*schema, name, &Field::name) != schema->end()) continue;
    const ColumnPlan plan = PlanOf(all, i);
    const bool plain = plan.format == TextFormat::kUsual && plan.decimal_point == '.';
    columns.schema_.push_back({name, plain ? plan.type : Type::kText});
  }
  schema->insert(schema->end(), columns.schema_.begin(), columns.schema_.end());
  return columns;
}

void PartitionColumns::AppendTo(const SourceFile& file, Frame* frame) const {
  const std::vector<Partition> partitions = PartitionsOf(file.name);
  const std::size_t rows = frame->rows();
  for (const Field& field : schema_) {
    const auto partition = std::ranges::find(partitions, field.name, &Partition::column);
    Column column;
    column.name = field.name;
    column.type = field.type;
    for (std::size_t row = 0; row < rows; ++row) PushCell(CellOf(*partition), field.type, &column);
    frame->columns.push_back(std::move(column));
  }
}

void NotePartitions(const std::vector<SourceFile>& files, std::vector<std::string>* notes) {
  std::vector<std::string> names;
  for (const SourceFile& file : files) {
    for (const Partition& partition : PartitionsOf(file.name)) {
      std::string name = fmt::format("`{}`", partition.column);
      if (std::ranges::find(names, name) == names.end()) names.push_back(std::move(name));
    }
  }
  if (names.empty()) return;
  notes->push_back(fmt::format("{} {} in the names of folders", Join(names, ", "),
                               names.size() == 1 ? "stands" : "stand"));
}

}  // namespace gyre::table

// Columns that stand only in the names of folders: "sales/year=2024/a.parquet". Private to
// platform/table.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "platform/table/import.h"
#include "platform/table/records.h"

namespace gyre::table {

struct Partition {
  std::string column;
  std::string value;
  bool missing = false;
};
// Of a file by its shown name, the outermost folder first.
std::vector<Partition> PartitionsOf(std::string_view name);

// The records with their partitions behind; a column that stands in the file itself is the file's.
std::unique_ptr<RecordSource> WithPartitions(std::unique_ptr<RecordSource> source,
                                             std::vector<Partition> partitions);

// The same for frames, whose types are known before the first row.
class PartitionColumns {
 public:
  // `schema`: of the files. Error: GY2038 when they lie below folders of other columns.
  static Result<PartitionColumns> AddTo(Schema* schema, const std::vector<SourceFile>& files);
  void AppendTo(const SourceFile& file, Frame* frame) const;

 private:
  Schema schema_;
};

// "`year` and `month` are from the names of folders"; nothing where there are none.
void NotePartitions(const std::vector<SourceFile>& files, std::vector<std::string>* notes);

}  // namespace gyre::table

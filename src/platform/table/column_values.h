// Columns of Parquet files as statistics wants them: numbers back to back, other values by how
// often they occur. Without frames, which would copy each value twice. For worker tasks.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "base/error.h"
#include "platform/table/frame.h"

namespace gyre::table {

struct NumberColumn {
  std::vector<double> values;  // dates as days, timestamps as microseconds; in no certain order
  std::int64_t missing = 0;
};

struct ValueCounts {
  std::vector<std::pair<std::string, std::int64_t>> values;  // in no certain order
  std::int64_t missing = 0;
  bool cut_off = false;  // there are more than values_max
};

class DuckDb;

// One thread at a time; several readers may work side by side.
class ColumnReader {
 public:
  struct Options {
    std::string scratch_directory = {};  // for spilling; empty = memory only
    std::int64_t memory_bytes_max = 1 << 30;
    std::function<bool()> cancelled = {};  // true ends a call with kCancelled GY2003
  };
  static Result<std::unique_ptr<ColumnReader>> Open(Options options);
  ~ColumnReader();

  // Replaces what *numbers held, in its memory: fresh memory for each column would cost as much as
  // reading it. Errors of both: those of ReadParquet.
  Result<> Numbers(const std::vector<std::string>& paths, const Schema& columns,
                   std::vector<NumberColumn>* numbers);
  // Text as it stands, everything else as its text.
  Result<ValueCounts> Count(const std::vector<std::string>& paths, const std::string& column,
                            std::size_t values_max);

 private:
  ColumnReader(Options options, std::unique_ptr<DuckDb> db);

  const Options options_;
  const std::unique_ptr<DuckDb> db_;
};

}  // namespace gyre::table

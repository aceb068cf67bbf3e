// Text tables as records of raw cells, before they have types. Private to platform/table.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"

namespace gyre::table {

enum class CellKind : unsigned char {
  kMissing,     // no cell: JSON null or an absent member
  kPlain,       // CSV without quotes
  kQuoted,      // CSV in quotes
  kJsonString,  // may be a date or text, never a number
  kJsonOther,   // a number, true, false, or the text of a list or object
};

struct RawCell {
  const char* data = nullptr;
  std::uint32_t size = 0;
  std::uint32_t at = 0;  // bytes from the start of its record
  CellKind kind = CellKind::kMissing;
  std::string_view view() const { return {data, size}; }
};

// Memory for texts that had to be rewritten (doubled quotes, escapes). Given back all at once.
class Arena {
 public:
  char* Take(std::size_t bytes) {
    if (used_ + bytes > capacity_) {
      capacity_ = bytes > kBlock ? bytes : kBlock;
      blocks_.push_back(std::make_unique<char[]>(capacity_));
      used_ = 0;
    }
    char* at = blocks_.back().get() + used_;
    used_ += bytes;
    return at;
  }
  void Clear() {
    blocks_.clear();
    used_ = capacity_ = 0;
  }

 private:
  static constexpr std::size_t kBlock = 256 * 1024;
  std::vector<std::unique_ptr<char[]>> blocks_;
  std::size_t used_ = 0, capacity_ = 0;
};

// Row-major: cells[row * width + column]. Valid until the next call of the source.
struct RecordBatch {
  std::size_t width = 0;
  std::vector<RawCell> cells;
  std::vector<std::int64_t> lines;      // line where each record begins, from 1
  std::vector<std::string_view> texts;  // the record as it stands in the file
  Arena arena;
  std::size_t rows() const { return lines.size(); }
  void Clear() {
    cells.clear();
    lines.clear();
    texts.clear();
    arena.Clear();
  }
};

// A record that does not fit its table.
struct BadRecord {
  std::int64_t line = 0;
  std::string text, reason;
};

class RecordSource {
 public:
  virtual ~RecordSource() = default;
  // False at the end. Every row has columns().size() cells, as columns() stands after the call:
  // JSON may add columns at the end.
  virtual Result<bool> Next(RecordBatch* batch) = 0;
  virtual const std::vector<std::string>& columns() const = 0;
  virtual const std::string& file() const = 0;  // shown name of the file that is being read
  virtual std::int64_t bytes_read()
      const = 0;  // of the file as it is stored (compressed bytes count)
  virtual std::vector<BadRecord> TakeBadRecords() = 0;  // records left out since the last call
  virtual char decimal_point() const { return '.'; }
  virtual char delimiter() const { return '\0'; }  // between cells; none in JSON
  virtual std::string Description() const = 0;     // "comma separated, UTF-8, header"
};

}  // namespace gyre::table

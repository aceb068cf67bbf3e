// The identity of a table: SHA-256 over its schema and values, whatever file they came from and
// however they were split. Private.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "base/hash.h"
#include "platform/table/frame.h"

namespace gyre::data {

// Each column is hashed by itself: values in order (a missing one as zero bytes), and one byte per
// row that says whether it is there.
class ContentHash {
 public:
  explicit ContentHash(const table::Schema& schema);
  void Add(const table::Frame& chunk);
  std::string FinishHex();  // once

 private:
  struct Column {
    Sha256 values, valid;
  };
  table::Schema schema_;
  std::vector<Column> columns_;
  std::int64_t rows_ = 0;
};

}  // namespace gyre::data

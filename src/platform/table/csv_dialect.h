// How a CSV file is written: found from its first lines. Pure functions over bytes; never fail,
// whatever the bytes are.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace gyre::table {

struct CsvDialect {
  char delimiter = ',';
  char quote = '"';
  bool backslash_escapes = false;  // \" inside quotes, besides ""
  bool header = true;
  char decimal_point = '.';
  friend bool operator==(const CsvDialect&, const CsvDialect&) = default;
};
std::string DelimiterName(char delimiter);  // "comma", "tab"

// `sample`: whole lines from the start of the file (UTF-8, without byte order mark). The last line
// may be cut off when `cut` is true.
CsvDialect DetectDialect(std::string_view sample, bool cut);

// The cells of the first `rows_max` records, unescaped; for detection and its tests. Reads are
// bounded by the sample.
std::vector<std::vector<std::string>> SplitSample(std::string_view sample,
                                                  const CsvDialect& dialect, std::size_t rows_max);

}  // namespace gyre::table

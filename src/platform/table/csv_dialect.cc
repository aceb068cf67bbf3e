#include "platform/table/csv_dialect.h"

#include <algorithm>
#include <map>
#include <set>

#include "base/text.h"
#include "platform/table/cell_types.h"

namespace gyre::table {

namespace {
constexpr std::size_t kRows = 200;  // looked at
using Rows = std::vector<std::vector<std::string>>;

// How well the sample falls into columns: 0 = one column only, about 1 = every record has as many
// cells as the first, 2 or more. The first record names the columns, so that a few ragged rows say
// little; where it stands alone, a width that most others share says a little, too.
double Fit(const Rows& rows) {
  constexpr double kMajority = 1e-3;
  std::map<std::size_t, std::size_t> widths;
  for (const auto& row : rows) ++widths[row.size()];
  const auto share = [&](std::size_t count) {
    return static_cast<double>(count) / static_cast<double>(rows.size());
  };
  double fit = 0;
  for (const auto& [width, count] : widths) {
    const bool alone = width != rows[0].size();  // a mark inside some texts is no separator
    if (width < 2 || (alone && 2 * count <= rows.size())) continue;
    fit = std::max(fit, share(count) * (alone ? kMajority : 1));
  }
  return fit;
}

bool LooksTyped(std::string_view text) {
  const KindSet kinds = ClassifyText(Trim(text), '.');
  return (kinds & ~kTextKind) != 0;
}

// A header is text over columns that are not text; where all is text, names are distinct and not
// empty.
bool DetectHeader(const Rows& rows) {
  if (rows.size() < 2)
    return rows.empty() || std::none_of(rows[0].begin(), rows[0].end(),
                                        [](const auto& c) { return LooksTyped(c); });
  bool text_over_typed = false, typed_over_typed = false;
  for (std::size_t i = 0; i < rows[0].size(); ++i) {
    std::size_t typed = 0, filled = 0;
    for (std::size_t r = 1; r < rows.size(); ++r) {
      if (i >= rows[r].size() || Trim(rows[r][i]).empty() ||
          IsMissingToken(Trim(rows[r][i]), MissingIn::kTyped))
        continue;
      ++filled;
      typed += LooksTyped(rows[r][i]);
    }
    if (filled == 0 || typed * 10 < filled * 9) continue;
    const bool first_typed = LooksTyped(rows[0][i]);
    text_over_typed = text_over_typed || (!first_typed && !Trim(rows[0][i]).empty() &&
                                          !IsMissingToken(Trim(rows[0][i]), MissingIn::kTyped));
    typed_over_typed = typed_over_typed || first_typed;
  }
  if (text_over_typed) return true;
  if (typed_over_typed) return false;
  std::set<std::string> names;
  for (const std::string& cell : rows[0]) {
    if (Trim(cell).empty() || !names.insert(cell).second) return false;
  }
  return true;
}

// 12.345 and 12,345 say nothing: both may be thousands.
bool DetectDecimalComma(const Rows& rows, char delimiter) {
  if (delimiter == ',') return false;
  std::size_t with_comma = 0, with_point = 0;
  for (const auto& row : rows) {
    for (const std::string& cell : row) {
      const KindSet kinds = ClassifyText(Trim(cell), ',');
      with_comma += (kinds & kShowsCommaKind) != 0;
      with_point += (kinds & kShowsPointKind) != 0;
    }
  }
  return with_comma > with_point;
}
}  // namespace

std::string DelimiterName(char delimiter) {
  if (delimiter == ',') return "comma";
  if (delimiter == ';') return "semicolon";
  if (delimiter == '\t') return "tab";
  if (delimiter == '|') return "bar";
  return std::string(1, delimiter);
}

std::vector<std::vector<std::string>> SplitSample(std::string_view sample,
                                                  const CsvDialect& dialect, std::size_t rows_max) {
  Rows rows;
  std::vector<std::string> row;
  std::string cell;
  bool quoted = false, any = false, fresh = true;
  const auto end_row = [&] {
    row.push_back(std::move(cell));
    cell.clear();
    if (any) rows.push_back(std::move(row));
    row.clear();
    any = false;
    fresh = true;
  };
  for (std::size_t i = 0; i < sample.size() && rows.size() < rows_max; ++i) {
    const char c = sample[i];
    if (quoted) {
      if (c == dialect.quote && i + 1 < sample.size() && sample[i + 1] == dialect.quote) {
        cell += sample[++i];
      } else if (c == dialect.quote) {
        quoted = false;
      } else if (c == '\\' && dialect.backslash_escapes && i + 1 < sample.size()) {
        cell += sample[++i];
      } else {
        cell += c;
      }
      continue;
    }
    if (c == '\n' || c == '\r') {
      end_row();
      continue;
    }
    any = true;
    if (c == dialect.delimiter) {
      row.push_back(std::move(cell));
      cell.clear();
      fresh = true;
    } else if (c == dialect.quote && fresh) {
      quoted = true;
      fresh = false;
    } else {
      cell += c;
      fresh = fresh && c == ' ';
    }
  }
  if (any && rows.size() < rows_max) end_row();
  return rows;
}

CsvDialect DetectDialect(std::string_view sample, bool cut) {
  CsvDialect best;
  double best_fit = -1;
  Rows best_rows;
  const bool has_backslash_quote = sample.find("\\\"") != std::string_view::npos;
  const bool has_double_quote = sample.find('"') != std::string_view::npos;
  for (const char quote : {'"', '\''}) {
    if (quote == '\'' && has_double_quote) continue;
    for (const bool backslash : {false, true}) {
      if (backslash && (quote != '"' || !has_backslash_quote)) continue;
      for (const char delimiter : {',', ';', '\t', '|'}) {
        CsvDialect dialect;
        dialect.delimiter = delimiter;
        dialect.quote = quote;
        dialect.backslash_escapes = backslash;
        Rows rows = SplitSample(sample, dialect, kRows);
        if (cut && rows.size() > 1 && rows.size() < kRows) rows.pop_back();
        const double fit = Fit(rows);
        if (fit > best_fit + 1e-9) {
          best_fit = fit;
          best = dialect;
          best_rows = std::move(rows);
        }
      }
    }
  }
  if (!best_rows.empty()) {  // what stands in a ragged row may be of any column
    const std::size_t width = best_rows[0].size();
    std::erase_if(best_rows, [&](const auto& row) { return row.size() != width; });
  }
  best.header = DetectHeader(best_rows);
  if (DetectDecimalComma(best_rows, best.delimiter)) best.decimal_point = ',';
  return best;
}

}  // namespace gyre::table

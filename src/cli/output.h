// Where a command writes. Data on stdout (human table on a terminal, TSV when piped, or -o
// json|ndjson|yaml|csv|name|wide); everything else (progress, notes, hints) on stderr. Colour only
// with meaning; ASCII when the terminal or locale asks for it.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "base/json.h"

namespace gyre::cli {

struct ColumnSpec {
  std::string_view header;  // "ROWS"
  std::string_view key;     // member of the row document; dots go deeper: "champion.version"
  enum class Format {
    kText,
    kCount,
    kBytes,
    kTime,
    kSeconds,
    kNumber,
    kPercent
  } format = Format::kText;
  bool wide_only = false;
};

class Output {
 public:
  virtual ~Output() = default;
  virtual bool json()
      const = 0;  // any machine format: commands then skip decoration and call Document
  // A list. `rows` is an array of documents. `name_key` is what -o name prints.
  virtual void Table(const std::vector<ColumnSpec>& columns, const Json& rows,
                     std::string_view name_key = "name") = 0;
  // One thing: pretty for machines; for people `human` (already formatted lines) is printed
  // instead.
  virtual void Document(const Json& document, std::string_view human) = 0;
  virtual void Print(std::string_view text) = 0;  // raw data to stdout
  virtual void Done(
      std::string_view line) = 0;  // "✓ ..." for people, on stdout; nothing in machine formats
  virtual void Note(std::string_view line) = 0;  // stderr
  virtual void Warn(std::string_view line) = 0;  // stderr, "!" mark
  virtual void Hint(std::string_view line) = 0;  // "  next: ..." on stderr, terminals only
  virtual void Progress(double fraction,
                        std::string_view text) = 0;  // stderr, one line redrawn; negative = unknown
  virtual void EndProgress() = 0;
  // GY4015 when --json or --columns named something that what was to be written does not have;
  // nothing was written then.
  virtual Result<> Written() const = 0;
  // Marks that fall back to ASCII: Mark("ok") "✓", "fail" "✗", "up" "▲", "dot" "·", "ge" "≥",
  // "arrow" "→".
  virtual std::string_view Mark(std::string_view name) const = 0;
};

}  // namespace gyre::cli

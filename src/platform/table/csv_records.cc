#include "platform/table/csv_records.h"

#include <algorithm>
#include <array>
#include <cstring>
#include <map>
#include <utility>

#include "base/limits.h"
#include "base/text.h"

namespace gyre::table {

namespace {
constexpr std::size_t kBatchRows = 8192;
constexpr std::size_t kRecordBytesMax = 64 << 20;

// Splits a buffer into records. Stops before a record that is not complete.
class Scanner {
 public:
  Scanner(const CsvDialect& dialect, std::string_view text, bool at_end)
      : dialect_(dialect), text_(text), at_end_(at_end) {
    stops_[static_cast<unsigned char>(dialect.delimiter)] = true;
    stops_[static_cast<unsigned char>('\n')] = true;
    stops_[static_cast<unsigned char>('\r')] = true;
  }

  std::size_t position() const { return at_; }
  std::int64_t lines() const { return lines_; }
  bool open_quote() const { return open_quote_; }
  std::string_view record() const { return record_; }
  std::int64_t record_line() const { return record_line_; }

  // Appends the cells of the next record; false when there is no complete one. Blank lines are
  // skipped.
  bool NextRecord(Arena* arena, std::vector<RawCell>* cells) {
    for (;;) {
      const std::size_t cells_before = cells->size();
      const std::size_t begin = at_;
      const std::int64_t line = lines_;
      if (at_ >= text_.size()) return false;
      record_line_ = line;
      bool blank = false;
      if (!ScanRecord(begin, arena, cells, &blank)) {
        cells->resize(cells_before);
        at_ = begin;
        lines_ = line;
        return false;
      }
      if (!blank) return true;
      cells->resize(cells_before);
    }
  }

 private:
  bool ScanRecord(std::size_t begin, Arena* arena, std::vector<RawCell>* cells, bool* blank) {
    for (;;) {
      const std::size_t cell_begin = at_;
      std::size_t start = at_;
      while (start < text_.size() && text_[start] == ' ' && dialect_.delimiter != ' ') ++start;
      RawCell cell;
      cell.at = static_cast<std::uint32_t>(cell_begin - begin);
      if (start < text_.size() && text_[start] == dialect_.quote) {
        at_ = start + 1;
        if (!ScanQuoted(arena, &cell)) return false;
      } else {
        std::size_t end = start;
        while (end < text_.size() && !stops_[static_cast<unsigned char>(text_[end])]) ++end;
        if (end == text_.size() && !at_end_) return false;
        cell.kind = CellKind::kPlain;
        cell.data = text_.data() + cell_begin;
        cell.size = static_cast<std::uint32_t>(end - cell_begin);
        at_ = end;
      }
      cells->push_back(cell);
      if (at_ < text_.size() && text_[at_] == dialect_.delimiter) {
        ++at_;
        if (at_ == text_.size() && !at_end_) return false;
        continue;
      }
      return EndRecord(begin, cell, cell_begin == begin, blank);
    }
  }

  bool EndRecord(std::size_t begin, const RawCell& last, bool single, bool* blank) {
    record_ = text_.substr(begin, at_ - begin);
    *blank = single && last.kind == CellKind::kPlain && Trim(last.view()).empty();
    if (at_ >= text_.size()) return at_end_;
    if (text_[at_] == '\r') {
      if (at_ + 1 == text_.size() && !at_end_) return false;
      ++at_;
      if (at_ < text_.size() && text_[at_] == '\n') ++at_;
    } else {
      ++at_;
    }
    ++lines_;
    return true;
  }

  // After the opening quote. What follows the closing quote up to the delimiter is kept when it is
  // not blank: "abc"def is abcdef.
  bool ScanQuoted(Arena* arena, RawCell* cell) {
    cell->kind = CellKind::kQuoted;
    const std::size_t begin = at_;
    std::size_t end = at_;
    bool rewritten = false;
    for (;; ++end) {
      if (end >= text_.size()) {
        open_quote_ = at_end_;
        if (!at_end_) return false;
        break;
      }
      const char c = text_[end];
      if (c == '\n') ++lines_;
      if (c == '\\' && dialect_.backslash_escapes && end + 1 < text_.size()) {
        rewritten = true;
        ++end;
      } else if (c == dialect_.quote) {
        if (end + 1 >= text_.size() && !at_end_) return false;
        if (end + 1 >= text_.size() || text_[end + 1] != dialect_.quote) break;
        rewritten = true;
        ++end;
      }
    }
    std::size_t after = std::min(end + 1, text_.size());
    while (after < text_.size() && !stops_[static_cast<unsigned char>(text_[after])]) ++after;
    if (after == text_.size() && !at_end_) return false;
    const std::string_view tail =
        end + 1 < text_.size() ? text_.substr(end + 1, after - end - 1) : std::string_view();
    at_ = after;
    cell->data = text_.data() + begin;
    cell->size = static_cast<std::uint32_t>(end - begin);
    if (rewritten || !Trim(tail).empty())
      Rewrite(text_.substr(begin, end - begin), Trim(tail).empty() ? "" : tail, arena, cell);
    return true;
  }

  void Rewrite(std::string_view body, std::string_view tail, Arena* arena, RawCell* cell) const {
    char* out = arena->Take(body.size() + tail.size());
    std::size_t size = 0;
    for (std::size_t i = 0; i < body.size(); ++i) {
      const bool escape =
          (body[i] == dialect_.quote || (body[i] == '\\' && dialect_.backslash_escapes)) &&
          i + 1 < body.size();
      if (escape) ++i;
      out[size++] = body[i];
    }
    if (!tail.empty()) std::memcpy(out + size, tail.data(), tail.size());
    cell->data = out;
    cell->size = static_cast<std::uint32_t>(size + tail.size());
  }

  const CsvDialect& dialect_;
  std::string_view text_;
  bool at_end_;
  std::array<bool, 256> stops_ = {};
  std::size_t at_ = 0;
  std::int64_t lines_ = 0, record_line_ = 0;
  std::string_view record_;
  bool open_quote_ = false;
};

class CsvSource : public RecordSource {
 public:
  CsvSource(TextSource text, std::string name, const CsvOptions& options)
      : text_(std::move(text)), name_(std::move(name)), options_(options) {}

  Result<> Start() {
    GYRE_DO(Fill(256 * 1024));
    if (Trim(buffer_).empty()) {
      return InvalidArgument("GY2031", "{} is empty", name_)
          .Fix("add a file with a header line and rows");
    }
    // Only whole lines count, unless there is just one.
    std::string_view sample(buffer_);
    const std::size_t last_line = sample.rfind('\n');
    dialect_ = DetectDialect(
        sample.substr(
            0, last_line == std::string_view::npos || at_end_ ? sample.size() : last_line + 1),
        !at_end_);
    if (options_.delimiter) dialect_.delimiter = *options_.delimiter;
    if (options_.header) dialect_.header = *options_.header;
    return ReadHeader();
  }

  Result<bool> Next(RecordBatch* batch) override {
    batch->Clear();
    batch->width = columns_.size();
    // Views point into the buffer, so it is only moved here, where no batch is alive.
    buffer_.erase(0, used_);
    used_ = 0;
    while (batch->rows() == 0) {
      if (buffer_.empty() && at_end_) return false;
      if (buffer_.size() < kBlock && !at_end_) GYRE_DO(Fill(kBlock));
      GYRE_TRY(const bool progress, Scan(batch));
      if (progress) continue;
      if (at_end_) return batch->rows() > 0;
      if (buffer_.size() > kRecordBytesMax) return TooLong();
      GYRE_DO(Fill(buffer_.size() * 2));
    }
    return true;
  }

  const std::vector<std::string>& columns() const override { return columns_; }
  const std::string& file() const override { return name_; }
  std::int64_t bytes_read() const override { return text_.stored_bytes_read(); }
  std::vector<BadRecord> TakeBadRecords() override { return std::exchange(bad_, {}); }
  char decimal_point() const override { return dialect_.decimal_point; }
  char delimiter() const override { return dialect_.delimiter; }
  std::string Description() const override {
    return fmt::format("CSV, {} separated, {}{}{}", DelimiterName(dialect_.delimiter),
                       EncodingName(text_.encoding()), dialect_.header ? "" : ", no header line",
                       dialect_.decimal_point == ',' ? ", decimal comma" : "");
  }

 private:
  static constexpr std::size_t kBlock = 4 << 20;

  Result<> Fill(std::size_t bytes) {
    while (buffer_.size() < bytes && !at_end_) {
      GYRE_TRY(const bool more, text_.Next(&buffer_));
      at_end_ = !more;
    }
    return {};
  }

  Error TooLong() const {
    return InvalidArgument("GY2035", "a record of {} does not end within {}", name_,
                           HumanBytes(kRecordBytesMax))
        .Where(fmt::format("{}:{}", name_, line_))
        .Why("a quote was probably opened and never closed")
        .Fix("close the quote in the file");
  }

  Result<> ReadHeader() {
    std::vector<RawCell> cells;
    Arena arena;
    Scanner scanner(dialect_, buffer_, at_end_);
    if (!scanner.NextRecord(&arena, &cells)) return TooLong();
    if (static_cast<std::int64_t>(cells.size()) > kTableColumnsMax) {
      return InvalidArgument("GY2034", "{} has {} columns, at most {} are allowed", name_,
                             cells.size(), kTableColumnsMax);
    }
    for (std::size_t i = 0; i < cells.size(); ++i) {
      columns_.push_back(dialect_.header ? std::string(Trim(cells[i].view()))
                                         : fmt::format("column{}", i + 1));
    }
    if (!dialect_.header) return {};
    buffer_.erase(0, scanner.position());
    line_ += scanner.lines();
    if (Trim(buffer_).empty() && at_end_) {
      return InvalidArgument("GY2031", "{} has a header and no rows", name_)
          .Where(name_ + ":1")
          .Fix("add a file that has rows");
    }
    return CheckColumnNames(&columns_, name_);
  }

  Result<bool> Scan(RecordBatch* batch) {
    Scanner scanner(dialect_, std::string_view(buffer_).substr(used_), at_end_);
    while (batch->rows() < kBatchRows) {
      const std::size_t before = batch->cells.size();
      if (!scanner.NextRecord(&batch->arena, &batch->cells)) break;
      const std::int64_t line = line_ + scanner.record_line();
      if (scanner.open_quote()) {
        return InvalidArgument("GY2035", "a quote in {} is opened and never closed", name_)
            .Where(fmt::format("{}:{}", name_, line))
            .Fix("close the quote in the file");
      }
      const std::size_t count = batch->cells.size() - before;
      if (count != columns_.size()) {
        GYRE_DO(Repair(batch, before, count, line, scanner.record()));
        if (batch->cells.size() == before) continue;
      }
      batch->lines.push_back(line);
      batch->texts.push_back(scanner.record());
    }
    const bool progress = scanner.position() > 0;
    used_ += scanner.position();
    line_ += scanner.lines();
    return progress;
  }

  Result<> Repair(RecordBatch* batch, std::size_t before, std::size_t count, std::int64_t line,
                  std::string_view record) {
    std::string reason = fmt::format("{} cells where {} columns are", count, columns_.size());
    if (options_.ragged == Ragged::kError) {
      return InvalidArgument("GY2034", "a row of {} has {} cells, the table has {} columns", name_,
                             count, columns_.size())
          .Where(fmt::format("{}:{}    {}", name_, line, record.substr(0, 60)))
          .Why("every row must have as many cells as the header")
          .Fix(options_.command +
               " --bad null          (missing cells become missing, extra ones are dropped)")
          .Fix(options_.command + " --bad quarantine    (such rows are set aside)");
    }
    bad_.push_back({line, std::string(record.substr(0, 4096)), std::move(reason)});
    batch->cells.resize(options_.ragged == Ragged::kPad ? before + columns_.size() : before);
    return {};
  }

  TextSource text_;
  std::string name_;
  CsvOptions options_;
  CsvDialect dialect_;
  std::vector<std::string> columns_;
  std::vector<BadRecord> bad_;
  std::string buffer_;
  std::size_t used_ = 0;
  bool at_end_ = false;
  std::int64_t line_ = 1;
};
}  // namespace

Result<> CheckColumnNames(std::vector<std::string>* names, const std::string& shown_name) {
  std::map<std::string, std::size_t> seen;
  for (std::size_t i = 0; i < names->size(); ++i) {
    std::string& name = (*names)[i];
    if (name.empty()) name = fmt::format("column{}", i + 1);
    const auto [other, fresh] = seen.emplace(ToLower(name), i);
    if (fresh) continue;
    const std::string& first = (*names)[other->second];
    return InvalidArgument("GY2032", "{} has two columns named `{}` (columns {} and {})",
                           shown_name, name, other->second + 1, i + 1)
        .Where(shown_name + ":1")
        .Why(first == name ? "a column is found by its name"
                           : "names that differ only in case are one name in SQL")
        .Fix("rename one of them in the header line");
  }
  return {};
}

Result<std::unique_ptr<RecordSource>> OpenCsv(const std::string& path,
                                              const std::string& shown_name,
                                              const CsvOptions& options) {
  GYRE_TRY(TextSource text, TextSource::Open(path, shown_name, options.encoding));
  auto source = std::make_unique<CsvSource>(std::move(text), shown_name, options);
  GYRE_DO(source->Start());
  return std::unique_ptr<RecordSource>(std::move(source));
}

}  // namespace gyre::table

#include "platform/table/json_records.h"

#include <simdjson.h>

#include <cstring>
#include <unordered_map>
#include <utility>

#include "base/limits.h"
#include "base/text.h"

namespace gyre::table {

namespace {
constexpr std::size_t kBatchRows = 4096;
constexpr std::size_t kBlock = 4 << 20;
constexpr std::size_t kRecordBytesMax = 64 << 20;

bool IsSpace(char c) { return c == ' ' || c == '\t' || c == '\n' || c == '\r'; }

class JsonSource : public RecordSource {
 public:
  JsonSource(TextSource text, std::string name, const CsvOptions& options)
      : text_(std::move(text)),
        name_(std::move(name)),
        command_(options.command),
        ragged_(options.ragged) {}

  Result<> Start() {
    GYRE_DO(Fill(kBlock));
    SkipSpace();
    if (at_ < buffer_.size() && buffer_[at_] == '[') {
      in_array_ = true;
      ++at_;
    }
    return {};
  }

  Result<bool> Next(RecordBatch* batch) override {
    batch->Clear();
    wide_.clear();
    buffer_.erase(0, at_);
    at_ = 0;
    if (buffer_.size() < kBlock) GYRE_DO(Fill(kBlock));
    while (wide_.size() < kBatchRows) {
      SkipSeparators();
      const std::size_t begin = at_;
      if (begin >= buffer_.size()) break;
      const std::int64_t line = line_;
      GYRE_TRY(const std::size_t length, RecordLength(begin, wide_.empty()));
      if (length == 0) break;  // incomplete, and there are rows to hand out first
      const std::string_view record = std::string_view(buffer_).substr(begin, length);
      wide_.emplace_back();
      const Result<> read = ReadRecord(record, batch, &wide_.back());
      at_ = begin + length;
      for (const char c : record) line_ += c == '\n';
      if (!read) {
        wide_.pop_back();
        GYRE_DO(SetAside(read.error(), record, line));
        continue;
      }
      batch->lines.push_back(line);
      batch->texts.push_back(record);
    }
    Flatten(batch);
    if (batch->rows() > 0) return true;
    if (columns_.empty())
      return InvalidArgument("GY2031", "{} holds no records", name_)
          .Fix("add a file with one JSON object a line");
    return false;
  }

  const std::vector<std::string>& columns() const override { return columns_; }
  const std::string& file() const override { return name_; }
  std::int64_t bytes_read() const override { return text_.stored_bytes_read(); }
  std::vector<BadRecord> TakeBadRecords() override { return std::exchange(bad_, {}); }
  std::string Description() const override {
    return fmt::format("{}, {}", in_array_ ? "JSON array" : "JSON lines",
                       EncodingName(text_.encoding()));
  }

 private:
  Result<> Fill(std::size_t bytes) {
    while (buffer_.size() < bytes && !at_end_) {
      GYRE_TRY(const bool more, text_.Next(&buffer_));
      at_end_ = !more;
    }
    buffer_.reserve(buffer_.size() + simdjson::SIMDJSON_PADDING);
    return {};
  }

  void SkipSpace() {
    while (at_ < buffer_.size() && IsSpace(buffer_[at_])) line_ += buffer_[at_++] == '\n';
  }
  void SkipSeparators() {
    SkipSpace();
    while (at_ < buffer_.size() && in_array_ && (buffer_[at_] == ',' || buffer_[at_] == ']')) {
      ++at_;
      SkipSpace();
    }
  }

  Error Broken(std::int64_t line, std::string_view what, std::string_view record) const {
    return InvalidArgument("GY2036", "{} is not JSON records: {}", name_, what)
        .Where(fmt::format("{}:{}    {}", name_, line,
                           record.substr(0, std::min<std::size_t>(60, record.find('\n')))))
        .Why("each record is one JSON object, {\"column\": value, ...}")
        .Fix(command_ + " --bad quarantine    (records that cannot be read are set aside)");
  }

  // Bytes of the object at `begin`; 0 when it goes on beyond the buffer and `may_fill` is false.
  Result<std::size_t> RecordLength(std::size_t begin, bool may_fill) {
    if (buffer_[begin] != '{') {
      std::size_t end = buffer_.find('\n', begin);
      if (end == std::string::npos) end = buffer_.size();
      return end - begin;  // no object: ReadRecord says so
    }
    for (;;) {
      int depth = 0;
      bool in_string = false;
      for (std::size_t i = begin; i < buffer_.size(); ++i) {
        const char c = buffer_[i];
        if (in_string) {
          if (c == '\\') {
            ++i;
          } else if (c == '"') {
            in_string = false;
          } else if (c == '\n' && !in_array_) {
            return i - begin;  // no string holds a bare line end: the record is broken, the next
                               // line may be good
          }
          continue;
        }
        if (c == '"') in_string = true;
        if (c == '{' || c == '[') ++depth;
        if ((c == '}' || c == ']') && --depth == 0) return i + 1 - begin;
      }
      if (at_end_) return buffer_.size() - begin;
      if (!may_fill) return 0uz;
      if (buffer_.size() - begin > kRecordBytesMax)
        return Broken(line_, "a record is longer than 64 MB", {});
      GYRE_DO(Fill(buffer_.size() + kBlock));
    }
  }

  std::size_t ColumnOf(std::string_view key) {
    const auto found = index_.find(std::string(key));
    if (found != index_.end()) return found->second;
    index_.emplace(key, columns_.size());
    columns_.emplace_back(key);
    return columns_.size() - 1;
  }

  Result<> ReadRecord(std::string_view record, RecordBatch* batch, std::vector<RawCell>* cells) {
    if (record.empty() || record.front() != '{')
      return InvalidArgument("GY2036", "a record is not an object");
    simdjson::ondemand::document document;
    simdjson::ondemand::object object;
    const std::size_t capacity = record.size() + simdjson::SIMDJSON_PADDING;
    if (parser_.iterate(record.data(), record.size(), capacity).get(document) !=
            simdjson::SUCCESS ||
        document.get_object().get(object) != simdjson::SUCCESS) {
      return InvalidArgument("GY2036", "a record cannot be read");
    }
    for (auto item : object) {
      simdjson::ondemand::field field;
      if (std::move(item).get(field) != simdjson::SUCCESS)
        return InvalidArgument("GY2036", "a record cannot be read");
      std::string_view key;
      if (field.unescaped_key().get(key) != simdjson::SUCCESS)
        return InvalidArgument("GY2036", "a name cannot be read");
      if (static_cast<std::int64_t>(columns_.size()) >= kTableColumnsMax &&
          !index_.contains(std::string(key))) {
        return InvalidArgument("GY2036", "there are more than {} names", kTableColumnsMax);
      }
      const std::size_t column = ColumnOf(key);
      if (cells->size() <= column) cells->resize(columns_.size());
      RawCell& cell = (*cells)[column];
      if (cell.data != nullptr)
        return InvalidArgument("GY2036", "the name `{}` stands twice in a record",
                               columns_[column]);
      GYRE_DO(ReadValue(field.value(), record, batch, &cell));
    }
    return {};
  }

  Result<> ReadValue(simdjson::ondemand::value value, std::string_view record, RecordBatch* batch,
                     RawCell* cell) {
    const auto broken = [] { return InvalidArgument("GY2036", "a value cannot be read"); };
    simdjson::ondemand::json_type type;
    if (value.type().get(type) != simdjson::SUCCESS) return broken();
    std::string_view text;
    cell->kind = CellKind::kJsonOther;
    if (type == simdjson::ondemand::json_type::string) {
      if (value.get_string().get(text) != simdjson::SUCCESS) return broken();
      cell->kind = CellKind::kJsonString;
      char* copy = batch->arena.Take(text.size() +
                                     1);  // never null, so that a second member of the name is seen
      std::memcpy(copy, text.data(), text.size());
      cell->data = copy;
      cell->size = static_cast<std::uint32_t>(text.size());
      return {};
    }
    if (type == simdjson::ondemand::json_type::array ||
        type == simdjson::ondemand::json_type::object) {
      if (simdjson::to_json_string(value).get(text) != simdjson::SUCCESS) return broken();
      // Without blanks: however it was spaced, it is the same value.
      char* copy = batch->arena.Take(text.size() + 1);
      std::size_t size = 0;
      if (simdjson::minify(text.data(), text.size(), copy, size) != simdjson::SUCCESS)
        return broken();
      cell->at = static_cast<std::uint32_t>(text.data() - record.data());
      cell->data = copy;
      cell->size = static_cast<std::uint32_t>(size);
      return {};
    } else {
      text = Trim(value.raw_json_token());
      if (type == simdjson::ondemand::json_type::null) {
        if (text != "null") return broken();
        cell->kind = CellKind::kMissing;
      } else if (type == simdjson::ondemand::json_type::boolean) {
        if (bool flag = false; value.get_bool().get(flag) != simdjson::SUCCESS) return broken();
      } else if (double number = 0; value.get_double().get(number) != simdjson::SUCCESS) {
        return broken();
      }
    }
    cell->data = text.data();
    cell->size = static_cast<std::uint32_t>(text.size());
    cell->at = static_cast<std::uint32_t>(text.data() - record.data());
    return {};
  }

  Result<> SetAside(const Error& error, std::string_view record, std::int64_t line) {
    if (ragged_ == Ragged::kError || error.gy() != "GY2036")
      return Broken(line, error.message(), record);
    bad_.push_back({line, std::string(record.substr(0, 4096)), error.message()});
    return {};
  }

  void Flatten(RecordBatch* batch) const {
    batch->width = columns_.size();
    for (const std::vector<RawCell>& row : wide_) {
      const std::size_t before = batch->cells.size();
      batch->cells.insert(batch->cells.end(), row.begin(), row.end());
      batch->cells.resize(before + batch->width);
    }
  }

  TextSource text_;
  std::string name_, command_;
  Ragged ragged_;
  std::vector<std::string> columns_;
  std::unordered_map<std::string, std::size_t> index_;
  std::vector<BadRecord> bad_;
  std::vector<std::vector<RawCell>> wide_;
  simdjson::ondemand::parser parser_;
  std::string buffer_;
  std::size_t at_ = 0;
  bool at_end_ = false, in_array_ = false;
  std::int64_t line_ = 1;
};
}  // namespace

Result<std::unique_ptr<RecordSource>> OpenJson(const std::string& path,
                                               const std::string& shown_name,
                                               const CsvOptions& options) {
  GYRE_TRY(TextSource text, TextSource::Open(path, shown_name, options.encoding));
  auto source = std::make_unique<JsonSource>(std::move(text), shown_name, options);
  GYRE_DO(source->Start());
  return std::unique_ptr<RecordSource>(std::move(source));
}

}  // namespace gyre::table

#include "ml/inference_log/segment_file.h"

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstring>
#include <limits>
#include <span>
#include <unordered_map>
#include <vector>

#include "base/hash.h"
#include "platform/exec/files.h"

namespace gyre::inference_log {
namespace {

using table::Column;
using table::Type;

static_assert(std::endian::native == std::endian::little, "the files are little-endian");

constexpr std::string_view kMagic = "GYRLOG1\n";
constexpr std::size_t kHeadBytes = 4 + 8 + 8;  // of a record
constexpr std::uint32_t kFacts = 1, kFrame = 2;
constexpr std::uint64_t kRecordBytesMax = std::uint64_t{1} << 30;
constexpr std::uint64_t kRowsMax = 1 << 24;
constexpr double kWholeMax = 9007199254740992.0;  // 2^53

enum class Valid : unsigned char { kAll, kSome, kNone };
enum class Form : unsigned char { kWhole, kRaw, kWords, kPlain };

template <class T>
void Put(T value, std::string* out) {
  char bytes[sizeof value];
  std::memcpy(bytes, &value, sizeof value);
  out->append(bytes, sizeof value);
}

template <class T>
void PutNarrow(std::span<const std::int64_t> values, std::int64_t low, std::string* out) {
  const std::size_t at = out->size();
  out->resize(at + values.size() * sizeof(T));
  char* to = out->data() + at;
  for (const std::int64_t value : values) {
    const T narrow =
        static_cast<T>(static_cast<std::uint64_t>(value) - static_cast<std::uint64_t>(low));
    std::memcpy(to, &narrow, sizeof narrow);
    to += sizeof narrow;
  }
}

void PutInts(std::span<const std::int64_t> values, std::string* out) {
  std::int64_t low = 0, high = 0;
  if (!values.empty()) {
    const auto [least, most] = std::ranges::minmax(values);
    low = least;
    high = most;
  }
  const std::uint64_t range = static_cast<std::uint64_t>(high) - static_cast<std::uint64_t>(low);
  Put(low, out);
  if (range == 0) {
    Put(std::uint8_t{0}, out);
  } else if (range <= 0xff) {
    Put(std::uint8_t{1}, out);
    PutNarrow<std::uint8_t>(values, low, out);
  } else if (range <= 0xffff) {
    Put(std::uint8_t{2}, out);
    PutNarrow<std::uint16_t>(values, low, out);
  } else if (range <= 0xffffffff) {
    Put(std::uint8_t{4}, out);
    PutNarrow<std::uint32_t>(values, low, out);
  } else {
    Put(std::uint8_t{8}, out);
    PutNarrow<std::uint64_t>(values, low, out);
  }
}

// A missing value repeats a valid one, so that it widens nothing.
template <class T>
std::vector<T> Filled(const std::vector<T>& values, const Column& column) {
  std::vector<T> filled = values;
  T last{};
  for (std::size_t i = 0; i < filled.size(); ++i) {
    if (column.IsValid(i)) {
      last = filled[i];
      break;
    }
  }
  for (std::size_t i = 0; i < filled.size(); ++i) {
    if (!column.IsValid(i)) filled[i] = last;
    last = filled[i];
  }
  return filled;
}

bool AllWhole(const std::vector<double>& values) {
  // Nothing that is not whole, not exact or a negative zero: the bits must come back.
  return std::ranges::all_of(values, [](double v) {
    return std::fabs(v) < kWholeMax && v == std::floor(v) && !(v == 0 && std::signbit(v));
  });
}

void PutDoubles(const Column& column, std::string* out) {
  const std::vector<double> filled =
      column.valid.empty() ? std::vector<double>() : Filled(column.doubles, column);
  const std::vector<double>& values = column.valid.empty() ? column.doubles : filled;
  if (AllWhole(values)) {
    Put(Form::kWhole, out);
    PutInts(std::vector<std::int64_t>(values.begin(), values.end()), out);
    return;
  }
  Put(Form::kRaw, out);
  const std::size_t at = out->size();
  out->resize(at + values.size() * sizeof(double));
  std::memcpy(out->data() + at, values.data(), values.size() * sizeof(double));
}

void PutText(const table::TextColumn& text, std::string* out) {
  std::unordered_map<std::string_view, std::int64_t> known;
  std::vector<std::string_view> words;
  std::vector<std::int64_t> numbers;
  numbers.reserve(text.size());
  for (std::size_t i = 0; i < text.size(); ++i) {
    const auto [found, is_new] = known.emplace(text[i], static_cast<std::int64_t>(words.size()));
    if (is_new) words.push_back(text[i]);
    numbers.push_back(found->second);
  }
  const bool plain = words.size() * 2 > text.size();
  if (plain) {
    words.clear();
    for (std::size_t i = 0; i < text.size(); ++i) words.push_back(text[i]);
  }
  Put(plain ? Form::kPlain : Form::kWords, out);
  Put(static_cast<std::uint64_t>(words.size()), out);
  std::vector<std::int64_t> lengths;
  for (const std::string_view word : words)
    lengths.push_back(static_cast<std::int64_t>(word.size()));
  PutInts(lengths, out);
  for (const std::string_view word : words) out->append(word);
  if (!plain) PutInts(numbers, out);
}

void PutValid(const Column& column, std::string* out) {
  const bool any_missing = std::ranges::find(column.valid, 0) != column.valid.end();
  const bool any_valid = column.valid.empty() || std::ranges::find_if(column.valid, [](auto v) {
                                                   return v != 0;
                                                 }) != column.valid.end();
  if (!any_missing || !any_valid) {
    Put(any_missing ? Valid::kNone : Valid::kAll, out);
    return;
  }
  Put(Valid::kSome, out);
  const std::size_t at = out->size();
  out->resize(at + (column.size() + 7) / 8);
  for (std::size_t i = 0; i < column.size(); ++i) {
    if (column.valid[i] != 0)
      (*out)[at + i / 8] = static_cast<char>((*out)[at + i / 8] | (1 << (i % 8)));
  }
}

void PutColumn(const Column& column, std::string* out) {
  Put(static_cast<std::uint32_t>(column.name.size()), out);
  out->append(column.name);
  Put(column.type, out);
  PutValid(column, out);
  if (column.type == Type::kDouble) {
    PutDoubles(column, out);
  } else if (column.type == Type::kText) {
    PutText(column.text, out);
  } else {
    Put(Form::kWhole, out);
    PutInts(column.valid.empty() ? column.ints : Filled(column.ints, column), out);
  }
}

// A head whose numbers are known when the payload behind it is whole.
std::size_t BeginRecord(std::uint32_t kind, std::string* out) {
  Put(kind, out);
  out->resize(out->size() + kHeadBytes - sizeof kind);
  return out->size();
}
void EndRecord(std::size_t payload, std::string* out) {
  const std::uint64_t size = out->size() - payload;
  const std::uint64_t sum = Xxh3(std::string_view(*out).substr(payload));
  std::memcpy(out->data() + payload - sizeof sum, &sum, sizeof sum);
  std::memcpy(out->data() + payload - sizeof sum - sizeof size, &size, sizeof size);
}

// --- reading: every length is checked against what is there -------------------------------------
class Cursor {
 public:
  explicit Cursor(std::string_view bytes) : rest_(bytes) {}
  template <class T>
  bool Get(T* value) {
    if (rest_.size() < sizeof(T)) return false;
    std::memcpy(value, rest_.data(), sizeof(T));
    rest_.remove_prefix(sizeof(T));
    return true;
  }
  bool Take(std::uint64_t size, std::string_view* out) {
    if (rest_.size() < size) return false;
    *out = rest_.substr(0, size);
    rest_.remove_prefix(size);
    return true;
  }

 private:
  std::string_view rest_;
};

template <class T>
bool GetNarrow(Cursor& in, std::int64_t low, std::vector<std::int64_t>* values) {
  std::string_view bytes;
  if (!in.Take(values->size() * sizeof(T), &bytes)) return false;
  const char* from = bytes.data();
  for (std::int64_t& value : *values) {
    T narrow;
    std::memcpy(&narrow, from, sizeof narrow);
    from += sizeof narrow;
    value = static_cast<std::int64_t>(static_cast<std::uint64_t>(low) + narrow);
  }
  return true;
}

bool GetInts(Cursor& in, std::size_t count, std::vector<std::int64_t>* values) {
  std::int64_t low = 0;
  std::uint8_t width = 0;
  if (!in.Get(&low) || !in.Get(&width)) return false;
  values->assign(count, low);
  switch (width) {
    case 0:
      return true;
    case 1:
      return GetNarrow<std::uint8_t>(in, low, values);
    case 2:
      return GetNarrow<std::uint16_t>(in, low, values);
    case 4:
      return GetNarrow<std::uint32_t>(in, low, values);
    case 8:
      return GetNarrow<std::uint64_t>(in, low, values);
    default:
      return false;
  }
}

bool GetDoubles(Cursor& in, std::size_t rows, Column* column) {
  Form form{};
  if (!in.Get(&form)) return false;
  if (form == Form::kWhole) {
    std::vector<std::int64_t> whole;
    if (!GetInts(in, rows, &whole)) return false;
    column->doubles.assign(whole.begin(), whole.end());
    return true;
  }
  std::string_view bytes;
  if (form != Form::kRaw || !in.Take(rows * sizeof(double), &bytes)) return false;
  column->doubles.resize(rows);
  std::memcpy(column->doubles.data(), bytes.data(), bytes.size());
  return true;
}

bool GetWords(Cursor& in, std::size_t count, std::vector<std::string_view>* words) {
  std::vector<std::int64_t> lengths;
  if (!GetInts(in, count, &lengths)) return false;
  for (const std::int64_t length : lengths) {
    std::string_view word;
    if (length < 0 || !in.Take(static_cast<std::uint64_t>(length), &word)) return false;
    words->push_back(word);
  }
  return true;
}

bool GetText(Cursor& in, std::size_t rows, Column* column) {
  Form form{};
  std::uint64_t count = 0;
  if (!in.Get(&form) || !in.Get(&count) || count > rows) return false;
  std::vector<std::string_view> words;
  if (!GetWords(in, count, &words)) return false;
  if (form == Form::kPlain) {
    if (count != rows) return false;
    for (const std::string_view word : words) column->text.Push(word);
    return true;
  }
  std::vector<std::int64_t> numbers;
  if (form != Form::kWords || !GetInts(in, rows, &numbers)) return false;
  for (const std::int64_t number : numbers) {
    if (number < 0 || static_cast<std::uint64_t>(number) >= words.size()) return false;
    column->text.Push(words[static_cast<std::size_t>(number)]);
  }
  return true;
}

bool GetValid(Cursor& in, std::size_t rows, Column* column) {
  Valid valid{};
  if (!in.Get(&valid)) return false;
  if (valid == Valid::kAll) return true;
  column->valid.assign(rows, 0);
  if (valid == Valid::kNone) return true;
  std::string_view bits;
  if (valid != Valid::kSome || !in.Take((rows + 7) / 8, &bits)) return false;
  for (std::size_t i = 0; i < rows; ++i)
    column->valid[i] = (static_cast<unsigned char>(bits[i / 8]) >> (i % 8)) & 1;
  return true;
}

void ClearMissing(Column* column) {
  for (std::size_t i = 0; i < column->valid.size(); ++i) {
    if (column->valid[i] != 0) continue;
    if (column->type == Type::kDouble)
      column->doubles[i] = std::numeric_limits<double>::quiet_NaN();
    else if (column->type != Type::kText)
      column->ints[i] = 0;
  }
}

bool GetColumn(Cursor& in, std::size_t rows, Column* column) {
  std::uint32_t size = 0;
  std::string_view name;
  if (!in.Get(&size) || !in.Take(size, &name) || !in.Get(&column->type)) return false;
  column->name = name;
  if (column->type > Type::kTimestamp || !GetValid(in, rows, column)) return false;
  bool sound = false;
  if (column->type == Type::kDouble) {
    sound = GetDoubles(in, rows, column);
  } else if (column->type == Type::kText) {
    sound = GetText(in, rows, column);
  } else {
    Form form{};
    sound = in.Get(&form) && form == Form::kWhole && GetInts(in, rows, &column->ints);
  }
  if (sound) ClearMissing(column);
  return sound;
}

bool GetFrame(std::string_view payload, table::Frame* frame) {
  Cursor in(payload);
  std::uint32_t columns = 0;
  std::uint64_t rows = 0;
  if (!in.Get(&columns) || !in.Get(&rows) || rows > kRowsMax) return false;
  for (std::uint32_t i = 0; i < columns; ++i) {
    if (!GetColumn(in, rows, &frame->columns.emplace_back())) return false;
  }
  return true;
}

Error Damaged(std::string_view name, std::string_view what) {
  return MakeError(Code::kDataLoss, "GY4601", "{} is damaged: {}", name, what)
      .Why("its checksums do not fit; a disk or a hand has changed it")
      .Fix("gyre fsck names all that is damaged; restore a backup");
}

// Where the bytes come from: a file, piece by piece, or memory.
using Source = std::function<Result<std::string>(std::uint64_t offset, std::uint64_t length)>;

struct OneRecord {
  std::uint32_t kind = 0;
  std::string payload;
  std::uint64_t next = 0;  // where the one after it begins
};
// False at the end.
Result<bool> ReadRecord(const Source& source, std::string_view name, std::uint64_t offset,
                        OneRecord* record) {
  GYRE_TRY(const std::string head, source(offset, kHeadBytes));
  if (head.empty()) return false;
  Cursor in(head);
  std::uint64_t size = 0, sum = 0;
  if (!in.Get(&record->kind) || !in.Get(&size) || !in.Get(&sum) || size > kRecordBytesMax)
    return Damaged(name, "a record without a head");
  GYRE_TRY(record->payload, source(offset + kHeadBytes, size));
  if (record->payload.size() != size) return Damaged(name, "it ends too early");
  if (Xxh3(record->payload) != sum)
    return Damaged(name, fmt::format("the record at byte {} was changed", offset));
  record->next = offset + kHeadBytes + size;
  return true;
}

Result<Json> FirstRecord(const Source& source, std::string_view name, std::uint64_t* next) {
  GYRE_TRY(const std::string magic, source(0, kMagic.size()));
  if (magic != kMagic) return Damaged(name, "it does not begin as such a file does");
  OneRecord record;
  GYRE_TRY(const bool there, ReadRecord(source, name, kMagic.size(), &record));
  if (!there || record.kind != kFacts) return Damaged(name, "it does not say what it holds");
  *next = record.next;
  return Json::Parse(record.payload);
}

Result<> EachFrame(const Source& source, std::string_view name, const FrameCallback& callback) {
  std::uint64_t at = 0;
  GYRE_TRY(const Json facts, FirstRecord(source, name, &at));
  static_cast<void>(facts);
  while (true) {
    OneRecord record;
    GYRE_TRY(const bool there, ReadRecord(source, name, at, &record));
    if (!there) return {};
    table::Frame frame;
    if (record.kind != kFrame || !GetFrame(record.payload, &frame))
      return Damaged(name, fmt::format("the record at byte {} is no table", at));
    GYRE_DO(callback(frame));
    at = record.next;
  }
}

Source FileSource(const std::string& path) {
  return [&path](std::uint64_t offset, std::uint64_t length) {
    return exec::ReadFilePart(path, static_cast<std::int64_t>(offset),
                              static_cast<std::int64_t>(length));
  };
}
Source MemorySource(std::string_view bytes) {
  return [bytes](std::uint64_t offset, std::uint64_t length) -> Result<std::string> {
    return std::string(bytes.substr(std::min<std::uint64_t>(offset, bytes.size()), length));
  };
}
std::string NameOf(const std::string& path) { return path.substr(path.rfind('/') + 1); }

}  // namespace

void AppendHead(const Json& facts, std::string* out) {
  out->append(kMagic);
  const std::size_t payload = BeginRecord(kFacts, out);
  facts.DumpTo(out);
  EndRecord(payload, out);
}

void AppendFrameRecord(const table::Frame& frame, std::string* out) {
  const std::size_t payload = BeginRecord(kFrame, out);
  Put(static_cast<std::uint32_t>(frame.columns.size()), out);
  Put(static_cast<std::uint64_t>(frame.rows()), out);
  for (const Column& column : frame.columns) PutColumn(column, out);
  EndRecord(payload, out);
}

Result<Json> ReadFacts(const std::string& path) {
  std::uint64_t next = 0;
  return FirstRecord(FileSource(path), NameOf(path), &next);
}

Result<> ForEachFrame(const std::string& path, const FrameCallback& callback) {
  return EachFrame(FileSource(path), NameOf(path), callback);
}

Result<Json> FactsOf(std::string_view bytes, std::string_view name) {
  std::uint64_t next = 0;
  return FirstRecord(MemorySource(bytes), name, &next);
}

Result<> ForEachFrameOf(std::string_view bytes, std::string_view name,
                        const FrameCallback& callback) {
  return EachFrame(MemorySource(bytes), name, callback);
}

}  // namespace gyre::inference_log

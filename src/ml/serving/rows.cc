#include "ml/serving/rows.h"

#include <simdjson.h>

#include <algorithm>
#include <charconv>
#include <cmath>
#include <cstring>
#include <deque>
#include <limits>
#include <optional>
#include <vector>

#include "base/hash.h"
#include "base/text.h"
#include "base/time.h"

namespace gyre::serving {

namespace {

namespace od = simdjson::ondemand;
using table::Cell;
using table::Type;

constexpr std::uint32_t kIgnored = 0xffffffff;
constexpr std::uint32_t kKey = 0xfffffffe;  // no input: what labels may come by
constexpr std::size_t kShownBytes = 40;
constexpr std::size_t kNameBytesMax = 512;

// Keys come in the same order row after row, and request after request: what stood at each place
// last time is tried first.
struct Learned {
  std::uint64_t snapshot = 0;
  std::uint64_t key_generation = 0;
  std::string key_column;
  struct Place {
    std::string key;  // as it is spelled between the quotes
    std::uint32_t column = kIgnored;
  };
  std::vector<Place> places;
};

std::string Shown(std::string_view text) {
  std::string out(text.substr(0, kShownBytes));
  while (!out.empty() && !IsValidUtf8(out)) out.pop_back();
  return text.size() > kShownBytes ? out + "..." : out;
}

std::string_view TypeWords(Type type, table::TextFormat format) {
  switch (type) {
    case Type::kBool:
      return "true or false";
    case Type::kInt:
      return "a whole number";
    case Type::kDouble:
      return "a number";
    case Type::kText:
      return "text";
    case Type::kDate:
      if (format == table::TextFormat::kDayFirst)
        return "a date like \"2026-11-21\", or day first \"21/11/2026\"";
      if (format == table::TextFormat::kMonthFirst)
        return "a date like \"2026-11-21\", or month first \"11/21/2026\"";
      return "a date like \"2026-11-21\"";
    case Type::kTimestamp:
      return "a time like \"2026-11-21T08:30:00Z\"";
  }
  return "a value";
}

std::string_view JsonWords(od::value& value) {
  od::json_type type{};
  if (value.type().get(type) != simdjson::SUCCESS) return "something broken";
  switch (type) {
    case od::json_type::array:
      return "an array";
    case od::json_type::object:
      return "an object";
    case od::json_type::number:
      return "a number";
    case od::json_type::string:
      return "text";
    case od::json_type::boolean:
      return "a boolean";
    default:
      return "null";
  }
}

bool WholeNumber(od::value& value, std::int64_t* out) {
  if (value.get_int64().get(*out) == simdjson::SUCCESS) return true;
  double real = 0;
  if (value.get_double().get(real) != simdjson::SUCCESS) return false;
  if (!(std::fabs(real) < 9.2e18) || real != std::floor(real)) return false;
  *out = static_cast<std::int64_t>(real);
  return true;
}

// Writes the cell; false when the value does not fit the type.
bool ReadText(od::value& value, od::json_type type, Cell* cell) {
  if (type == od::json_type::string) return value.get_string().get(cell->text) == simdjson::SUCCESS;
  if (type != od::json_type::number && type != od::json_type::boolean) return false;
  cell->text = Trim(std::string_view(value.raw_json_token()));
  if (type == od::json_type::number) {
    double ignored = 0;
    return value.get_double().get(ignored) == simdjson::SUCCESS;
  }
  bool ignored = false;
  return value.get_bool().get(ignored) == simdjson::SUCCESS;
}

// An object or a list where the training data had such: as the importer spells it, without blanks.
bool ReadNested(od::value& value, std::deque<std::string>* kept, Cell* cell) {
  std::string_view text;
  if (simdjson::to_json_string(value).get(text) != simdjson::SUCCESS) return false;
  std::string& compact = kept->emplace_back(text.size() + simdjson::SIMDJSON_PADDING, '\0');
  std::size_t size = 0;
  if (simdjson::minify(text.data(), text.size(), compact.data(), size) != simdjson::SUCCESS)
    return false;
  compact.resize(size);
  cell->text = compact;
  return true;
}

// A date also as the training data spelled it.
bool ReadTime(od::value& value, Type column, table::TextFormat format, Cell* cell) {
  std::string_view text;
  if (value.get_string().get(text) != simdjson::SUCCESS) return false;
  if (format != table::TextFormat::kUsual && column == Type::kDate) {
    if (const auto days = table::ParseDate(text, format)) {
      cell->i = *days;
      return true;
    }
  }
  const auto time = table::ParseTimestamp(text);
  if (!time) return false;
  cell->i = *time;
  if (column == Type::kDate)
    cell->i = (*time - ((*time % kMicrosPerDay) + kMicrosPerDay) % kMicrosPerDay) / kMicrosPerDay;
  return true;
}

bool ReadBool(od::value& value, od::json_type type, Cell* cell) {
  if (type == od::json_type::boolean) {
    bool flag = false;
    if (value.get_bool().get(flag) != simdjson::SUCCESS) return false;
    cell->i = flag ? 1 : 0;
    return true;
  }
  return type == od::json_type::number && WholeNumber(value, &cell->i) &&
         (cell->i == 0 || cell->i == 1);
}

bool ReadValue(od::value& value, od::json_type type, Type column, table::TextFormat format,
               std::deque<std::string>* kept, Cell* cell) {
  const bool nested = type == od::json_type::object || type == od::json_type::array;
  switch (column) {
    case Type::kDouble:
      return type == od::json_type::number && value.get_double().get(cell->d) == simdjson::SUCCESS;
    case Type::kInt:
      return type == od::json_type::number && WholeNumber(value, &cell->i);
    case Type::kText:
      if (nested && format == table::TextFormat::kJson) return ReadNested(value, kept, cell);
      return ReadText(value, type, cell);
    case Type::kBool:
      return ReadBool(value, type, cell);
    case Type::kDate:
    case Type::kTimestamp:
      return type == od::json_type::string && ReadTime(value, column, format, cell);
  }
  return false;
}

Error BodyError(std::string_view what) {
  return InvalidArgument("GY3810", "the body is wrong: {}", what)
      .Why(R"(it must be {"inputs": [{"column": value, ...}, ...]})");
}

Error BodyError(simdjson::error_code code) {
  return BodyError(fmt::format("broken JSON ({})", simdjson::error_message(code)));
}

// Digits that are a JSON number, but none that 64 bits hold.
bool BeyondRange(Type column, od::json_type type, std::string_view raw) {
  if (type != od::json_type::number || (column != Type::kDouble && column != Type::kInt))
    return false;
  double value = 0;
  const auto [end, error] = std::from_chars(raw.data(), raw.data() + raw.size(), value);
  if (end != raw.data() + raw.size()) return false;
  return error == std::errc::result_out_of_range ||
         (column == Type::kInt && std::fabs(value) >= 9.2e18);
}

// What a number column was sent as text, as it stands in a file: "49,28".
std::optional<double> MeantNumber(Type column, table::TextFormat format, od::json_type type,
                                  std::string_view raw) {
  if (type != od::json_type::string || raw.size() < 2) return std::nullopt;
  if (column != Type::kDouble && column != Type::kInt) return std::nullopt;
  const auto number = table::NumberMeant(Trim(raw.substr(1, raw.size() - 2)), format);
  const bool fits = number && std::isfinite(*number) &&
                    (column == Type::kDouble || *number == std::floor(*number));
  return fits ? number : std::nullopt;
}

Error CellError(std::size_t row, const table::Field& field, table::TextFormat format,
                od::json_type type, od::value& value) {
  std::string_view raw = Trim(value.raw_json_token());
  if (BeyondRange(field.type, type, raw)) {
    return InvalidArgument("GY3811", "inputs[{}].{} is a number beyond what {} holds: {}", row,
                           field.name, field.type == Type::kInt ? "int" : "double", Shown(raw))
        .Why(field.type == Type::kInt ? "whole numbers have 64 bits"
                                      : "the largest number is about 1.8e308")
        .Where(fmt::format("inputs[{}].{}", row, field.name));
  }
  Error error =
      InvalidArgument("GY3811", "inputs[{}].{} must be {}, but {} was sent: {}", row, field.name,
                      TypeWords(field.type, format), JsonWords(value), Shown(raw))
          .Why(field.type == Type::kText ? "" : "a missing value is sent as null, or left out")
          .Where(fmt::format("inputs[{}].{}", row, field.name));
  const auto number = MeantNumber(field.type, format, type, raw);
  if (!number) return error;
  return std::move(error).Fix(
      fmt::format("send {} as a JSON number, without quotes: {}", Shown(raw), *number));
}

}  // namespace

struct RowReader::State {
  od::parser parser;
  std::vector<char> padded;
  std::vector<Cell> cells;
  std::vector<std::size_t> seen;  // by column: 1 + the row that set it
  std::vector<Learned> learned;
  std::deque<std::string> kept;  // texts of the request that do not stand in its body
  std::vector<std::int64_t> event_times;
  bool one_event_time = false;
  std::vector<std::string_view> ids, keys, row_keys;

  Learned& LearnedFor(const Snapshot& snapshot) {
    auto item = std::ranges::find(learned, snapshot.serial, &Learned::snapshot);
    if (item == learned.end()) {
      constexpr std::size_t kKeep = 16;
      if (learned.size() >= kKeep) learned.erase(learned.begin());
      learned.emplace_back().snapshot = snapshot.serial;
      item = std::prev(learned.end());
    }
    if (snapshot.stream == nullptr) return *item;
    const inference_log::KeyColumn& key = snapshot.stream->counters->key_column;
    if (const std::uint64_t generation = key.generation(); generation != item->key_generation) {
      item->key_generation = generation;
      item->key_column = key.Get();
      item->places.clear();
    }
    return *item;
  }

  Result<> Open(std::string_view body, od::document* document) {
    if (padded.size() < body.size() + simdjson::SIMDJSON_PADDING)
      padded.resize(body.size() + simdjson::SIMDJSON_PADDING);
    std::ranges::copy(body, padded.data());
    std::memset(padded.data() + body.size(), 0, simdjson::SIMDJSON_PADDING);
    const auto code = parser.iterate(padded.data(), body.size(), padded.size()).get(*document);
    return code == simdjson::SUCCESS ? Result<>() : BodyError(code);
  }

  Result<> ReadEventTime(od::value value, std::string_view place) {
    std::string_view text;
    const auto time =
        value.get_string().get(text) == simdjson::SUCCESS ? ParseTime(text) : std::nullopt;
    if (!time)
      return BodyError(fmt::format("`{}` is no time like \"2026-11-21T08:30:00Z\"", place));
    event_times.push_back(*time);
    return {};
  }

  // Text, or a whole number as it is spelled.
  Result<> ReadName(od::value value, std::string_view place, std::vector<std::string_view>* names) {
    std::string_view text;
    od::json_type type{};
    std::int64_t ignored = 0;
    const bool known = value.type().get(type) == simdjson::SUCCESS;
    if (known && type == od::json_type::string) {
      if (value.get_string().get(text) != simdjson::SUCCESS) text = {};
    } else if (known && type == od::json_type::number) {
      text = Trim(std::string_view(value.raw_json_token()));
      if (value.get_int64().get(ignored) != simdjson::SUCCESS) text = {};
    }
    if (text.empty() || text.size() > kNameBytesMax)
      return BodyError(fmt::format("`{}` is no text of 1 to {} bytes", place, kNameBytesMax));
    names->push_back(text);
    return {};
  }

  // What stands beside the rows: when they happened and how their labels will name them.
  Result<> ReadBeside(std::string_view key, od::value value) {
    if (key == "event_time") {
      one_event_time = true;
      return ReadEventTime(value, key);
    }
    if (key != "event_times" && key != "inference_ids" && key != "keys") return {};
    const std::string name(key);
    od::array array;
    if (value.get_array().get(array) != simdjson::SUCCESS)
      return BodyError(fmt::format("`{}` is no array", name));
    one_event_time = one_event_time && name != "event_times";
    std::size_t place = 0;
    for (auto item : array) {
      od::value one;
      if (const auto code = item.get(one); code != simdjson::SUCCESS) return BodyError(code);
      const std::string at = fmt::format("{}[{}]", name, place++);
      GYRE_DO(name == "event_times" ? ReadEventTime(one, at)
                                    : ReadName(one, at, name == "keys" ? &keys : &ids));
    }
    return {};
  }

  Result<> CheckBeside(std::size_t rows) const {
    const auto fits = [&](std::size_t size) { return size == 0 || size == rows; };
    const bool times = one_event_time ? event_times.size() == 1 : fits(event_times.size());
    if (times && fits(ids.size()) && fits(keys.size())) return {};
    return BodyError(fmt::format("`{}` must have one value for each of the {} rows",
                                 !times             ? "event_times"
                                 : fits(ids.size()) ? "keys"
                                                    : "inference_ids",
                                 rows));
  }

  // The column that this key names; kIgnored for one that the model does not know.
  Result<std::uint32_t> ColumnOf(od::field& field, std::size_t place, Learned& learned_order,
                                 const Snapshot& snapshot) {
    const char* raw = field.key().raw();
    if (place < learned_order.places.size()) {
      const Learned::Place& last = learned_order.places[place];
      // The buffer is padded, and the last byte of the body is no quote: the comparison stays
      // inside it.
      if (std::strncmp(raw, last.key.data(), last.key.size()) == 0 && raw[last.key.size()] == '"')
        return last.column;
    }
    std::string_view key;
    if (const auto code = field.unescaped_key().get(key); code != simdjson::SUCCESS)
      return BodyError(code);
    const auto found = snapshot.columns.find(key);
    std::uint32_t column = found == snapshot.columns.end() ? kIgnored : found->second;
    if (column == kIgnored && key == learned_order.key_column) column = kKey;
    constexpr std::size_t kPlacesMax = 4096;
    if (place < kPlacesMax && std::strncmp(raw, key.data(), key.size()) == 0 &&
        raw[key.size()] == '"' && key.find('\0') == std::string_view::npos) {
      if (learned_order.places.size() <= place)
        learned_order.places.resize(place + 1, {std::string(1, '"'), kIgnored});
      learned_order.places[place] = {std::string(key), column};
    }
    return column;
  }

  // Empty when it is none: the row then has no key.
  static std::string_view KeyText(od::value& value) {
    Cell cell = Cell::Null(Type::kText);
    od::json_type type{};
    if (value.type().get(type) != simdjson::SUCCESS || !ReadText(value, type, &cell)) return {};
    return cell.text.size() <= kNameBytesMax ? cell.text : std::string_view();
  }

  Result<> ReadRow(od::object& object, std::size_t row, Learned& order, const Snapshot& snapshot,
                   RowFacts* facts) {
    const table::Schema& schema = snapshot.info.scorer->input();
    for (std::size_t i = 0; i < cells.size(); ++i) cells[i] = Cell::Null(schema[i].type);
    std::size_t place = 0;
    for (auto item : object) {
      od::field field;
      if (const auto code = std::move(item).get(field); code != simdjson::SUCCESS)
        return BodyError(code);
      GYRE_TRY(const std::uint32_t column, ColumnOf(field, place++, order, snapshot));
      if (column == kIgnored) {
        ++facts->ignored;
        continue;
      }
      if (column == kKey) {
        row_keys.resize(row);
        row_keys.push_back(KeyText(field.value()));
        continue;
      }
      if (seen[column] == row + 1) {
        return InvalidArgument("GY3811", "inputs[{}] names column `{}` twice", row,
                               schema[column].name)
            .Where(fmt::format("inputs[{}].{}", row, schema[column].name));
      }
      seen[column] = row + 1;
      od::value& value = field.value();
      od::json_type type{};
      if (const auto code = value.type().get(type); code != simdjson::SUCCESS)
        return BodyError(code);
      Cell& cell = cells[column];
      if (type == od::json_type::null) {
        bool is_null = false;
        if (value.is_null().get(is_null) != simdjson::SUCCESS || !is_null)
          return BodyError("broken JSON (a word that is not null)");
        continue;
      }
      if (!ReadValue(value, type, schema[column].type, snapshot.text_formats[column], &kept, &cell))
        return CellError(row, schema[column], snapshot.text_formats[column], type, value);
      cell.valid = true;
    }
    return {};
  }

  Result<> ReadRows(od::array& array, const Snapshot& snapshot, std::size_t rows_max, RowSink& sink,
                    RowFacts* facts) {
    Learned& order = LearnedFor(snapshot);
    cells.resize(snapshot.info.scorer->input().size());
    seen.assign(cells.size(), 0);
    for (auto item : array) {
      od::object object;
      if (const auto code = item.get_object().get(object); code != simdjson::SUCCESS) {
        if (code != simdjson::INCORRECT_TYPE) return BodyError(code);
        return BodyError(fmt::format("inputs[{}] is no object", facts->rows));
      }
      if (facts->rows == rows_max) {
        return InvalidArgument("GY3812", "more than {} rows in one request", rows_max)
            .Fix("send several requests, or score a file: gyre predict MODEL --in FILE --out FILE");
      }
      GYRE_DO(ReadRow(object, facts->rows, order, snapshot, facts));
      sink.Row(cells);
      ++facts->rows;
    }
    return {};
  }
};

namespace {

// The value as it is spelled, a text without its quotes: 7 and "7" are the same caller.
std::uint64_t HashOf(od::value value) {
  std::string_view text;
  od::json_type type{};
  if (value.type().get(type) != simdjson::SUCCESS || type == od::json_type::null) return 0;
  if (type == od::json_type::string) {
    if (value.get_string().get(text) != simdjson::SUCCESS) return 0;
  } else {
    text = Trim(std::string_view(value.raw_json_token()));
  }
  return Xxh3(text);
}

}  // namespace

std::uint64_t RowReader::KeyOf(std::string_view body, Sticky::By by, std::string_view name) {
  od::document document;
  od::object object;
  od::value value;
  if (!state_->Open(body, &document) || document.get_object().get(object) != simdjson::SUCCESS)
    return 0;
  if (by == Sticky::By::kMember)
    return object.find_field_unordered(name).get(value) == simdjson::SUCCESS ? HashOf(value) : 0;
  od::array rows;
  if (object.find_field_unordered("inputs").get_array().get(rows) != simdjson::SUCCESS) return 0;
  for (auto row : rows) {
    return row.find_field_unordered(name).get(value) == simdjson::SUCCESS ? HashOf(value) : 0;
  }
  return 0;
}

Result<RowFacts> CheckEventTimes(const RowFacts& facts, std::int64_t now_us) {
  for (const std::int64_t time_us : facts.event_times_us) {
    if (time_us > now_us + kEventAheadMax)
      return BodyError(fmt::format("the event time {} is more than a year ahead of the clock ({})",
                                   FormatTime(time_us), FormatTime(now_us)));
  }
  return facts;
}

RowReader::RowReader() : state_(std::make_unique<State>()) {}
RowReader::~RowReader() = default;

Result<RowFacts> RowReader::Read(std::string_view body, const Snapshot& snapshot,
                                 std::size_t rows_max, RowSink& sink) {
  State& s = *state_;
  s.kept.clear();
  s.event_times.clear();
  s.one_event_time = false;
  s.ids.clear();
  s.keys.clear();
  s.row_keys.clear();
  od::document document;
  if (const auto opened = s.Open(body, &document); !opened) return opened.error();
  od::object object;
  if (const auto code = document.get_object().get(object); code != simdjson::SUCCESS) {
    if (code == simdjson::INCORRECT_TYPE) return BodyError("it is no JSON object");
    return BodyError(code);
  }
  RowFacts facts;
  bool found = false;
  for (auto item : object) {
    od::field field;
    if (const auto code = std::move(item).get(field); code != simdjson::SUCCESS)
      return BodyError(code);
    std::string_view key;
    if (const auto code = field.unescaped_key().get(key); code != simdjson::SUCCESS)
      return BodyError(code);
    if (key != "inputs") {
      GYRE_DO(s.ReadBeside(key, field.value()));
      continue;
    }
    if (found) return BodyError("`inputs` stands twice");
    found = true;
    od::array array;
    if (const auto code = field.value().get_array().get(array); code != simdjson::SUCCESS) {
      if (code == simdjson::INCORRECT_TYPE) return BodyError("`inputs` is no array");
      return BodyError(code);
    }
    GYRE_DO(s.ReadRows(array, snapshot, rows_max, sink, &facts));
  }
  if (!found) return BodyError("`inputs` is missing");
  if (document.current_location().error() == simdjson::SUCCESS)
    return BodyError("something follows the JSON object");
  GYRE_DO(s.CheckBeside(facts.rows));
  facts.event_times_us = s.event_times;
  facts.inference_ids = s.ids;
  if (!s.row_keys.empty()) s.row_keys.resize(facts.rows);
  facts.keys = s.keys.empty() ? s.row_keys : s.keys;
  return facts;
}

}  // namespace gyre::serving

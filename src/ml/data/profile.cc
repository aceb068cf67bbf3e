#include "ml/data/profile.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include "base/hash.h"
#include "ml/data/sketches.h"
#include "platform/table/append.h"
#include "platform/table/reader.h"

namespace gyre::data {

namespace {
constexpr std::size_t kSampleMax = 65'536;
constexpr std::size_t kExactMax = 65'536;
constexpr std::size_t kTop = 10;
constexpr std::size_t kHistogramBins = 20;

// Sums of one chunk that merge exactly enough: count, mean, sum of squared differences.
struct Moments {
  std::int64_t count = 0;
  double mean = 0, squares = 0;
  void Merge(const Moments& other) {
    if (other.count == 0) return;
    const double n = static_cast<double>(count), m = static_cast<double>(other.count);
    const double delta = other.mean - mean;
    mean += delta * m / (n + m);
    squares += other.squares + delta * delta * n * m / (n + m);
    count += other.count;
  }
};

template <class T>
struct Range {
  T min = std::numeric_limits<T>::max(), max = std::numeric_limits<T>::lowest();
  T last = 0;
};

struct ColumnState {
  table::Field field;
  std::int64_t rows = 0, missing = 0, zeros = 0, negative = 0, not_finite = 0;
  Range<double> doubles;
  Range<std::int64_t> wholes;
  Moments moments;
  bool increasing = true, any = false;
  std::int64_t characters = 0, words = 0, length_min = std::numeric_limits<std::int64_t>::max(),
               length_max = 0, empty = 0;
  CountTable counts;
  std::vector<std::string> first_values;  // text of counted keys, by Slot::row
  bool overflow = false;
  HyperLogLog sketch;

  void AddKey(std::uint64_t key, std::uint32_t row) {
    if (!overflow) {
      if (counts.Add(key, row, kExactMax)) return;
      overflow = true;
      for (const CountTable::Slot& slot : counts.slots()) {
        if (slot.count != 0) sketch.Add(slot.key);
      }
      first_values.clear();
      first_values.shrink_to_fit();
    }
    sketch.Add(key);
  }
};

void AddText(const table::Column& column, ColumnState* state) {
  const auto keep = [&](std::string_view value, std::size_t before) {
    if (!state->overflow && state->counts.size() > before) state->first_values.emplace_back(value);
  };
  for (std::size_t row = 0; row < column.size(); ++row) {
    if (!column.IsValid(row)) {
      ++state->missing;
      continue;
    }
    const std::string_view value = column.text[row];
    const std::size_t before = state->counts.size();
    state->AddKey(MixBits(Xxh3(value)), static_cast<std::uint32_t>(state->first_values.size()));
    keep(value, before);
    const auto length = static_cast<std::int64_t>(value.size());
    state->characters += length;
    state->words += 1 + std::count(value.begin(), value.end(), ' ');
    state->empty += length == 0;
    state->length_min = std::min(state->length_min, length);
    state->length_max = std::max(state->length_max, length);
  }
}

std::uint64_t BitsOf(std::int64_t value) { return static_cast<std::uint64_t>(value); }
// +0.0 makes one value of both zeros.
std::uint64_t BitsOf(double value) { return __builtin_bit_cast(std::uint64_t, value + 0.0); }

template <class T>
void AddNumbers(const table::Column& column, const std::vector<T>& values, Range<T>* range,
                ColumnState* state) {
  double sum = 0;
  std::int64_t count = 0;
  const bool all_valid = column.valid.empty();
  T last = range->last;
  bool increasing = state->increasing, any = state->any;
  for (std::size_t row = 0; row < values.size(); ++row) {
    if (!all_valid && column.valid[row] == 0) {
      ++state->missing;
      continue;
    }
    const T value = values[row];
    if constexpr (std::is_same_v<T, double>) {
      if (!std::isfinite(value)) {
        ++state->not_finite;
        continue;
      }
    }
    state->AddKey(MixBits(BitsOf(value)), 0);
    increasing = increasing && (!any || value > last);
    any = true;
    last = value;
    sum += static_cast<double>(value);
    ++count;
    range->min = std::min(range->min, value);
    range->max = std::max(range->max, value);
    state->zeros += value == 0;
    state->negative += value < 0;
  }
  range->last = last;
  state->increasing = increasing;
  state->any = any;
  if (count == 0) return;
  Moments chunk;
  chunk.count = count;
  chunk.mean = sum / static_cast<double>(count);
  for (std::size_t row = 0; row < values.size(); ++row) {
    const double difference = static_cast<double>(values[row]) - chunk.mean;
    if ((all_valid || column.valid[row] != 0) && std::isfinite(difference))
      chunk.squares += difference * difference;
  }
  state->moments.Merge(chunk);
}

void AddColumn(const table::Column& column, ColumnState* state) {
  if (column.type == table::Type::kText) {
    AddText(column, state);
  } else if (column.type == table::Type::kDouble) {
    AddNumbers(column, column.doubles, &state->doubles, state);
  } else {
    AddNumbers(column, column.ints, &state->wholes, state);
  }
}

std::uint64_t Unmixed(std::uint64_t key) {
  // The inverse of MixBits: both constants have an inverse modulo 2^64.
  key ^= key >> 33;
  key *= 0x9cb4b2f8129337dbULL;
  key ^= key >> 33;
  key *= 0x4f74430c22a54005ULL;
  return key ^ (key >> 33);
}

// The value that a key stands for, as text.
std::string NumberText(table::Type type, std::uint64_t key) {
  table::Column column;
  column.type = type;
  if (type == table::Type::kDouble) {
    column.PushDouble(__builtin_bit_cast(double, Unmixed(key)));
  } else {
    column.PushInt(static_cast<std::int64_t>(Unmixed(key)));
  }
  return table::CellText(column, 0);
}

std::vector<ValueCount> TopOf(const ColumnState& state) {
  std::vector<CountTable::Slot> slots;
  for (const CountTable::Slot& slot : state.counts.slots()) {
    if (slot.count != 0) slots.push_back(slot);
  }
  const auto text = [&](const CountTable::Slot& slot) {
    return state.field.type == table::Type::kText ? state.first_values[slot.row]
                                                  : NumberText(state.field.type, slot.key);
  };
  const std::size_t count = std::min(kTop, slots.size());
  std::partial_sort(slots.begin(), slots.begin() + static_cast<std::ptrdiff_t>(count), slots.end(),
                    [&](const auto& a, const auto& b) {
                      if (a.count != b.count) return a.count > b.count;
                      return text(a) < text(b);
                    });
  std::vector<ValueCount> top;
  for (std::size_t i = 0; i < count; ++i) top.push_back({text(slots[i]), slots[i].count});
  return top;
}

void SampleStatistics(const table::Column& sample, std::int64_t filled, ColumnProfile* profile) {
  std::vector<double> values = table::AsDoubles(sample);
  std::erase_if(values, [](double v) { return !std::isfinite(v); });
  if (values.empty()) return;
  std::sort(values.begin(), values.end());
  for (const double q : kQuantiles) {  // linear between neighbours, as R's type 7
    const double at = q * static_cast<double>(values.size() - 1);
    const auto low = static_cast<std::size_t>(at);
    const double next = values[std::min(low + 1, values.size() - 1)];
    profile->quantiles.push_back(values[low] +
                                 (at - static_cast<double>(low)) * (next - values[low]));
  }
  const bool whole = profile->type != table::Type::kDouble;
  const double span = profile->max - profile->min;
  const auto bins =
      static_cast<std::size_t>(std::clamp(whole ? span + 1 : static_cast<double>(kHistogramBins),
                                          1.0, static_cast<double>(kHistogramBins)));
  if (!std::isfinite(span)) return;
  for (std::size_t i = 0; i <= bins; ++i)
    profile->edges.push_back(profile->min +
                             span * static_cast<double>(i) / static_cast<double>(bins));
  std::vector<std::int64_t> counts(bins, 0);
  for (const double value : values) {
    const double at = span > 0 ? (value - profile->min) / span * static_cast<double>(bins) : 0;
    ++counts[std::min(bins - 1, static_cast<std::size_t>(at))];
  }
  const double scale = static_cast<double>(filled) / static_cast<double>(values.size());
  for (const std::int64_t count : counts)
    profile->counts.push_back(std::llround(static_cast<double>(count) * scale));
}

// Beyond the exact bound: most frequent values of the sample, scaled.
std::vector<ValueCount> TopOfSample(const table::Column& sample, double scale) {
  ColumnState state;
  state.field.type = sample.type;
  AddColumn(sample, &state);
  if (state.overflow) return {};
  std::vector<ValueCount> top = TopOf(state);
  std::erase_if(top,
                [](const ValueCount& value) { return value.count < 2; });  // seen once says nothing
  for (ValueCount& value : top)
    value.count = std::llround(static_cast<double>(value.count) * scale);
  return top;
}
}  // namespace

struct Profiler::State {
  std::vector<ColumnState> columns;
  std::int64_t rows = 0;
  std::int64_t stride = 1;  // every stride-th row is in the sample
  table::Frame sample;
};

Profiler::Profiler(const table::Schema& schema) : state_(std::make_unique<State>()) {
  for (const table::Field& field : schema) {
    state_->columns.emplace_back();
    state_->columns.back().field = field;
  }
  state_->sample = table::EmptyFrame(schema);
}
Profiler::~Profiler() = default;
Profiler::Profiler(Profiler&&) noexcept = default;
Profiler& Profiler::operator=(Profiler&&) noexcept = default;

void Profiler::Add(const table::Frame& chunk) {
  for (std::size_t i = 0; i < state_->columns.size(); ++i) {
    const table::Column& column = chunk.columns[i];
    ColumnState& state = state_->columns[i];
    state.rows += static_cast<std::int64_t>(column.size());
    AddColumn(column, &state);
  }
  const auto rows = static_cast<std::int64_t>(chunk.rows());
  // Twice as sparse whenever the sample would overflow: what is kept stays evenly spaced.
  while ((state_->rows + rows + state_->stride - 1) / state_->stride >
         static_cast<std::int64_t>(kSampleMax)) {
    state_->stride *= 2;
    std::vector<std::uint32_t> kept;
    for (std::uint32_t i = 0; i < state_->sample.rows(); i += 2) kept.push_back(i);
    state_->sample = state_->sample.Select(kept);
  }
  std::vector<std::uint32_t> picked;
  const std::int64_t first = (state_->stride - state_->rows % state_->stride) % state_->stride;
  for (std::int64_t row = first; row < rows; row += state_->stride)
    picked.push_back(static_cast<std::uint32_t>(row));
  table::AppendFrame(chunk.Select(picked), &state_->sample);
  state_->rows += rows;
}

table::Frame Profiler::Sample() const { return state_->sample; }

Profile Profiler::Finish() const {
  Profile profile;
  profile.rows = state_->rows;
  profile.sampled_rows = static_cast<std::int64_t>(state_->sample.rows());
  for (std::size_t i = 0; i < state_->columns.size(); ++i) {
    const ColumnState& state = state_->columns[i];
    const table::Column& sample = state_->sample.columns[i];
    ColumnProfile column;
    column.name = state.field.name;
    column.type = state.field.type;
    column.rows = state.rows;
    column.missing = state.missing;
    column.distinct = state.overflow ? std::llround(state.sketch.Estimate())
                                     : static_cast<std::int64_t>(state.counts.size());
    column.distinct = std::min(column.distinct, state.rows - state.missing);
    column.distinct_method = state.overflow ? "hll.14" : "distinct.exact";
    const double scale = profile.sampled_rows > 0 ? static_cast<double>(profile.rows) /
                                                        static_cast<double>(profile.sampled_rows)
                                                  : 1;
    column.top = state.overflow ? TopOfSample(sample, scale) : TopOf(state);
    const std::int64_t filled = state.rows - state.missing;
    column.increasing = state.increasing && state.any;
    if (column.type == table::Type::kText) {
      column.increasing = false;
      column.length_min = filled > 0 ? state.length_min : 0;
      column.length_max = state.length_max;
      column.empty = state.empty;
      column.mean_length =
          filled > 0 ? static_cast<double>(state.characters) / static_cast<double>(filled) : 0;
      column.mean_words =
          filled > 0 ? static_cast<double>(state.words) / static_cast<double>(filled) : 0;
    } else {
      const std::int64_t n = state.moments.count;
      const double nan = std::numeric_limits<double>::quiet_NaN();
      const bool whole = column.type != table::Type::kDouble;
      if (whole && n > 0) {
        column.whole_min = state.wholes.min;
        column.whole_max = state.wholes.max;
      }
      column.min = n == 0 ? nan : whole ? static_cast<double>(state.wholes.min) : state.doubles.min;
      column.max = n == 0 ? nan : whole ? static_cast<double>(state.wholes.max) : state.doubles.max;
      column.mean = n > 0 ? state.moments.mean : nan;
      column.deviation =
          n > 1 ? std::sqrt(state.moments.squares / static_cast<double>(n - 1)) : nan;
      column.zeros = state.zeros;
      column.negative = state.negative;
      column.not_finite = state.not_finite;
      if (n > 0) SampleStatistics(sample, n, &column);
    }
    profile.columns.push_back(std::move(column));
  }
  return profile;
}

Profile ProfileFrame(const table::Frame& frame) {
  Profiler profiler(frame.schema());
  profiler.Add(frame);
  return profiler.Finish();
}

}  // namespace gyre::data

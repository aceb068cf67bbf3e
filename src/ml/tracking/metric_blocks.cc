#include "ml/tracking/metric_blocks.h"

#include <algorithm>
#include <array>
#include <bit>
#include <cmath>
#include <cstring>

namespace gyre::tracking {
namespace {

static_assert(std::endian::native == std::endian::little);
constexpr char kBlocks = 3;
constexpr unsigned kTimesRise = 1U << 5;

Mark MarkAt(const Series& series, std::size_t i, std::int64_t base) {
  return {base + static_cast<std::int64_t>(i), series.steps[i], series.times_us[i],
          series.values[i]};
}

void TakeValue(const Mark& mark, Block* block) {
  const auto keep_first = [&](std::optional<Mark>& kept) {
    if (!kept) kept = mark;
  };
  if (std::isnan(mark.value)) return keep_first(block->nan);
  if (std::isinf(mark.value)) return keep_first(mark.value > 0 ? block->up : block->down);
  if (!block->least || mark.value < block->least->value) block->least = mark;
  if (!block->most || mark.value > block->most->value) block->most = mark;
}

// In the order of their flags.
std::array<const std::optional<Mark>*, 5> Optional(const Block& block) {
  return {&block.least, &block.most, &block.nan, &block.up, &block.down};
}
std::array<std::optional<Mark>*, 5> Optional(Block& block) {
  return {&block.least, &block.most, &block.nan, &block.up, &block.down};
}

template <class T>
void Put(T value, std::string* out) {
  static_assert(sizeof(T) == 8);
  char bytes[sizeof(T)];
  std::memcpy(bytes, &value, sizeof(T));
  out->append(bytes, sizeof(T));
}

void PutMark(const Mark& mark, std::string* out) {
  Put(mark.place, out);
  Put(mark.step, out);
  Put(mark.time_us, out);
  Put(mark.value, out);
}

class Input {
 public:
  explicit Input(std::string_view bytes) : bytes_(bytes) {}
  bool ended() const { return bytes_.empty(); }
  bool Byte(unsigned* value) {
    if (bytes_.empty()) return false;
    *value = static_cast<unsigned char>(bytes_.front());
    bytes_.remove_prefix(1);
    return true;
  }
  template <class T>
  bool Get(T* value) {
    if (bytes_.size() < sizeof(T)) return false;
    std::memcpy(value, bytes_.data(), sizeof(T));
    bytes_.remove_prefix(sizeof(T));
    return true;
  }
  bool Get(Mark* mark) {
    return Get(&mark->place) && Get(&mark->step) && Get(&mark->time_us) && Get(&mark->value);
  }

 private:
  std::string_view bytes_;
};

bool GetBlock(Input& in, Block* block) {
  unsigned flags = 0;
  if (!in.Byte(&flags) || !in.Get(&block->points)) return false;
  if (!in.Get(&block->first) || !in.Get(&block->last)) return false;
  block->times_rise = (flags & kTimesRise) != 0;
  unsigned flag = 1;
  for (std::optional<Mark>* mark : Optional(*block)) {
    if ((flags & flag) != 0 && !in.Get(&mark->emplace())) return false;
    flag <<= 1;
  }
  return true;
}

}  // namespace

Block Summarize(const Series& series, std::size_t begin, std::size_t end, std::int64_t base) {
  Block block{.points = static_cast<std::int64_t>(end - begin),
              .first = MarkAt(series, begin, base),
              .last = MarkAt(series, end - 1, base)};
  for (std::size_t i = begin; i < end; ++i) {
    TakeValue(MarkAt(series, i, base), &block);
    if (i > begin && series.times_us[i] < series.times_us[i - 1]) block.times_rise = false;
  }
  return block;
}

std::vector<Block> BlocksOf(const Series& series, std::int64_t base) {
  std::vector<Block> blocks;
  for (std::size_t begin = 0; begin < series.size(); begin += kBlockPoints)
    blocks.push_back(Summarize(series, begin, std::min(begin + kBlockPoints, series.size()), base));
  return blocks;
}

void Join(const Block& later, std::int64_t shift, Block* block) {
  const auto moved = [shift](Mark mark) {
    mark.place += shift;
    return mark;
  };
  if (block->points == 0) {
    block->first = moved(later.first);
  } else if (later.first.time_us < block->last.time_us) {
    block->times_rise = false;
  }
  block->points += later.points;
  block->last = moved(later.last);
  block->times_rise = block->times_rise && later.times_rise;
  for (const std::optional<Mark>* mark : Optional(later)) {
    if (*mark) TakeValue(moved(**mark), block);
  }
}

std::vector<Mark> MarksOf(const Block& block) {
  std::vector<Mark> marks;
  for (const std::optional<Mark>* mark : Optional(block)) {
    if (*mark) marks.push_back(**mark);
  }
  std::ranges::sort(marks, {}, &Mark::place);
  const auto same = std::ranges::unique(marks, {}, &Mark::place);
  marks.erase(same.begin(), same.end());
  return marks;
}

std::string EncodeBlocks(std::span<const Block> blocks) {
  std::string out(1, kBlocks);
  for (const Block& block : blocks) {
    unsigned flags = block.times_rise ? kTimesRise : 0, flag = 1;
    for (const std::optional<Mark>* mark : Optional(block)) {
      if (*mark) flags |= flag;
      flag <<= 1;
    }
    out.push_back(static_cast<char>(flags));
    Put(block.points, &out);
    PutMark(block.first, &out);
    PutMark(block.last, &out);
    for (const std::optional<Mark>* mark : Optional(block)) {
      if (*mark) PutMark(**mark, &out);
    }
  }
  return out;
}

Result<std::vector<Block>> DecodeBlocks(std::string_view bytes) {
  const auto broken = [] {
    return MakeError(Code::kDataLoss, "GY3410", "stored metric points are damaged");
  };
  if (bytes.empty() || bytes.front() != kBlocks) return broken();
  Input in(bytes.substr(1));
  std::vector<Block> blocks;
  while (!in.ended()) {
    if (!GetBlock(in, &blocks.emplace_back())) return broken();
  }
  return blocks;
}

}  // namespace gyre::tracking

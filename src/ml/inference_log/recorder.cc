#include "ml/inference_log/recorder.h"

#include <algorithm>
#include <cstring>

namespace gyre::inference_log {
namespace {

constexpr std::size_t kFirstBytes = 64 << 10;

template <class T>
char* Put(char* to, T value) {
  std::memcpy(to, &value, sizeof value);
  return to + sizeof value;
}

std::size_t TextBytes(std::span<const std::string_view> texts) {
  std::size_t bytes = 0;
  for (const std::string_view text : texts) bytes += sizeof(std::uint32_t) + text.size();
  return bytes;
}

char* PutText(char* to, std::string_view text) {
  to = Put(to, static_cast<std::uint32_t>(text.size()));
  if (!text.empty()) std::memcpy(to, text.data(), text.size());
  return to + text.size();
}

}  // namespace

std::uint64_t SampleKey(std::uint64_t id_low, std::uint32_t row) {
  std::uint64_t z = id_low + 0x9E3779B97F4A7C15 * (std::uint64_t{row} + 1);
  z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9;
  z = (z ^ (z >> 27)) * 0x94D049BB133111EB;
  return z ^ (z >> 31);
}

void Buffer::Grow(std::size_t least) {
  const std::size_t capacity = std::max({least, 2 * capacity_, kFirstBytes});
  auto bytes = std::make_unique_for_overwrite<char[]>(capacity);
  if (size_ > 0) std::memcpy(bytes.get(), bytes_.get(), size_);
  bytes_ = std::move(bytes);
  capacity_ = capacity;
}

Lane::~Lane() {
  delete full.load();
  delete spare.load();
}

std::shared_ptr<Lane> Lanes::New() {
  auto lane = std::make_shared<Lane>();
  const MutexLock lock(mutex_);
  lanes_.push_back(lane);
  return lane;
}

std::vector<std::shared_ptr<Lane>> Lanes::All() {
  const MutexLock lock(mutex_);
  std::vector<std::shared_ptr<Lane>> all = lanes_;
  // A lane that only we hold gets nothing more; what it holds is in `all` for the last time.
  std::erase_if(lanes_, [](const std::shared_ptr<Lane>& lane) { return lane.use_count() == 2; });
  return all;
}

void Recorder::Begin(const Stream* stream, std::uint64_t id_high, std::uint64_t id_low) {
  Discard();
  if (stream == nullptr) return;
  sample_below_ = stream->counters->sample_below.load(std::memory_order_relaxed);
  if (sample_below_ == 0) return;
  stream_ = stream;
  if (lanes_ != stream->lanes) {
    lanes_ = stream->lanes;
    lane_ = lanes_->New();
  }
  // No room: what may be kept is not known yet.
  bytes_max_ =
      stream->counters->policy_read.load(std::memory_order_acquire) ? lanes_->bytes_max : 0;
  buffer_ = lane_->full.exchange(nullptr, std::memory_order_acquire);
  if (buffer_ == nullptr) buffer_ = lane_->spare.exchange(nullptr, std::memory_order_acquire);
  if (buffer_ == nullptr) buffer_ = new Buffer;
  begin_ = buffer_->size();
  buffer_->Extend(sizeof(RequestHead));
  head_ = {.stream = stream->serial, .id_high = id_high, .id_low = id_low};
  dropped_ = left_out_ = 0;
}

// A row: its number in the request, a bit for each missing cell, 8 bytes for each cell (of text its
// length), the outputs, the texts.
void Recorder::Append(std::span<const table::Cell> cells, double prediction, std::uint32_t label,
                      std::span<const double> probabilities) {
  const std::uint32_t row = head_.answered++;
  if (sample_below_ != ~std::uint64_t{0} && SampleKey(head_.id_low, row) > sample_below_) {
    ++left_out_;
    return;
  }
  const std::size_t mask_bytes = (cells.size() + 7) / 8;
  std::size_t text_bytes = 0;
  for (const table::Cell& cell : cells) {
    if (cell.type == table::Type::kText) text_bytes += cell.text.size();
  }
  const std::size_t outputs = stream_->spec.classes.empty() ? 1 : probabilities.size();
  const std::size_t bytes = 2 * sizeof(std::uint32_t) + mask_bytes +
                            sizeof(double) * (cells.size() + outputs) + text_bytes;
  if (buffer_->size() + bytes > bytes_max_) {
    ++dropped_;
    return;
  }
  char* to = buffer_->Extend(bytes);
  to = Put(to, row);
  to = Put(to, label);
  char* const mask = to;
  std::memset(mask, 0, mask_bytes);
  to += mask_bytes;
  for (std::size_t i = 0; i < cells.size(); ++i) {
    const table::Cell& cell = cells[i];
    if (!cell.valid) mask[i / 8] = static_cast<char>(mask[i / 8] | (1 << (i % 8)));
    if (cell.type == table::Type::kDouble)
      to = Put(to, cell.d);
    else if (cell.type == table::Type::kText)
      to = Put(to, static_cast<std::uint64_t>(cell.text.size()));
    else
      to = Put(to, cell.i);
  }
  if (stream_->spec.classes.empty())
    to = Put(to, prediction);
  else
    for (const double p : probabilities) to = Put(to, p);
  for (const table::Cell& cell : cells) {
    if (cell.type != table::Type::kText || cell.text.empty()) continue;
    std::memcpy(to, cell.text.data(), cell.text.size());
    to += cell.text.size();
  }
  ++head_.rows;
}

void Recorder::Publish(const RequestFacts& facts) {
  EndpointCounters& counters = *stream_->counters;
  if (head_.rows == 0) {
    buffer_->Truncate(begin_);
  } else {
    head_.received_us = facts.received_us;
    head_.latency_us = facts.latency_us;
    head_.event_times = static_cast<std::uint32_t>(facts.event_times_us.size());
    head_.ids = static_cast<std::uint32_t>(facts.inference_ids.size());
    head_.keys = static_cast<std::uint32_t>(facts.keys.size());
    char* to = buffer_->Extend(facts.event_times_us.size_bytes() + TextBytes(facts.inference_ids) +
                               TextBytes(facts.keys));
    for (const std::int64_t time_us : facts.event_times_us) to = Put(to, time_us);
    for (const std::string_view text : facts.inference_ids) to = PutText(to, text);
    for (const std::string_view text : facts.keys) to = PutText(to, text);
    head_.bytes = buffer_->size() - begin_;
    Put(buffer_->data() + begin_, head_);
  }
  if (left_out_ != 0) counters.left_out.fetch_add(left_out_, std::memory_order_relaxed);
  if (dropped_ != 0) counters.Drop(dropped_);
  counters.taken.fetch_add(head_.rows, std::memory_order_relaxed);
  Release();
}

void Recorder::Discard() {
  if (stream_ == nullptr) return;
  buffer_->Truncate(begin_);
  Release();
}

// The lane is empty: only this thread fills it.
void Recorder::Release() {
  lane_->full.store(buffer_, std::memory_order_release);
  buffer_ = nullptr;
  stream_ = nullptr;
}

}  // namespace gyre::inference_log

#include "ml/monitoring/backlog.h"

#include <algorithm>

#include "base/time.h"

namespace gyre::monitoring {
namespace {

constexpr int kAloneMax = 3;             // then the others are believed to be too large as well
constexpr std::int64_t kMuchFaster = 4;  // than the one that was too large: twice as much will do

std::int64_t RowsOf(const std::vector<JudgedWindow>& windows) {
  std::int64_t rows = 0;
  for (const JudgedWindow& window : windows) rows += window.rows;
  return rows;
}

// The first ones that fit; at least one.
std::vector<JudgedWindow> FirstOf(const std::vector<JudgedWindow>& windows, const BatchSize& size) {
  std::vector<JudgedWindow> first;
  std::int64_t rows = 0;
  for (const JudgedWindow& window : windows) {
    rows += window.rows;
    const bool fits = std::ssize(first) < size.windows && rows <= size.rows;
    if (!first.empty() && !fits) break;
    first.push_back(window);
  }
  return first;
}

// It took too long, or too much memory (and died of it).
bool IsTooLarge(const Error& error) {
  return error.code() == Code::kDeadlineExceeded || error.code() == Code::kResourceExhausted ||
         error.gy() == "GY3305";
}

}  // namespace

std::optional<Backlog::Batch> Backlog::Next() const {
  if (fresh_due_) {
    const bool all = size_->whole() && FirstOf(again_, *size_).size() == again_.size() &&
                     RowsOf(again_) <= size_->rows;
    return Batch{
        .again = all ? again_ : std::vector<JudgedWindow>(), .fresh = true, .size = *size_};
  }
  if (again_.empty()) return std::nullopt;
  return Batch{.again = FirstOf(again_, *size_), .size = *size_};
}

void Backlog::Done(const Batch& batch, bool more, std::int64_t took_us) {
  again_.erase(again_.begin(), again_.begin() + std::ssize(batch.again));
  if (batch.fresh) fresh_due_ = more;
  const bool was_full = batch.fresh ? more : !again_.empty();
  if (size_->whole() || !was_full || halved_ || took_us > size_->failed_us / kMuchFaster) return;
  size_->windows = std::min(BatchSize::kWindowsMax, 2 * size_->windows);
  size_->rows = std::min(BatchSize::kRowsMax, 2 * size_->rows);
}

void Backlog::Halve(const Batch& batch, std::int64_t took_us) {
  halved_ = true;
  size_->failed_us = took_us;
  // Of new windows nobody knows how many the batch had.
  const std::int64_t windows = batch.fresh ? batch.size.windows : std::ssize(batch.again);
  const std::int64_t rows = batch.fresh ? batch.size.rows : RowsOf(batch.again);
  size_->windows = std::max<std::int64_t>(1, windows / 2);
  size_->rows = std::max<std::int64_t>(1, rows / 2);
}

void Backlog::Failed(const Batch& batch, Error error, std::int64_t took_us) {
  if (!IsTooLarge(error)) {
    failure_ = std::move(error);
    fresh_due_ = false;
    again_.clear();
    return;
  }
  const bool alone =
      batch.fresh ? batch.again.empty() && batch.size.windows == 1 : batch.again.size() == 1;
  Halve(batch, took_us);
  if (!alone) return;
  if (batch.fresh) {
    failure_ = std::move(error).Context("the next window is too large to be judged");
    fresh_due_ = false;
    return;
  }
  const JudgedWindow& window = batch.again.front();
  failure_ = std::move(error).Context(
      fmt::format("the window from {} until {} is too large to be judged again",
                  FormatTime(window.begin_us), FormatTime(window.end_us)));
  again_.erase(again_.begin());
  if (++alone_ >= kAloneMax) again_.clear();
}

}  // namespace gyre::monitoring

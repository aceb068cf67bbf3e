#include "ml/tracking/metric_frames.h"

#include <algorithm>
#include <tuple>
#include <utility>
#include <vector>

#include "ml/tracking/metric_blocks.h"
#include "ml/tracking/metric_codec.h"
#include "ml/tracking/metric_store.h"
#include "ml/tracking/names.h"

namespace gyre::tracking {
namespace {

// A stretch of the series in its order: a segment, or points that have been read.
struct Part {
  std::int64_t sequence = 0;  // of a segment; 0 = its points are in `series`
  Block whole = {};
  Series series = {};
};

// How fine the pieces are that a frame is put together from.
enum class Grain : unsigned char { kPoints, kBlocks, kWholes };

std::int64_t AxisOf(SeriesOrder order, const Mark& mark) {
  return order == SeriesOrder::kByTime ? mark.time_us : mark.step;
}

Part PartOf(Series series) {
  Part part;
  part.whole = Summarize(series, 0, series.size(), 0);
  part.series = std::move(series);
  return part;
}

class FrameReader {
 public:
  FrameReader(db::Reader& reader, std::int64_t run, std::string_view key, const FrameQuery& query)
      : reader_(reader), run_(run), key_(key), query_(query) {}

  Result<Frame> Read() {
    GYRE_DO(FindParts());
    if (!InOrder()) GYRE_DO(ReadAll());
    GYRE_DO(CutToRange());
    Frame frame;
    for (const Part& part : parts_) frame.points += part.whole.points;
    const auto wanted = static_cast<std::int64_t>(query_.points);
    if (frame.points <= wanted) {
      GYRE_TRY(frame.shown, Gather());
      frame.points = static_cast<std::int64_t>(frame.shown.size());
      return frame;
    }
    // Two of each stretch, and the ends; more only where there is more than numbers.
    constexpr std::int64_t kEnds = 2, kUsual = 2, kMost = 5;
    GYRE_TRY(frame.shown, Reduce(frame.points, (wanted - kEnds) / kUsual));
    if (frame.shown.size() > query_.points) {
      GYRE_TRY(frame.shown, Reduce(frame.points, (wanted - kEnds) / kMost));
    }
    return frame;
  }

 private:
  // --- what there is -----------------------------------------------------------------------------
  Result<> FindParts() {
    GYRE_TRY(name_, NameBook::Find(reader_, key_));
    std::vector<std::int64_t> without;
    Result<> decoded;
    GYRE_DO(reader_.Query(
        "SELECT s.sequence, b.whole FROM tracking_metric_segment s LEFT JOIN tracking_metric_block "
        "b ON b.run = s.run AND b.name = s.name AND b.sequence = s.sequence WHERE s.run = ?1 AND "
        "s.name = ?2 ORDER BY s.sequence",
        {run_, name_}, [&](const db::Row& row) -> Result<> {
          Part part{.sequence = row.Int(0)};
          if (row.IsNull(1)) {
            without.push_back(part.sequence);
          } else {
            GYRE_TRY(const auto blocks, DecodeBlocks(row.Text(1)));
            if (!blocks.empty()) part.whole = blocks.front();
          }
          parts_.push_back(std::move(part));
          return {};
        }));
    for (const std::int64_t sequence : without) GYRE_DO(ReadWhole(sequence));
    GYRE_TRY(Series tail, ReadTailOf(reader_, run_, key_));
    if (tail.size() == 0) return {};
    Settle(query_.order, &tail);
    parts_.push_back(PartOf(std::move(tail)));
    return {};
  }

  // Of a segment that was written before there were blocks.
  Result<> ReadWhole(std::int64_t sequence) {
    const auto part = std::ranges::find(parts_, sequence, &Part::sequence);
    GYRE_TRY(Series series, PointsOf(*part));
    if (series.size() == 0) {
      parts_.erase(part);
    } else {
      *part = PartOf(std::move(series));
    }
    return {};
  }

  // Late points lie behind later ones, and of equal steps times may go back.
  bool InOrder() const {
    const bool by_time = query_.order == SeriesOrder::kByTime;
    const auto place = [&](const Mark& mark) {
      return by_time ? std::tuple(mark.time_us, mark.step) : std::tuple(mark.step, mark.time_us);
    };
    for (std::size_t i = 0; i < parts_.size(); ++i) {
      if (by_time && parts_[i].sequence != 0 && !parts_[i].whole.times_rise) return false;
      if (i > 0 && place(parts_[i].whole.first) < place(parts_[i - 1].whole.last)) return false;
    }
    return true;
  }

  Result<> ReadAll() {
    GYRE_TRY(Series all, ReadSeriesOf(reader_, run_, key_));
    Settle(query_.order, &all);
    parts_.clear();
    if (all.size() > 0) parts_.push_back(PartOf(std::move(all)));
    return {};
  }

  // --- the range ---------------------------------------------------------------------------------
  Result<> CutToRange() {
    std::vector<Part> kept;
    for (Part& part : parts_) {
      const std::int64_t first = AxisOf(query_.order, part.whole.first);
      const std::int64_t last = AxisOf(query_.order, part.whole.last);
      if ((query_.from && last < *query_.from) || (query_.to && first > *query_.to)) continue;
      const bool inside =
          (!query_.from || first >= *query_.from) && (!query_.to || last <= *query_.to);
      if (inside) {
        kept.push_back(std::move(part));
        continue;
      }
      GYRE_TRY(Series cut, PointsOf(part));
      if (Cut(&cut); cut.size() > 0) kept.push_back(PartOf(std::move(cut)));
    }
    parts_ = std::move(kept);
    return {};
  }

  void Cut(Series* series) const {
    Settle(query_.order, series);
    const auto& along = query_.order == SeriesOrder::kByTime ? series->times_us : series->steps;
    const auto begin = query_.from ? std::ranges::lower_bound(along, *query_.from) : along.begin();
    const auto end = query_.to ? std::ranges::upper_bound(along, *query_.to) : along.end();
    const auto from = begin - along.begin(), to = std::max(begin, end) - along.begin();
    const auto cut = [&](auto& column) { column = {column.begin() + from, column.begin() + to}; };
    Series kept = std::move(*series);
    cut(kept.steps);
    cut(kept.times_us);
    cut(kept.values);
    *series = std::move(kept);
  }

  // --- points ------------------------------------------------------------------------------------
  Result<Series> PointsOf(const Part& part) {
    if (part.sequence == 0) return part.series;
    Series series;
    GYRE_DO(
        reader_.Query("SELECT points FROM tracking_metric_segment WHERE run = ?1 AND name = ?2 AND "
                      "sequence = ?3",
                      {run_, name_, part.sequence},
                      [&](const db::Row& row) { return DecodeSeries(row.Text(0), &series); }));
    return series;
  }

  Result<Series> Gather() {
    Series all;
    for (const Part& part : parts_) {
      GYRE_TRY(const Series more, PointsOf(part));
      all.Append(more);
    }
    Settle(query_.order, &all);
    return all;
  }

  Result<std::vector<Block>> PiecesOf(const Part& part, Grain grain) {
    if (grain == Grain::kWholes) return std::vector{part.whole};
    if (part.sequence == 0) return BlocksOf(part.series, 0);
    std::vector<Block> blocks;
    GYRE_DO(
        reader_.Query("SELECT blocks FROM tracking_metric_block WHERE run = ?1 AND name = ?2 AND "
                      "sequence = ?3",
                      {run_, name_, part.sequence}, [&](const db::Row& row) -> Result<> {
                        GYRE_TRY(blocks, DecodeBlocks(row.Text(0)));
                        return {};
                      }));
    return blocks;
  }

  // --- the frame ---------------------------------------------------------------------------------
  Result<Series> Reduce(std::int64_t points, std::int64_t stretches) {
    const std::int64_t length = (points + stretches - 1) / std::max<std::int64_t>(stretches, 1);
    // A whole part may be long: only where a stretch takes several of them.
    std::int64_t longest = 0;
    for (const Part& part : parts_) longest = std::max(longest, part.whole.points);
    if (length < static_cast<std::int64_t>(kBlockPoints)) return ReducePoints(length);
    const Grain grain = length >= 4 * longest ? Grain::kWholes : Grain::kBlocks;
    Begin();
    std::int64_t before = 0;
    for (const Part& part : parts_) {
      GYRE_TRY(const auto pieces, PiecesOf(part, grain));
      for (const Block& piece : pieces) Take(piece, before, length);
      before += part.whole.points;
    }
    return Ended();
  }

  Result<Series> ReducePoints(std::int64_t length) {
    GYRE_TRY(const Series all, Gather());
    Begin();
    const auto step = static_cast<std::size_t>(length);
    for (std::size_t begin = 0; begin < all.size(); begin += step)
      Take(Summarize(all, begin, std::min(begin + step, all.size()), 0), 0, length);
    return Ended();
  }

  void Begin() {
    marks_.clear();
    stretch_ = {};
  }

  void Take(const Block& piece, std::int64_t before, std::int64_t length) {
    if (marks_.empty() && stretch_.points == 0) {
      marks_.push_back(piece.first);
      marks_.back().place += before;
    }
    Join(piece, before, &stretch_);
    if (stretch_.points >= length) Close();
  }

  void Close() {
    for (const Mark& mark : MarksOf(stretch_)) Show(mark);
    last_ = stretch_.last;
    stretch_ = {};
  }

  void Show(const Mark& mark) {
    if (marks_.empty() || marks_.back().place != mark.place) marks_.push_back(mark);
  }

  Series Ended() {
    if (stretch_.points > 0) Close();
    Show(last_);
    Series shown;
    for (const Mark& mark : marks_) shown.Add(mark.step, mark.time_us, mark.value);
    return shown;
  }

  db::Reader& reader_;
  const std::int64_t run_;
  const std::string_view key_;
  const FrameQuery& query_;
  std::int64_t name_ = 0;
  std::vector<Part> parts_;
  std::vector<Mark> marks_;
  Block stretch_;
  Mark last_;
};

}  // namespace

Result<Frame> ReadFrame(db::Reader& reader, std::int64_t run, std::string_view key,
                        const FrameQuery& query) {
  return FrameReader(reader, run, key, query).Read();
}

}  // namespace gyre::tracking

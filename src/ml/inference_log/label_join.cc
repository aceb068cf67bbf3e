#include "ml/inference_log/label_join.h"

#include <algorithm>
#include <compare>
#include <map>
#include <span>
#include <tuple>

#include "base/hash.h"
#include "base/text.h"
#include "ml/inference_log/keyed_hash.h"
#include "ml/inference_log/segment_file.h"

namespace gyre::inference_log {
namespace {

using table::Column;
using table::Type;

// Rows of a frame by the text of one column.
class RowIndex {
 public:
  explicit RowIndex(const Column& column) : column_(column) {
    for (std::size_t row = 0; row < column.size(); ++row) {
      if (column.IsValid(row))
        places_.push_back({Xxh3(column.text[row]), static_cast<std::uint32_t>(row)});
    }
    std::ranges::sort(places_);
  }
  template <class Found>
  void ForEach(std::string_view text, const Found& found) const {
    const std::uint64_t hash = Xxh3(text);
    auto at = std::ranges::lower_bound(places_, Place{hash, 0});
    for (; at != places_.end() && at->first == hash; ++at) {
      if (column_.text[at->second] == text) found(at->second);
    }
  }

 private:
  using Place = std::pair<std::uint64_t, std::uint32_t>;
  const Column& column_;
  std::vector<Place> places_;
};

struct Match {
  std::uint32_t row = 0;
  std::uint32_t word = 0;  // of classes: place in the words
  double number = 0;       // of a regression
  std::int64_t time_us = 0, version = 0, received_us = 0;
};

class Matcher {
 public:
  Matcher(Type type, const table::Frame& frame)
      : type_(type), ids_(*frame.Find("inference_id")), keys_(*frame.Find("key")) {}

  void Add(const table::Frame& labels, std::size_t first, MetLabels* met) {
    const Column& value = labels.columns[kLabelValue];
    for (std::size_t i = 0; i < labels.rows(); ++i) {
      Match match{.time_us = labels.columns[kLabelTime].ints[i],
                  .version = labels.columns[kLabelVersion].ints[i],
                  .received_us = labels.columns[kLabelReceived].ints[i]};
      if (!ReadValue(value, i, &match)) continue;
      const auto found = [&](std::uint32_t row) {
        match.row = row;
        matches_.push_back(match);
        met->Met(first + i);
      };
      if (labels.columns[kLabelId].IsValid(i))
        ids_.ForEach(labels.columns[kLabelId].text[i], found);
      if (labels.columns[kLabelKey].IsValid(i))
        keys_.ForEach(labels.columns[kLabelKey].text[i], found);
    }
  }

  // By row, the label that counts last.
  void Sort() {
    std::ranges::sort(matches_, [&](const Match& a, const Match& b) {
      if (const auto order =
              std::tuple(a.row, a.time_us, a.version) <=> std::tuple(b.row, b.time_us, b.version);
          order != 0)
        return order < 0;
      if (const int order = Compare(a, b); order != 0) return order < 0;
      return a.received_us < b.received_us;
    });
  }
  const std::vector<Match>& matches() const { return matches_; }
  bool Same(const Match& a, const Match& b) const { return Compare(a, b) == 0; }
  void Push(const Match& match, Column* column) const {
    if (type_ == Type::kDouble)
      column->PushDouble(match.number);
    else
      column->PushText(words_[match.word]);
  }

 private:
  int Compare(const Match& a, const Match& b) const {
    if (type_ == Type::kDouble)
      return a.number < b.number ? -1 : static_cast<int>(a.number > b.number);
    return words_[a.word].compare(words_[b.word]);
  }
  // An endpoint that was a regression before has labels of another kind: read as far as they go.
  bool ReadValue(const Column& value, std::size_t i, Match* match) {
    if (type_ == Type::kDouble) {
      if (value.type == Type::kDouble) {
        match->number = value.doubles[i];
        return true;
      }
      const auto number = ParseDouble(value.text[i]);
      match->number = number.value_or(0);
      return number.has_value();
    }
    std::string word = value.type == Type::kText
                           ? std::string(value.text[i])
                           : ValueText(Type::kDouble, 0, value.doubles[i], {});
    const auto [known, is_new] =
        places_.emplace(std::move(word), static_cast<std::uint32_t>(words_.size()));
    if (is_new) words_.push_back(known->first);
    match->word = known->second;
    return true;
  }

  const Type type_;
  const RowIndex ids_, keys_;
  std::vector<Match> matches_;
  std::map<std::string, std::uint32_t, std::less<>> places_;
  std::vector<std::string> words_;
};

// The labels of one row: which counts, since when, and what the others were.
void Settle(const Matcher& matcher, std::span<const Match> of_row, std::int64_t event_us,
            std::int64_t lateness_us, table::Frame* frame, JoinCounts* counts) {
  const Match& last = of_row.back();
  std::int64_t since_us = last.time_us, first_received_us = last.received_us;
  for (std::size_t i = of_row.size() - 1; i > 0 && matcher.Same(of_row[i - 1], last); --i)
    since_us = of_row[i - 1].time_us;
  for (std::size_t i = 0; i < of_row.size(); ++i) {
    first_received_us = std::min(first_received_us, of_row[i].received_us);
    if (i == 0) continue;
    ++(matcher.Same(of_row[i], of_row[i - 1]) ? counts->duplicates : counts->corrected);
  }
  ++counts->labelled;
  if (first_received_us > event_us && first_received_us - event_us > lateness_us) ++counts->late;
  const std::size_t columns = frame->columns.size();
  matcher.Push(last, &frame->columns[columns - 2]);
  frame->columns[columns - 1].PushInt(since_us);
}

}  // namespace

table::Schema LabelSchema(table::Type label_type) {
  return {{"inference_id", Type::kText}, {"key", Type::kText},
          {"label", label_type},         {"label_time", Type::kTimestamp},
          {"version", Type::kInt},       {"received_time", Type::kTimestamp}};
}

std::int64_t MetLabels::count() const { return std::ranges::count(met_, true); }

Result<std::int64_t> JoinLabels(const ReadRequest& request, table::Type label_type,
                                table::Frame* frame, MetLabels* met, JoinCounts* counts,
                                std::vector<std::string>* problems) {
  Matcher matcher(label_type, *frame);
  std::size_t labels = 0;
  for (const FileRef& file : request.labels) {
    const auto read = ForEachFrame(file.path, [&](table::Frame& part) -> Result<> {
      if (request.cancelled && request.cancelled())
        return MakeError(Code::kCancelled, "GY4606", "reading captures was cancelled");
      if (part.columns.size() != kLabelColumns) return {};
      matcher.Add(part, labels, met);
      labels += part.rows();
      return {};
    });
    if (read) continue;
    if (read.error().code() == Code::kCancelled) return read.error();
    std::string problem = fmt::format("labels {}: {}", file.name, read.error().message());
    if (std::ranges::find(*problems, problem) == problems->end())
      problems->push_back(std::move(problem));
  }
  matcher.Sort();
  const std::size_t events =
      static_cast<std::size_t>(frame->Find("event_time") - frame->columns.data());
  const std::size_t rows = frame->rows();
  frame->columns.push_back({.name = "label", .type = label_type});
  frame->columns.push_back({.name = "label_time", .type = Type::kTimestamp});
  const std::size_t columns = frame->columns.size();
  const std::span<const Match> matches = matcher.matches();
  std::size_t at = 0;
  for (std::size_t row = 0; row < rows; ++row) {
    std::size_t end = at;
    while (end < matches.size() && matches[end].row == row) ++end;
    if (end == at) {
      frame->columns[columns - 2].PushNull();
      frame->columns[columns - 1].PushNull();
      continue;
    }
    Settle(matcher, matches.subspan(at, end - at), frame->columns[events].ints[row],
           request.lateness_us, frame, counts);
    at = end;
  }
  counts->rows += static_cast<std::int64_t>(rows);
  return static_cast<std::int64_t>(labels);
}

}  // namespace gyre::inference_log

#include "ml/inference_log/label_join.h"

#include <algorithm>
#include <compare>
#include <map>
#include <span>
#include <tuple>
#include <utility>

#include "base/hash.h"
#include "base/text.h"
#include "ml/inference_log/keyed_hash.h"
#include "ml/inference_log/segment_file.h"

namespace gyre::inference_log {
namespace {

using table::Column;
using table::Type;

// What a label says.
struct Said {
  std::uint32_t word = 0;   // of classes: place in the words
  std::uint32_t label = 0;  // place among all labels
  double number = 0;        // of a regression
  std::int64_t time_us = 0, version = 0, received_us = 0;
};
struct Match {
  std::uint32_t row = 0;
  Said said;
};

// The values of labels, comparable.
class Values {
 public:
  explicit Values(Type type) : type_(type) {}
  int Compare(const Said& a, const Said& b) const {
    if (type_ == Type::kDouble)
      return a.number < b.number ? -1 : static_cast<int>(a.number > b.number);
    return words_[a.word].compare(words_[b.word]);
  }
  bool Same(const Match& a, const Match& b) const { return Compare(a.said, b.said) == 0; }
  void Push(const Said& said, Column* column) const {
    if (type_ == Type::kDouble)
      column->PushDouble(said.number);
    else
      column->PushText(words_[said.word]);
  }
  // An endpoint that was a regression before has labels of another kind: read as far as they go.
  bool Read(const Column& value, std::size_t i, Said* said) {
    if (type_ == Type::kDouble) {
      if (value.type == Type::kDouble) {
        said->number = value.doubles[i];
        return true;
      }
      const auto number = ParseDouble(value.text[i]);
      said->number = number.value_or(0);
      return number.has_value();
    }
    std::string word = value.type == Type::kText
                           ? std::string(value.text[i])
                           : ValueText(Type::kDouble, 0, value.doubles[i], {});
    const auto [known, is_new] =
        places_.emplace(std::move(word), static_cast<std::uint32_t>(words_.size()));
    if (is_new) words_.push_back(known->first);
    said->word = known->second;
    return true;
  }
  // By row, the label that counts last.
  void Sort(std::vector<Match>* matches) const {
    std::ranges::sort(*matches, [&](const Match& a, const Match& b) {
      if (const auto order = std::tuple(a.row, a.said.time_us, a.said.version) <=>
                             std::tuple(b.row, b.said.time_us, b.said.version);
          order != 0)
        return order < 0;
      if (const int order = Compare(a.said, b.said); order != 0) return order < 0;
      return a.said.received_us < b.said.received_us;
    });
  }

 private:
  const Type type_;
  std::map<std::string, std::uint32_t, std::less<>> places_;
  std::vector<std::string> words_;
};

// Labels by a text that they name.
class TextIndex {
 public:
  void Reserve(std::size_t texts) {
    places_.reserve(texts);
    texts_.offsets.reserve(texts + 1);
  }
  void Add(std::string_view text, std::uint32_t said) {
    places_.push_back({Xxh3(text), said, static_cast<std::uint32_t>(texts_.size())});
    texts_.Push(text);
  }
  void Sort() { std::ranges::sort(places_); }
  template <class Found>
  void ForEach(std::string_view text, const Found& found) const {
    if (places_.empty()) return;
    const std::uint64_t hash = Xxh3(text);
    auto at = std::ranges::lower_bound(places_, hash, {}, &Place::hash);
    for (; at != places_.end() && at->hash == hash; ++at) {
      if (texts_[at->text] == text) found(at->said);
    }
  }

 private:
  struct Place {
    std::uint64_t hash;
    std::uint32_t said, text;
    auto operator<=>(const Place&) const = default;
  };
  std::vector<Place> places_;
  table::TextColumn texts_;
};

// Labels from one place among all of them up to another, in memory.
struct Block {
  std::int64_t begin = 0, end = 0;
  std::vector<Said> said = {};
  TextIndex ids = {}, keys = {};

  void Reserve(std::size_t labels) {
    said.reserve(labels);
    ids.Reserve(labels);
  }
  void Add(const table::Frame& labels, std::size_t i, std::int64_t place, Values* values) {
    Said one{.label = static_cast<std::uint32_t>(place),
             .time_us = labels.columns[kLabelTime].ints[i],
             .version = labels.columns[kLabelVersion].ints[i],
             .received_us = labels.columns[kLabelReceived].ints[i]};
    if (!values->Read(labels.columns[kLabelValue], i, &one)) return;
    const auto at = static_cast<std::uint32_t>(said.size());
    const Column &id = labels.columns[kLabelId], &key = labels.columns[kLabelKey];
    if (id.IsValid(i)) ids.Add(id.text[i], at);
    if (key.IsValid(i)) keys.Add(key.text[i], at);
    said.push_back(one);
  }
  void FindFor(const table::Frame& frame, std::vector<Match>* matches) const {
    const Column &own_ids = *frame.Find("inference_id"), &own_keys = *frame.Find("key");
    for (std::uint32_t row = 0; row < frame.rows(); ++row) {
      const auto found = [&](std::uint32_t at) { matches->push_back({row, said[at]}); };
      if (own_ids.IsValid(row)) ids.ForEach(own_ids.text[row], found);
      if (own_keys.IsValid(row)) keys.ForEach(own_keys.text[row], found);
    }
  }
};

// The labels of one row: which counts, since when, and what the others were.
void Settle(const Values& values, std::span<const Match> of_row, std::int64_t event_us,
            std::int64_t lateness_us, table::Frame* frame, JoinCounts* counts) {
  const Match& last = of_row.back();
  std::int64_t since_us = last.said.time_us, first_received_us = last.said.received_us;
  for (std::size_t i = of_row.size() - 1; i > 0 && values.Same(of_row[i - 1], last); --i)
    since_us = of_row[i - 1].said.time_us;
  for (std::size_t i = 0; i < of_row.size(); ++i) {
    first_received_us = std::min(first_received_us, of_row[i].said.received_us);
    if (i == 0) continue;
    ++(values.Same(of_row[i], of_row[i - 1]) ? counts->duplicates : counts->corrected);
  }
  ++counts->labelled;
  if (first_received_us > event_us && first_received_us - event_us > lateness_us) ++counts->late;
  const std::size_t columns = frame->columns.size();
  values.Push(last.said, &frame->columns[columns - 2]);
  frame->columns[columns - 1].PushInt(since_us);
}

}  // namespace

table::Schema LabelSchema(table::Type label_type) {
  return {{"inference_id", Type::kText}, {"key", Type::kText},
          {"label", label_type},         {"label_time", Type::kTimestamp},
          {"version", Type::kInt},       {"received_time", Type::kTimestamp}};
}

struct LabelIndex::State {
  const ReadRequest& request;
  const Type type;
  std::vector<std::string>* const problems;
  const std::int64_t at_once;
  std::int64_t total = 0;  // as the rows of the files in the database say
  std::int64_t read = 0;   // as the files themselves say
  std::int64_t counted_until = 0;
  Values values{type};
  Block block = {};
  std::vector<bool> met = {};

  Result<> Load(std::int64_t begin);
  Result<> ReadFile(const FileRef& file, std::int64_t place, std::int64_t counted_from);
};

// Those of the file that lie in the block; its first one has that place.
Result<> LabelIndex::State::ReadFile(const FileRef& file, std::int64_t place,
                                     std::int64_t counted_from) {
  const std::int64_t last = place + file.rows - 1;
  return ForEachFrame(file.path, [&](table::Frame& part) -> Result<> {
    if (request.cancelled && request.cancelled())
      return MakeError(Code::kCancelled, "GY4606", "reading captures was cancelled");
    if (part.columns.size() != kLabelColumns) return {};
    for (std::size_t i = 0; i < part.rows(); ++i, place = std::min(place + 1, last)) {
      if (place < block.begin || place >= block.end) continue;
      block.Add(part, i, place, &values);
      read += place >= counted_from ? 1 : 0;
    }
    return {};
  });
}

// A file's labels have their places by its row in the database, also behind a damaged one.
Result<> LabelIndex::State::Load(std::int64_t begin) {
  if (block.end > 0 && block.begin == begin) return {};
  block = {.begin = begin, .end = std::min(total, begin + at_once)};
  block.Reserve(static_cast<std::size_t>(block.end - block.begin));
  const std::int64_t counted_from =
      std::exchange(counted_until, std::max(counted_until, block.end));
  std::int64_t place = 0;
  for (const FileRef& file : request.labels) {
    const std::int64_t first = std::exchange(place, place + file.rows);
    if (place <= block.begin || first >= block.end) continue;
    const auto done = ReadFile(file, first, counted_from);
    if (done) continue;
    if (done.error().code() == Code::kCancelled) return done.error();
    std::string problem = fmt::format("labels {}: {}", file.name, done.error().message());
    if (std::ranges::find(*problems, problem) == problems->end())
      problems->push_back(std::move(problem));
  }
  block.ids.Sort();
  block.keys.Sort();
  return {};
}

LabelIndex::LabelIndex(const ReadRequest& request, table::Type label_type,
                       std::vector<std::string>* problems, std::int64_t labels_at_once)
    : state_(new State{request, label_type, problems, labels_at_once}) {
  for (const FileRef& file : request.labels) state_->total += file.rows;
  state_->met.resize(static_cast<std::size_t>(state_->total));
}
LabelIndex::~LabelIndex() = default;

std::int64_t LabelIndex::unknown() const {
  return state_->read - std::ranges::count(state_->met, true);
}

Result<> LabelIndex::Join(table::Frame* frame, JoinCounts* counts) {
  State& state = *state_;
  std::vector<Match> matches;
  for (std::int64_t begin = 0; begin < state.total; begin += state.at_once) {
    GYRE_DO(state.Load(begin));
    state.block.FindFor(*frame, &matches);
  }
  for (const Match& match : matches) state.met[match.said.label] = true;
  state.values.Sort(&matches);
  const std::size_t events =
      static_cast<std::size_t>(frame->Find("event_time") - frame->columns.data());
  const std::size_t rows = frame->rows();
  frame->columns.push_back({.name = "label", .type = state.type});
  frame->columns.push_back({.name = "label_time", .type = Type::kTimestamp});
  const std::size_t columns = frame->columns.size();
  std::size_t at = 0;
  for (std::size_t row = 0; row < rows; ++row) {
    std::size_t end = at;
    while (end < matches.size() && matches[end].row == row) ++end;
    if (end == at) {
      frame->columns[columns - 2].PushNull();
      frame->columns[columns - 1].PushNull();
      continue;
    }
    Settle(state.values, std::span(matches).subspan(at, end - at), frame->columns[events].ints[row],
           state.request.lateness_us, frame, counts);
    at = end;
  }
  counts->rows += static_cast<std::int64_t>(rows);
  return {};
}

}  // namespace gyre::inference_log

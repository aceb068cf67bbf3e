#include "ml/inference_log/forget.h"

#include <algorithm>

#include "base/id.h"
#include "ledger/audit/audit.h"
#include "ml/inference_log/keyed_hash.h"
#include "ml/inference_log/label_join.h"
#include "ml/inference_log/labels.h"
#include "ml/inference_log/segment_builder.h"
#include "ml/inference_log/segment_file.h"
#include "platform/blob/discard.h"
#include "platform/exec/fault_point.h"
#include "platform/table/append.h"

namespace gyre::inference_log {
namespace {

constexpr int kTriesMax = 5;  // small files may be merged meanwhile

// The id under which labels come for a row.
std::string IdOfRow(const table::Frame& frame, std::size_t row) {
  if (frame.columns[kClientId].IsValid(row)) return std::string(frame.columns[kClientId].text[row]);
  const std::string id =
      fmt::format("{:016x}{:016x}", static_cast<std::uint64_t>(frame.columns[kIdHigh].ints[row]),
                  static_cast<std::uint64_t>(frame.columns[kIdLow].ints[row]));
  return CanonicalId(fmt::format("{}-{}", id, frame.columns[kRow].ints[row]));
}

std::string_view TextAt(const table::Column& column, std::size_t row) {
  return column.IsValid(row) ? column.text[row] : std::string_view();
}

// A file without some of its rows. `goes` is asked once for each row.
struct Rewritten {
  Json facts;
  std::vector<table::Frame> frames;
  std::int64_t gone = 0, left = 0;
};
template <class Goes>
Result<Rewritten> Without(const std::string& bytes, const std::string& name, const Goes& goes) {
  Rewritten rewritten;
  GYRE_TRY(rewritten.facts, FactsOf(bytes, name));
  GYRE_DO(ForEachFrameOf(bytes, name, [&](table::Frame& frame) -> Result<> {
    std::vector<std::uint32_t> stay;
    for (std::size_t row = 0; row < frame.rows(); ++row)
      if (!goes(frame, row)) stay.push_back(static_cast<std::uint32_t>(row));
    rewritten.gone += static_cast<std::int64_t>(frame.rows() - stay.size());
    rewritten.left += static_cast<std::int64_t>(stay.size());
    if (!stay.empty())
      rewritten.frames.push_back(stay.size() == frame.rows() ? std::move(frame)
                                                             : frame.Select(stay));
    return {};
  }));
  return rewritten;
}

Result<blob::Object> Store(blob::Store& blobs, Rewritten& rewritten) {
  rewritten.facts.Set("id", NewId());
  if (rewritten.facts.Has("rows")) rewritten.facts.Set("rows", rewritten.left);
  std::string bytes;
  AppendHead(rewritten.facts, &bytes);
  for (const table::Frame& frame : rewritten.frames) AppendFrameRecord(frame, &bytes);
  return blobs.Put(bytes);
}

}  // namespace

// What one transaction will replace.
struct Forgetter::Round {
  template <class Row>
  struct Change {
    Row before, after;
    bool stays = false;  // something of it is left
  };
  std::set<std::string, std::less<>> ids;  // of the rows that go: their labels go with them
  std::vector<Change<SegmentRow>> segments;
  std::vector<Change<LabelRow>> labels;
  std::int64_t rows_gone = 0, labels_gone = 0;
  std::vector<std::string> problems;
};

bool Forgetter::IsTheirs(std::string_view key) const {
  return !key.empty() && !whose_.key.empty() && (key == whose_.key || key == whose_.key_hash);
}

Result<> Forgetter::RewriteSegments(const EndpointName& name, Round* round) const {
  std::vector<SegmentRow> segments;
  GYRE_DO(database_.Read([&](db::Reader& reader) -> Result<> {
    GYRE_TRY(segments, ReadSegments(reader, name.project, name.endpoint, INT64_MIN, INT64_MAX));
    return {};
  }));
  const auto goes = [&](const table::Frame& frame, std::size_t row) {
    std::string id = IdOfRow(frame, row);
    if (!IsTheirs(TextAt(frame.columns[kKey], row)) && (whose_.id.empty() || id != whose_.id))
      return false;
    round->ids.insert(std::move(id));
    return true;
  };
  for (const SegmentRow& segment : segments) {
    auto rewritten = [&]() -> Result<Rewritten> {
      GYRE_TRY(const std::string bytes, blobs_.Get(segment.object.digest));
      return Without(bytes, segment.object.digest, goes);
    }();
    if (!rewritten) {
      round->problems.push_back(rewritten.error().message());
      continue;
    }
    if (rewritten->gone == 0) continue;
    Round::Change<SegmentRow> change{.before = segment, .after = segment};
    change.stays = rewritten->left > 0;
    // What it holds is no newer than it was: nothing looks at it as if it had just come.
    if (change.stays) {
      change.after.id = NewId();
      change.after.rows = rewritten->left;
      GYRE_TRY(change.after.object, Store(blobs_, *rewritten));
    }
    round->rows_gone += rewritten->gone;
    round->segments.push_back(std::move(change));
  }
  return {};
}

Result<> Forgetter::RewriteLabels(const EndpointName& name, Round* round) const {
  std::vector<LabelRow> batches;
  GYRE_DO(database_.Read([&](db::Reader& reader) -> Result<> {
    GYRE_TRY(batches, ReadLabels(reader, name.project, name.endpoint));
    return {};
  }));
  const auto goes = [&](const table::Frame& frame, std::size_t row) {
    const std::string_view id = TextAt(frame.columns[kLabelId], row);
    return IsTheirs(TextAt(frame.columns[kLabelKey], row)) ||
           (!id.empty() && (id == whose_.id || round->ids.contains(id)));
  };
  for (const LabelRow& batch : batches) {
    auto rewritten = [&]() -> Result<Rewritten> {
      GYRE_TRY(const std::string bytes, blobs_.Get(batch.object.digest));
      return Without(bytes, batch.object.digest, goes);
    }();
    if (!rewritten) {
      round->problems.push_back(rewritten.error().message());
      continue;
    }
    if (rewritten->gone == 0) continue;
    Round::Change<LabelRow> change{.before = batch, .after = batch};
    change.stays = rewritten->left > 0;
    if (change.stays) {
      change.after.id = NewId();
      change.after.rows = rewritten->left;
      GYRE_TRY(change.after.object, Store(blobs_, *rewritten));
    }
    round->labels_gone += rewritten->gone;
    round->labels.push_back(std::move(change));
  }
  return {};
}

Result<> Forgetter::Replace(const EndpointName& name, const Round& round) const {
  const std::string details =
      Json::Obj({{"rows", round.rows_gone},
                 {"labels", round.labels_gone},
                 {"files", static_cast<std::int64_t>(round.segments.size() + round.labels.size())}})
          .Dump();
  return database_.Write([&](db::Transaction& tx) -> Result<> {
    for (const auto& change : round.segments) {
      GYRE_DO(DeleteSegment(tx, change.before.id));
      GYRE_DO(blob::Discard(tx, change.before.object.digest));
      if (change.stays) GYRE_DO(InsertSegment(tx, change.after));
    }
    for (const auto& change : round.labels) {
      GYRE_DO(DeleteLabels(tx, change.before.id));
      GYRE_DO(blob::Discard(tx, change.before.object.digest));
      if (change.stays) GYRE_DO(InsertLabels(tx, change.after));
    }
    GYRE_DO(AddToCount(tx, name.project, name.endpoint, "forgotten", round.rows_gone));
    return audit::Append(tx, {.at_us = whose_.now_us,
                              .actor_name = whose_.by,
                              .action = "captures.forgotten",
                              .project = name.project,
                              .object = name.endpoint,
                              .details = details});
  });
}

Result<> Forgetter::Forget(const EndpointName& name, Forgotten* all) const {
  for (int tries = 1;; ++tries) {
    Round round;
    GYRE_DO(RewriteSegments(name, &round));
    GYRE_DO(RewriteLabels(name, &round));
    if (!round.segments.empty() || !round.labels.empty()) {
      exec::Fault("captures.rewritten");
      const auto replaced = Replace(name, round);
      if (!replaced && replaced.error().code() == Code::kAborted && tries < kTriesMax) continue;
      if (!replaced) return replaced.error();
      exec::Fault("captures.replaced");
      GYRE_DO(blob::RemoveDiscarded(database_, blobs_));
      all->endpoints.push_back(name.endpoint);
    }
    all->rows += round.rows_gone;
    all->labels += round.labels_gone;
    all->files += static_cast<std::int64_t>(round.segments.size() + round.labels.size());
    all->problems.insert(all->problems.end(), round.problems.begin(), round.problems.end());
    return {};
  }
}

Result<> CheckForget(const InferenceLog::ForgetRequest& request, const Result<>& sealed) {
  if (request.key.empty() == request.id.empty())
    return InvalidArgument("GY4620", "say whose rows: a key, or an inference id")
        .Fix("gyre captures forget --key VALUE");
  if (sealed) return {};
  return MakeError(Code::kUnavailable, "GY4621", "the newest rows cannot be stored now: {}",
                   sealed.error().message())
      .Fix("try again: nothing was forgotten");
}

Result<Forgotten> ForgetRows(db::Database& database, blob::Store& blobs,
                             const InferenceLog::ForgetRequest& request, std::string_view hash_key,
                             std::int64_t now_us) {
  std::vector<EndpointName> names = {{request.project, request.endpoint}};
  if (request.endpoint.empty())
    GYRE_DO(database.Read([&](db::Reader& reader) -> Result<> {
      GYRE_TRY(names, EndpointsWithRows(reader, request.project));
      return {};
    }));
  const Forgetter forgetter(
      database, blobs,
      {.key = request.key,
       .key_hash = request.key.empty() ? std::string() : KeyedHash(hash_key, request.key),
       .id = CanonicalId(request.id),
       .by = request.by,
       .now_us = now_us});
  Forgotten all;
  for (const EndpointName& name : names) GYRE_DO(forgetter.Forget(name, &all));
  return all;
}

}  // namespace gyre::inference_log

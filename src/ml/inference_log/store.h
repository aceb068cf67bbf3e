// The rows of this module. Private.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "ml/inference_log/inference_log.h"
#include "ml/inference_log/policy.h"
#include "ml/inference_log/recorder.h"
#include "platform/blob/blob_store.h"
#include "platform/db/database.h"

namespace gyre::inference_log {

// Owners of blobs.
inline constexpr std::string_view kSegmentKind = "inference_segment";
inline constexpr std::string_view kLabelKind = "inference_label_batch";

struct SegmentRow {
  std::string id = {}, stream_id = {}, project = {}, endpoint = {};
  blob::Object object = {};
  std::int64_t rows = 0, event_min_us = 0, event_max_us = 0, received_max_us = 0, sealed_us = 0;
};
struct LabelRow {
  std::string id = {}, project = {}, endpoint = {};
  blob::Object object = {};
  std::int64_t rows = 0, received_us = 0;
};

std::string StreamId(const StreamSpec& spec);
Result<> InsertStream(db::Transaction& tx, const StreamSpec& spec, const std::string& facts,
                      std::int64_t now_us);
Result<> InsertSegment(db::Transaction& tx, const SegmentRow& segment);
Result<> InsertLabels(db::Transaction& tx, const LabelRow& labels);
Result<> AddToCount(db::Transaction& tx, std::string_view project, std::string_view endpoint,
                    std::string_view name, std::int64_t amount);

// Rows with an event in [from, to), oldest first.
Result<std::vector<SegmentRow>> ReadSegments(db::Reader& reader, std::string_view project,
                                             std::string_view endpoint, std::int64_t from_us,
                                             std::int64_t to_us);
// Of all endpoints, the newest first.
Result<std::vector<SegmentRow>> ReadSegmentsOfProject(db::Reader& reader, std::string_view project);
Result<std::vector<LabelRow>> ReadLabels(db::Reader& reader, std::string_view project,
                                         std::string_view endpoint);

struct Totals {
  std::int64_t segments = 0, rows = 0, bytes = 0, label_batches = 0, labels = 0;
  std::int64_t event_min_us = 0, event_max_us = 0, received_max_us = 0;
  std::int64_t dropped = 0, left_out = 0, expired = 0, ahead = 0, forgotten = 0;
};
Result<Totals> ReadTotals(db::Reader& reader, std::string_view project, std::string_view endpoint);
Result<SealedSince> ReadSealedSince(db::Reader& reader, std::string_view project,
                                    std::string_view endpoint, std::int64_t sealed_us);

// The deployment that began last, as its facts; false when nothing was captured yet.
Result<bool> NewestStream(db::Reader& reader, std::string_view project, std::string_view endpoint,
                          std::string* facts);

struct EndpointName {
  std::string project = {}, endpoint = {};
  friend auto operator<=>(const EndpointName&, const EndpointName&) = default;
};
// Whose rows or labels there are; empty project = of all.
Result<std::vector<EndpointName>> EndpointsWithRows(db::Reader& reader, std::string_view project);

Result<bool> ReadPolicy(db::Reader& reader, std::string_view project, std::string_view endpoint,
                        std::string* policy);
Result<> WritePolicy(db::Transaction& tx, const EndpointName& name, const std::string& policy,
                     std::string_view by, std::int64_t now_us);

// Forgets what came before then, at most so many segments and batches; how many it were.
Result<std::int64_t> Expire(db::Transaction& tx, const EndpointName& name, std::int64_t before_us,
                            int limit);

// Who has at least `least` files that are smaller than `rows_max`, with most of them first.
template <class Owner>
struct Counted {
  Owner owner = {};
  std::int64_t count = 0;
};
Result<std::vector<Counted<std::string>>> StreamsWithSmall(db::Reader& reader,
                                                           std::int64_t rows_max,
                                                           std::int64_t least);
Result<std::vector<Counted<EndpointName>>> EndpointsWithSmall(db::Reader& reader,
                                                              std::int64_t rows_max,
                                                              std::int64_t least);
// The oldest of them.
Result<std::vector<SegmentRow>> SmallSegments(db::Reader& reader, const std::string& stream,
                                              std::int64_t rows_max);
Result<std::vector<LabelRow>> SmallLabels(db::Reader& reader, const EndpointName& name,
                                          std::int64_t rows_max);
// Error: kAborted GY4605 when it has gone already.
Result<> DeleteSegment(db::Transaction& tx, const std::string& id);
Result<> DeleteLabels(db::Transaction& tx, const std::string& id);

}  // namespace gyre::inference_log

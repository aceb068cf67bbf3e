#include "ml/inference_log/segment_builder.h"

#include <algorithm>
#include <cstring>

#include "ml/inference_log/keyed_hash.h"
#include "ml/inference_log/segment_file.h"
#include "platform/table/append.h"

namespace gyre::inference_log {
namespace {

using table::Type;

template <class T>
T Get(const char*& at) {
  T value;
  std::memcpy(&value, at, sizeof value);
  at += sizeof value;
  return value;
}

std::string_view GetText(const char*& at) {
  const auto size = Get<std::uint32_t>(at);
  const std::string_view text(at, size);
  at += size;
  return text;
}

// As Column's own, but in this file: they are called for each cell.
void Push(table::Column& column, std::int64_t value) {
  column.ints.push_back(value);
  if (!column.valid.empty()) column.valid.push_back(1);
}
void Push(table::Column& column, double value) {
  column.doubles.push_back(value);
  if (!column.valid.empty()) column.valid.push_back(1);
}

void Clear(table::Column& column) {
  column.valid.clear();
  column.ints.clear();
  column.doubles.clear();
  column.text.offsets.resize(1);
  column.text.chars.clear();
}

struct SystemField {
  std::string_view name;
  Type type;
};
constexpr SystemField kSystemFields[kSystemColumns] = {
    {"id_high", Type::kInt},
    {"id_low", Type::kInt},
    {"row", Type::kInt},
    {"client_id", Type::kText},
    {"key", Type::kText},
    {"event_time", Type::kTimestamp},
    {"received_time", Type::kTimestamp},
    {"latency_us", Type::kInt},
};

}  // namespace

Json StreamFacts(const StreamSpec& spec) {
  Json classes = Json::Arr();
  for (const std::string& name : spec.classes) classes.Push(name);
  return Json::Obj({{"project", spec.project},
                    {"endpoint", spec.endpoint},
                    {"deployment_id", spec.deployment_id},
                    {"model", spec.model},
                    {"model_version_id", spec.model_version_id},
                    {"role", spec.role},
                    {"inputs", table::SchemaToJson(spec.inputs)},
                    {"target", spec.target},
                    {"target_type", table::TypeName(spec.target_type)},
                    {"classes", std::move(classes)}});
}

Result<StreamSpec> StreamFromFacts(const Json& facts) {
  StreamSpec spec;
  spec.project = facts["project"].AsString();
  spec.endpoint = facts["endpoint"].AsString();
  spec.deployment_id = facts["deployment_id"].AsString();
  spec.model = facts["model"].AsString();
  spec.model_version_id = facts["model_version_id"].AsString();
  spec.role = facts["role"].AsString();
  GYRE_TRY(spec.inputs, table::SchemaFromJson(facts["inputs"]));
  spec.target = facts["target"].AsString();
  spec.target_type = table::ParseType(facts["target_type"].AsString()).value_or(Type::kText);
  for (const Json& name : facts["classes"].items()) spec.classes.push_back(name.AsString());
  return spec;
}

SegmentBuilder::SegmentBuilder(std::shared_ptr<const Stream> stream,
                               std::shared_ptr<const Policy> policy, std::string_view hash_key,
                               std::int64_t began_us)
    : stream_(std::move(stream)),
      policy_(std::move(policy)),
      hash_key_(hash_key),
      began_us_(began_us),
      key_input_(stream_->spec.inputs.size()) {
  const auto add = [&](std::string_view name, Type type) {
    frame_.columns.push_back({.name = std::string(name), .type = type});
  };
  for (const SystemField& field : kSystemFields) add(field.name, field.type);
  const StreamSpec& spec = stream_->spec;
  for (std::size_t i = 0; i < spec.inputs.size(); ++i) {
    const table::Field& field = spec.inputs[i];
    if (field.name == policy_->key_column) key_input_ = i;
    const Keep keep = policy_->Of(field.name);
    inputs_.push_back({.keep = keep, .column = frame_.columns.size()});
    if (keep != Keep::kDrop) add(field.name, keep == Keep::kHash ? Type::kText : field.type);
  }
  outputs_ = frame_.columns.size();
  add("prediction", spec.classes.empty() ? Type::kDouble : Type::kInt);
  for (const std::string& name : spec.classes) add(name, Type::kDouble);
}

const std::string& SegmentBuilder::Hashed(InputPlan& plan, std::string value) {
  constexpr std::size_t kKnownMax = 100'000;  // as many as a segment has rows
  if (plan.hashes.size() >= kKnownMax) plan.hashes.clear();
  const auto found = plan.hashes.find(value);
  if (found != plan.hashes.end()) return found->second;
  std::string hash = KeyedHash(hash_key_, value);
  return plan.hashes.emplace(std::move(value), std::move(hash)).first->second;
}

void SegmentBuilder::PushInput(std::size_t i, bool valid, const char* cell, std::string_view text) {
  InputPlan& plan = inputs_[i];
  if (plan.keep == Keep::kDrop) return;
  table::Column& column = frame_.columns[plan.column];
  const Type type = stream_->spec.inputs[i].type;
  if (!valid) {
    column.PushNull();
  } else if (plan.keep == Keep::kHash) {
    const char* number = cell;
    std::int64_t whole = 0;
    double real = 0;
    if (type == Type::kDouble)
      real = Get<double>(number);
    else
      whole = Get<std::int64_t>(number);
    column.PushText(Hashed(plan, ValueText(type, whole, real, text)));
  } else if (type == Type::kDouble) {
    Push(column, Get<double>(cell));
  } else if (type == Type::kText) {
    column.PushText(text);
  } else {
    Push(column, Get<std::int64_t>(cell));
  }
}

// The inputs and outputs of a row; its key when a column holds it.
const char* SegmentBuilder::AddRow(const char* at, const RequestHead& head, std::string* key) {
  const StreamSpec& spec = stream_->spec;
  const auto row = Get<std::uint32_t>(at);
  const auto label = Get<std::uint32_t>(at);
  Push(frame_.columns[kIdHigh], static_cast<std::int64_t>(head.id_high));
  Push(frame_.columns[kIdLow], static_cast<std::int64_t>(head.id_low));
  Push(frame_.columns[kRow], std::int64_t{row});
  const std::size_t count = spec.inputs.size();
  const char* const mask = at;
  const char* const cells = at + (count + 7) / 8;
  const char* out = cells + sizeof(std::int64_t) * count;
  if (spec.classes.empty()) {
    Push(frame_.columns[outputs_], Get<double>(out));
  } else {
    Push(frame_.columns[outputs_], std::int64_t{label});
    for (std::size_t k = 0; k < spec.classes.size(); ++k)
      Push(frame_.columns[outputs_ + 1 + k], Get<double>(out));
  }
  for (std::size_t i = 0; i < count; ++i) {
    const bool valid = ((static_cast<unsigned char>(mask[i / 8]) >> (i % 8)) & 1) == 0;
    const char* cell = cells + sizeof(std::int64_t) * i;
    std::string_view text;
    if (spec.inputs[i].type == Type::kText) {
      const char* size = cell;
      text = std::string_view(out, Get<std::uint64_t>(size));
      out += text.size();
    }
    PushInput(i, valid, cell, text);
    if (i != key_input_ || !valid) continue;
    const char *whole = cell, *real = cell;
    *key = ValueText(spec.inputs[i].type, Get<std::int64_t>(whole), Get<double>(real), text);
  }
  return out;
}

void SegmentBuilder::Add(std::string_view request) {
  const char* at = request.data();
  const auto head = Get<RequestHead>(at);
  numbers_.clear();
  if (keys_.size() < head.rows) keys_.resize(head.rows);
  for (std::uint32_t i = 0; i < head.rows; ++i) {
    const char* number = at;
    numbers_.push_back(Get<std::uint32_t>(number));
    keys_[i].clear();
    at = AddRow(at, head, &keys_[i]);
  }
  extras_.Read(at, head);
  for (std::uint32_t i = 0; i < head.rows; ++i) AddExtras(head, i);
  received_min_us_ = std::min(received_min_us_, head.received_us);
  received_max_us_ = std::max(received_max_us_, head.received_us);
  rows_ += head.rows;
  bytes_ += static_cast<std::int64_t>(request.size());
}

void SegmentBuilder::Extras::Read(const char* at, const RequestHead& head) {
  event_times.clear();
  ids.clear();
  keys.clear();
  for (std::uint32_t i = 0; i < head.event_times; ++i) event_times.push_back(Get<std::int64_t>(at));
  for (std::uint32_t i = 0; i < head.ids; ++i) ids.push_back(GetText(at));
  for (std::uint32_t i = 0; i < head.keys; ++i) keys.push_back(GetText(at));
}

// What came with the request for its i-th captured row, which is row numbers_[i] of those sent.
void SegmentBuilder::AddExtras(const RequestHead& head, std::size_t i) {
  const std::uint32_t row = numbers_[i];
  std::int64_t event_us = head.received_us;
  if (extras_.event_times.size() == 1) event_us = extras_.event_times[0];
  if (extras_.event_times.size() > 1) event_us = extras_.event_times[row];
  if (event_us > head.received_us + kClockSkewMax) {
    event_us = head.received_us;
    ++ahead_;
  }
  Push(frame_.columns[kEventTime], event_us);
  Push(frame_.columns[kReceivedTime], head.received_us);
  Push(frame_.columns[kLatency], head.latency_us);
  if (extras_.ids.empty())
    frame_.columns[kClientId].PushNull();
  else
    frame_.columns[kClientId].PushText(extras_.ids[row]);
  const std::string_view key = extras_.keys.empty() ? keys_[i] : extras_.keys[row];
  if (key.empty())
    frame_.columns[kKey].PushNull();
  else if (policy_->Of(policy_->key_column) == Keep::kHash)
    frame_.columns[kKey].PushText(KeyedHash(hash_key_, key));
  else
    frame_.columns[kKey].PushText(key);
  event_min_us_ = std::min(event_min_us_, event_us);
  event_max_us_ = std::max(event_max_us_, event_us);
}

void SegmentBuilder::Finish(std::string* file) const {
  Json facts = StreamFacts(stream_->spec);
  facts.Set("kind", "segment").Set("rows", rows_).Set("policy", PolicyToJson(*policy_));
  file->clear();
  file->reserve(static_cast<std::size_t>(table::FrameBytes(frame_)));
  AppendHead(facts, file);
  AppendFrameRecord(frame_, file);
}

void SegmentBuilder::Clear(std::int64_t began_us) {
  for (table::Column& column : frame_.columns) inference_log::Clear(column);
  began_us_ = began_us;
  rows_ = bytes_ = ahead_ = 0;
  event_min_us_ = received_min_us_ = INT64_MAX;
  event_max_us_ = received_max_us_ = INT64_MIN;
}

}  // namespace gyre::inference_log

#include "cli/imports/event_log.h"

#include <algorithm>
#include <bit>
#include <cmath>
#include <optional>

#include "base/protobuf.h"
#include "base/text.h"
#include "base/time.h"

namespace gyre::cli::imports {
namespace {

using Wire = ProtoField::Wire;

constexpr std::size_t kNameBytesMax = 250, kParamBytesMax = 8'000;
// Members of the messages by their numbers: event.proto, summary.proto, tensor.proto and the
// plugin_data.proto of hparams.
enum EventMember : unsigned char { kWallTime = 1, kStep = 2, kSummary = 5 };
enum ValueMember : unsigned char {
  kTag = 1,
  kSimpleValue = 2,
  kOldHistogram = 3,
  kImage = 4,
  kHistogram = 5,
  kAudio = 6,
  kTensor = 8,
  kMetadata = 9
};
enum TensorMember : unsigned char {
  kType = 1,
  kContent = 4,
  kFloats = 5,
  kDoubles = 6,
  kStrings = 8
};
constexpr std::uint64_t kFloatType = 1, kDoubleType = 2;

bool IsName(std::string_view name) {
  if (name.empty() || name.size() > kNameBytesMax || !IsValidUtf8(name)) return false;
  for (const char c : name) {
    if (static_cast<unsigned char>(c) < 0x20) return false;
  }
  return true;
}

double NumberAt(std::string_view bytes, bool is_double) {
  ProtoField field;
  field.wire = is_double ? Wire::kFixed64 : Wire::kFixed32;
  const std::size_t width = is_double ? 8 : 4;
  for (std::size_t i = width; i-- > 0;)
    field.value = (field.value << 8) | static_cast<unsigned char>(bytes[i]);
  return field.AsReal();
}

struct Tensor {
  std::optional<double> number;
  std::vector<std::string_view> strings;
};

Tensor ReadTensor(std::string_view bytes) {
  Tensor tensor;
  std::uint64_t type = 0;
  std::string_view content;
  ProtoReader reader(bytes);
  ProtoField field;
  while (reader.Next(&field)) {
    const bool is_double = field.number == kDoubles;
    if (field.number == kType) type = field.value;
    if (field.number == kContent) content = field.bytes;
    if (field.number == kStrings) tensor.strings.push_back(field.bytes);
    if (field.number != kFloats && !is_double) continue;
    const std::size_t width = is_double ? 8 : 4;  // one, or several packed
    if (field.wire != Wire::kBytes) tensor.number = field.AsReal();
    if (field.wire == Wire::kBytes && field.bytes.size() == width)
      tensor.number = NumberAt(field.bytes, is_double);
  }
  if (type == kFloatType && content.size() == 4) tensor.number = NumberAt(content, false);
  if (type == kDoubleType && content.size() == 8) tensor.number = NumberAt(content, true);
  return tensor;
}

std::string_view PluginOf(std::string_view metadata, std::string_view* content) {
  std::string_view name;
  ProtoReader reader(metadata);
  ProtoField field, inner;
  while (reader.Next(&field)) {
    if (field.number != 1) continue;
    ProtoReader plugin(field.bytes);
    while (plugin.Next(&inner)) {
      if (inner.number == 1) name = inner.bytes;
      if (inner.number == 2) *content = inner.bytes;
    }
  }
  return name;
}

// google.protobuf.Value as the text of a param.
std::string ParamText(std::string_view value) {
  ProtoReader reader(value);
  ProtoField field;
  std::string text;
  while (reader.Next(&field)) {
    if (field.number == 2) {
      AppendJsonNumber(field.AsReal(), &text);
      if (text.ends_with(".0")) text.resize(text.size() - 2);
    }
    if (field.number == 3) text = field.bytes;
    if (field.number == 4) text = field.value != 0 ? "true" : "false";
  }
  return text;
}

}  // namespace

struct EventLog::Value {
  std::string_view tag, tensor, metadata;
  std::optional<double> number;
  std::string_view medium;  // what it is, when neither number nor tensor
};

bool EventLog::Add(std::string_view event) {
  Stamp stamp;
  std::vector<std::string_view> summaries;
  ProtoReader reader(event);
  ProtoField field;
  while (reader.Next(&field)) {
    if (field.number == kWallTime) {
      const double seconds = field.AsReal();
      if (seconds > 0 && seconds < 1e11) stamp.time_us = std::llround(seconds * kMicrosPerSecond);
    }
    if (field.number == kStep) stamp.step = field.AsInt();
    if (field.number == kSummary) summaries.push_back(field.bytes);
  }
  if (!reader.ok()) return false;
  if (stamp.time_us > 0) {
    first_us = first_us == 0 ? stamp.time_us : std::min(first_us, stamp.time_us);
    last_us = std::max(last_us, stamp.time_us);
  }
  for (const std::string_view summary : summaries) AddSummary(summary, stamp);
  return true;
}

void EventLog::AddSummary(std::string_view summary, const Stamp& stamp) {
  ProtoReader reader(summary);
  ProtoField field, inner;
  while (reader.Next(&field)) {
    if (field.number != 1 || field.wire != Wire::kBytes) continue;
    Value value;
    ProtoReader members(field.bytes);
    while (members.Next(&inner)) {
      switch (inner.number) {
        case kTag:
          value.tag = inner.bytes;
          break;
        case kSimpleValue:
          value.number = inner.AsReal();
          break;
        case kTensor:
          value.tensor = inner.bytes;
          break;
        case kMetadata:
          value.metadata = inner.bytes;
          break;
        case kImage:
          value.medium = "images";
          break;
        case kAudio:
          value.medium = "audio";
          break;
        case kHistogram:
        case kOldHistogram:
          value.medium = "histograms";
          break;
        default:
          break;
      }
    }
    if (members.ok()) AddValue(value, stamp);
  }
}

void EventLog::AddValue(const Value& value, const Stamp& stamp) {
  std::string_view content;
  const std::string tag(value.tag);
  if (const std::string_view said = PluginOf(value.metadata, &content); !said.empty())
    plugins_.try_emplace(tag, said);
  const auto known = plugins_.find(tag);
  const std::string plugin = known == plugins_.end() ? "" : known->second;
  if (plugin == "hparams") return AddHparams(content);
  if (!value.medium.empty()) {
    ++not_taken[std::string(value.medium)];
    return;
  }
  const Tensor tensor = ReadTensor(value.tensor);
  if (plugin == "text") {
    for (const std::string_view text : tensor.strings)
      texts[tag] += fmt::format("step {}, {}\n{}\n\n", stamp.step, FormatTime(stamp.time_us), text);
    return;
  }
  const bool is_scalar = plugin.empty() || plugin == "scalars";
  const auto number = value.number ? value.number : is_scalar ? tensor.number : std::nullopt;
  if (!number || !IsName(tag)) {
    ++not_taken[number ? "values without a usable name" : plugin.empty() ? "tensors" : plugin];
    return;
  }
  points.push_back({names_.IndexOf(tag, &metrics), *number, stamp.step, stamp.time_us});
}

void EventLog::AddHparams(std::string_view content) {
  has_hparams = true;
  ProtoReader reader(content);
  ProtoField field, inner;
  while (reader.Next(&field)) {
    if (field.number == 3) AddSession(field.bytes);
    if (field.number != 4) continue;  // how it ended
    ProtoReader end(field.bytes);
    while (end.Next(&inner)) {
      constexpr std::uint64_t kFailure = 2;
      if (inner.number == 1 && inner.value == kFailure) status = "failed";
      if (inner.number == 2 && inner.AsReal() > 0 && inner.AsReal() < 1e11)
        last_us = std::max<std::int64_t>(last_us, std::llround(inner.AsReal() * kMicrosPerSecond));
    }
  }
}

void EventLog::AddSession(std::string_view session) {
  ProtoReader reader(session);
  ProtoField field;
  while (reader.Next(&field)) {
    if (field.number == 1) AddParam(field.bytes);
  }
}

void EventLog::AddParam(std::string_view entry) {
  std::string_view name, value;
  ProtoReader reader(entry);
  ProtoField field;
  while (reader.Next(&field)) {
    if (field.number == 1) name = field.bytes;
    if (field.number == 2) value = field.bytes;
  }
  std::string text = ParamText(value);
  if (IsName(name) && text.size() <= kParamBytesMax && IsValidUtf8(text)) {
    params.try_emplace(std::string(name), std::move(text));
  } else {
    ++not_taken["hyperparameters that are too long"];
  }
}

}  // namespace gyre::cli::imports

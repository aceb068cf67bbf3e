#include "ml/inference_log/joined.h"

#include <algorithm>
#include <map>
#include <optional>
#include <tuple>

#include "base/text.h"
#include "ml/inference_log/keyed_hash.h"
#include "ml/inference_log/label_join.h"
#include "ml/inference_log/segment_builder.h"
#include "ml/inference_log/segment_file.h"
#include "platform/table/append.h"

namespace gyre::inference_log {
namespace {

using table::Column;
using table::Type;

constexpr std::string_view kBefore[] = {"inference_id",  "key",  "event_time", "received_time",
                                        "model_version", "role", "latency_us"};
constexpr std::string_view kProbability = "probability_";
constexpr std::size_t kBeforeInputs = std::size(kBefore);
constexpr Type kBeforeTypes[kBeforeInputs] = {Type::kText,      Type::kText, Type::kTimestamp,
                                              Type::kTimestamp, Type::kText, Type::kText,
                                              Type::kInt};

bool Reserved(std::string_view name) {
  return std::ranges::find(kBefore, name) != std::end(kBefore) || name == "prediction" ||
         name == "label" || name == "label_time" || name.starts_with(kProbability);
}

Type Common(Type a, Type b) {
  if (a == b) return a;
  const bool numbers =
      (a == Type::kInt || a == Type::kDouble) && (b == Type::kInt || b == Type::kDouble);
  return numbers ? Type::kDouble : Type::kText;
}

// What all pieces look like, from what the files say of themselves.
class Shape {
 public:
  void Add(const StreamSpec& spec, const Policy& policy) {
    for (const table::Field& field : spec.inputs) {
      const Keep keep = policy.Of(field.name);
      if (keep == Keep::kDrop) continue;
      const Type type = keep == Keep::kHash ? Type::kText : field.type;
      const auto known = std::ranges::find(inputs_, field.name, &table::Field::name);
      if (known == inputs_.end())
        inputs_.push_back({field.name, type});
      else
        known->type = Common(known->type, type);
    }
    for (const std::string& name : spec.classes) {
      if (std::ranges::find(classes_, name) == classes_.end()) classes_.push_back(name);
    }
    label_type_ = Common(spec.classes.empty() ? Type::kDouble : Type::kText,
                         label_type_.value_or(spec.classes.empty() ? Type::kDouble : Type::kText));
  }
  Type label_type() const { return label_type_.value_or(Type::kText); }
  const std::vector<table::Field>& inputs() const { return inputs_; }

  // Without label and label_time.
  table::Frame Empty(std::vector<JoinedInput>* names) const {
    table::Schema schema;
    for (std::size_t i = 0; i < kBeforeInputs; ++i)
      schema.push_back({std::string(kBefore[i]), kBeforeTypes[i]});
    names->clear();
    for (const table::Field& field : inputs_) {
      std::string column = field.name;
      while (Reserved(column) || std::ranges::any_of(schema, [&](const table::Field& other) {
               return other.name == column;
             }))
        column.insert(0, "input_");
      schema.push_back({column, field.type});
      names->push_back({field.name, column});
    }
    schema.push_back({"prediction", label_type()});
    for (const std::string& name : classes_)
      schema.push_back({std::string(kProbability) + name, Type::kDouble});
    return table::EmptyFrame(schema);
  }

 private:
  std::vector<table::Field> inputs_;
  std::vector<std::string> classes_;
  std::optional<Type> label_type_;
};

void PushAs(const Column& from, std::size_t row, Column* to) {
  if (!from.IsValid(row)) return to->PushNull();
  const bool real = from.type == Type::kDouble;
  if (to->type == Type::kText && from.type == Type::kText) return to->PushText(from.text[row]);
  if (to->type == Type::kText)
    return to->PushText(
        ValueText(from.type, real ? 0 : from.ints[row], real ? from.doubles[row] : 0, {}));
  if (to->type == Type::kDouble)
    return to->PushDouble(real ? from.doubles[row] : static_cast<double>(from.ints[row]));
  to->PushInt(from.ints[row]);
}

std::string IdText(const table::Frame& part, std::size_t row) {
  if (part.columns[kClientId].IsValid(row)) return std::string(part.columns[kClientId].text[row]);
  std::string id =
      fmt::format("{:016x}{:016x}", static_cast<std::uint64_t>(part.columns[kIdHigh].ints[row]),
                  static_cast<std::uint64_t>(part.columns[kIdLow].ints[row]));
  const std::int64_t number = part.columns[kRow].ints[row];
  if (number != 0) id += fmt::format("-{}", number);
  return id;
}

// One segment's rows in the columns of all.
class Filler {
 public:
  Filler(const ReadRequest& request, const std::vector<JoinedInput>& names, table::Frame* to)
      : request_(request), names_(names), to_(to) {}

  Result<> Add(const StreamSpec& spec, const table::Frame& part) {
    const std::size_t outputs = 1 + spec.classes.size();
    if (part.columns.size() < kSystemColumns + outputs)
      return MakeError(Code::kDataLoss, "GY4607", "a segment lacks columns");
    const std::vector<const Column*> sources = Sources(spec, part);
    for (std::size_t row = 0; row < part.rows(); ++row) {
      const std::int64_t event_us = part.columns[kEventTime].ints[row];
      if (event_us < request_.from_us || event_us >= request_.to_us) continue;
      to_->columns[0].PushText(IdText(part, row));
      PushAs(part.columns[kKey], row, &to_->columns[1]);
      to_->columns[2].PushInt(event_us);
      to_->columns[3].PushInt(part.columns[kReceivedTime].ints[row]);
      to_->columns[4].PushText(spec.model);
      to_->columns[5].PushText(spec.role);
      to_->columns[6].PushInt(part.columns[kLatency].ints[row]);
      for (std::size_t c = kBeforeInputs; c < to_->columns.size(); ++c) {
        if (sources[c] == nullptr)
          to_->columns[c].PushNull();
        else if (c == prediction() && !spec.classes.empty())
          PushClass(spec, *sources[c], row);
        else
          PushAs(*sources[c], row, &to_->columns[c]);
      }
    }
    return {};
  }

 private:
  std::size_t prediction() const { return kBeforeInputs + names_.size(); }

  // Where each column comes from; null: this segment does not have it.
  std::vector<const Column*> Sources(const StreamSpec& spec, const table::Frame& part) const {
    std::vector<const Column*> sources(to_->columns.size(), nullptr);
    const std::size_t first_output = part.columns.size() - 1 - spec.classes.size();
    for (std::size_t i = 0; i < names_.size(); ++i) {
      for (std::size_t c = kSystemColumns; c < first_output; ++c) {
        if (part.columns[c].name == names_[i].name) sources[kBeforeInputs + i] = &part.columns[c];
      }
    }
    sources[prediction()] = &part.columns[first_output];
    for (std::size_t c = prediction() + 1; c < to_->columns.size(); ++c) {
      const std::string_view name =
          std::string_view(to_->columns[c].name).substr(kProbability.size());
      const auto known = std::ranges::find(spec.classes, name);
      if (known == spec.classes.end()) continue;
      const auto place = static_cast<std::size_t>(known - spec.classes.begin());
      sources[c] = &part.columns[first_output + 1 + place];
    }
    return sources;
  }

  void PushClass(const StreamSpec& spec, const Column& from, std::size_t row) {
    Column& to = to_->columns[prediction()];
    const auto label = static_cast<std::size_t>(from.ints[row]);
    if (from.type == Type::kInt && label < spec.classes.size())
      to.PushText(spec.classes[label]);
    else
      to.PushNull();
  }

  const ReadRequest& request_;
  const std::vector<JoinedInput>& names_;
  table::Frame* const to_;
};

void SortRows(table::Frame* frame) {
  std::vector<std::uint32_t> order(frame->rows());
  for (std::size_t i = 0; i < order.size(); ++i) order[i] = static_cast<std::uint32_t>(i);
  const std::vector<std::int64_t>& times = frame->columns[2].ints;
  const table::TextColumn& ids = frame->columns[0].text;
  const auto before = [&](std::uint32_t a, std::uint32_t b) {
    return std::tuple(times[a], ids[a]) < std::tuple(times[b], ids[b]);
  };
  if (std::ranges::is_sorted(order, before)) return;
  std::ranges::stable_sort(order, before);
  *frame = frame->Select(order);
}

struct KnownSegment {
  const FileRef* file;
  StreamSpec spec;
  Policy policy;
};

void NoteDamage(const FileRef& file, const Error& error, Joined* head) {
  head->problems.push_back(fmt::format("segment {}: {}", file.name, error.message()));
  head->damage.push_back({head->problems.back(), file.event_min_us, file.event_max_us});
  ++head->counts.damaged_segments;
  head->counts.damaged_rows += file.rows;
}

// Reads what the segments say of themselves; a damaged one becomes a problem.
std::vector<KnownSegment> KnownSegments(const ReadRequest& request, Joined* head) {
  std::vector<KnownSegment> known;
  for (const FileRef& file : request.segments) {
    const auto facts = ReadFacts(file.path);
    const auto spec = facts ? StreamFromFacts(*facts) : Result<StreamSpec>(facts.error());
    if (!spec) {
      NoteDamage(file, spec.error(), head);
      continue;
    }
    const auto policy = ChangedPolicy({}, (*facts)["policy"]);
    known.push_back({&file, *spec, policy ? *policy : Policy()});
  }
  return known;
}

// Answers to another question are no rows of the same table: an input of one model may be the
// target of the other.
void KeepOneTarget(std::vector<KnownSegment>* known, Joined* head) {
  if (known->empty()) return;
  const StreamSpec newest = known->back().spec;
  const auto other = [&](const StreamSpec& spec) {
    return spec.target != newest.target || spec.classes.empty() != newest.classes.empty();
  };
  std::vector<std::string> models;
  for (const KnownSegment& segment : *known) {
    const StreamSpec& spec = segment.spec;
    if (!other(spec) || std::ranges::find(models, spec.model) != models.end()) continue;
    models.push_back(spec.model);
    head->problems.push_back(
        fmt::format("what {} answered is left out: it tells {} `{}`, {} tells {} `{}`", spec.model,
                    spec.classes.empty() ? "the number" : "the class", spec.target, newest.model,
                    newest.classes.empty() ? "the number" : "the class", newest.target));
  }
  std::erase_if(*known, [&](const KnownSegment& segment) { return other(segment.spec); });
}

// The first of those inputs that a segment's policy does not keep as it is; empty: none.
std::string WithheldOf(const KnownSegment& segment, const std::vector<std::string>& inputs) {
  for (const std::string& input : inputs) {
    if (segment.policy.Of(input) != Keep::kKeep) return input;
  }
  return {};
}

void KeepWhole(const std::vector<std::string>& inputs, std::vector<KnownSegment>* known,
               Joined* head) {
  std::map<std::string, std::int64_t> rows;
  std::erase_if(*known, [&](const KnownSegment& segment) {
    const std::string withheld = WithheldOf(segment, inputs);
    if (!withheld.empty()) rows[withheld] += segment.file->rows;
    return !withheld.empty();
  });
  for (const auto& [input, count] : rows)
    head->problems.push_back(
        fmt::format("{} rows are left out: the policy hashed or dropped `{}` of them",
                    GroupDigits(count), input));
}

bool MayHold(const FileRef& file, const ReadRequest& request) {
  return file.event_max_us >= request.from_us && file.event_min_us < request.to_us;
}

void NoteHashed(const KnownSegment& segment, Joined* head) {
  for (const table::Field& field : segment.spec.inputs) {
    if (segment.policy.Of(field.name) == Keep::kHash &&
        std::ranges::find(head->hashed, field.name) == head->hashed.end())
      head->hashed.push_back(field.name);
  }
}

Json FilesJson(const std::vector<FileRef>& files) {
  Json list = Json::Arr();
  for (const FileRef& file : files)
    list.Push(Json::Obj({{"path", file.path},
                         {"name", file.name},
                         {"rows", file.rows},
                         {"from", file.event_min_us},
                         {"to", file.event_max_us}}));
  return list;
}
std::vector<FileRef> FilesFromJson(const Json& list) {
  std::vector<FileRef> files;
  for (const Json& item : list.items())
    files.push_back({item["path"].AsString(), item["name"].AsString(), item["rows"].AsInt(),
                     item["from"].AsInt(INT64_MIN), item["to"].AsInt(INT64_MAX)});
  return files;
}

}  // namespace

Json ReadRequestToJson(const ReadRequest& request) {
  Json problems = Json::Arr();
  for (const std::string& problem : request.problems) problems.Push(problem);
  Json whole = Json::Arr();
  for (const std::string& input : request.whole) whole.Push(input);
  Json damage = Json::Arr();
  for (const Damage& one : request.damage)
    damage.Push(
        Json::Obj({{"what", one.what}, {"from", one.event_min_us}, {"to", one.event_max_us}}));
  return Json::Obj({{"segments", FilesJson(request.segments)},
                    {"labels", FilesJson(request.labels)},
                    {"from_us", request.from_us},
                    {"to_us", request.to_us},
                    {"lateness_us", request.lateness_us},
                    {"dropped", request.dropped},
                    {"one_target", request.one_target},
                    {"whole", std::move(whole)},
                    {"problems", std::move(problems)},
                    {"damage", std::move(damage)},
                    {"damaged_segments", request.damaged_segments},
                    {"damaged_rows", request.damaged_rows}});
}

ReadRequest ReadRequestFromJson(const Json& json) {
  ReadRequest request;
  request.segments = FilesFromJson(json["segments"]);
  request.labels = FilesFromJson(json["labels"]);
  request.from_us = json["from_us"].AsInt(INT64_MIN);
  request.to_us = json["to_us"].AsInt(INT64_MAX);
  request.lateness_us = json["lateness_us"].AsInt(INT64_MAX);
  request.dropped = json["dropped"].AsInt();
  request.one_target = json["one_target"].AsBool();
  for (const Json& input : json["whole"].items()) request.whole.push_back(input.AsString());
  for (const Json& problem : json["problems"].items())
    request.problems.push_back(problem.AsString());
  for (const Json& one : json["damage"].items())
    request.damage.push_back(
        {one["what"].AsString(), one["from"].AsInt(INT64_MIN), one["to"].AsInt(INT64_MAX)});
  request.damaged_segments = json["damaged_segments"].AsInt();
  request.damaged_rows = json["damaged_rows"].AsInt();
  return request;
}

Json JoinCountsToJson(const JoinCounts& counts) {
  return Json::Obj({{"rows", counts.rows},
                    {"labelled", counts.labelled},
                    {"late", counts.late},
                    {"duplicates", counts.duplicates},
                    {"corrected", counts.corrected},
                    {"unknown", counts.unknown},
                    {"dropped", counts.dropped},
                    {"damaged_segments", counts.damaged_segments},
                    {"damaged_rows", counts.damaged_rows}});
}

Result<Joined> ForEachJoined(const ReadRequest& request, std::int64_t chunk_rows,
                             const JoinedCallback& callback) {
  Joined head;
  head.problems = request.problems;
  head.damage = request.damage;
  head.counts.dropped = request.dropped;
  head.counts.damaged_segments = request.damaged_segments;
  head.counts.damaged_rows = request.damaged_rows;
  std::vector<KnownSegment> known = KnownSegments(request, &head);
  if (request.one_target) KeepOneTarget(&known, &head);
  if (!request.whole.empty()) KeepWhole(request.whole, &known, &head);
  Shape shape;
  for (const KnownSegment& segment : known) {
    shape.Add(segment.spec, segment.policy);
    NoteHashed(segment, &head);
    const std::string& model = segment.spec.model;
    if (std::ranges::find(head.versions, model, &AnsweringVersion::model) == head.versions.end())
      head.versions.push_back({model, segment.spec.model_version_id, segment.spec.classes});
  }
  if (!known.empty()) {
    const StreamSpec& newest = known.back().spec;
    head.target = newest.target;
    head.target_type = newest.target_type;
    head.classes = newest.classes;
  }
  const table::Frame empty = shape.Empty(&head.inputs);
  LabelIndex labels(request, shape.label_type(), &head.problems);
  std::size_t at = 0;
  do {
    table::Frame chunk = empty;
    Filler filler(request, head.inputs, &chunk);
    for (; at < known.size() && static_cast<std::int64_t>(chunk.rows()) < chunk_rows; ++at) {
      if (request.cancelled && request.cancelled())
        return MakeError(Code::kCancelled, "GY4606", "reading captures was cancelled");
      const KnownSegment& segment = known[at];
      if (!MayHold(*segment.file, request)) continue;
      const auto read = ForEachFrame(
          segment.file->path, [&](table::Frame& part) { return filler.Add(segment.spec, part); });
      if (read) continue;
      NoteDamage(*segment.file, read.error(), &head);
    }
    SortRows(&chunk);
    GYRE_DO(labels.Join(&chunk, &head.counts));
    GYRE_DO(callback(head, chunk));
  } while (at < known.size());
  head.counts.unknown = labels.unknown();
  return head;
}

Result<> ForEachEventTime(const ReadRequest& request, const TimesCallback& callback) {
  Joined ignored;
  for (const KnownSegment& segment : KnownSegments(request, &ignored)) {
    if (!MayHold(*segment.file, request)) continue;
    if (request.cancelled && request.cancelled())
      return MakeError(Code::kCancelled, "GY4606", "reading captures was cancelled");
    std::vector<std::int64_t> times;
    const auto read = ForEachFrame(segment.file->path, [&](table::Frame& part) -> Result<> {
      if (part.columns.size() <= kEventTime) return {};
      for (const std::int64_t event_us : part.columns[kEventTime].ints) {
        if (event_us >= request.from_us && event_us < request.to_us) times.push_back(event_us);
      }
      return {};
    });
    GYRE_DO(callback(segment.spec.role, times));
  }
  return {};
}

const std::vector<std::string>& Joined::ClassesOf(std::string_view model) const {
  const auto known = std::ranges::find(versions, model, &AnsweringVersion::model);
  return known == versions.end() ? classes : known->classes;
}

Result<Joined> ReadJoined(const ReadRequest& request) {
  table::Frame whole;
  GYRE_TRY(Joined joined,
           ForEachJoined(request, INT64_MAX, [&](const Joined&, table::Frame& chunk) -> Result<> {
             whole = std::move(chunk);
             return {};
           }));
  joined.frame = std::move(whole);
  return joined;
}

}  // namespace gyre::inference_log

#include "ml/eval_sets/eval_sets.h"

#include <algorithm>
#include <optional>

#include "base/hash.h"
#include "base/id.h"
#include "base/mutex.h"
#include "base/text.h"
#include "ml/eval_sets/record_store.h"
#include "ml/eval_sets/set_store.h"
#include "ml/tracking/filter_match.h"

namespace gyre::eval_sets {
namespace {

using tracking::Compare;
using tracking::Entity;
using tracking::FieldType;
using tracking::FieldValue;

constexpr std::size_t kNameBytesMax = 500, kWrittenAtOnce = 500;
constexpr std::int64_t kMicrosPerMilli = 1'000;  // times of filters are milliseconds
constexpr tracking::CompareSet kTexts = {Compare::kEqual, Compare::kNotEqual, Compare::kLike,
                                         Compare::kILike};
constexpr tracking::CompareSet kNames = {Compare::kEqual, Compare::kNotEqual, Compare::kLike,
                                         Compare::kILike, Compare::kIn};
constexpr tracking::CompareSet kNumbers = {Compare::kLess,    Compare::kLessEqual,
                                           Compare::kGreater, Compare::kGreaterEqual,
                                           Compare::kEqual,   Compare::kNotEqual};

constexpr tracking::AttributeField kAttributes[] = {
    {"name", FieldType::kText, kNames},
    {"created_time", FieldType::kInteger, kNumbers},
    {"last_update_time", FieldType::kInteger, kNumbers},
    {"created_by", FieldType::kText, kTexts, {}, {}, false},
    {"last_updated_by", FieldType::kText, kTexts, {}, {}, false},
};
constexpr tracking::EntityField kEntities[] = {
    {.entity = Entity::kAttribute, .words = "attribute|attributes"},
    {.entity = Entity::kTag, .words = "tag|tags", .compares = kTexts},
};

FieldValue FieldOfSet(const EvalSet& set, Entity entity, const std::string& key) {
  if (entity == Entity::kTag) {
    const auto tag = set.tags.find(key);
    return tag == set.tags.end() ? FieldValue() : FieldValue(tag->second);
  }
  if (key == "name") return set.name;
  if (key == "created_time") return static_cast<double>(set.created_us / kMicrosPerMilli);
  if (key == "last_update_time") return static_cast<double>(set.updated_us / kMicrosPerMilli);
  if (key == "created_by" && !set.created_by.empty()) return set.created_by;
  if (key == "last_updated_by" && !set.updated_by.empty()) return set.updated_by;
  return {};
}

Error BadToken(std::string_view token) {
  return InvalidArgument("GY3732", "`{}` is not a page token of this list of evaluation sets",
                         token.substr(0, 100))
      .Fix("begin without a page token");
}

bool IsOfOne(const EvalSet& set, const std::vector<std::int64_t>& experiments) {
  return experiments.empty() || std::ranges::any_of(set.experiments, [&](std::int64_t number) {
           return std::ranges::find(experiments, number) != experiments.end();
         });
}

// --- records -------------------------------------------------------------------------------------
std::string TextOf(const Json& json) { return json.is_null() ? std::string() : json.Dump(); }
Json JsonOf(const std::string& text) {
  auto json = Json::Parse(text);
  return json ? *std::move(json) : Json();
}

EvalRecord RecordOf(const RecordRow& row) {
  EvalRecord record;
  record.id = row.id;
  record.inputs = JsonOf(row.inputs);
  record.outputs = JsonOf(row.outputs);
  record.expectations = JsonOf(row.expectations);
  record.tags = JsonOf(row.tags);
  record.source = JsonOf(row.source);
  record.created_us = row.created_us;
  record.updated_us = row.updated_us;
  record.created_by = row.created_by;
  record.updated_by = row.updated_by;
  return record;
}

// Members of `more` replace those of `text`.
std::string Merged(const std::string& text, const Json& more) {
  if (more.is_null()) return text;
  Json merged = JsonOf(text);
  if (!merged.is_object() || !more.is_object()) return more.Dump();
  for (const auto& [key, value] : more.members()) merged.Set(key, value);
  return merged.Dump();
}

Result<> CheckRecord(const EvalRecord& record) {
  const auto fits = [](const Json& json) { return json.is_null() || json.is_object(); };
  if (!record.inputs.is_object() || !fits(record.expectations) || !fits(record.tags) ||
      !fits(record.source))
    return InvalidArgument("GY3733", "a record of an evaluation set is not what it should be")
        .Why(
            "its inputs are an object, and so are its expectations, tags and source if there are "
            "any");
  const std::size_t bytes = record.inputs.Dump().size() + TextOf(record.outputs).size() +
                            TextOf(record.expectations).size() + TextOf(record.tags).size() +
                            TextOf(record.source).size();
  if (bytes <= kRecordBytesMax) return {};
  return InvalidArgument("GY3733", "a record of an evaluation set is larger than {}",
                         HumanBytes(kRecordBytesMax));
}

std::string_view TypeOf(const Json& value) {
  switch (value.kind()) {
    case Json::Kind::kNull:
      return "null";
    case Json::Kind::kBool:
      return "boolean";
    case Json::Kind::kInt:
      return "integer";
    case Json::Kind::kDouble:
      return "float";
    case Json::Kind::kString:
      return "string";
    case Json::Kind::kArray:
      return "array";
    case Json::Kind::kObject:
      break;
  }
  return "object";
}

// The names and types that records have had so far, each by the first that had it.
class FieldsSeen {
 public:
  explicit FieldsSeen(const std::string& text) {
    if (!text.empty()) fields_ = JsonOf(text);
    for (const std::string_view part : kParts)
      if (!fields_.Has(part)) fields_.Set(part, Json::Obj());
    if (!fields_.Has("version")) fields_.Set("version", "1.0");
  }
  void See(const EvalRecord& record) {
    See("inputs", record.inputs);
    See("outputs", record.outputs);
    See("expectations", record.expectations);
  }
  std::string text() const { return fields_.Dump(); }

 private:
  static constexpr std::string_view kParts[] = {"inputs", "outputs", "expectations"};
  static constexpr std::size_t kFieldsMax = 1'000;
  void See(std::string_view part, const Json& value) {
    Json known = fields_[part];
    if (!known.is_object()) return;
    if (!value.is_object()) {
      if (!value.is_null() && known.size() == 0) fields_.Set(part, TypeOf(value));
      return;
    }
    bool fresh = false;
    for (const auto& [key, inner] : value.members()) {
      if (known.Has(key) || known.size() >= kFieldsMax) continue;
      known.Set(key, TypeOf(inner));
      fresh = true;
    }
    if (fresh) fields_.Set(part, std::move(known));
  }
  Json fields_ = Json::Obj();
};

class EvalSetsImpl final : public EvalSets {
 public:
  EvalSetsImpl(db::Database& database, const Clock& clock) : database_(database), clock_(clock) {}

  Result<EvalSet> Create(EvalSet from) override;
  Result<EvalSet> Get(std::string_view project, std::string_view id) override;
  Result<EvalSetPage> Search(const EvalSetSearch& search) override;
  Result<> Remove(std::string_view project, std::string_view id) override;
  Result<> SetTags(std::string_view project, std::string_view id, const Texts& tags) override;
  Result<> DeleteTag(std::string_view project, std::string_view id, std::string_view name) override;
  Result<EvalSet> AddExperiments(std::string_view project, std::string_view id,
                                 std::span<const std::int64_t> experiments) override;
  Result<EvalSet> RemoveExperiments(std::string_view project, std::string_view id,
                                    std::span<const std::int64_t> experiments) override;
  Result<Upserted> PutRecords(std::string_view project, std::string_view id,
                              std::vector<EvalRecord> records, std::string_view by) override;
  Result<EvalRecordPage> Records(std::string_view project, std::string_view id, int limit,
                                 std::string_view page_token) override;
  Result<std::int64_t> RemoveRecords(std::string_view project, std::string_view id,
                                     std::span<const std::string> records) override;

 private:
  using Change = std::function<Result<>(db::Transaction&, EvalSet&)>;
  Result<> ChangeSet(std::string_view project, std::string_view id, const Change& change);
  // As it is written: with what a record of the same inputs holds already.
  Result<std::vector<RecordRow>> RowsOf(std::string_view id, std::span<const EvalRecord> records,
                                        std::string_view by, Upserted* counts);

  db::Database& database_;
  const Clock& clock_;
  Mutex putting_;  // what a record holds is read, then written
};

Result<> EvalSetsImpl::ChangeSet(std::string_view project, std::string_view id,
                                 const Change& change) {
  return database_.Write([&](db::Transaction& tx) -> Result<> {
    GYRE_TRY(EvalSet set, ReadSet(tx, project, id));
    return change(tx, set);
  });
}

Result<EvalSet> EvalSetsImpl::Create(EvalSet from) {
  if (Trim(from.name).empty() || from.name.size() > kNameBytesMax)
    return InvalidArgument("GY3730", "an evaluation set has a name of 1 to {} bytes",
                           kNameBytesMax);
  from.id = "d-" + NewId();
  from.created_us = from.updated_us = clock_.NowMicros();
  GYRE_DO(database_.Write([&](db::Transaction& tx) { return InsertSet(tx, from); }));
  return from;
}

Result<EvalSet> EvalSetsImpl::Get(std::string_view project, std::string_view id) {
  EvalSet set;
  GYRE_DO(database_.Read([&](db::Reader& reader) -> Result<> {
    GYRE_TRY(set, ReadSet(reader, project, id));
    return {};
  }));
  return set;
}

Result<EvalSetPage> EvalSetsImpl::Search(const EvalSetSearch& search) {
  std::size_t offset = 0;
  if (!search.page_token.empty()) {
    const auto number = ParseInt(search.page_token);
    if (!number || *number <= 0) return BadToken(search.page_token);
    offset = static_cast<std::size_t>(*number);
  }
  std::vector<EvalSet> sets;
  GYRE_DO(database_.Read([&](db::Reader& reader) -> Result<> {
    GYRE_TRY(sets, ReadSets(reader, search.project));
    return {};
  }));
  std::erase_if(sets, [&](const EvalSet& set) {
    return !IsOfOne(set, search.experiments) ||
           !tracking::Holds(search.filter, [&](Entity entity, const std::string& key) {
             return FieldOfSet(set, entity, key);
           });
  });
  std::ranges::stable_sort(sets, [&](const EvalSet& a, const EvalSet& b) {
    for (const tracking::OrderBy& by : search.order) {
      const auto order = tracking::CompareFields(FieldOfSet(a, by.entity, by.key),
                                                 FieldOfSet(b, by.entity, by.key), by.ascending);
      if (order != 0) return order < 0;
    }
    return false;
  });
  const std::size_t begin = std::min(offset, sets.size());
  const std::size_t end = std::min(begin + search.limit, sets.size());
  EvalSetPage page;
  if (end < sets.size()) page.next_page_token = std::to_string(end);
  page.sets = {std::make_move_iterator(sets.begin() + static_cast<std::ptrdiff_t>(begin)),
               std::make_move_iterator(sets.begin() + static_cast<std::ptrdiff_t>(end))};
  return page;
}

Result<> EvalSetsImpl::Remove(std::string_view project, std::string_view id) {
  const auto done = ChangeSet(
      project, id, [&](db::Transaction& tx, EvalSet& set) { return RemoveSet(tx, set.id); });
  if (!done && done.error().code() != Code::kNotFound) return done.error();
  return {};
}

Result<> EvalSetsImpl::SetTags(std::string_view project, std::string_view id, const Texts& tags) {
  return ChangeSet(project, id, [&](db::Transaction& tx, EvalSet& set) -> Result<> {
    for (const auto& [name, value] : tags) GYRE_DO(PutTag(tx, set.id, name, value));
    return {};
  });
}

Result<> EvalSetsImpl::DeleteTag(std::string_view project, std::string_view id,
                                 std::string_view name) {
  return ChangeSet(project, id,
                   [&](db::Transaction& tx, EvalSet& set) { return RemoveTag(tx, set.id, name); });
}

Result<EvalSet> EvalSetsImpl::AddExperiments(std::string_view project, std::string_view id,
                                             std::span<const std::int64_t> experiments) {
  GYRE_DO(ChangeSet(project, id, [&](db::Transaction& tx, EvalSet& set) -> Result<> {
    for (const std::int64_t number : experiments) GYRE_DO(PutExperiment(tx, set.id, number));
    set.updated_us = clock_.NowMicros();
    return UpdateSet(tx, set);
  }));
  return Get(project, id);
}

Result<EvalSet> EvalSetsImpl::RemoveExperiments(std::string_view project, std::string_view id,
                                                std::span<const std::int64_t> experiments) {
  GYRE_DO(ChangeSet(project, id, [&](db::Transaction& tx, EvalSet& set) -> Result<> {
    for (const std::int64_t number : experiments) GYRE_DO(RemoveExperiment(tx, set.id, number));
    set.updated_us = clock_.NowMicros();
    return UpdateSet(tx, set);
  }));
  return Get(project, id);
}

Result<std::vector<RecordRow>> EvalSetsImpl::RowsOf(std::string_view id,
                                                    std::span<const EvalRecord> records,
                                                    std::string_view by, Upserted* counts) {
  std::map<std::string, RecordRow> rows;  // those of one call with the same inputs are one, too
  std::vector<std::string> order;
  const std::int64_t now_us = clock_.NowMicros();
  GYRE_DO(database_.Read([&](db::Reader& reader) -> Result<> {
    for (const EvalRecord& record : records) {
      const std::string hash = Sha256Hex(record.inputs.DumpCanonical());
      const auto [place, fresh] = rows.try_emplace(hash);
      RecordRow& row = place->second;
      bool known = !fresh;
      if (fresh) {
        order.push_back(hash);
        GYRE_TRY(auto there, FindRecord(reader, id, hash));
        known = there.has_value();
        row = there.value_or(RecordRow{.hash = hash, .id = "dr-" + NewId()});
      }
      ++(known ? counts->updated : counts->inserted);
      if (!known) {
        row.inputs = record.inputs.Dump();
        row.created_us = now_us;
        row.created_by = by;
      }
      if (!record.outputs.is_null()) row.outputs = record.outputs.Dump();
      row.expectations = Merged(row.expectations, record.expectations);
      row.tags = Merged(row.tags, record.tags);
      if (!record.source.is_null()) row.source = record.source.Dump();
      row.updated_us = now_us;
      row.updated_by = by;
    }
    return {};
  }));
  std::vector<RecordRow> list;
  for (const std::string& hash : order) list.push_back(std::move(rows[hash]));
  return list;
}

Result<Upserted> EvalSetsImpl::PutRecords(std::string_view project, std::string_view id,
                                          std::vector<EvalRecord> records, std::string_view by) {
  if (records.size() > kRecordsMax)
    return InvalidArgument("GY3733", "at most {} records of an evaluation set are taken at once",
                           GroupDigits(static_cast<std::int64_t>(kRecordsMax)));
  for (const EvalRecord& record : records) GYRE_DO(CheckRecord(record));
  const MutexLock held(putting_);
  GYRE_TRY(const EvalSet set, Get(project, id));
  FieldsSeen fields(set.fields);
  Upserted counts;
  for (std::size_t at = 0; at < records.size(); at += kWrittenAtOnce) {
    const auto piece =
        std::span(records).subspan(at, std::min(kWrittenAtOnce, records.size() - at));
    for (const EvalRecord& record : piece) fields.See(record);
    GYRE_TRY(const auto rows, RowsOf(id, piece, by, &counts));
    const std::string seen = fields.text();
    GYRE_DO(ChangeSet(project, id, [&](db::Transaction& tx, EvalSet& now) -> Result<> {
      for (const RecordRow& row : rows) GYRE_DO(PutRecord(tx, now.id, row));
      now.fields = seen;
      now.updated_us = clock_.NowMicros();
      now.updated_by = by;
      return UpdateSet(tx, now);
    }));
  }
  return counts;
}

Result<EvalRecordPage> EvalSetsImpl::Records(std::string_view project, std::string_view id,
                                             int limit, std::string_view page_token) {
  std::int64_t after_us = -1;
  std::string after_id;
  if (!page_token.empty()) {
    const std::size_t dot = page_token.find('.');
    const auto time = ParseInt(page_token.substr(0, dot));
    if (dot == std::string_view::npos || !time) return BadToken(page_token);
    after_us = *time;
    after_id = page_token.substr(dot + 1);
  }
  std::vector<RecordRow> rows;
  GYRE_DO(database_.Read([&](db::Reader& reader) -> Result<> {
    GYRE_TRY(const EvalSet set, ReadSet(reader, project, id));
    GYRE_TRY(rows, ReadRecords(reader, set.id, after_us, after_id, limit + 1));
    return {};
  }));
  EvalRecordPage page;
  if (rows.size() > static_cast<std::size_t>(limit)) {
    rows.pop_back();
    page.next_page_token = fmt::format("{}.{}", rows.back().created_us, rows.back().id);
  }
  for (const RecordRow& row : rows) page.records.push_back(RecordOf(row));
  return page;
}

Result<std::int64_t> EvalSetsImpl::RemoveRecords(std::string_view project, std::string_view id,
                                                 std::span<const std::string> records) {
  std::int64_t removed = 0;
  for (std::size_t at = 0; at < records.size(); at += kWrittenAtOnce) {
    const auto piece = records.subspan(at, std::min(kWrittenAtOnce, records.size() - at));
    GYRE_DO(ChangeSet(project, id, [&](db::Transaction& tx, EvalSet& set) -> Result<> {
      for (const std::string& record : piece) {
        GYRE_TRY(const bool there, RemoveRecord(tx, set.id, record));
        removed += there ? 1 : 0;
      }
      return UpdateSet(tx, set);
    }));
  }
  return removed;
}

}  // namespace

const tracking::FieldTable kEvalSetFields = {
    .noun = "evaluation sets",
    .attributes = kAttributes,
    .entities = kEntities,
    .complaints = {.entity = "Invalid identifier token '{written}' specified",
                   .order_entity = "Invalid order_by entity: {written}",
                   .order_key = "Invalid attribute key '{written}' specified. Valid keys are: "
                                "{known}",
                   .compare = "Invalid comparator for attribute or tag: {written}",
                   .text = "Expected a quoted string value. Got value {written}"}};

Result<std::unique_ptr<EvalSets>> OpenEvalSets(db::Database& database, const Clock& clock) {
  return std::make_unique<EvalSetsImpl>(database, clock);
}

}  // namespace gyre::eval_sets

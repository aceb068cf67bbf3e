// Evaluation sets: records that answers of a program are judged on (inputs, what is expected of
// them, perhaps outputs). Unlike a dataset version, a set grows and changes: whoever adds a record
// with the inputs of one that is there changes that one. A set belongs to any number of
// experiments. Thread-safe.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "base/json.h"
#include "base/time.h"
#include "ml/tracking/filter.h"
#include "platform/db/database.h"

namespace gyre::eval_sets {

db::ModuleSchema EvalSetsSchema();

using Texts = std::map<std::string, std::string>;

inline constexpr std::size_t kRecordsMax = 50'000;  // in one call
inline constexpr std::size_t kRecordBytesMax = 1 << 20;
// What a filter and an order may say.
extern const tracking::FieldTable kEvalSetFields;

struct EvalSet {
  std::string id, project, name;
  std::string fields = {};  // JSON: {inputs: {name: type}, outputs, expectations}; empty at first
  std::int64_t record_count = 0, created_us = 0, updated_us = 0;
  std::string created_by = {}, updated_by = {};
  Texts tags = {};
  std::vector<std::int64_t> experiments = {};
};

struct EvalRecord {
  std::string id = {};
  Json inputs = Json::Obj();
  Json outputs = {}, expectations = {}, tags = {}, source = {};  // null = not given
  std::int64_t created_us = 0, updated_us = 0;
  std::string created_by = {}, updated_by = {};
};

struct EvalSetSearch {
  std::string project;
  std::vector<std::int64_t> experiments = {};  // of one of these; empty = any
  tracking::Filter filter = {};                // of kEvalSetFields
  std::vector<tracking::OrderBy> order = {};   // empty: the newest first
  std::size_t limit = 1'000;
  std::string page_token = {};
};
struct EvalSetPage {
  std::vector<EvalSet> sets;
  std::string next_page_token;
};
struct EvalRecordPage {
  std::vector<EvalRecord> records;  // in the order in which they came
  std::string next_page_token;
};
struct Upserted {
  std::int64_t inserted = 0, updated = 0;
};

class EvalSets {
 public:
  virtual ~EvalSets() = default;

  virtual Result<EvalSet> Create(EvalSet from) = 0;  // its id and times are made; GY3730 a bad name
  virtual Result<EvalSet> Get(std::string_view project, std::string_view id) = 0;  // GY3731
  virtual Result<EvalSetPage> Search(const EvalSetSearch& search) = 0;             // GY3732
  // What is not there is removed already.
  virtual Result<> Remove(std::string_view project, std::string_view id) = 0;

  virtual Result<> SetTags(std::string_view project, std::string_view id,
                           const Texts& tags) = 0;  // GY3731
  virtual Result<> DeleteTag(std::string_view project, std::string_view id,
                             std::string_view name) = 0;  // GY3731
  virtual Result<EvalSet> AddExperiments(std::string_view project, std::string_view id,
                                         std::span<const std::int64_t> experiments) = 0;
  virtual Result<EvalSet> RemoveExperiments(std::string_view project, std::string_view id,
                                            std::span<const std::int64_t> experiments) = 0;

  // Durable in pieces; doing it again does no harm. Errors: GY3731, GY3733 a record that is none or
  // too many.
  virtual Result<Upserted> PutRecords(std::string_view project, std::string_view id,
                                      std::vector<EvalRecord> records, std::string_view by) = 0;
  virtual Result<EvalRecordPage> Records(std::string_view project, std::string_view id, int limit,
                                         std::string_view page_token) = 0;  // GY3731, GY3732
  virtual Result<std::int64_t> RemoveRecords(std::string_view project, std::string_view id,
                                             std::span<const std::string> records) = 0;
};

Result<std::unique_ptr<EvalSets>> OpenEvalSets(db::Database& database, const Clock& clock);

}  // namespace gyre::eval_sets

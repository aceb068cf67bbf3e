#include "api/mlflow/eval_sets_api.h"

#include <algorithm>
#include <array>

#include "api/mlflow/answer.h"
#include "api/mlflow/endpoints.h"
#include "api/mlflow/run_words.h"
#include "base/hash.h"

namespace gyre::mlflow {
namespace {

using net::kRequired;
using net::Method;
using net::Permission;
using net::Type;

constexpr Permission kRead("run.read"), kWrite("run.write");
constexpr std::int64_t kRecordsBytesMax = 64 << 20;
constexpr std::int64_t kResultsStandard = 1'000, kResultsMax = 1'000;
constexpr std::string_view kUserTag = "mlflow.user";

constexpr net::Field kExperiments = {"experiment_ids", Type::kTexts, "of the experiments"};
constexpr net::Field kFilter = {"filter_string", Type::kText, "tags.team = 'blue'"};
constexpr net::Field kResults = {"max_results", Type::kWhole, "1,000 when not given, the most"};
constexpr net::Field kOrder = {"order_by", Type::kTexts, "created_time DESC"};
constexpr net::Field kToken = {"page_token", Type::kText, "of the page before"};

constexpr Endpoint kEndpoints[] = {
    {.method = Method::kPost,
     .path = "/mlflow/datasets/create",
     .handler = Serve<&EvalSetsApi::Create>,
     .permission = kWrite,
     .summary = "Make an evaluation set",
     .fields = {{"name", Type::kText, "what it is called", "", kRequired},
                kExperiments,
                {"tags", Type::kText, "JSON of an object"}},
     .doors = Doors::kApi3},
    {.method = Method::kPost,
     .path = "/mlflow/datasets/search",
     .handler = Serve<&EvalSetsApi::Search>,
     .permission = kRead,
     .summary = "Find evaluation sets",
     .fields = {kExperiments, kFilter, kResults, kOrder, kToken},
     .doors = Doors::kApi3,
     .audited = false},
    {.method = Method::kGet,
     .path = "/mlflow/datasets/search",
     .handler = Serve<&EvalSetsApi::Search>,
     .permission = kRead,
     .summary = "Find evaluation sets",
     .fields = {kExperiments, kFilter, kResults, kOrder, kToken},
     .doors = Doors::kApi3},
    {.method = Method::kGet,
     .path = "/mlflow/datasets/{dataset_id}",
     .handler = Serve<&EvalSetsApi::Get>,
     .permission = kRead,
     .summary = "An evaluation set without its records",
     .doors = Doors::kApi3},
    {.method = Method::kDelete,
     .path = "/mlflow/datasets/{dataset_id}",
     .handler = Serve<&EvalSetsApi::Delete>,
     .permission = kWrite,
     .summary = "Delete an evaluation set for ever",
     .doors = Doors::kApi3},
    {.method = Method::kPatch,
     .path = "/mlflow/datasets/{dataset_id}/tags",
     .handler = Serve<&EvalSetsApi::SetTags>,
     .permission = kWrite,
     .summary = "Set tags of an evaluation set",
     .fields = {{"tags", Type::kText, "JSON of an object", "", kRequired}},
     .doors = Doors::kApi3},
    {.method = Method::kDelete,
     .path = "/mlflow/datasets/{dataset_id}/tags/{key}",
     .handler = Serve<&EvalSetsApi::DeleteTag>,
     .permission = kWrite,
     .summary = "Remove a tag of an evaluation set",
     .doors = Doors::kApi3},
    {.method = Method::kPost,
     .path = "/mlflow/datasets/{dataset_id}/records",
     .handler = Serve<&EvalSetsApi::PutRecords>,
     .permission = kWrite,
     .summary = "Add records to an evaluation set, or change them",
     .fields = {{"records", Type::kText, "JSON of a list", "", kRequired}},
     .doors = Doors::kApi3,
     .body_bytes_max = kRecordsBytesMax,
     .audited = false},
    {.method = Method::kGet,
     .path = "/mlflow/datasets/{dataset_id}/records",
     .handler = Serve<&EvalSetsApi::GetRecords>,
     .permission = kRead,
     .summary = "Records of an evaluation set",
     .fields = {kResults, kToken},
     .doors = Doors::kApi3},
    {.method = Method::kDelete,
     .path = "/mlflow/datasets/{dataset_id}/records",
     .handler = Serve<&EvalSetsApi::DeleteRecords>,
     .permission = kWrite,
     .summary = "Remove records of an evaluation set",
     .fields = {{"dataset_record_ids", Type::kTexts, "of the records"}},
     .doors = Doors::kApi3},
    {.method = Method::kGet,
     .path = "/mlflow/datasets/{dataset_id}/experiment-ids",
     .handler = Serve<&EvalSetsApi::GetExperiments>,
     .permission = kRead,
     .summary = "The experiments of an evaluation set",
     .doors = Doors::kApi3},
    {.method = Method::kPost,
     .path = "/mlflow/datasets/{dataset_id}/add-experiments",
     .handler = Serve<&EvalSetsApi::AddExperiments>,
     .permission = kWrite,
     .summary = "Add an evaluation set to experiments",
     .fields = {kExperiments},
     .doors = Doors::kApi3},
    {.method = Method::kPost,
     .path = "/mlflow/datasets/{dataset_id}/remove-experiments",
     .handler = Serve<&EvalSetsApi::RemoveExperiments>,
     .permission = kWrite,
     .summary = "Take an evaluation set from experiments",
     .fields = {kExperiments},
     .doors = Doors::kApi3},
};

Error InWords(const Error& error, std::string_view id) {
  if (error.gy() != "GY3731") return error;
  return Error(error.code(), error.gy(),
               fmt::format("Evaluation dataset with id '{}' not found", id.substr(0, 100)));
}

const std::string& IdOf(const Call& call) { return call.request.Param("dataset_id"); }

// JSON within a text.
Result<Json> JsonIn(const Call& call, std::string_view name) {
  const std::string text = call.arguments.Text(name);
  if (text.empty()) return Json();
  auto json = Json::Parse(text);
  if (json) return *std::move(json);
  return InvalidParameter(
      fmt::format("Invalid value for parameter '{}' supplied: {}", name, json.error().message()));
}

Result<eval_sets::Texts> ReadTags(const Json& json) {
  constexpr std::size_t kKeyMax = 250, kValueMax = 5'000, kTagsMax = 1'000;
  if (!json.is_null() && !json.is_object())
    return InvalidParameter("Invalid value for parameter 'tags' supplied: it is no object");
  if (json.size() > kTagsMax) return InvalidParameter("There are too many tags");
  eval_sets::Texts tags;
  for (const auto& [key, value] : json.members()) {
    if (value.is_null()) continue;
    std::string text = value.is_string() ? value.AsString() : value.Dump();
    GYRE_DO(CheckLength("key", key, kKeyMax));
    GYRE_DO(CheckLength("value", text, kValueMax));
    tags.emplace(key, std::move(text));
  }
  return tags;
}

Json TagsJson(const eval_sets::Texts& tags) {
  Json::Object members;
  for (const auto& [key, value] : tags) members.emplace_back(key, value);
  return Json(std::move(members));
}

// It changes whenever the set does.
std::string DigestOf(const eval_sets::EvalSet& set) {
  constexpr std::size_t kDigits = 8;
  return Sha256Hex(fmt::format("{}:{}", set.name, set.updated_us)).substr(0, kDigits);
}

void WriteSet(AnswerWriter& out, std::string_view name, const eval_sets::EvalSet& set) {
  out.Object(name)
      .Text("dataset_id", set.id)
      .Text("name", set.name)
      .Text("tags", TagsJson(set.tags).Dump())
      .TextUnlessEmpty("schema", set.fields)
      .Text("digest", DigestOf(set))
      .Whole("created_time", set.created_us / kMicrosPerMilli)
      .Whole("last_update_time", set.updated_us / kMicrosPerMilli)
      .TextUnlessEmpty("created_by", set.created_by)
      .TextUnlessEmpty("last_updated_by", set.updated_by);
  if (set.record_count > 0)
    out.Text("profile", fmt::format("{{\"num_records\": {}}}", set.record_count));
  if (!set.experiments.empty()) {
    out.List("experiment_ids");
    for (const std::int64_t number : set.experiments) out.Text({}, std::to_string(number));
    out.End();
  }
  out.End();
}

Result<net::Response> AnswerSet(const Result<eval_sets::EvalSet>& set, std::string_view id) {
  if (!set) return InWords(set.error(), id);
  return AnswerOf([&](AnswerWriter& out) { WriteSet(out, "dataset", *set); });
}

Result<eval_sets::EvalRecord> ReadRecord(const Json& json) {
  constexpr std::array<std::string_view, 6> kSources = {"TRACE", "HUMAN",       "DOCUMENT",
                                                        "CODE",  "UNSPECIFIED", ""};
  if (!json.is_object()) return InvalidParameter("A record of an evaluation dataset is an object");
  eval_sets::EvalRecord record;
  if (!json["inputs"].is_null()) record.inputs = json["inputs"];
  record.outputs = json["outputs"];
  record.expectations = json["expectations"];
  record.tags = json["tags"];
  record.source = json["source"];
  const std::string& source = record.source["source_type"].AsString();
  if (std::ranges::find(kSources, source) == kSources.end())
    return InvalidParameter(
        fmt::format("Invalid dataset record source type: {}", source.substr(0, 100)));
  return record;
}

Json RecordJson(std::string_view set_id, const eval_sets::EvalRecord& record) {
  Json json = Json::Obj({{"dataset_record_id", record.id},
                         {"dataset_id", set_id},
                         {"inputs", record.inputs},
                         {"created_time", record.created_us / kMicrosPerMilli},
                         {"last_update_time", record.updated_us / kMicrosPerMilli},
                         {"outputs", record.outputs.is_null() ? Json::Obj() : record.outputs},
                         {"tags", record.tags.is_null() ? Json::Obj() : record.tags}});
  if (!record.expectations.is_null()) json.Set("expectations", record.expectations);
  if (!record.created_by.empty()) json.Set("created_by", record.created_by);
  if (!record.updated_by.empty()) json.Set("last_updated_by", record.updated_by);
  if (record.source.is_null()) return json;
  const Json& data = record.source["source_data"];
  const std::string& type = record.source["source_type"].AsString();
  const std::string& id = data[type == "TRACE" ? "trace_id" : "source_id"].AsString();
  json.Set("source", record.source).Set("source_type", type.empty() ? "UNSPECIFIED" : type);
  if (!id.empty()) json.Set("source_id", id);
  return json;
}

}  // namespace

net::RouteTable EvalSetsApi::table() { return {"mlflow", RoutesOf<kEndpoints>::routes(), this}; }

Result<std::vector<std::int64_t>> EvalSetsApi::ExperimentsOf(const Call& call) {
  constexpr std::size_t kExperimentsMax = 1'000;
  const auto ids = call.arguments.Texts("experiment_ids");
  if (ids.size() > kExperimentsMax) return InvalidParameter("There are too many experiment_ids");
  std::vector<std::int64_t> numbers;
  for (const std::string& id : ids) {
    GYRE_TRY(const std::int64_t number, ExperimentNumber(id));
    const auto experiment = experiments_.Get(call.project, number);
    if (!experiment) return InExperimentWords(experiment.error(), id);
    numbers.push_back(experiment->number);
  }
  return numbers;
}

Result<net::Response> EvalSetsApi::Create(Call& call) {
  eval_sets::EvalSet set{.id = "", .project = call.project, .name = call.arguments.Text("name")};
  GYRE_TRY(const Json tags, JsonIn(call, "tags"));
  GYRE_TRY(set.tags, ReadTags(tags));
  GYRE_TRY(set.experiments, ExperimentsOf(call));
  const auto user = set.tags.find(std::string(kUserTag));
  set.created_by = set.updated_by =
      user == set.tags.end() ? call.request.principal.name : user->second;
  return AnswerSet(sets_.Create(std::move(set)), "");
}

Result<net::Response> EvalSetsApi::Get(Call& call) {
  return AnswerSet(sets_.Get(call.project, IdOf(call)), IdOf(call));
}

Result<net::Response> EvalSetsApi::Delete(Call& call) {
  GYRE_DO(sets_.Remove(call.project, IdOf(call)));
  return EmptyAnswer();
}

Result<net::Response> EvalSetsApi::Search(Call& call) {
  const Arguments& arguments = call.arguments;
  const std::int64_t results = arguments.Whole("max_results", kResultsStandard);
  if (results < 1 || results > kResultsMax)
    return InvalidParameter(fmt::format(
        "Invalid value {} for parameter 'max_results' supplied. It must be at most {} and a "
        "positive integer",
        results, kResultsMax));
  eval_sets::EvalSetSearch search{.project = call.project};
  search.limit = static_cast<std::size_t>(results);
  GYRE_TRY(search.experiments, ExperimentsOf(call));
  GYRE_TRY(search.filter,
           tracking::ParseFilter(arguments.Text("filter_string"), eval_sets::kEvalSetFields));
  GYRE_TRY(search.order,
           tracking::ParseOrder(arguments.Texts("order_by"), eval_sets::kEvalSetFields));
  search.page_token = arguments.Text("page_token");
  GYRE_TRY(const eval_sets::EvalSetPage page, sets_.Search(search));
  return AnswerOf([&](AnswerWriter& out) {
    if (!page.sets.empty()) {
      out.List("datasets");
      for (const eval_sets::EvalSet& set : page.sets) WriteSet(out, {}, set);
      out.End();
    }
    out.TextUnlessEmpty("next_page_token", page.next_page_token);
  });
}

Result<net::Response> EvalSetsApi::SetTags(Call& call) {
  GYRE_TRY(const Json json, JsonIn(call, "tags"));
  GYRE_TRY(const eval_sets::Texts tags, ReadTags(json));
  if (const auto done = sets_.SetTags(call.project, IdOf(call), tags); !done)
    return InWords(done.error(), IdOf(call));
  return EmptyAnswer();
}

Result<net::Response> EvalSetsApi::DeleteTag(Call& call) {
  const auto done = sets_.DeleteTag(call.project, IdOf(call), call.request.Param("key"));
  if (!done) return InWords(done.error(), IdOf(call));
  return EmptyAnswer();
}

Result<net::Response> EvalSetsApi::PutRecords(Call& call) {
  GYRE_TRY(const Json json, JsonIn(call, "records"));
  if (!json.is_array())
    return InvalidParameter("Invalid value for parameter 'records' supplied: it is no list");
  std::vector<eval_sets::EvalRecord> records;
  std::string by = call.request.principal.name;
  for (const Json& item : json.items()) {
    GYRE_TRY(eval_sets::EvalRecord record, ReadRecord(item));
    by = record.tags[kUserTag].StringOr(by);
    records.push_back(std::move(record));
  }
  const auto counts = sets_.PutRecords(call.project, IdOf(call), std::move(records), by);
  if (!counts) return InWords(counts.error(), IdOf(call));
  return AnswerOf([&](AnswerWriter& out) {
    out.Whole("inserted_count", counts->inserted).Whole("updated_count", counts->updated);
  });
}

Result<net::Response> EvalSetsApi::GetRecords(Call& call) {
  const std::int64_t asked = call.arguments.Whole("max_results");
  const auto limit = static_cast<int>(asked < 1 || asked > kResultsMax ? kResultsMax : asked);
  const auto page =
      sets_.Records(call.project, IdOf(call), limit, call.arguments.Text("page_token"));
  if (!page) return InWords(page.error(), IdOf(call));
  Json::Array records;
  for (const eval_sets::EvalRecord& record : page->records)
    records.push_back(RecordJson(IdOf(call), record));
  return AnswerOf([&](AnswerWriter& out) {
    out.Text("records", Json(std::move(records)).Dump())
        .TextUnlessEmpty("next_page_token", page->next_page_token);
  });
}

Result<net::Response> EvalSetsApi::DeleteRecords(Call& call) {
  const auto ids = call.arguments.Texts("dataset_record_ids");
  const auto removed = sets_.RemoveRecords(call.project, IdOf(call), ids);
  if (!removed) return InWords(removed.error(), IdOf(call));
  return AnswerOf([&](AnswerWriter& out) { out.Whole("deleted_count", *removed); });
}

Result<net::Response> EvalSetsApi::GetExperiments(Call& call) {
  const auto set = sets_.Get(call.project, IdOf(call));
  if (!set) return InWords(set.error(), IdOf(call));
  return AnswerOf([&](AnswerWriter& out) {
    out.List("experiment_ids");
    for (const std::int64_t number : set->experiments) out.Text({}, std::to_string(number));
    out.End();
  });
}

Result<net::Response> EvalSetsApi::AddExperiments(Call& call) {
  GYRE_TRY(const auto numbers, ExperimentsOf(call));
  return AnswerSet(sets_.AddExperiments(call.project, IdOf(call), numbers), IdOf(call));
}

Result<net::Response> EvalSetsApi::RemoveExperiments(Call& call) {
  GYRE_TRY(const auto numbers, ExperimentsOf(call));
  return AnswerSet(sets_.RemoveExperiments(call.project, IdOf(call), numbers), IdOf(call));
}

}  // namespace gyre::mlflow

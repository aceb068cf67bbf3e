#include "api/native/shapes.h"

#include <string_view>

namespace gyre::native {
namespace {

// A type is text, time, whole, number, bool, any or another shape's name; "X[]" is a list of X,
// "{X}" an object of X by name. "X?" may be null or missing.
struct Member {
  std::string_view name, type;
};
struct Shape {
  std::string_view name;
  Member members[24] = {};  // the rest have no name
};

constexpr Shape kShapes[] = {
    // --- who asks, of what server
    {"Grant", {{"project", "text"}, {"role", "text"}}},
    {"LocalOwner", {{"allowed", "bool"}, {"why_not", "text"}}},
    {"Me",
     {{"id", "text"},
      {"name", "text"},
      {"kind", "text"},
      {"roles", "Grant[]"},
      {"scopes", "text[]"},
      {"local_owner", "LocalOwner"}}},
    {"Status",
     {{"version", "text"},
      {"pid", "whole"},
      {"url", "text"},
      {"kind", "text"},
      {"data_directory", "text"}}},

    // --- projects
    {"Kpi",
     {{"text", "text"},
      {"name", "text"},
      {"comparison", "text"},
      {"value", "number"},
      {"unit", "text"},
      {"is_metric", "bool"}}},
    {"ProblemStatement",
     {{"version", "whole"},
      {"statement", "text"},
      {"target", "text"},
      {"owner", "text"},
      {"kpis", "Kpi[]"},
      {"created_by", "text"},
      {"created_at", "time"}}},
    {"ProblemStatementList", {{"items", "ProblemStatement[]"}, {"next_page_token", "text?"}}},
    {"Project",
     {{"id", "text"},
      {"name", "text"},
      {"created_by", "text"},
      {"created_at", "time"},
      {"problem", "ProblemStatement?"}}},
    {"ProjectList", {{"items", "Project[]"}, {"next_page_token", "text?"}}},
    {"KpiTrend", {{"change", "number"}, {"since", "time"}}},
    {"KpiState",
     {{"kpi", "text"},
      {"state", "text"},
      {"value", "number?"},
      {"reason", "text"},
      {"since", "time?"},
      {"at", "time?"},
      {"trend", "KpiTrend?"}}},
    {"KpiStateList", {{"items", "KpiState[]"}}},

    // --- datasets
    {"DatasetWarning",
     {{"kind", "text"},
      {"severity", "text"},
      {"message", "text"},
      {"column", "text?"},
      {"score", "number?"},
      {"leave_out", "bool?"}}},
    {"Column", {{"name", "text"}, {"type", "text"}}},
    {"DatasetVersion",
     {{"id", "text"},
      {"project", "text"},
      {"dataset", "text"},
      {"version", "text"},
      {"reference", "text"},
      {"rows", "whole"},
      {"columns", "whole"},
      {"bytes", "whole"},
      {"source_bytes", "whole"},
      {"format", "text"},
      {"content_hash", "text"},
      {"rows_quarantined", "whole"},
      {"warnings", "DatasetWarning[]"},
      {"source_name", "text"},
      {"schema", "Column[]"},
      {"tags", "{text}"},
      {"created_by", "text"},
      {"created_at", "time"}}},
    {"DatasetVersionList", {{"items", "DatasetVersion[]"}, {"next_page_token", "text?"}}},
    {"Dataset",
     {{"id", "text"},
      {"project", "text"},
      {"name", "text"},
      {"versions", "whole"},
      {"created_by", "text"},
      {"created_at", "time"},
      {"latest", "DatasetVersion?"}}},
    {"DatasetList", {{"items", "Dataset[]"}, {"next_page_token", "text?"}}},
    {"ValueCount", {{"value", "any"}, {"count", "whole"}}},
    {"Histogram", {{"edges", "any[]"}, {"counts", "whole[]"}}},
    {"ColumnProfile",
     {{"name", "text"},
      {"type", "text"},
      {"missing", "whole"},
      {"missing_fraction", "number"},
      {"distinct", "whole"},
      {"min", "any?"},
      {"max", "any?"},
      {"mean", "any?"},
      {"sd", "number?"},
      {"quantiles", "{any}?"},
      {"histogram", "Histogram?"},
      {"top", "ValueCount[]?"}}},
    {"Association", {{"column", "text"}, {"score", "number"}, {"method", "text"}}},
    {"DatasetProfile",
     {{"dataset", "text"},
      {"version", "text"},
      {"rows", "whole"},
      {"sampled_rows", "whole"},
      {"columns", "ColumnProfile[]"},
      {"target", "text?"},
      {"associations", "Association[]?"},
      {"warnings", "DatasetWarning[]"}}},
    {"QueryResult",
     {{"columns", "Column[]?"},
      {"rows", "any[]?"},
      {"truncated", "bool?"},
      {"job", "text?"},
      {"state", "text?"}}},

    // --- runs
    {"RunInput", {{"kind", "text"}, {"id", "text"}, {"name", "text"}, {"digest", "text"}}},
    {"Effort",
     {{"wall_seconds", "number?"}, {"cpu_seconds", "number?"}, {"memory_bytes_peak", "whole?"}}},
    {"Run", {{"id", "text"},           {"project", "text"},     {"experiment", "text"},
             {"name", "text"},         {"kind", "text"},        {"status", "text"},
             {"job", "text?"},         {"parent", "text?"},     {"created_by", "text"},
             {"error", "text"},        {"created_at", "time"},  {"started_at", "time?"},
             {"ended_at", "time?"},    {"params", "{text}"},    {"tags", "{text}"},
             {"metrics", "{number?}"}, {"code", "any?"},        {"inputs", "RunInput[]"},
             {"environment", "any?"},  {"resources", "Effort?"}}},
    {"RunList", {{"items", "Run[]"}, {"next_page_token", "text?"}}},
    {"MetricPoint", {{"step", "whole"}, {"value", "number?"}, {"time", "time"}}},
    {"MetricHistory", {{"key", "text"}, {"items", "MetricPoint[]"}}},
    {"Artifact",
     {{"path", "text"}, {"digest", "text"}, {"size_bytes", "whole"}, {"media_type", "text"}}},
    {"ArtifactList", {{"items", "Artifact[]"}}},

    // --- models and endpoints
    {"Model",
     {{"id", "text"},
      {"project", "text"},
      {"name", "text"},
      {"description", "text"},
      {"versions", "whole"},
      {"latest", "text?"},
      {"aliases", "{text}"},
      {"created_by", "text"},
      {"created_at", "time"},
      {"updated_at", "time"}}},
    {"ModelList", {{"items", "Model[]"}, {"next_page_token", "text?"}}},
    {"Inputs", {{"id", "text"}, {"role", "text"}}},
    {"ModelVersion",
     {{"id", "text"},
      {"project", "text"},
      {"model", "text"},
      {"version", "whole"},
      {"name", "text"},
      {"task", "text"},
      {"target", "text"},
      {"learner", "text"},
      {"metrics", "{number?}"},
      {"signature", "any"},
      {"aliases", "text[]"},
      {"run", "text?"},
      {"datasets", "Inputs[]"},
      {"recipe_hash", "text"},
      {"evaluation", "text?"},
      {"created_by", "text"},
      {"created_at", "time"}}},
    {"ModelVersionList", {{"items", "ModelVersion[]"}, {"next_page_token", "text?"}}},
    {"AliasMove",
     {{"sequence", "whole"},
      {"alias", "text"},
      {"version", "text?"},
      {"previous", "text?"},
      {"basis", "text"},
      {"reason", "text"},
      {"by", "text"},
      {"moved_at", "time"}}},
    {"AliasHistory", {{"items", "AliasMove[]"}}},
    {"EndpointVariant",
     {{"name", "text"}, {"model", "text"}, {"share", "number"}, {"shadow", "bool"}}},
    {"Endpoint",
     {{"id", "text"},
      {"project", "text"},
      {"name", "text"},
      {"model", "text"},
      {"follows", "text?"},
      {"ready", "bool"},
      {"parked", "bool"},
      {"variants", "EndpointVariant[]"},
      {"path", "text"},
      {"created", "time"},
      {"updated", "time"}}},
    {"EndpointList", {{"items", "Endpoint[]"}, {"next_page_token", "text?"}}},

    // --- monitoring and what it sets off
    {"Monitor",
     {{"id", "text"},
      {"project", "text"},
      {"name", "text"},
      {"endpoint", "text"},
      {"enabled", "bool"},
      {"state", "text"},
      {"windows", "whole"},
      {"newest", "time?"},
      {"firing", "whole"},
      {"pending", "whole"},
      {"window_text", "text"},
      {"alert_text", "text"}}},
    {"MonitorList", {{"items", "Monitor[]"}}},
    {"Estimate", {{"estimate", "number?"}, {"lower", "number?"}, {"upper", "number?"}}},
    {"WindowPerformance",
     {{"model", "text"}, {"rows", "whole"}, {"primary", "text"}, {"metrics", "{Estimate}"}}},
    {"Window",
     {{"id", "text"},
      {"number", "whole"},
      {"begin", "time"},
      {"end", "time"},
      {"state", "text"},
      {"rows", "whole"},
      {"labelled", "whole"},
      {"model", "text"},
      {"performance", "WindowPerformance[]"}}},
    {"WindowList", {{"items", "Window[]"}, {"next_page_token", "text?"}}},
    {"Alert",
     {{"id", "text"},
      {"name", "text"},
      {"monitor", "text"},
      {"endpoint", "text"},
      {"signal", "text"},
      {"state", "text"},
      {"what", "text"},
      {"since", "time?"}}},
    {"AlertList", {{"items", "Alert[]"}}},
    {"FiringOutcome", {{"kind", "text"}, {"text", "text"}}},
    {"Firing",
     {{"id", "text"},
      {"trigger", "text"},
      {"project", "text"},
      {"cause", "text"},
      {"subject", "text"},
      {"text", "text"},
      {"state", "text"},
      {"reason", "text"},
      {"outcome", "FiringOutcome?"},
      {"run", "text?"},
      {"created_at", "time"},
      {"ended_at", "time?"}}},
    {"FiringList", {{"items", "Firing[]"}, {"next_page_token", "text?"}}},
    {"PipelineRun",
     {{"id", "text"},
      {"short", "text"},
      {"project", "text"},
      {"pipeline", "text"},
      {"version", "whole"},
      {"state", "text"},
      {"reason", "text"},
      {"error", "text"},
      {"triggered_by", "text"},
      {"created_by", "text"},
      {"created_at", "time"},
      {"ended_at", "time?"},
      {"seconds", "number?"}}},
    {"PipelineRunList", {{"items", "PipelineRun[]"}, {"next_page_token", "text?"}}},

    // --- what happened, what it takes
    {"Event",
     {{"sequence", "whole"},
      {"kind", "text"},
      {"project", "text?"},
      {"subject", "text"},
      {"payload", "any"},
      {"created_at", "time"}}},
    {"EventList", {{"items", "Event[]"}, {"next_page_token", "text?"}}},
    {"Job",
     {{"id", "text"},
      {"kind", "text"},
      {"project", "text?"},
      {"title", "text"},
      {"state", "text"},
      {"progress", "number?"},
      {"progress_text", "text?"},
      {"result", "any?"},
      {"error", "any?"},
      {"created_at", "time"}}},
    {"JobList", {{"items", "Job[]"}, {"next_page_token", "text?"}}},
    {"Forecast",
     {{"project", "text"},
      {"month", "text"},
      {"so_far", "number"},
      {"expected", "number"},
      {"so_far_text", "text"},
      {"expected_text", "text"},
      {"currency", "text"},
      {"how", "text"}}},
    {"ForecastList", {{"items", "Forecast[]"}}},
};

// "X?" is X or null; whether it may be missing is said by `required`.
Json TypeSchema(std::string_view type) {
  const auto of = [](std::string_view name) { return Json::Obj({{"type", name}}); };
  if (type.ends_with('?')) {
    type.remove_suffix(1);
    if (type == "any") return Json::Obj();
    return Json::Obj({{"anyOf", Json::Arr({TypeSchema(type), of("null")})}});
  }
  if (type.ends_with("[]")) {
    type.remove_suffix(2);
    return of("array").Set("items", TypeSchema(type));
  }
  if (type.starts_with('{'))
    return of("object").Set("additionalProperties", TypeSchema(type.substr(1, type.size() - 2)));
  if (type == "any") return Json::Obj();
  if (type == "text") return of("string");
  if (type == "time") return of("string").Set("format", "date-time");
  if (type == "whole") return of("integer");
  if (type == "number") return of("number");
  if (type == "bool") return of("boolean");
  return Json::Obj({{"$ref", fmt::format("#/components/schemas/{}", type)}});
}

Json ShapeSchema(const Shape& shape) {
  Json properties = Json::Obj(), required = Json::Arr();
  for (const Member& member : shape.members) {
    if (member.name.empty()) break;
    properties.Set(std::string(member.name), TypeSchema(member.type));
    if (!member.type.ends_with('?')) required.Push(member.name);
  }
  return Json::Obj({{"type", "object"},
                    {"properties", std::move(properties)},
                    {"required", std::move(required)}});
}

}  // namespace

Json AnswerSchemas() {
  Json schemas = Json::Obj();
  for (const Shape& shape : kShapes) schemas.Set(std::string(shape.name), ShapeSchema(shape));
  return schemas;
}

}  // namespace gyre::native

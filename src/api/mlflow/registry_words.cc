#include "api/mlflow/registry_words.h"

#include <algorithm>
#include <array>

#include "api/mlflow/errors.h"
#include "api/mlflow/run_words.h"
#include "base/text.h"
#include "ml/registry/words.h"

namespace gyre::mlflow {
namespace {

constexpr std::array<std::string_view, 4> kStages = {"None", "Staging", "Production", "Archived"};

std::int64_t Millis(std::int64_t micros) { return micros / kMicrosPerMilli; }

Result<> AddTag(std::string_view key, std::string_view value, registry::Tags* tags) {
  GYRE_DO(CheckLength("key", key, registry::kTagKeyMax));
  GYRE_DO(CheckLength("value", value, registry::kTagMax));
  tags->insert_or_assign(std::string(key), std::string(value));
  return {};
}

}  // namespace

std::string_view StageWord(registry::Stage stage) {
  return kStages[static_cast<std::size_t>(stage)];
}

Result<registry::Stage> StageOfWord(std::string_view word) {
  if (const auto stage = registry::ParseStage(word)) return *stage;
  return InvalidParameter(
      fmt::format("Invalid Model Version stage: {}. Value must be one of None, Staging, "
                  "Production, Archived.",
                  word.substr(0, 100)));
}

Result<int> VersionOf(const Arguments& arguments) {
  const std::string text = arguments.Text("version");
  const auto number = ParseInt(text);
  if (!number)
    return InvalidParameter(
        fmt::format("Parameter 'version' must be an integer, got '{}'.", text.substr(0, 100)));
  // No version has such a number.
  if (*number < 1 || *number > 1'000'000'000) return 0;
  return static_cast<int>(*number);
}

Result<registry::Tags> TagsOf(const Arguments& arguments) {
  registry::Tags tags;
  int index = 0;
  for (const JsonValue tag : arguments.Objects("tags")) {
    for (const std::string_view name : {"key", "value"}) {
      const JsonValue value = tag[name];
      const std::string path = fmt::format("tags[{}].{}", index, name);
      if (value.there() && !value.is_text()) return WrongType(path, value);
      if (name == "key" && value.text().empty()) return MissingValue(path);
    }
    GYRE_DO(AddTag(tag["key"].text(), tag["value"].text(), &tags));
    ++index;
  }
  return tags;
}

Result<registry::Tags> TagOf(const Arguments& arguments) {
  registry::Tags tags;
  GYRE_DO(AddTag(arguments.Text("key"), arguments.Text("value"), &tags));
  return tags;
}

std::string SourceOf(const registry::ModelVersion& version) {
  if (!version.source.empty()) return version.source;
  if (!version.run_id.empty()) return fmt::format("runs:/{}/model", version.run_id);
  return fmt::format("gyre:/{}/models/{}/{}", version.project, version.model, version.version);
}

std::string DownloadUriOf(const registry::ModelVersion& version) {
  return version.location.empty() ? SourceOf(version) : version.location;
}

void WriteVersion(const registry::ModelVersion& version, std::string_view name, AnswerWriter* out,
                  std::string_view message) {
  out->Object(name)
      .Text("name", version.title)
      .Text("version", fmt::format("{}", version.version))
      .Whole("creation_timestamp", Millis(version.created_us))
      .Whole("last_updated_timestamp", Millis(version.updated_us))
      .TextUnlessEmpty("user_id", version.created_by)
      .Text("current_stage", StageWord(version.stage))
      .Text("description", version.notes)
      .Text("source", SourceOf(version))
      .Text("run_id", version.run_id)
      .Text("status", "READY")
      .TextUnlessEmpty("status_message", message);
  out->Pairs("tags", version.tags);
  out->Text("run_link", version.run_link);
  if (!version.aliases.empty()) {
    out->List("aliases");
    for (const std::string& alias : version.aliases) out->Text({}, alias);
    out->End();
  }
  out->End();
}

void WriteModel(const registry::Model& model, const std::vector<registry::ModelVersion>& latest,
                AnswerWriter* out) {
  out->Text("name", model.title)
      .Whole("creation_timestamp", Millis(model.created_us))
      .Whole("last_updated_timestamp", Millis(model.updated_us))
      .TextUnlessEmpty("user_id", model.created_by)
      .TextUnlessEmpty("description", model.description);
  if (!latest.empty()) {
    out->List("latest_versions");
    for (const registry::ModelVersion& version : latest) WriteVersion(version, {}, out);
    out->End();
  }
  out->Pairs("tags", model.tags);
  if (!model.aliases.empty()) {
    out->List("aliases");
    for (const auto& [alias, version] : model.aliases)
      out->Object().Text("alias", alias).Text("version", fmt::format("{}", version)).End();
    out->End();
  }
}

net::Response VersionAnswer(const registry::ModelVersion& version, std::string_view message) {
  return AnswerOf(
      [&](AnswerWriter& out) { WriteVersion(version, "model_version", &out, message); });
}

net::Response ModelAnswer(const registry::Model& model,
                          const std::vector<registry::ModelVersion>& latest) {
  return AnswerOf([&](AnswerWriter& out) {
    out.Object("registered_model");
    WriteModel(model, latest, &out);
    out.End();
  });
}

Result<SearchTerms> SearchOf(const Arguments& arguments, const tracking::FieldTable& fields,
                             int results, int results_max) {
  SearchTerms terms;
  const std::int64_t asked = arguments.Whole("max_results", results);
  if (asked < 1 || asked > results_max)
    return InvalidParameter(
        fmt::format("Invalid value for request parameter max_results. It must be at most {}, but "
                    "got value {}",
                    results_max, asked));
  terms.limit = static_cast<int>(asked);
  GYRE_TRY(terms.filter, tracking::ParseFilter(arguments.Text("filter"), fields));
  const std::vector<std::string> order = arguments.Texts("order_by");
  GYRE_TRY(terms.order, tracking::ParseOrder(order, fields));
  terms.page_token = arguments.Text("page_token");
  return terms;
}

Error InModelWords(const Error& error, std::string_view name) {
  if (error.gy() == "GY3602")
    return NotFound("GY3602", "Registered Model with name={} not found", name);
  if (error.gy() == "GY3630")
    return MakeError(Code::kAlreadyExists, "GY3630", "Registered Model (name={}) already exists.",
                     name);
  if (error.gy() == "GY3631" && name.find_first_of("/:") != std::string_view::npos)
    return InvalidArgument("GY3631", "Invalid model name '{}'. Names cannot contain '/' or ':'.",
                           name);
  return error;
}

Error InVersionWords(const Error& error, std::string_view name, int version) {
  if (error.gy() == "GY3602" || error.gy() == "GY3603")
    return NotFound("GY3603", "Model Version (name={}, version={}) not found", name, version);
  return error;
}

Error InAliasWords(const Error& error, std::string_view name, std::string_view alias) {
  // Not a 404, which clients take for a model that is not there.
  if (error.gy() == "GY3604")
    return InvalidArgument("GY3604", "Registered model alias {} not found.", alias);
  return InModelWords(error, name);
}

Result<> CheckAliasWords(std::string_view alias) {
  if (EqualsIgnoreCase(alias, "latest"))
    return InvalidParameter("'latest' alias name (case insensitive) is reserved.");
  const bool numbered =
      alias.size() > 1 && (alias[0] == 'v' || alias[0] == 'V') &&
      std::ranges::all_of(alias.substr(1), [](char c) { return c >= '0' && c <= '9'; });
  if (numbered) return InvalidParameter(fmt::format("Version alias name '{}' is reserved.", alias));
  if (alias.size() > registry::kAliasMax && !registry::CheckAliasText(alias) &&
      registry::CheckAliasText(alias.substr(0, registry::kAliasMax)))
    return InvalidParameter(
        fmt::format("'Registered model alias name' exceeds the maximum length of {} characters",
                    registry::kAliasMax));
  if (registry::CheckAliasText(alias) && alias.find('.') == std::string_view::npos) return {};
  return InvalidParameter(
      fmt::format("Invalid alias name: '{}'. Names may only contain alphanumerics, underscores "
                  "(_), and dashes (-).",
                  alias.substr(0, 300)));
}

}  // namespace gyre::mlflow

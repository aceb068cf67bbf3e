#include "api/mlflow/webhook_events.h"

#include <algorithm>

#include "api/mlflow/registry_words.h"
#include "ledger/notices/notices.h"
#include "ml/registry/catalog.h"

namespace gyre::mlflow {
namespace {

constexpr std::string_view kWords[] = {
    "registered_model.created",
    "model_version.created",
    "model_version_tag.set",
    "model_version_tag.deleted",
    "model_version_alias.created",
    "model_version_alias.deleted",
    "prompt.created",
    "prompt_version.created",
    "prompt_tag.set",
    "prompt_tag.deleted",
    "prompt_version_tag.set",
    "prompt_version_tag.deleted",
    "prompt_alias.created",
    "prompt_alias.deleted",
};
constexpr std::string_view kPromptText = "mlflow.prompt.text", kPromptType = "_mlflow_prompt_type";
// A notice holds 64 KiB with what stands around the data.
constexpr std::size_t kDataBytesMax = 60'000;
constexpr std::string_view kGoesOn = "\xe2\x80\xa6";  // "..." as one character

Json TagsToJson(const registry::Tags& tags, bool prompt) {
  Json json = Json::Obj();
  for (const auto& [key, value] : tags) {
    const bool internal = key == registry::kPromptTag || key == kPromptText || key == kPromptType;
    if (!prompt || !internal) json.Set(key, value);
  }
  return json;
}

Json OrNull(const std::string& text) { return text.empty() ? Json() : Json(text); }

WebhookEvent OfModel(const registry::Model& model, bool prompt) {
  return {prompt ? "prompt" : "registered_model", "created",
          Json::Obj({{"name", model.title},
                     {"tags", TagsToJson(model.tags, prompt)},
                     {"description", OrNull(model.description)}})};
}

WebhookEvent OfVersion(const registry::ModelVersion& version, bool prompt) {
  WebhookEvent event{
      prompt ? "prompt_version" : "model_version", "created",
      Json::Obj({{"name", version.title}, {"version", fmt::format("{}", version.version)}})};
  if (prompt) {
    const auto text = version.tags.find(std::string(kPromptText));
    event.data.Set("template", text == version.tags.end() ? "" : text->second);
  } else {
    event.data.Set("source", SourceOf(version)).Set("run_id", OrNull(version.run_id));
  }
  event.data.Set("tags", TagsToJson(version.tags, prompt))
      .Set("description", OrNull(version.notes));
  return event;
}

// Of a tag: its key, and its value when it was set.
void AddTag(const Json& payload, WebhookEvent* event) {
  event->data.Set("key", payload["key"]);
  if (event->action == "set") event->data.Set("value", payload["value"]);
}

std::string Shortened(const std::string& text, std::size_t bytes_max) {
  if (text.size() <= bytes_max) return text;
  std::size_t end = bytes_max;
  while (end > 0 && (static_cast<unsigned char>(text[end]) & 0xc0U) == 0x80) --end;
  return text.substr(0, end).append(kGoesOn);
}

Json WithShortTexts(const Json& json, std::size_t bytes_max) {
  if (json.is_string()) return Shortened(json.AsString(), bytes_max);
  if (!json.is_object()) return json;
  Json made = Json::Obj();
  for (const auto& [key, value] : json.members()) made.Set(key, WithShortTexts(value, bytes_max));
  return made;
}

// Receivers get a whole document whatever tags hold: its longest texts are shortened, as little as
// will do, and end in three dots. So many tags that this is not enough are left out.
Json Fitting(Json data) {
  constexpr std::size_t kTextBytesMax[] = {30'000, 10'000, 3'000, 1'000, 300, 100};
  if (data.Dump().size() <= kDataBytesMax) return data;
  for (const std::size_t bytes_max : kTextBytesMax) {
    Json shorter = WithShortTexts(data, bytes_max);
    if (shorter.Dump().size() <= kDataBytesMax) return shorter;
  }
  return WithShortTexts(data.Set("tags", Json::Obj()), 300);
}

}  // namespace

bool IsWebhookEvent(std::string_view word) {
  return std::ranges::find(kWords, word) != std::end(kWords);
}

Result<std::optional<WebhookEvent>> WebhookEventOf(registry::Registry& registry,
                                                   const events::Event& event) {
  std::optional<WebhookEvent> none;
  if (!event.kind.starts_with("model.")) return none;
  GYRE_TRY(const Json payload, Json::Parse(event.payload));
  const auto model = registry.GetModel(event.project, payload["model"].AsString());
  // What is gone again tells nothing that a receiver could look at.
  if (!model && model.error().code() == Code::kNotFound) return none;
  if (!model) return model.error();
  const auto tag = model->tags.find(std::string(registry::kPromptTag));
  const bool prompt = tag != model->tags.end() && tag->second == "true";
  if (event.kind == "model.created") return std::optional(OfModel(*model, prompt));
  if (event.kind == "model.version.created") {
    const auto version = registry.GetVersion(event.subject);
    if (!version && version.error().code() == Code::kNotFound) return none;
    if (!version) return version.error();
    return std::optional(OfVersion(*version, prompt));
  }
  const std::string number = fmt::format("{}", payload["version"].AsInt());
  WebhookEvent told;
  told.data = Json::Obj({{"name", model->title}});
  if (event.kind == "model.alias.moved") {
    const bool there = payload["version"].AsInt() > 0;
    told.entity = prompt ? "prompt_alias" : "model_version_alias";
    told.action = there ? "created" : "deleted";
    told.data.Set("alias", payload["alias"]);
    if (there) told.data.Set("version", number);
    return std::optional(std::move(told));
  }
  const bool of_version = event.kind.starts_with("model.version.tag.");
  if (!of_version && !(prompt && event.kind.starts_with("model.tag."))) return none;
  told.entity = !of_version ? "prompt_tag" : prompt ? "prompt_version_tag" : "model_version_tag";
  told.action = event.kind.substr(event.kind.rfind('.') + 1);
  if (of_version) told.data.Set("version", number);
  AddTag(payload, &told);
  return std::optional(std::move(told));
}

WebhookEvent SampleOf(std::string_view word) {
  const std::size_t dot = word.find('.');
  WebhookEvent sample{std::string(word.substr(0, dot)), std::string(word.substr(dot + 1)), {}};
  const bool prompt = sample.entity.starts_with("prompt");
  const std::string_view of = prompt ? "prompt" : "model";
  sample.data = Json::Obj({{"name", fmt::format("example_{}", of)}});
  const bool has_version =
      sample.entity.find("version") != std::string::npos || sample.word() == "prompt_alias.created";
  if (sample.entity.ends_with("_alias")) sample.data.Set("alias", "example_alias");
  if (has_version && sample.word() != "model_version_alias.deleted")
    sample.data.Set("version", "1");
  if (sample.entity.ends_with("_tag")) {
    sample.data.Set("key", "example_key");
    if (sample.action == "set") sample.data.Set("value", "example_value");
  } else if (!sample.entity.ends_with("_alias")) {
    if (sample.entity == "prompt_version") sample.data.Set("template", "Hello {{name}}!");
    if (sample.entity == "model_version")
      sample.data.Set("source", "models:/123").Set("run_id", "abcd1234abcd5678");
    sample.data.Set("tags", Json::Obj({{"example_key", "example_value"}}))
        .Set("description", "An example");
  }
  return sample;
}

Json WebhookDocument(const WebhookEvent& event, std::int64_t time_us) {
  return Json::Obj({{"entity", event.entity},
                    {"action", event.action},
                    {"timestamp", FormatTime(time_us)},
                    {"data", Fitting(event.data)}});
}

Result<> TellWebhooks(registry::Registry& registry, notices::Notices& notices,
                      const events::Event& event) {
  GYRE_TRY(const auto channels, notices.ListChannels(event.project));
  const bool any = std::ranges::any_of(channels, [](const notices::Channel& channel) {
    return channel.settings.format == kWebhookFormat;
  });
  if (!any) return {};
  GYRE_TRY(const auto told, WebhookEventOf(registry, event));
  if (!told) return {};
  std::vector<std::string> listening;
  for (const notices::Channel& channel : channels) {
    const Json& kept = channel.settings.kept;
    const bool listens = std::ranges::any_of(
        kept["events"].items(), [&](const Json& word) { return word.AsString() == told->word(); });
    if (channel.settings.format == kWebhookFormat && listens && kept["status"] == Json("ACTIVE"))
      listening.push_back(channel.settings.name);
  }
  if (listening.empty()) return {};
  GYRE_TRY([[maybe_unused]] const auto published,
           notices.Publish(notices::Compose(
               {.project = event.project,
                .kind = "mlflow." + told->word(),
                .title = fmt::format("{} {}", told->data["name"].AsString(), told->word()),
                .dedupe_key = fmt::format("mlflow:{}", event.sequence),
                .payload = WebhookDocument(*told, event.created_us),
                .channels = std::move(listening)})));
  return {};
}

}  // namespace gyre::mlflow

#include "cli/dry_run.h"

#include <algorithm>
#include <iterator>
#include <optional>

#include "base/text.h"
#include "cli/output.h"
#include "platform/config/yaml.h"

namespace gyre::cli {
namespace {

constexpr std::string_view kEnd = "GY4028";
constexpr std::string_view kWithoutDryRun[] = {"server", "server stop", "demo",   "login",
                                               "logout", "worker",      "keeper", "faults",
                                               "doctor", "report"};
// Posts that only ask.
constexpr std::string_view kQuestions[] = {
    "/query",           "/query/file",        "/plan", "/suggest", "/recipes/check",
    "/pipelines/check", "/declarations/check"};

std::string_view WithoutQuery(std::string_view path) { return path.substr(0, path.find('?')); }

bool IsQuestion(std::string_view path) {
  return std::ranges::any_of(kQuestions,
                             [&](std::string_view question) { return path.ends_with(question); });
}

// "/api/v1/projects/{project}" names "/api/v1/projects/churn".
bool IsRoute(std::string_view route, std::string_view path) {
  const auto expected = Split(route, '/'), given = Split(path, '/');
  if (expected.size() != given.size()) return false;
  for (std::size_t i = 0; i < expected.size(); ++i) {
    const bool any = expected[i].starts_with('{');
    if (!any && expected[i] != given[i]) return false;
  }
  return true;
}

std::string Plain(std::string_view encoded) {
  bool ok = true;
  std::string text = PercentDecode(encoded, true, &ok);
  return ok ? text : std::string(encoded);
}

// "model=churn&output_format=csv"
void AddQuery(std::string_view query, Json* about) {
  for (const std::string_view part : Split(query, '&')) {
    const std::size_t at = part.find('=');
    if (at != std::string_view::npos) about->Set(part.substr(0, at), Plain(part.substr(at + 1)));
  }
}

class DryRunSession : public Session {
 public:
  DryRunSession(std::unique_ptr<Session> session, Json* planned)
      : session_(std::move(session)), planned_(*planned) {}

  Result<Json> Get(std::string_view path) override { return session_->Get(path); }
  Result<Json> Post(std::string_view path, const Json& body) override {
    const std::string_view bare = WithoutQuery(path);
    if (IsQuestion(bare) || path.ends_with("dry_run=true")) return session_->Post(path, body);
    Plan("POST", path, body);
    if (bare.ends_with("/cancel")) return Json::Obj();
    return End();
  }
  Result<Json> Put(std::string_view path, const Json& body) override {
    Plan("PUT", path, body);
    return End();
  }
  Result<Json> Patch(std::string_view path, const Json& body) override {
    Plan("PATCH", path, body);
    return End();
  }
  Result<Json> Delete(std::string_view path) override {
    if (path.ends_with("dry_run=true")) return session_->Delete(path);
    if (SaysWhoNeeds(path)) {
      GYRE_TRY(const Json answer,
               session_->Delete(fmt::format("{}{}dry_run=true", path,
                                            path.find('?') == std::string_view::npos ? "?" : "&")));
      Json about = Json::Obj({{"kept_days", answer["kept_days"]}});
      for (const std::string_view key : {"holds", "answers", "read_by"})
        if (answer[key].size() > 0) about.Set(key, answer[key]);
      if (answer["needed_by"].is_object()) {
        about.Set("needed_by", answer["needed_by"]["message"]);
        about.Set("refused", path.find("force=true") == std::string_view::npos);
      }
      Plan("DELETE", path, about);
      return Json::Obj();
    }
    // What is not there cannot be removed. Not every thing has a page of its own, though.
    const auto there = session_->Get(path);
    if (!there && there.error().code() == Code::kNotFound &&
        !there.error().gy().starts_with("GY16"))
      return there.error();
    Plan("DELETE", path, Json());
    return Json::Obj();
  }
  Result<Json> Upload(std::string_view path, const std::string& file, Output& out) override {
    if (IsQuestion(WithoutQuery(path))) return session_->Upload(path, file, out);
    Plan("POST", path, "the content of " + file);
    return End();
  }
  Result<> Download(std::string_view path, const std::string& file, Output& out) override {
    if (file == "-") return session_->Download(path, file, out);
    Plan("GET", path, "into " + file);
    return End();
  }
  void WillWrite(const std::string& file) override { will_write_ = file; }
  Result<> Stream(std::string_view path,
                  const std::function<Result<>(std::string_view)>& /*sink*/) override {
    Plan("POST", path, Json());
    return End();
  }
  Result<> Events(std::string_view path, std::string_view after,
                  const EventStream::Take& take) override {
    return session_->Events(path, after, take);
  }
  Result<Json> WaitJob(const Json& job, Output& out) override {
    return session_->WaitJob(job, out);
  }
  const std::string& url() const override { return session_->url(); }
  bool is_local() const override { return session_->is_local(); }
  const std::string& audience() const override { return session_->audience(); }
  std::string Repeatable(std::string command) const override {
    return session_->Repeatable(std::move(command));
  }
  Result<> EnsureServerOutlivesUs(Output& /*out*/) override { return {}; }
  void StopStartedServer(Output& /*out*/) override {}

 private:
  static Error End() { return Error(Code::kCancelled, kEnd, "a dry run changes nothing"); }

  void Plan(std::string_view method, std::string_view path, const Json& body) {
    std::string summary;
    Json about = Json::Obj();
    Explain(method, WithoutQuery(path), &summary, &about);
    const std::size_t query = path.find('?');
    if (query != std::string_view::npos) AddQuery(path.substr(query + 1), &about);
    if (!will_write_.empty()) about.Set("out", will_write_);
    planned_.Push(Json::Obj({{"method", method},
                             {"path", path},
                             {"body", body},
                             {"summary", summary},
                             {"about", std::move(about)}}));
  }

  const Json& Description() {
    if (!description_) {
      auto description = session_->Get("/api/v1/openapi.json");
      description_ = description ? *std::move(description) : Json::Obj();
    }
    return *description_;
  }

  // Whether the server can say who needs what a DELETE would remove.
  bool SaysWhoNeeds(std::string_view path) {
    for (const auto& [route, methods] : Description()["paths"].members()) {
      if (!IsRoute(route, WithoutQuery(path)) || !methods.Has("delete")) continue;
      for (const Json& parameter : methods["delete"]["parameters"].items()) {
        if (parameter["name"].AsString() == "dry_run") return true;
      }
    }
    return false;
  }

  // What the server says that this request does, and the names in its path: {"endpoint": "churn"}.
  void Explain(std::string_view method, std::string_view path, std::string* summary, Json* about) {
    const std::string verb = ToLower(method);
    for (const auto& [route, methods] : Description()["paths"].members()) {
      if (!IsRoute(route, path) || !methods.Has(verb)) continue;
      *summary = methods[verb]["summary"].AsString();
      const auto names = Split(route, '/'), values = Split(path, '/');
      for (std::size_t i = 0; i < names.size(); ++i) {
        if (names[i].starts_with('{'))
          about->Set(names[i].substr(1, names[i].size() - 2), Plain(values[i]));
      }
      return;
    }
  }

  std::unique_ptr<Session> session_;
  Json& planned_;
  std::optional<Json> description_;
  std::string will_write_;
};

}  // namespace

bool EndsDryRun(const Error& error) { return error.gy() == kEnd; }

Result<> CheckHasDryRun(std::string_view command_path) {
  if (std::find(std::begin(kWithoutDryRun), std::end(kWithoutDryRun), command_path) ==
      std::end(kWithoutDryRun))
    return {};
  return InvalidArgument("GY4029", "`gyre {}` has no --dry-run", command_path)
      .Fix(fmt::format("gyre help {}   (says what it does)", command_path));
}

std::unique_ptr<Session> NewDryRunSession(std::unique_ptr<Session> session, Json* planned) {
  return std::make_unique<DryRunSession>(std::move(session), planned);
}

std::string PlanText(const Json& planned) {
  std::string text;
  for (const Json& request : planned.items()) {
    const std::string& method = request["method"].AsString();
    const std::string& path = request["path"].AsString();
    std::string summary = request["summary"].AsString();
    if (summary.empty()) summary = fmt::format("{} {}", method, path);
    text += "would: " + summary + "\n";
    Json about = request["about"];
    const Json& body = request["body"];
    for (const auto& [key, value] : body.members()) about.Set(key, value);
    std::string details = about.members().empty() ? "" : config::DumpYaml(about);
    if (body.is_string()) details += body.AsString();
    for (const std::string_view line : Split(Trim(details), '\n')) {
      if (!line.empty()) text += fmt::format("  {}\n", line);
    }
    text += fmt::format("  ({} {})\n", method, path.substr(0, path.find('?')));
  }
  return text;
}

}  // namespace gyre::cli

#include "cli/session.h"

#include <algorithm>
#include <cerrno>
#include <cstdio>

#include "base/text.h"
#include "base/time.h"
#include "cli/connect.h"
#include "cli/credentials.h"
#include "cli/output.h"
#include "cli/transfer.h"
#include "platform/config/environment.h"
#include "platform/exec/companion.h"
#include "platform/exec/process.h"
#include "platform/exec/signals.h"
#include "platform/net/client.h"
#include "platform/telemetry/trace.h"

namespace gyre::cli {
namespace {

constexpr std::int64_t kSocketTimeoutMicros = 10 * kMicrosPerSecond;
constexpr std::int64_t kPollMicros = 5'000;
constexpr std::int64_t kStopTimeoutMillis = 15'000;
constexpr std::int64_t kJobPollMicrosMin = 5'000, kJobPollMicrosMax = 200'000;
constexpr std::int64_t kSecondThoughtMicros = kMicrosPerSecond;
constexpr std::int64_t kKeeperEndMicros = 5 * kMicrosPerSecond;
constexpr std::int64_t kShortCommandMicros = kMicrosPerSecond;
constexpr std::int64_t kAnswerPatienceMicros = kMicrosPerSecond / 2;
constexpr int kKeepersMax = 20;  // beyond that we do without: the job then ends with us

Error ErrorOfJob(const Json& job) {
  const Json& error = job["error"];
  const std::string& id = job["id"].AsString();
  if (job["state"].AsString() == "cancelled") {
    const std::string& by = job["cancelled_by"].AsString();
    return Error(Code::kCancelled, "GY4021",
                 "the job was cancelled" + (by.empty() ? "" : " by " + by))
        .Where("job " + id);
  }
  if (!error.is_object()) {
    return Error(Code::kUnavailable, "GY4022",
                 "the job was interrupted: " + job["title"].AsString())
        .Why("the server ended while it ran")
        .Where("job " + id);
  }
  Error made(Code::kInvalidArgument, error["code"].StringOr("GY1001"), error["message"].AsString());
  if (!error["why"].AsString().empty()) made = std::move(made).Why(error["why"].AsString());
  if (!error["where"].AsString().empty()) made = std::move(made).Where(error["where"].AsString());
  for (const Json& fix : error["fix"].items()) made = std::move(made).Fix(fix.AsString());
  return made;
}

class NetSession : public Session {
 public:
  explicit NetSession(const ConnectSettings& settings) : settings_(settings) {}
  ~NetSession() override {
    client_.reset();
    // Another command may be in the middle of something on our socket.
    if (owner_) owner_->WaitUntilIdle();
    // What comes next in a script finds the directory free, unless others still use our keeper.
    if (keeper_ && !left_) keeper_->LetGo(kKeeperEndMicros);
  }

  Result<> Open() {
    if (!settings_.server_url.empty()) {
      url_ = audience_ = settings_.server_url;
      client_ = std::make_unique<net::Client>(
          net::ClientSettings{.url = url_, .unix_socket = {}, .token = FindToken(audience_)});
      return {};
    }
    audience_ = settings_.data_directory;
    return Attach();
  }

  Result<Json> Get(std::string_view path) override { return Call("GET", path, nullptr); }
  Result<Json> Post(std::string_view path, const Json& body) override {
    return Call("POST", path, &body);
  }
  Result<Json> Put(std::string_view path, const Json& body) override {
    return Call("PUT", path, &body);
  }
  Result<Json> Patch(std::string_view path, const Json& body) override {
    return Call("PATCH", path, &body);
  }
  Result<Json> Delete(std::string_view path) override { return Call("DELETE", path, nullptr); }

  Result<Json> Upload(std::string_view path, const std::string& file, Output& out) override {
    GYRE_TRY(const File source, OpenFile(file, "r"));
    net::ClientRequest request = NewRequest("POST", path);
    const std::string name = file == "-" ? "standard input" : file;
    bool whole = false;
    AttachFile(request, source.get(), name, &whole, out);
    auto answer = SendForJson(std::move(request));
    out.EndProgress();
    if (answer || answer.error().gy() != "GY1625") return answer;
    // A part of a file is thrown away by the server; of a whole one work may have begun.
    if (!whole) return StoppedSending(name);
    return std::move(answer).error().Fix("gyre jobs    (whether the work has begun all the same)");
  }

  Result<> Download(std::string_view path, const std::string& file, Output& out) override {
    return Receive(NewRequest("GET", path), file, out);
  }

  Result<> Stream(std::string_view path,
                  const std::function<Result<>(std::string_view)>& sink) override {
    const exec::InterruptCounter interrupts;
    net::ClientRequest request = NewRequest("POST", path);
    request.body_sink = sink;
    request.interrupted = [] { return exec::InterruptCounter::count() > 0; };
    GYRE_TRY(const net::ClientResponse response, Send(std::move(request)));
    return response.status < 300 ? Result<>() : net::ErrorOfResponse(response);
  }

  Result<> Events(std::string_view path, std::string_view after,
                  const EventStream::Take& take) override {
    const exec::InterruptCounter interrupts;
    std::string last_id(after);
    bool more = true;
    while (more) {
      EventStream events;
      net::ClientRequest request = NewRequest("GET", path);
      if (!last_id.empty()) request.headers.emplace_back("Last-Event-ID", last_id);
      request.interrupted = [] { return exec::InterruptCounter::count() > 0; };
      request.body_sink = [&](std::string_view piece) -> Result<> {
        GYRE_TRY(more, events.Feed(piece, take));
        if (more) return {};
        return Error(Code::kCancelled, "", "");  // ends the transfer; nobody looks at it
      };
      const auto response = Send(std::move(request));
      if (!response && more) return response.error();
      if (response && response->status >= 300) return net::ErrorOfResponse(*response);
      if (!events.last_id().empty()) last_id = events.last_id();
    }
    return {};
  }

  Result<Json> WaitJob(const Json& job, Output& out) override {
    const std::string id = job["id"].AsString();
    const exec::InterruptCounter interrupts;
    waits_for_job_ = true;
    auto ended = Follow(id, out);
    waits_for_job_ = false;
    return ended;
  }

  const std::string& url() const override { return url_; }
  bool is_local() const override { return settings_.server_url.empty(); }
  const std::string& audience() const override { return audience_; }

  std::string Repeatable(std::string command) const override {
    if (!is_local()) return command + " --server " + settings_.server_url;
    if (settings_.data_directory == config::DefaultDataDirectory()) return command;
    return command + " --data " + settings_.data_directory;
  }

  Result<> EnsureServerOutlivesUs(Output& out) override {
    if (!settings_.server_url.empty()) return {};
    // What a command that may be left has begun ends in its keeper.
    if (keeper_) {
      left_ = true;
      return {};
    }
    if (!owner_) {
      GYRE_TRY(const auto found, config::FindOwner(settings_.data_directory));
      if (found && found->kind == "server") return {};
      if (found) {
        out.Note(fmt::format("waiting for process {}, which owns {} while its command runs",
                             found->pid, settings_.data_directory));
        GYRE_DO(WaitUntilFree(found->pid));
      }
    }
    client_.reset();
    if (owner_) owner_->WaitUntilIdle();
    owner_.reset();
    GYRE_TRY(const DetachedServer server,
             StartDetachedServer(settings_.data_directory, settings_.config_file));
    started_server_ = true;
    if (!server.info.taken.empty())
      out.Warn(fmt::format("{} is taken by another program; using {}", server.info.taken,
                           server.info.url));
    out.Note(fmt::format("started the server in the background: pid {}  {}", server.info.pid,
                         server.info.url));
    out.Note(fmt::format("  log   {}", server.log_file));
    out.Note(fmt::format("  stop  gyre server stop --data {}", settings_.data_directory));
    return Attach();
  }

  void StopStartedServer(Output& out) override {
    if (!started_server_) return;
    started_server_ = false;
    client_.reset();
    const auto stopped = StopServer(settings_.data_directory, kStopTimeoutMillis);
    out.Note(stopped ? std::string("stopped the server again")
                     : fmt::format("the server goes on: gyre server stop --data {}",
                                   settings_.data_directory));
  }

 private:
  Result<Json> Follow(const std::string& id, Output& out) {
    std::int64_t pause_us = kJobPollMicrosMin;
    while (true) {
      GYRE_TRY(Json now, Get("/api/v1/jobs/" + PercentEncode(id)));
      const std::string& state = now["state"].AsString();
      if (state == "succeeded") {
        out.EndProgress();
        return now;
      }
      if (state == "failed" || state == "cancelled" || state == "interrupted") {
        out.EndProgress();
        return ErrorOfJob(now);
      }
      const std::string& text = now["progress_text"].AsString();
      out.Progress(now["progress"].AsDouble(-1),
                   text.empty()
                       ? (state == "queued" ? "waiting for a free slot" : now["title"].AsString())
                       : text);
      exec::InterruptCounter::SleepMicros(pause_us);
      pause_us = std::min(pause_us * 6 / 5, kJobPollMicrosMax);
      if (interrupted_ || exec::InterruptCounter::count() > 0) return Leave(now, out);
    }
  }

  // Uses whoever owns the directory, or becomes the owner. Owners come and go while we look:
  // whoever is starting or ending is waited for.
  Result<> Attach() {
    const std::int64_t until_us = SystemClock().MonotonicMicros() + kSocketTimeoutMicros;
    // A job left to a short command would keep that command waiting.
    const std::int64_t patient_until_us = SystemClock().MonotonicMicros() + kShortCommandMicros;
    while (SystemClock().MonotonicMicros() < until_us) {
      GYRE_TRY(const auto found, config::FindOwner(settings_.data_directory));
      // server.json is written when the socket listens already; until then url and base path are
      // unknown.
      const bool too_short = found && found->kind == "command" && settings_.may_be_left &&
                             SystemClock().MonotonicMicros() < patient_until_us;
      if (found && found->started_us != 0 && !too_short && Greet(*found)) return {};
      if (!found) {
        GYRE_DO(Own());
      } else {
        exec::InterruptCounter::SleepMicros(kPollMicros);
      }
    }
    return Error(Code::kUnavailable, "GY4034",
                 "the owner of " + settings_.data_directory + " does not answer")
        .Fix("gyre server status")
        .Fix("gyre server stop");
  }

  // A keeper that does not start leaves it to us to say why: mostly somebody else was quicker.
  Result<> Own() {
    const bool by_keeper = settings_.may_be_left && keepers_started_++ < kKeepersMax;
    if (by_keeper) {
      GYRE_DO(StartKeeper());
      if (keeper_) return {};
      GYRE_TRY(const auto found, config::FindOwner(settings_.data_directory));
      if (found) return {};
    }
    auto owner = settings_.host->become_owner({settings_.data_directory, settings_.config_file,
                                               settings_.is_scratch, settings_.may_be_damaged});
    if (!owner && owner.error().gy() != "GY1830") return std::move(owner).error();
    if (owner && !by_keeper) owner_ = *std::move(owner);
    return {};
  }

  Result<> StartKeeper() {
    GYRE_DO(config::MakeDirectories(settings_.data_directory, 0700));
    std::vector<std::string> argv = {exec::SelfPath(), "keeper", "--data",
                                     settings_.data_directory};
    if (!settings_.config_file.empty())
      argv.insert(argv.end(), {"--config", config::AbsolutePath(settings_.config_file)});
    GYRE_TRY(keeper_, exec::Companion::Start(argv, settings_.data_directory + "/command.out"));
    return {};
  }

  bool Greet(const config::OwnerInfo& owner) {
    url_ = owner.url;
    base_path_ = owner.base_path();
    client_ = std::make_unique<net::Client>(
        net::ClientSettings{.url = {},
                            .unix_socket = config::SocketPath(settings_.data_directory),
                            .token = FindToken(audience_)});
    return client_->Send(NewRequest("GET", "/healthz")).has_value();
  }

  Result<> WaitUntilFree(int pid) {
    while (true) {
      GYRE_TRY(const auto found, config::FindOwner(settings_.data_directory));
      if (!found || found->pid != pid) return {};
      if (exec::InterruptCounter::SleepMicros(20 * kPollMicros))
        return Error(Code::kCancelled, "GY4025", "stopped waiting");
    }
  }

  // Ctrl-C once leaves the job, which goes on; twice cancels it.
  Error Leave(const Json& job, Output& out) {
    out.EndProgress();
    const std::string id = job["id"].AsString();
    out.Note("leaving the job; Ctrl-C again cancels it");
    const std::int64_t until_us = SystemClock().MonotonicMicros() + kSecondThoughtMicros;
    const int twice = interrupted_ ? 1 : 2;
    while (exec::InterruptCounter::count() < twice && SystemClock().MonotonicMicros() < until_us)
      exec::InterruptCounter::SleepMicros(kJobPollMicrosMax);
    if (exec::InterruptCounter::count() >= twice) return Cancel(id);
    left_ = true;
    const std::string shorter = id.substr(0, 8);
    return MakeError(Code::kCancelled, "GY4026", "left `{}`, which goes on without this command",
                     job["title"].StringOr("the job"))
        .Where("job " + id)
        .Fix(Repeatable(fmt::format("gyre wait {}", shorter)) + "   (come back to it)")
        .Fix(Repeatable(fmt::format("gyre jobs cancel {}", shorter)) + "   (stop it)");
  }

  Error Cancel(const std::string& id) {
    const std::string path = "/api/v1/jobs/" + PercentEncode(id);
    auto job = Post(path + "/cancel", Json::Obj());
    const std::int64_t until_us = SystemClock().MonotonicMicros() + kKeeperEndMicros;
    while (job && (*job)["ended_at"].is_null() && SystemClock().MonotonicMicros() < until_us) {
      exec::InterruptCounter::SleepMicros(kJobPollMicrosMin);
      job = Get(path);
    }
    if (!job) return std::move(job).error();
    const bool in_time = (*job)["ended_at"].is_null() || (*job)["state"].AsString() == "cancelled";
    return Error(Code::kCancelled, "GY4021",
                 in_time ? "the job was cancelled" : "the job had ended before it was cancelled")
        .Where("job " + id);
  }

  net::ClientRequest NewRequest(std::string_view method, std::string_view path) const {
    net::ClientRequest request;
    request.method = std::string(method);
    request.path = base_path_ + std::string(path);
    // What a step of a pipeline asks for belongs to its trace.
    const std::string trace = config::Environment("TRACEPARENT").value_or("");
    if (telemetry::ParseTraceParent(trace)) request.headers.emplace_back("traceparent", trace);
    return request;
  }

  Result<Json> Call(std::string_view method, std::string_view path, const Json* body) {
    net::ClientRequest request = NewRequest(method, path);
    if (body != nullptr) {
      request.body = body->Dump();
      request.headers.emplace_back("Content-Type", "application/json");
    }
    return SendForJson(std::move(request));
  }

  // An answer that is nearly there says which job to leave.
  static std::function<bool()> GivesUp() {
    return [pressed_us = std::int64_t{0}]() mutable {
      const int count = exec::InterruptCounter::count();
      if (count == 0) return false;
      const std::int64_t now_us = SystemClock().MonotonicMicros();
      if (pressed_us == 0) pressed_us = now_us;
      return count > 1 || now_us - pressed_us > kAnswerPatienceMicros;
    };
  }

  // The owner may have ended before it took the request, and what only reads may be asked again.
  static bool MayBeRepeated(const net::ClientRequest& request, const Error& error) {
    if (error.gy() == "GY1620") return true;
    return error.gy() == "GY1624" && request.method == "GET" && !request.body_sink;
  }

  // A command that owned the directory may have ended since our last request: then we look again,
  // as often as owners come and go.
  Result<net::ClientResponse> Send(net::ClientRequest request) {
    const std::string path = request.path.substr(base_path_.size());
    std::optional<exec::InterruptCounter> interrupts;
    if (settings_.may_be_left && !waits_for_job_) {
      interrupts.emplace();
      request.interrupted = GivesUp();
    }
    while (true) {
      auto response = client_->Send(request);
      if (interrupts) interrupted_ = exec::InterruptCounter::count() > 0;
      if (response || !is_local() || owner_ || !MayBeRepeated(request, response.error()))
        return response;
      keeper_.reset();  // it was ours and is gone
      GYRE_DO(Attach());
      request.path = base_path_ + path;
    }
  }

  Result<Json> SendForJson(net::ClientRequest request) {
    GYRE_TRY(const net::ClientResponse response, Send(std::move(request)));
    if (response.status >= 300) return net::ErrorOfResponse(response);
    if (response.body.empty()) return Json::Obj();
    if (response.Header("Content-Type").find("json") == std::string::npos)
      return Json(response.body);
    return Json::Parse(response.body);
  }

  Result<> Receive(net::ClientRequest request, const std::string& file, Output& out) {
    GYRE_TRY(FileSink sink, FileSink::Open(file));
    std::int64_t received = 0;
    request.body_sink = [&](std::string_view bytes) -> Result<> {
      received += static_cast<std::int64_t>(bytes.size());
      if (file != "-")
        out.Progress(-1, fmt::format("receiving {}  {}", file, HumanBytes(received)));
      return sink.Write(bytes);
    };
    auto response = Send(std::move(request));
    out.EndProgress();
    if (!response) return std::move(response).error();
    if (response->status >= 300) return net::ErrorOfResponse(*response);
    return sink.Commit();
  }

  ConnectSettings settings_;
  std::unique_ptr<Owner> owner_;
  bool started_server_ = false;
  std::optional<exec::Companion> keeper_;
  int keepers_started_ = 0;
  bool waits_for_job_ = false;
  bool interrupted_ = false;  // during the last request, which was answered all the same
  bool left_ = false;         // the job goes on: nobody waits for the keeper
  std::unique_ptr<net::Client> client_;
  std::string url_, audience_;
  std::string base_path_;  // of requests on the socket; a URL has its own
};

}  // namespace

Result<std::unique_ptr<Session>> Connect(const ConnectSettings& settings) {
  auto session = std::make_unique<NetSession>(settings);
  GYRE_DO(session->Open());
  return std::unique_ptr<Session>(std::move(session));
}

Result<Json> QuickGet(const ConnectSettings& settings, std::string_view path,
                      std::int64_t timeout_ms) {
  std::string base_path;
  net::ClientSettings to{
      .url = settings.server_url, .unix_socket = {}, .token = FindToken(settings.server_url)};
  if (settings.server_url.empty()) {
    GYRE_TRY(const auto owner, config::FindOwner(settings.data_directory));
    if (!owner) return NotFound("GY4032", "nobody owns {}", settings.data_directory);
    to.unix_socket = config::SocketPath(settings.data_directory);
    to.token = FindToken(settings.data_directory);
    base_path = owner->base_path();
  }
  net::Client client(std::move(to));
  net::ClientRequest request;
  request.path = base_path + std::string(path);
  request.timeout_ms = timeout_ms;
  GYRE_TRY(const net::ClientResponse response, client.Send(std::move(request)));
  if (response.status >= 300) return net::ErrorOfResponse(response);
  return Json::Parse(response.body);
}

}  // namespace gyre::cli

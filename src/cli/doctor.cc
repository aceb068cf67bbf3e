// gyre doctor: what is wrong with this machine, looked at from outside: no server is needed and
// none is started. The bundle is what a report of a fault needs, without what nobody else may see.
#include <pwd.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>

#include "base/text.h"
#include "cli/cli.h"
#include "cli/command.h"
#include "cli/findings.h"
#include "cli/machine_checks.h"
#include "cli/nouns.h"
#include "cli/out_file.h"
#include "cli/output.h"
#include "cli/redact.h"
#include "cli/server_log.h"
#include "platform/backup/soundness.h"
#include "platform/config/data_directory.h"
#include "platform/config/environment.h"
#include "platform/config/yaml.h"
#include "platform/exec/files.h"
#include "platform/net/server.h"
#include "platform/table/archive.h"

namespace gyre::cli {
namespace {

constexpr int kFindingsExit = 5;
constexpr std::int64_t kLogBytesKept = 256 * 1024;
constexpr std::int64_t kDatabaseBytesRead = std::int64_t{1} << 30;  // about a second

// The directory itself, or the nearest one above it that is there.
std::string ExistingFolder(std::string path) {
  while (path.size() > 1 && !exec::FolderExists(path))
    path = path.substr(0, std::max<std::size_t>(1, path.rfind('/')));
  return path;
}

std::string UserName(uid_t user) {
  passwd entry{};
  passwd* found = nullptr;
  char buffer[4096];
  if (::getpwuid_r(user, &entry, buffer, sizeof buffer, &found) == 0 && found != nullptr)
    return found->pw_name;
  return std::to_string(user);
}

// A file that only its owner may read.
void CheckPrivate(const std::string& path, Findings& found) {
  struct stat info{};
  if (::stat(path.c_str(), &info) != 0) return;
  if (info.st_uid != ::geteuid())
    return found.Fail("permissions", fmt::format("{} belongs to {}", path, UserName(info.st_uid)),
                      fmt::format("sudo chown -R \"$USER\" {}", path));
  if ((info.st_mode & 077) != 0)
    found.Fail("permissions", fmt::format("{} may be read by others", path),
               fmt::format("chmod go-rwx {}", path));
}

void CheckDirectory(const std::string& data, Findings& found) {
  struct stat info{};
  if (::stat(data.c_str(), &info) != 0 && errno == ENOENT)
    return found.Ok("data directory", data + " is not there yet: the first command makes it");
  const std::string owner = info.st_uid == ::geteuid() ? "" : UserName(info.st_uid);
  if (!owner.empty())
    return found.Fail(
        "data directory", fmt::format("{} belongs to {}", data, owner),
        fmt::format("ask as its owner: sudo -u {} gyre doctor --data {}", owner, data));
  if (::access(data.c_str(), R_OK | W_OK | X_OK) != 0)
    return found.Fail("data directory", data + " may not be written",
                      fmt::format("chmod u+rwx {}", data));
  found.Ok("data directory", data);
  const std::size_t before = found.rows().size();
  for (const std::string& path :
       {data, data + "/master.key", config::UserConfigDirectory() + "/credentials.json"})
    CheckPrivate(path, found);
  if (found.rows().size() == before) found.Ok("permissions", "only you can read what is yours");
}

void CheckOwner(Invocation& in, Findings& found) {
  const auto owner = config::FindOwner(in.data_directory());
  if (!owner) return found.Fail("lock", owner.error());
  if (!*owner) return found.Ok("lock", "nobody holds the data directory");
  const std::string who = fmt::format("a {} (pid {})", (*owner)->kind, (*owner)->pid);
  if (const auto answer = in.Ask("/api/v1/status"); !answer)
    return found.Fail("lock", who + " holds the data directory and does not answer",
                      fmt::format("gyre server stop, then kill -9 {}", (*owner)->pid));
  found.Ok("lock", who + " holds the data directory and answers");
}

void CheckDatabase(const std::string& data, Findings& found) {
  struct stat info{};
  if (::stat((data + "/gyre.db").c_str(), &info) != 0) return;
  if (info.st_size > kDatabaseBytesRead)
    return found.Ok("database", HumanBytes(info.st_size) + ": gyre fsck reads it");
  if (const auto sound = backup::CheckDatabase(data); !sound)
    return found.Fail("database", sound.error());
  found.Ok("database", fmt::format("every page of {} is whole", HumanBytes(info.st_size)));
}

// Whoever can write a settings file chooses where the server listens and who may enter.
void CheckSettingsFile(const std::string& path, Findings& found) {
  const auto text = config::ReadSmallFile(path);
  if (!text) return found.Fail("settings", text.error());
  if (!*text) return;
  if (const auto parsed = config::ParseYaml(**text, path); !parsed)
    return found.Fail("settings", parsed.error());
  struct stat info{};
  if (::stat(path.c_str(), &info) == 0 &&
      ((info.st_mode & 022) != 0 || (info.st_uid != 0 && info.st_uid != ::geteuid())))
    return found.Fail("settings", path + " can be changed by others",
                      fmt::format("let only root or you write it: chmod go-w {}", path));
  found.Ok("settings", path + " can be read");
}

void CheckSettings(Findings& found) {
  std::vector<std::string> refused;
  const std::string project_file = config::FindProjectFile(&refused);
  for (const std::string& file : refused) {
    found.Warn("settings", "not read: " + file,
               "copy it into this folder, or let only its owner write to it and its folder");
  }
  const config::Sources sources = config::DefaultSources();
  for (const std::string& path : {sources.system_file, sources.user_file, project_file}) {
    if (!path.empty()) CheckSettingsFile(path, found);
  }
}

// Where the server that runs can be reached; empty when none does.
std::string ReachedAt(const std::string& data) {
  const auto owner = config::FindOwner(data);
  return owner && *owner ? (*owner)->url : std::string();
}

// "127.0.0.1:7171" of "http://127.0.0.1:7171/gyre".
std::string AddressOf(std::string_view url) {
  url.remove_prefix(url.find("//") + 2);
  return std::string(url.substr(0, url.find('/')));
}

// Of the server that runs, for flags count more than the settings that are read here.
void CheckRunningExposure(const std::string& url, bool behind_proxy, Findings& found) {
  if (net::IsLoopbackListen(AddressOf(url)))
    return found.Ok("exposure", "only this machine can reach " + AddressOf(url));
  if (url.starts_with("https:"))
    return found.Ok("exposure", url + " is reached with TLS and a login");
  found.Warn("exposure",
             fmt::format("{} answers without TLS whoever reaches it{}", url,
                         behind_proxy ? ", because a proxy is said to stand in front" : ""),
             "listen on 127.0.0.1, or let a firewall admit the proxy alone");
}

// Beyond this machine nothing may travel in the clear.
void CheckExposure(const std::string& url, const config::Settings& settings, Findings& found) {
  const std::string& listen = settings.Text("server.listen");
  const std::string &certificate = settings.Text("server.tls_cert"),
                    &key = settings.Text("server.tls_key");
  for (const std::string& file : {certificate, key}) {
    if (!file.empty() && ::access(file.c_str(), R_OK) != 0)
      found.Fail("exposure", SystemError("reading " + file, errno));
  }
  struct stat info{};
  if (!key.empty() && ::stat(key.c_str(), &info) == 0 && (info.st_mode & 077) != 0)
    return found.Fail("exposure", fmt::format("the private key {} may be read by others", key),
                      fmt::format("chmod go-rwx {}", key));
  if (!url.empty()) return CheckRunningExposure(url, settings.Bool("server.behind_proxy"), found);
  if (net::IsLoopbackListen(listen))
    return found.Ok("exposure", "only this machine can reach " + listen);
  if (!certificate.empty())
    return found.Ok("exposure", listen + " is reached with TLS and a login");
  if (settings.Bool("server.behind_proxy"))
    return found.Warn("exposure",
                      listen +
                          " answers without TLS whoever reaches it, because a proxy is said "
                          "to stand in front",
                      "listen on 127.0.0.1, or let a firewall admit the proxy alone");
  found.Fail("exposure", listen + " is beyond this machine and has no TLS: the server will refuse",
             "set server.tls_cert and server.tls_key, or server.behind_proxy");
}

void CheckPort(const std::string& data, const config::Settings& settings, Findings& found) {
  if (const std::string url = ReachedAt(data); !url.empty()) return found.Ok("port", url);
  const std::string& listen = settings.Text("server.listen");
  if (const auto free = net::CheckListen(listen); !free) return found.Fail("port", free.error());
  found.Ok("port", listen + " is free");
}

void CheckWhatIsSet(Invocation& in, Findings& found) {
  const auto settings = in.LoadSettings();
  if (!settings) {
    const Error& error = settings.error();
    return found.Fail("settings", fmt::format("{}: {}", error.where(), error.message()),
                      error.fixes().empty() ? "gyre explain " + error.gy() : error.fixes()[0]);
  }
  CheckMemory(static_cast<std::int64_t>(settings->Number("training.memory")), found);
  CheckKernel(settings->Int("server.connections_max"), found);
  CheckPort(in.data_directory(), *settings, found);
  CheckExposure(ReachedAt(in.data_directory()), *settings, found);
}

Findings Examine(Invocation& in) {
  Findings found;
  const std::string data = in.data_directory();
  const std::string folder = ExistingFolder(data);
  CheckDirectory(data, found);
  CheckOwner(in, found);
  CheckDatabase(data, found);
  CheckDisk(folder, found);
  CheckFileSystem(folder, found);
  CheckSync(folder, found);
  CheckLibraries(found);
  CheckClock(data, found);
  CheckSettings(found);
  CheckWhatIsSet(in, found);
  return found;
}

// Of the jobs, what failed and how; names of data stay here.
Json JobsOf(const Json& answer) {
  Json jobs = Json::Arr();
  for (const Json& job : answer["items"].items())
    jobs.Push(Json::Obj({{"kind", job["kind"]},
                         {"state", job["state"]},
                         {"created_at", job["created_at"]},
                         {"error", job["error"]["code"]}}));
  return jobs;
}

// What a report of a fault needs; what it lacks, and why, is told to whoever makes it and whoever
// gets it.
class Bundle {
 public:
  explicit Bundle(Invocation& in) : in_(in) {}

  Result<> Write(const Findings& found, const std::string& file) {
    GYRE_TRY(folder_, exec::MakeTemporaryDirectory());
    const auto filled = Fill(found);
    auto written = filled ? table::WriteTarGz(files_, file) : filled;
    (void)exec::RemoveTree(folder_).has_value();
    return written;
  }
  const std::vector<std::string>& left_out() const { return left_out_; }

 private:
  Result<> Fill(const Findings& found) {
    Json environment = Json::Obj();
    for (const auto& [name, value] : config::RedactedEnvironment()) {
      if (name.starts_with("GYRE_") || name.starts_with("LC_") || name == "LANG" || name == "PATH")
        environment.Set(name, value);
    }
    GYRE_DO(Put("findings.json", found.rows().DumpPretty()));
    GYRE_DO(Put("environment.json", environment.DumpPretty()));
    GYRE_DO(PutAnswers());
    GYRE_DO(PutLogs());
    if (left_out_.empty()) return {};
    return Put("left-out.txt", WithoutNames(Join(left_out_, "\n") + "\n"));
  }

  Result<> Put(const std::string& name, const std::string& text) {
    files_.push_back({folder_ + "/" + name, "gyre-doctor/" + name});
    return exec::WriteFile(files_.back().path, WithoutSecrets(text));
  }

  Result<> PutAnswers() {
    const auto owner = config::FindOwner(in_.data_directory());
    for (const std::string name : {"config", "status", "jobs"}) {
      const auto answer =
          in_.Ask("/api/v1/" + name + (name == "jobs" ? std::string("?limit=50") : std::string()));
      if (!answer) {
        left_out_.push_back(fmt::format(
            "{}.json: {}", name,
            owner && *owner ? "the server says: " + answer.error().message() : "no server runs"));
        continue;
      }
      GYRE_DO(Put(name + ".json", (name == "jobs" ? JobsOf(*answer) : *answer).DumpPretty()));
    }
    return {};
  }

  Result<> PutLogs() {
    const std::string data = in_.data_directory();
    const auto owner = config::FindOwner(data);
    const auto settings = in_.LoadSettings();
    const ServerLog log = FindServerLog(owner ? *owner : std::nullopt,
                                        settings ? settings->Text("log.file") : "", data);
    if (log.file.empty()) {
      left_out_.push_back("server.log: " + log.elsewhere);
    } else {
      GYRE_DO(PutTail("server.log", config::AbsolutePath(log.file), true));
    }
    for (const std::string name : {"server.out", "command.log", "command.out"})
      GYRE_DO(PutTail(name, data + "/" + name, false));
    return {};
  }

  Result<> PutTail(const std::string& name, const std::string& path, bool is_missed) {
    struct stat info{};
    if (::stat(path.c_str(), &info) != 0 || info.st_size == 0) {
      if (is_missed) left_out_.push_back(fmt::format("{}: there is nothing in {}", name, path));
      return {};
    }
    const std::int64_t from = std::max<std::int64_t>(0, info.st_size - kLogBytesKept);
    const auto tail = exec::ReadFilePart(path, from, kLogBytesKept);
    if (tail) return Put(name, WithoutNames(*tail));
    left_out_.push_back(fmt::format("{}: it is {}: {}", name, path, tail.error().message()));
    return {};
  }

  Invocation& in_;
  std::string folder_;
  std::vector<table::SourceFile> files_;
  std::vector<std::string> left_out_;
};

Result<int> Doctor(Invocation& in) {
  std::string file;
  if (in.Has("bundle")) {
    GYRE_TRY(file, OutFile(in, "gyre-doctor.tar.gz"));
  }
  const Findings found = Examine(in);
  Output& out = in.out();
  std::string text;
  for (const Json& row : found.rows().items()) {
    const std::string& state = row["state"].AsString();
    const std::string_view mark = out.Mark(state == "ok" ? "ok" : state == "warn" ? "up" : "fail");
    text += fmt::format("{} {:<14}  {}\n", mark, row["check"].AsString(), row["text"].AsString());
    if (!row["fix"].AsString().empty()) text += fmt::format("    fix: {}\n", row["fix"].AsString());
  }
  out.Document(found.rows(), text);
  if (in.Has("bundle")) {
    Bundle bundle(in);
    GYRE_DO(bundle.Write(found, file));
    for (const std::string& one : bundle.left_out()) out.Warn("not in it: " + one);
    out.Note(fmt::format("wrote {}: look at it before you send it", file));
  }
  return found.failed() ? kFindingsExit : 0;
}

constexpr Option kOptions[] = {
    {"--bundle", "", "write a redacted archive for a report of a fault"},
    {"--out", "FILE", "name of the archive (gyre-doctor.tar.gz)", {}, false, "file"},
    kForceOut};
constexpr Command kCommands[] = {
    {"doctor",
     "what is wrong with this machine (exit 5 when something is)",
     "gyre doctor\ngyre doctor -o json\ngyre doctor --bundle",
     {},
     kOptions,
     Doctor},
};

}  // namespace

std::span<const Command> DoctorCommands() { return kCommands; }

}  // namespace gyre::cli

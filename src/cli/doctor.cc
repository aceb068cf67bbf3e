// gyre doctor: what is wrong with this machine, looked at from outside: no server is needed and
// none is started. The bundle is what a report of a fault needs, without what nobody else may see.
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <iterator>

#include "base/text.h"
#include "base/time.h"
#include "cli/cli.h"
#include "cli/command.h"
#include "cli/nouns.h"
#include "cli/out_file.h"
#include "cli/output.h"
#include "platform/config/data_directory.h"
#include "platform/config/environment.h"
#include "platform/config/yaml.h"
#include "platform/exec/files.h"
#include "platform/exec/library.h"
#include "platform/net/server.h"
#include "platform/table/archive.h"

namespace gyre::cli {
namespace {

constexpr int kFindingsExit = 5;
constexpr std::int64_t kLogBytesKept = 256 * 1024;
constexpr std::int64_t kDiskWarnBytes = std::int64_t{2} << 30, kDiskFailBytes = 200 << 20;
constexpr int kSyncs = 5;
constexpr std::int64_t kSyncWarnMicros = 50'000;
constexpr std::int64_t kClockSlackMicros = 60 * kMicrosPerSecond;
constexpr std::int64_t kYear2025Micros = std::int64_t{1'735'689'600} * kMicrosPerSecond;

class Findings {
 public:
  void Ok(std::string_view check, const std::string& text) { Add(check, "ok", text, ""); }
  void Warn(std::string_view check, const std::string& text, const std::string& fix) {
    Add(check, "warn", text, fix);
  }
  void Fail(std::string_view check, const std::string& text, const std::string& fix) {
    Add(check, "fail", text, fix);
    failed_ = true;
  }
  void Fail(std::string_view check, const Error& error) {
    Fail(check, error.message(), error.fixes().empty() ? "" : error.fixes()[0]);
  }
  const Json& rows() const { return rows_; }
  bool failed() const { return failed_; }

 private:
  void Add(std::string_view check, std::string_view state, const std::string& text,
           const std::string& fix) {
    rows_.Push(Json::Obj({{"check", check}, {"state", state}, {"text", text}, {"fix", fix}}));
  }
  Json rows_ = Json::Arr();
  bool failed_ = false;
};

// The directory itself, or the nearest one above it that is there.
std::string ExistingFolder(std::string path) {
  while (path.size() > 1 && !exec::FolderExists(path))
    path = path.substr(0, std::max<std::size_t>(1, path.rfind('/')));
  return path;
}

// A file that only its owner may read.
void CheckPrivate(const std::string& path, Findings& found) {
  struct stat info{};
  if (::stat(path.c_str(), &info) != 0) return;
  if (info.st_uid != ::geteuid())
    return found.Fail("permissions", path + " belongs to another user",
                      fmt::format("sudo chown -R \"$USER\" {}", path));
  if ((info.st_mode & 077) != 0)
    found.Fail("permissions", fmt::format("{} may be read by others", path),
               fmt::format("chmod go-rwx {}", path));
}

void CheckDirectory(const std::string& data, Findings& found) {
  if (!config::IsDataDirectory(data))
    return found.Ok("data directory", data + " is not there yet: the first command makes it");
  if (::access(data.c_str(), R_OK | W_OK | X_OK) != 0)
    return found.Fail("data directory", data + " may not be written",
                      fmt::format("sudo chown -R \"$USER\" {}", data));
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

void CheckPort(const std::string& data, Findings& found) {
  const auto owner = config::FindOwner(data);
  if (owner && *owner && !(*owner)->url.empty()) return found.Ok("port", (*owner)->url);
  const std::string listen = config::Environment("GYRE_LISTEN").value_or("127.0.0.1:7171");
  if (const auto free = net::CheckListen(listen); !free) return found.Fail("port", free.error());
  found.Ok("port", listen + " is free");
}

void CheckDisk(const std::string& folder, Findings& found) {
  struct statvfs disk{};
  if (::statvfs(folder.c_str(), &disk) != 0)
    return found.Fail("disk space", SystemError("asking for the space of " + folder, errno));
  const auto free = static_cast<std::int64_t>(disk.f_bavail * disk.f_frsize);
  const std::string text = fmt::format("{} free on the disk of {}", HumanBytes(free), folder);
  const std::string fix = "gyre gc, or free space on the disk";
  if (free < kDiskFailBytes) return found.Fail("disk space", text, fix);
  if (free < kDiskWarnBytes) return found.Warn("disk space", text, fix);
  found.Ok("disk space", text);
}

// Every commit waits for one of these.
void CheckSync(const std::string& folder, Findings& found) {
  std::array<std::int64_t, kSyncs> times{};
  const std::string path = fmt::format("{}/doctor-{}.tmp", folder, ::getpid());
  for (std::int64_t& time_us : times) {
    const std::int64_t start_us = SystemClock().MonotonicMicros();
    const auto written = config::WriteSmallFile(path, std::string(4096, 'x'), 0600);
    time_us = SystemClock().MonotonicMicros() - start_us;
    if (!written) return found.Fail("sync", written.error());
  }
  ::unlink(path.c_str());
  std::sort(times.begin(), times.end());
  const std::int64_t median_us = times[kSyncs / 2];
  const std::string text = fmt::format("a durable write takes {:.1f} ms in {}",
                                       static_cast<double>(median_us) / 1000, folder);
  if (median_us > kSyncWarnMicros)
    return found.Warn("sync", text, "keep the data directory on a local disk (GYRE_DATA)");
  found.Ok("sync", text);
}

void CheckLibraries(Findings& found) {
  for (const std::string_view file : {"libduckdb.so", "lib_lightgbm.so"}) {
    const auto path = exec::FindLibrary(file);
    if (!path) {
      found.Fail("libraries", path.error());
      continue;
    }
    const auto opened = exec::Library::Open(*path);
    if (!opened) {
      found.Fail("libraries", opened.error());
    } else {
      found.Ok("libraries", *path);
    }
  }
}

void CheckClock(const std::string& data, Findings& found) {
  const std::int64_t now_us = SystemClock().NowMicros();
  const std::string now = FormatTime(now_us);
  const std::string fix = "set the clock: timedatectl set-ntp true";
  if (now_us < kYear2025Micros) return found.Fail("clock", "it is not " + now, fix);
  struct stat info{};
  if (::stat((data + "/gyre.db").c_str(), &info) == 0 &&
      info.st_mtim.tv_sec * kMicrosPerSecond > now_us + kClockSlackMicros)
    return found.Fail("clock", fmt::format("it is {}, and the database was written later", now),
                      fix);
  found.Ok("clock", now);
}

void CheckSettings(const Invocation& in, Findings& found) {
  std::vector<std::string> refused;
  const std::string project_file = config::FindProjectFile(&refused);
  for (const std::string& file : refused) {
    found.Warn("settings", "not read: " + file,
               "copy it into this folder, or let only its owner write to it and its folder");
  }
  for (const std::string& path : {std::string("/etc/gyre/config.yaml"),
                                  config::UserConfigDirectory() + "/config.yaml", project_file}) {
    if (path.empty()) continue;
    const auto text = config::ReadSmallFile(path);
    if (!text) return found.Fail("settings", text.error());
    if (!*text) continue;
    if (const auto parsed = config::ParseYaml(**text, path); !parsed)
      return found.Fail("settings", parsed.error());
    found.Ok("settings", path + " can be read");
  }
  if (const auto checked = in.CheckSettings(); !checked) {
    const Error& error = checked.error();
    found.Fail("settings", fmt::format("{}: {}", error.where(), error.message()),
               error.fixes().empty() ? "gyre explain " + error.gy() : error.fixes()[0]);
  }
}

Findings Examine(Invocation& in) {
  Findings found;
  const std::string data = in.data_directory();
  const std::string folder = ExistingFolder(data);
  CheckDirectory(data, found);
  CheckOwner(in, found);
  CheckDisk(folder, found);
  CheckSync(folder, found);
  CheckLibraries(found);
  CheckPort(data, found);
  CheckClock(data, found);
  CheckSettings(in, found);
  return found;
}

// Where the value that follows a secret's name begins; `at` itself when none follows.
std::size_t ValueAfter(std::string_view text, std::size_t at) {
  const std::size_t value = text.find_first_not_of("\"'=: ", at);
  if (value == std::string_view::npos) return at;
  const bool assigned = text.substr(at, value - at).find_first_of("=: ") != std::string_view::npos;
  return assigned ? value : at;
}

// Without whatever lets somebody in, or says whose machine this is.
std::string Redacted(const std::string& text) {
  static constexpr std::string_view kSecrets[] = {"token",  "password", "passwd",       "secret",
                                                  "bearer", "api_key",  "authorization"};
  constexpr std::string_view kValueEnds = " \t\r\n\"',;&}";
  const std::string lower = ToLower(text), home = config::HomeDirectory();
  std::string out;
  std::size_t i = 0;
  while (i < text.size()) {
    if (home.size() > 1 && text.compare(i, home.size(), home) == 0) {
      out += '~';
      i += home.size();
      continue;
    }
    // https://name:password@host
    if (text.compare(i, 3, "://") == 0) {
      const std::size_t end = std::min(text.find_first_of(" \t\r\n\"'/@", i + 3), text.size());
      out += "://";
      i += 3;
      if (end < text.size() && text[end] == '@') {
        out += "(hidden)";
        i = end;
      }
      continue;
    }
    const auto secret = std::find_if(
        std::begin(kSecrets), std::end(kSecrets),
        [&](std::string_view word) { return lower.compare(i, word.size(), word) == 0; });
    if (secret == std::end(kSecrets)) {
      out += text[i++];
      continue;
    }
    std::size_t value = ValueAfter(text, i + secret->size());
    if (lower.compare(value, 7, "bearer ") == 0) value += 7;
    out += text.substr(i, value - i);
    if (value > i + secret->size()) {
      out += "(hidden)";
      value = std::min(text.find_first_of(kValueEnds, value), text.size());
    } else if (value == i) {
      out += text[value++];
    }
    i = value;
  }
  return out;
}

// Of the jobs, what failed and how; names of data stay here.
Json JobsOf(Invocation& in) {
  Json jobs = Json::Arr();
  const auto answer = in.Ask("/api/v1/jobs?limit=50");
  for (const Json& job : answer ? (*answer)["items"].items() : Json::Array())
    jobs.Push(Json::Obj({{"kind", job["kind"]},
                         {"state", job["state"]},
                         {"created_at", job["created_at"]},
                         {"error", job["error"]["code"]}}));
  return jobs;
}

Result<> WriteBundle(Invocation& in, const Findings& found, const std::string& file) {
  GYRE_TRY(const std::string folder, exec::MakeTemporaryDirectory());
  std::vector<table::SourceFile> files;
  const auto put = [&](const std::string& name, const std::string& text) -> Result<> {
    files.push_back({folder + "/" + name, "gyre-doctor/" + name});
    return exec::WriteFile(files.back().path, Redacted(text));
  };
  Json environment = Json::Obj();
  for (const auto& [name, value] : config::RedactedEnvironment()) {
    if (name.starts_with("GYRE_") || name.starts_with("LC_") || name == "LANG" || name == "PATH")
      environment.Set(name, value);
  }
  GYRE_DO(put("findings.json", found.rows().DumpPretty()));
  GYRE_DO(put("environment.json", environment.DumpPretty()));
  GYRE_DO(put("jobs.json", JobsOf(in).DumpPretty()));
  for (const std::string path : {"/api/v1/config", "/api/v1/status"}) {
    if (const auto answer = in.Ask(path))
      GYRE_DO(put(path.substr(path.rfind('/') + 1) + ".json", answer->DumpPretty()));
  }
  for (const std::string name : {"server.log", "server.out", "command.log", "command.out"}) {
    const std::string path = in.data_directory() + "/" + name;
    struct stat info{};
    if (::stat(path.c_str(), &info) != 0 || info.st_size == 0) continue;
    const std::int64_t from = std::max<std::int64_t>(0, info.st_size - kLogBytesKept);
    GYRE_TRY(const std::string tail, exec::ReadFilePart(path, from, kLogBytesKept));
    GYRE_DO(put(name, tail));
  }
  auto written = table::WriteTarGz(files, file);
  (void)exec::RemoveTree(folder).has_value();
  return written;
}

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
    GYRE_DO(WriteBundle(in, found, file));
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

#include "cli/machine_checks.h"

#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/statfs.h>
#include <sys/statvfs.h>
#include <sys/syscall.h>
#include <sys/timex.h>
#include <sys/utsname.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>

#include "base/text.h"
#include "base/time.h"
#include "platform/config/environment.h"
#include "platform/exec/library.h"

namespace gyre::cli {
namespace {

constexpr std::int64_t kDiskWarnBytes = std::int64_t{2} << 30, kDiskFailBytes = 200 << 20;
constexpr int kSyncs = 5;
constexpr std::int64_t kSyncWarnMicros = 50'000;
constexpr std::int64_t kClockSlackMicros = 60 * kMicrosPerSecond;
constexpr std::int64_t kYear2025Micros = std::int64_t{1'735'689'600} * kMicrosPerSecond;
constexpr std::int64_t kMemoryFailBytes = 256 << 20;
constexpr std::int64_t kOtherFiles = 512;  // beside connections: the database, segments, workers

// File systems by the number that statfs gives them, and what is wrong with each for a database.
struct Unfit {
  std::int64_t number;
  std::string_view name, trouble;
};
constexpr std::string_view kNetwork = "locks and durable writes cannot be trusted across a network";
constexpr Unfit kUnfit[] = {
    {0x6969, "NFS", kNetwork},
    {0x517B, "SMB", kNetwork},
    {0xFF534D42, "CIFS", kNetwork},
    {0xFE534D42, "SMB", kNetwork},
    {0x5346414F, "AFS", kNetwork},
    {0x00C36400, "Ceph", kNetwork},
    {0x01021997, "9p", kNetwork},
    {0x65735546, "FUSE", kNetwork},
    {0x01021994, "tmpfs", "it is gone when the machine restarts"},
    {0x858458F6, "ramfs", "it is gone when the machine restarts"},
    {0x794C7630, "overlay", "a container's own layer is gone with the container"},
};

// "12345" or "max" of a control group, without the last newline; empty when it says nothing.
std::int64_t GroupLimit(const std::string& path) {
  const auto text = config::ReadSmallFile(path);
  return text && *text ? ParseInt(Trim(**text)).value_or(0) : 0;
}

// What this process may use: of the machine, or less where a container or a unit says so.
std::int64_t MemoryBytes() {
  std::int64_t bytes = static_cast<std::int64_t>(::sysconf(_SC_PHYS_PAGES)) *
                       static_cast<std::int64_t>(::sysconf(_SC_PAGESIZE));
  for (const std::string path :
       {"/sys/fs/cgroup/memory.max", "/sys/fs/cgroup/memory/memory.limit_in_bytes"}) {
    if (const std::int64_t limit = GroupLimit(path); limit > 0) bytes = std::min(bytes, limit);
  }
  return bytes;
}

}  // namespace

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

void CheckFileSystem(const std::string& folder, Findings& found) {
  struct statfs disk{};
  struct statvfs flags{};
  if (::statfs(folder.c_str(), &disk) != 0 || ::statvfs(folder.c_str(), &flags) != 0)
    return found.Fail("file system", SystemError("asking for the file system of " + folder, errno));
  const auto number = static_cast<std::int64_t>(disk.f_type) & 0xFFFFFFFF;
  const auto* const unfit = std::find_if(std::begin(kUnfit), std::end(kUnfit),
                                         [&](const Unfit& each) { return each.number == number; });
  const std::string fix = "keep the data directory on a local disk (GYRE_DATA, --data)";
  if (unfit != std::end(kUnfit))
    return found.Warn("file system",
                      fmt::format("{} is on {}: {}", folder, unfit->name, unfit->trouble), fix);
  if ((flags.f_flag & ST_NOEXEC) != 0)
    return found.Warn("file system",
                      folder + " is mounted noexec: steps of pipelines cannot start there", fix);
  found.Ok("file system", folder + " is on a local disk");
}

void CheckMemory(std::int64_t training_bytes, Findings& found) {
  const std::int64_t bytes = MemoryBytes();
  const std::string text = fmt::format("{} for this process and its children", HumanBytes(bytes));
  const std::string fix =
      fmt::format("give it more, or set training.memory below {}", HumanBytes(bytes * 3 / 4));
  if (bytes < kMemoryFailBytes) return found.Fail("memory", text, fix);
  if (bytes < training_bytes)
    return found.Warn(
        "memory", fmt::format("{}, and one training may use {}", text, HumanBytes(training_bytes)),
        fix);
  found.Ok("memory", text);
}

void CheckKernel(std::int64_t connections_max, Findings& found) {
  utsname kernel{};
  ::uname(&kernel);
  const int self = static_cast<int>(::syscall(SYS_pidfd_open, ::getpid(), 0));
  if (self < 0)
    return found.Fail(
        "kernel", fmt::format("Linux {} has no pidfd_open, or a filter forbids it", kernel.release),
        "Linux 5.10 or newer; in a container, a newer seccomp profile");
  ::close(self);
  rlimit files{};
  ::getrlimit(RLIMIT_NOFILE, &files);
  const auto needed = static_cast<rlim_t>(connections_max + kOtherFiles);
  if (files.rlim_max < needed)
    return found.Warn("kernel",
                      fmt::format("{} open files are allowed, and {} connections are (server."
                                  "connections_max)",
                                  files.rlim_max, connections_max),
                      fmt::format("ulimit -n {}, or LimitNOFILE={} in the unit", needed, needed));
  found.Ok("kernel", fmt::format("Linux {}, {} open files", kernel.release, files.rlim_max));
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
  if (!exec::Library::Open("libjq.so.1"))
    found.Warn("libraries", "libjq.so.1 is not installed: --jq cannot be used",
               "apt-get install libjq1");
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
  timex state{};
  if (::adjtimex(&state) >= 0 && (state.status & STA_UNSYNC) != 0)
    return found.Warn("clock", fmt::format("{}, and nothing keeps it right", now), fix);
  found.Ok("clock", now);
}

}  // namespace gyre::cli

#include "platform/exec/capture.h"

#include <fcntl.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <optional>
#include <utility>

#include "platform/exec/process_tree.h"

namespace gyre::exec {

namespace {

class End {
 public:
  explicit End(int fd) : fd_(fd) {}
  End(End&& other) noexcept : fd_(std::exchange(other.fd_, -1)) {}
  End& operator=(End&&) = delete;
  ~End() { Close(); }
  int get() const { return fd_; }
  void Close() {
    if (fd_ >= 0) close(std::exchange(fd_, -1));
  }

 private:
  int fd_;
};

// False at the end of the stream.
bool Pump(End& end, int stream, const std::function<void(int, std::string_view)>& on_output) {
  std::array<char, 1 << 16> buffer;
  const ssize_t n = read(end.get(), buffer.data(), buffer.size());
  if (n < 0 && (errno == EINTR || errno == EAGAIN)) return true;
  if (n <= 0) {
    end.Close();
    return false;
  }
  if (on_output) on_output(stream, {buffer.data(), static_cast<std::size_t>(n)});
  return true;
}

// What lies in the pipes when the program has ended.
void Drain(std::array<End*, 2> ends, const std::function<void(int, std::string_view)>& on_output) {
  for (int i = 0; i < 2; ++i) {
    End& end = *ends[static_cast<std::size_t>(i)];
    pollfd event{end.get(), POLLIN, 0};
    while (end.get() >= 0 && poll(&event, 1, 0) > 0 && Pump(end, i + 1, on_output))
      event.revents = 0;
  }
}

// True when they were too large. Again and again until none is left: one may be forking meanwhile.
bool KillWhenOver(std::int64_t memory_bytes_max, const Process& process) {
  if (memory_bytes_max <= 0) return false;
  std::vector<int> pids = ProcessTree(process.pid());
  if (MemoryBytes(pids, MemoryCount::kQuick) <= memory_bytes_max ||
      MemoryBytes(pids, MemoryCount::kExact) <= memory_bytes_max)
    return false;
  // Stopped first, from the root down: who is stopped forks no more.
  for (std::size_t known = 0; known != pids.size(); pids = ProcessTree(process.pid())) {
    for (std::size_t i = known; i < pids.size(); ++i) kill(pids[i], SIGSTOP);
    known = pids.size();
  }
  for (const int pid : pids) kill(pid, SIGKILL);
  return true;
}

}  // namespace

Result<ExitStatus> RunCapturing(CaptureOptions options) {
  const int poll_ms = options.memory_bytes_max > 0 ? 20 : 100;
  int out[2], err[2];
  if (pipe2(out, O_CLOEXEC) != 0) return SystemError("making a pipe", errno);
  End out_read(out[0]), out_write(out[1]);
  if (pipe2(err, O_CLOEXEC) != 0) return SystemError("making a pipe", errno);
  End err_read(err[0]), err_write(err[1]);
  options.spawn.descriptors.emplace_back(out[1], 1);
  options.spawn.descriptors.emplace_back(err[1], 2);
  GYRE_TRY(Process process, Process::Spawn(std::move(options.spawn)));
  out_write.Close();
  err_write.Close();
  bool over_memory = false;
  for (;;) {
    pollfd events[2] = {{out_read.get(), POLLIN, 0}, {err_read.get(), POLLIN, 0}};
    const bool open = out_read.get() >= 0 || err_read.get() >= 0;
    if (open && poll(events, 2, poll_ms) > 0) {
      if (events[0].revents != 0) Pump(out_read, 1, options.on_output);
      if (events[1].revents != 0) Pump(err_read, 2, options.on_output);
    }
    if (const int signal = options.signal ? options.signal() : 0; signal != 0)
      process.Signal(signal);
    over_memory = over_memory || KillWhenOver(options.memory_bytes_max, process);
    GYRE_TRY(auto ended, process.Wait(open ? 0 : poll_ms * 1000));
    if (!ended) continue;
    ended->over_memory = over_memory;
    Drain({&out_read, &err_read}, options.on_output);
    return *ended;
  }
}

Result<Captured> RunAndRead(SpawnOptions spawn, std::size_t bytes_max) {
  Captured captured;
  bool too_much = false;
  CaptureOptions options;
  options.spawn = std::move(spawn);
  const std::string name = options.spawn.argv.empty() ? std::string() : options.spawn.argv[0];
  options.on_output = [&](int stream, std::string_view bytes) {
    std::string& text = stream == 1 ? captured.output : captured.errors;
    too_much = too_much || text.size() + bytes.size() > bytes_max;
    if (!too_much) text.append(bytes);
  };
  GYRE_TRY(captured.status, RunCapturing(std::move(options)));
  if (too_much)
    return MakeError(Code::kResourceExhausted, "GY1334", "`{}` printed more than {} bytes", name,
                     bytes_max);
  return captured;
}

int AllowedCpus() {
  cpu_set_t set;
  return sched_getaffinity(0, sizeof set, &set) == 0 ? CPU_COUNT(&set) : 1;
}

}  // namespace gyre::exec

#include "platform/exec/companion.h"

#include <fcntl.h>
#include <poll.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <utility>

#include "platform/exec/signals.h"

namespace gyre::exec {
namespace {

void CloseIfOpen(int& descriptor) {
  if (descriptor >= 0) ::close(descriptor);
  descriptor = -1;
}

// A byte, or the end of the other side.
bool ReadByte(int descriptor) {
  char byte = 0;
  ssize_t got = 0;
  do {
    got = ::read(descriptor, &byte, 1);
  } while (got < 0 && errno == EINTR);
  return got == 1;
}

}  // namespace

Result<std::optional<Companion>> Companion::Start(const std::vector<std::string>& argv,
                                                  const std::string& log_file) {
  std::array<int, 2> lifeline{-1, -1}, answers{-1, -1};
  if (::pipe2(lifeline.data(), O_CLOEXEC) != 0) return SystemError("making a pipe", errno);
  if (::pipe2(answers.data(), O_CLOEXEC) != 0) {
    const int error_number = errno;
    ::close(lifeline[0]);
    ::close(lifeline[1]);
    return SystemError("making a pipe", error_number);
  }
  const auto pid = SpawnDetached(argv, log_file, {.input = lifeline[0], .output = answers[1]});
  ::close(lifeline[0]);
  ::close(answers[1]);
  Companion companion(pid.value_or(-1), lifeline[1], answers[0]);
  if (!pid) return pid.error();
  if (ReadByte(companion.answers_)) return std::optional<Companion>(std::move(companion));
  ::waitpid(*pid, nullptr, 0);
  return std::optional<Companion>();
}

Companion::Companion(int pid, int lifeline, int answers)
    : pid_(pid), lifeline_(lifeline), answers_(answers) {}

Companion::Companion(Companion&& other) noexcept
    : pid_(std::exchange(other.pid_, -1)),
      lifeline_(std::exchange(other.lifeline_, -1)),
      answers_(std::exchange(other.answers_, -1)) {}

Companion& Companion::operator=(Companion&& other) noexcept {
  std::swap(pid_, other.pid_);
  std::swap(lifeline_, other.lifeline_);
  std::swap(answers_, other.answers_);
  return *this;
}

Companion::~Companion() {
  CloseIfOpen(lifeline_);
  CloseIfOpen(answers_);
}

bool Companion::LetGo(std::int64_t timeout_us) {
  CloseIfOpen(lifeline_);
  pollfd end{answers_, POLLIN, 0};
  if (::poll(&end, 1, static_cast<int>(timeout_us / 1000)) <= 0) return false;
  ::waitpid(pid_, nullptr, 0);
  return true;
}

void SayReady() {
  const char byte = '\n';
  [[maybe_unused]] const ssize_t written = ::write(STDOUT_FILENO, &byte, 1);
}

}  // namespace gyre::exec

// A program in a session of its own that works for this process and may outlive it: a terminal's
// Ctrl-C does not reach it. A byte on its standard output says that it is ready; the end of its
// standard input tells it that we are gone, whichever way we went.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/error.h"

namespace gyre::exec {

class Companion {
 public:
  // Waits until it is ready; empty when it ended before that. Its standard error is appended to
  // `log_file`.
  static Result<std::optional<Companion>> Start(const std::vector<std::string>& argv,
                                                const std::string& log_file);
  Companion(Companion&& other) noexcept;
  Companion& operator=(Companion&& other) noexcept;
  ~Companion();  // lets it go, and does not wait

  // Lets it go, so that it ends when nothing is left to do. True when it has ended within the time.
  bool LetGo(std::int64_t timeout_us);

 private:
  Companion(int pid, int lifeline, int answers);
  int pid_ = -1;
  int lifeline_ = -1;  // we write nothing: that it is open is the message
  int answers_ = -1;
};

// The companion's side.
void SayReady();

}  // namespace gyre::exec

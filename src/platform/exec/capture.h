// Runs a program to its end and hands on what it prints.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>

#include "base/error.h"
#include "platform/exec/process.h"

namespace gyre::exec {

struct CaptureOptions {
  SpawnOptions spawn;
  // > 0: when the program and its descendants use more together (MemoryBytes), all of them are
  // killed. Looked at 50 times a second; address space is not limited, because many programs
  // reserve far more than they use.
  std::int64_t memory_bytes_max = 0;
  std::function<void(int stream, std::string_view bytes)> on_output;  // stream 1 or 2
  std::function<int()> signal;  // asked ten times a second: a signal to send, or 0
};
// Standard input is ours. Output that grandchildren print after the program's end is not waited
// for.
Result<ExitStatus> RunCapturing(CaptureOptions options);

struct Captured {
  ExitStatus status;
  std::string output, errors;
};
// For short programs. Error: kResourceExhausted GY1334 beyond `bytes_max`, GY1310 as Spawn.
Result<Captured> RunAndRead(SpawnOptions spawn, std::size_t bytes_max = std::size_t{64} << 20);

// The CPUs that this thread may run on.
int AllowedCpus();

}  // namespace gyre::exec

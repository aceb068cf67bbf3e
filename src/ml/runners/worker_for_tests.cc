// A worker with tasks that behave and tasks that do not; the tests start it as they would start
// `gyre worker`.
#include <unistd.h>

#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <new>
#include <vector>

#include "ml/runners/tasks.h"
#include "platform/exec/files.h"

namespace {

using gyre::Json;
using gyre::Result;
using gyre::runners::TaskContext;

constexpr useconds_t kPauseMicros = 5'000;

Result<Json> Echo(TaskContext& context) {
  return Json::Obj({{"echo", context.input()}, {"pid", static_cast<int>(getpid())}});
}

Result<Json> Wait(TaskContext& context) {
  context.Event("waiting", Json::Obj({{"pid", static_cast<int>(getpid())}}));
  while (!context.cancelled()) usleep(kPauseMicros);
  return gyre::MakeError(gyre::Code::kCancelled, "GY3312", "waited long enough");
}

Result<Json> Deaf(TaskContext& context) {
  context.Event("waiting", Json::Obj({{"pid", static_cast<int>(getpid())}}));
  for (;;) usleep(kPauseMicros);
}

Result<Json> Tell(TaskContext& context) {
  context.Progress(0.5, "half");
  context.Log("a line of the task");
  std::puts("a line of a library");
  std::fflush(stdout);
  for (int i = 0; i < 3; ++i) context.Event("point", Json::Obj({{"step", i}}));
  if (const auto written =
          gyre::exec::WriteFile(context.scratch_directory() + "/out.txt", "made by the task");
      !written) {
    return written.error();
  }
  context.Progress(1, "done");
  return Json::Obj({{"file", "out.txt"}});
}

Result<Json> Fail(TaskContext&) {
  return gyre::InvalidArgument("GY2041", "column `age` is not a number")
      .Why("it was read as text")
      .Where("a.csv:3:1")
      .Fix("gyre add");
}

Result<Json> Crash(TaskContext&) {
  std::fputs("about to die", stderr);
  std::raise(SIGKILL);
  return Json();
}

Result<Json> Devour(TaskContext&) {
  std::vector<std::vector<char>> kept;
  constexpr std::size_t kPiece = std::size_t{16} << 20;
  for (int i = 0; i < 1'000; ++i) kept.emplace_back(kPiece, 'x');
  return Json(static_cast<int>(kept.size()));
}

Result<Json> ShowEnvironment(TaskContext&) {
  Json names = Json::Arr();
  for (char** entry = environ; *entry != nullptr; ++entry) names.Push(std::string(*entry));
  return Json::Obj({{"environment", names}});
}

}  // namespace

int main() {
  gyre::runners::TaskRegistry registry;
  registry.Add("echo", Echo);
  registry.Add("wait", Wait);
  registry.Add("deaf", Deaf);
  registry.Add("tell", Tell);
  registry.Add("fail", Fail);
  registry.Add("crash", Crash);
  registry.Add("devour", Devour);
  registry.Add("environment", ShowEnvironment);
  return gyre::runners::WorkerMain(registry);
}

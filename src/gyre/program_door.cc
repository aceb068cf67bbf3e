#include "gyre/program_door.h"

#include <unistd.h>

#include <algorithm>

#include "platform/exec/signals.h"
#include "platform/telemetry/log.h"

namespace gyre {
namespace {

constexpr telemetry::Logger kLog{"gyre"};

}  // namespace

Result<> ProgramsOnly::Admit(net::Request& request, const net::Route& route) {
  GYRE_DO(gate_.Admit(request, route));
  if (route.permission.name == net::kPublic.name || request.principal.kind == "program") return {};
  return Error(Code::kUnauthenticated, "GY1701", "this address is for programs of gyre run")
      .Fix("send Authorization: Bearer with the program's own MLFLOW_TRACKING_TOKEN");
}

std::string ProgramDoor::Open(const std::string& run, int pid) {
  const MutexLock lock(mutex_);
  if (!server_) {
    auto server = listen_();
    if (!server) {
      kLog.Failed("programs get no address", server.error());
      return "";
    }
    server_ = *std::move(server);
  }
  if (pid > 0 && pid != getpid()) waiting_[run] = pid;
  return server_->url();
}

void ProgramDoor::Close(const std::string& run) {
  const MutexLock lock(mutex_);
  waiting_.erase(run);
}

bool ProgramDoor::busy() const {
  const MutexLock lock(mutex_);
  return std::ranges::any_of(waiting_,
                             [](const auto& each) { return exec::ProcessLives(each.second); });
}

void ProgramDoor::Drain() {
  const MutexLock lock(mutex_);
  if (server_) server_->Drain();
  server_.reset();
}

}  // namespace gyre

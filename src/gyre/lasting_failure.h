// What is tried again and again: that it fails is said when it begins to, not at each try.
#pragma once

#include <string>
#include <string_view>

#include "base/error.h"
#include "platform/telemetry/log.h"

namespace gyre {

class LastingFailure {
 public:
  explicit LastingFailure(std::string_view event) : event_(event) {}  // a constant phrase
  // The end of one try. One thread at a time.
  void Look(const Result<>& tried) {
    constexpr telemetry::Logger kLog{"gyre"};
    const std::string_view code = tried ? std::string_view() : tried.error().gy();
    if (code == code_) return;
    if (tried)
      kLog.Info("works again", {{"what", event_}});
    else
      kLog.Failed(event_, tried.error());
    code_ = code;
  }

 private:
  const std::string_view event_;
  std::string code_;  // of the failure that goes on; empty = there is none
};

}  // namespace gyre

// Moments at which a test lets the server die by its own kill -9, to prove that whatever comes next
// is taken up again. `GYRE_FAULT_POINT=step.begun:train gyre server` dies the first time that it
// gets there. Without the variable a moment costs one branch.
#pragma once

#include <algorithm>
#include <string>
#include <string_view>

#include "base/error.h"

namespace gyre::exec {

struct FaultPoint {
  std::string_view name;
  std::string_view of;  // what comes after the colon; empty = nothing
  std::string_view says;
};
inline constexpr FaultPoint kFaultPoints[] = {
    {"window.judged", "", "a window of traffic is judged, nothing of it is written"},
    {"window.written", "", "it is written"},
    {"alert.raised", "", "so is the alert that it raised, with its event; nobody has heard of it"},
    {"event.handled", "SUBSCRIBER", "it has heard of an event, its cursor has not moved"},
    {"event.passed", "SUBSCRIBER", "its cursor is written"},
    {"migration.applied", "MODULE NUMBER (NAME)", "a migration has run, nothing is committed"},
    {"rollback.ready", "", "the database before a migration is copied, nothing is in its place"},
    {"firing.open", "", "an occurrence has become a firing"},
    {"firing.judged", "", "the guards agree, nothing of it is written"},
    {"firing.starting", "", "the intent to start is written"},
    {"firing.launched", "", "its run has begun, the firing does not know it"},
    {"firing.running", "", "its run is written"},
    {"firing.ending", "", "its run has ended, the firing does not say so"},
    {"firing.ended", "", "its end is written"},
    {"step.due", "STEP", "an attempt is written, nothing of it has begun"},
    {"step.begun", "STEP", "its work is durable elsewhere, the attempt does not know it"},
    {"step.noted", "STEP", "the attempt knows its work"},
    {"step.ended", "STEP", "its work has ended, nothing of that is written"},
    {"run.ended", "", "the end of a run is written"},
    {"job.running", "KIND", "a job is marked as running"},
    {"job.ending", "KIND", "what a job made is committed, its own end is not"},
    {"canary.written", "", "a release is written, no traffic is given"},
    {"canary.advanced", "", "its next step is written, the traffic is not given"},
    {"canary.rolling_back", "", "why it goes back is written, its traffic is as it was"},
    {"canary.ending", "", "its traffic is as it shall be, its end is not written"},
    {"canary.ended", "", "its end is written"},
    {"endpoint.written", "EVENT", "what an endpoint runs is written, the old answers still"},
    {"captures.rewritten", "", "files without somebody's rows are stored, nothing refers to them"},
    {"captures.replaced", "", "they stand in the place of the others, whose bytes are still there"},
    {"takeover.deployed", "", "the canary answers as champion, its step has not ended"},
};

// Not constant: what gets here while compiling does not compile.
void NotInTheTable();
// A name of the table.
class FaultName {
 public:
  template <std::size_t kBytes>
  consteval FaultName(const char (&name)[kBytes])  // NOLINT(google-explicit-constructor)
      : name_(name, kBytes - 1) {
    if (std::ranges::find(kFaultPoints, name_, &FaultPoint::name) == std::end(kFaultPoints))
      NotInTheTable();
  }
  std::string_view text() const { return name_; }

 private:
  std::string_view name_;
};

// "step.begun:train"; nullptr = none. Written before there are threads.
extern const std::string* armed_fault;
// Errors: kInvalidArgument GY1390 when the table has no such name.
Result<> ArmFault(std::string_view name);
void DieAt(std::string_view name, std::string_view of);

inline void Fault(FaultName name, std::string_view of = {}) {
  if (armed_fault != nullptr) [[unlikely]]
    DieAt(name.text(), of);
}

}  // namespace gyre::exec

// Brings about what a plan says, one change after the other, by the native API.
#pragma once

#include <string>

#include "base/error.h"
#include "cli/apply/actual.h"
#include "cli/apply/declaration.h"
#include "cli/apply/plan.h"
#include "cli/output.h"
#include "cli/session.h"

namespace gyre::cli::apply {

struct Work {
  Session& session;
  Output& out;
  std::string project;
  Reading& reading;
  const Declaration& declaration;
  const Actual& actual;
  bool gate_said_no = false;  // of a version that was trained
};

// The project itself, when it is not there.
Result<> MakeProject(Work& work);
// What was done, for people. Errors: those of the server; GY4910 and GY4911 what cannot be changed.
Result<std::string> Bring(Work& work, const Change& change);
// What the file says of entries that needed no change, where the server does not know it yet.
Result<> KeepRecords(Work& work, const Plan& plan);

// What the server remembers of an entry that no file has any more.
Result<> ForgetRecord(Work& work, std::string_view kind, const std::string& name);

// What the server is sent of a trigger.
Json TriggerBody(const Actual& actual, const Change& change);

// What is declared in the place of what is there.
Json Merged(std::span<const Member> members, const Json& there, const Json& declared);

}  // namespace gyre::cli::apply

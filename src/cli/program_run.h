// Runs a program unchanged in the user's folder and records it: code, environment, output, exit
// code, resources, files under outputs/.
#pragma once

#include <string>
#include <vector>

#include "base/error.h"
#include "base/json.h"
#include "cli/code_state.h"

namespace gyre::cli {

class Output;
class Session;

struct ProgramRequest {
  std::string project, name, experiment;
  std::vector<std::string> command;
  std::string directory;  // where it runs
  CodeState code;
  int cpus = 0;                       // 0 = all
  std::int64_t memory_bytes_max = 0;  // 0 = no limit
  std::string rerun_of;               // id of a run
  bool pin_data = false;              // it reads the dataset versions that that run read
  Json params = Json::Obj();
};
struct ProgramResult {
  std::string run;  // id
  int exit_code = 0;
  Json document;  // the run, ended
};
// Errors: kFailedPrecondition GY4027 when several people use this data directory; GY1310 no such
// program (the run is ended as failed).
Result<ProgramResult> RunProgram(const ProgramRequest& request, Session& session, Output& out);

}  // namespace gyre::cli

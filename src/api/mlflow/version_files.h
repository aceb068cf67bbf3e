// What the registry must know of the files of runs and logged models: where they are, and what an
// MLmodel among them says.
#pragma once

#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "ml/tracking/files.h"
#include "ml/tracking/logged_models.h"

namespace gyre::blob {
class Store;
}

namespace gyre::mlflow {

struct VersionFiles {
  // The folder of the files of a run and of a logged model of that project; empty where the
  // project has none of that id.
  std::function<Result<std::string>(const std::string& project, const std::string& run_id)>
      run_root;
  std::function<Result<std::string>(const std::string& project, const std::string& id)> model_root;
  // The run that made a logged model; empty where nobody said.
  std::function<Result<std::string>(const std::string& project, const std::string& id)> model_run;
  // The text of the file MLmodel where a source leads; empty where there is none, or it leads
  // elsewhere.
  std::function<Result<std::string>(const std::string& project, const std::string& source)> mlmodel;
  // What is not safe about loading the files where a source leads, in a line; "" = nothing that is
  // known. Absent = nobody looks.
  std::function<std::string(const std::string& project, const std::string& source)> danger = {};
};

// Those of our own runs and logged models.
VersionFiles FilesOfRuns(tracking::Tracking& tracking, tracking::LoggedModels& models,
                         tracking::Files& files, blob::Store& blobs);

// The names below `flavors:`, in their order; none of what is no MLmodel. Pure.
std::vector<std::string> FlavorsOf(std::string_view mlmodel);

}  // namespace gyre::mlflow

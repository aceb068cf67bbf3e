// What a client calls a place for files, made into (owner, path): nothing of it is ever a path of
// the server. Pure functions.
#pragma once

#include <string>
#include <string_view>

#include "base/error.h"

namespace gyre::mlflow {

// "model//weights/" -> "model/weights"; empty for the root. Escapes are decoded until none is left,
// as MLflow does, so that nobody can read it otherwise later on. Error: kInvalidArgument GY5110
// "Invalid path" for whatever is absolute, climbs, has another separator, a fragment or a control
// character, or names longer than 255 bytes.
Result<std::string> CleanArtifactPath(std::string_view path);

// Where below the root "mlflow-artifacts:/" a clean path lies.
struct ArtifactPlace {
  enum class Kind : unsigned char {
    kRun,    // .../<run>/artifacts/<path>: below whatever its experiment has for a root
    kModel,  // .../models/m-<id>/artifacts/<path>
    kLoose,  // anything else: of the project
  };
  Kind kind = Kind::kLoose;
  std::string owner = {};  // its id; empty when loose
  std::string path = {};   // below it; empty = its root
};
ArtifactPlace PlaceOf(std::string_view clean_path);

// Of a logged model: "m-" and 32 hexadecimal digits.
bool IsLoggedModelId(std::string_view id);

// As MLflow says what a file is: texts are plain, whatever their kind.
std::string_view MediaTypeOf(std::string_view path);

// The last part: "weights" of "model/weights".
std::string_view BaseName(std::string_view path);

}  // namespace gyre::mlflow

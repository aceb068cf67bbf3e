// What made a model, for its run: so that a difference can be explained later.
#pragma once

#include "base/json.h"

namespace gyre::training {

// {"compiler", "lightgbm", "learner_format"}: nothing of the machine or the user.
Json CodeVersions();

}  // namespace gyre::training

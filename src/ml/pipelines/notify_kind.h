// Step of pipelines: notify.
#pragma once

#include <memory>

#include "ml/pipelines/step_kind.h"

namespace gyre::notices {
class Notices;
}

namespace gyre::pipelines {

// notify {title, text, severity, channels}: one notice of the project, however often it is tried.
std::unique_ptr<StepKind> NotifyKind(notices::Notices& notices);

}  // namespace gyre::pipelines

// Steps of pipelines: evaluate, gate.
#pragma once

#include "ml/evaluation/evaluations.h"
#include "ml/pipelines/pipelines.h"

namespace gyre::evaluation {

// evaluate {model, dataset, against, alias, rules, options, facts, primary}: numbers and, with
// `against`, a verdict. gate: the same, and a verdict that says no fails the step.
void AddSteps(pipelines::Pipelines& pipelines, Evaluations& evaluations, runners::Jobs& jobs);

}  // namespace gyre::evaluation

#include "ml/automation/presets.h"

namespace gyre::automation {
namespace {

// Fresh labelled rows -> the champion's recipe -> a judged candidate -> canary -> champion. Steps
// after the verdict are skipped when the gate says no: that is an answer, not a failure.
constexpr std::string_view kRetrain = R"(name: retrain
description: learn anew from what the endpoint answered and what turned out to be true
params:
  endpoint: text
  budget_seconds: {type: number, default: 40}
  seed: {type: int, default: 0}
  last_s: {type: int, default: 0}              # only so many seconds before the newest event; 0 = all
  since: {type: text, default: ""}             # a time: rows since then are fresh (an alert's trigger fills it in)
  rows_min: {type: int, default: 500}          # fresh labelled rows; with fewer the run ends
  fill_to: {type: int, default: 1000}          # since an incident: with fewer, older rows fill up, at most as many
  history_below: {type: int, default: 20000}   # without one: with fewer, the champion's own rows stand before them
  canary: {type: json, default: {}}            # weights, bake_s, rows_min, ...
steps:
  champion:
    kind: champion
    endpoint: ${params.endpoint}
  fresh:
    kind: captures
    endpoint: ${params.endpoint}
    dataset: ${params.endpoint}-fresh
    labelled: true
    last_s: ${params.last_s}
    since: ${params.since}
    fill_to: ${params.fill_to}
    rows_min: ${params.rows_min}
    history: ${steps.champion.outputs.dataset}
    history_below: ${params.history_below}
  train:
    kind: train
    dataset: ${steps.fresh.outputs.dataset}
    target: ${steps.champion.outputs.target}
    task: ${steps.champion.outputs.task}
    model: ${steps.champion.outputs.name}
    recipe: ${steps.champion.outputs.recipe}
    budget_seconds: ${params.budget_seconds}
    seed: ${params.seed}
    gate: judge
    against: ${steps.champion.outputs.model}   # what answers, whatever the alias names
    test_last: ${steps.fresh.outputs.fresh_rows}   # the gate judges on fresh rows
  canary:
    kind: canary
    when: steps.train.outputs.passed
    endpoint: ${params.endpoint}
    model: ${steps.train.outputs.model}
    plan: ${params.canary}
  promote:
    kind: promote
    needs: [canary]
    when: steps.train.outputs.passed
    model: ${steps.train.outputs.model}
    alias: champion
    reason: "retrained, judged, tried on a share of the traffic: ${steps.canary.outputs.reason}"
    retries: {max: 5, backoff: 2s}   # a full disk must not leave the alias and the endpoint apart
  takeover:
    kind: takeover
    needs: [promote]
    when: steps.train.outputs.passed
    endpoint: ${params.endpoint}
    model: ${steps.train.outputs.model}
    retries: {max: 5, backoff: 2s}
outputs:
  model: ${steps.train.outputs.model}
  promoted: ${steps.train.outputs.passed}
  dataset: ${steps.fresh.outputs.dataset}
  notes: ${steps.fresh.outputs.notes}
)";

}  // namespace

std::string_view PresetNamed(std::string_view name) {
  return name == "retrain" ? kRetrain : std::string_view();
}

}  // namespace gyre::automation

#include "cli/apply/template.h"

#include <array>
#include <utility>

#include "base/shell.h"
#include "base/text.h"
#include "cli/apply/describe.h"
#include "cli/demo_data.h"
#include "cli/output.h"
#include "platform/config/environment.h"
#include "platform/exec/files.h"

namespace gyre::cli::apply {
namespace {

constexpr std::uint64_t kSeed = 7;
constexpr std::size_t kRows = 3000;
constexpr std::string_view kTemplates[] = {"tabular"};

constexpr std::string_view kTabular =
    R"(# yaml-language-server: $schema=gyre.schema.json
#
# What this project is made of. `gyre apply` shows what it would change, asks, and makes the server
# so; after an edit, again. `gyre apply --check` says where the server is not as this file.
project: {name}

problem:
  statement: Which customers leave within a month?
  target: churned
  owner: {name} team
  kpis:
    - auc >= 0.7

sources:
  crm:
    path: data/customers.csv
    description: an export of the customer table, one row a customer (made up)

datasets:
  customers:
    source: crm
    expectations:
      - {kind: not_missing, column: churned}
      - {kind: in_set, column: churned, values: ["yes", "no"]}
      - {kind: unique, column: customer_id}
      - {kind: rows_between, min: 1000}

# The model has a version that was trained so, or one is trained. What leaks the answer
# (refund_amount is known only after somebody has left) is found and left out.
training:
  {name}:
    dataset: customers
    target: churned
    budget: 10s

# What a version must meet before it becomes @champion.
gates:
  {name}:
    metric: auc

endpoints:
  {name}:
    model: {name}@champion
    capture:
      key_column: customer_id
      retention_days: 30

monitors:
  {name}:
    window:
      rows: 500
    ignore: [customer_id]

triggers:
  {name}-drift:
    on:
      kind: drift
      endpoint: {name}
    run:
      pipeline: retrain
      params:
        endpoint: {name}
        budget_seconds: 30
    guards:
      cooldown_s: 6h
)";

constexpr std::string_view kTabularReadme = R"(# {name}

Made by `gyre init --template tabular`.

    gyre apply                       # dataset, checks, model, gate, endpoint, monitor, trigger
    gyre apply --check               # is the server still as the file? exit code 5 when not
    gyre models card {name}           # how good, on which rows, why it is @champion
    gyre endpoints show {name}        # where it answers
    gyre server stop                 # what apply started in the background

- `gyre.yaml` says what the project is made of; `gyre.schema.json` tells editors what it may hold.
- `data/customers.csv` is made up, with the flaws that real tables have. Put your own file in its
  place, name its target, take the expectations that do not fit out, and apply again.
)";

std::string Filled(std::string_view text, std::string_view name) {
  constexpr std::string_view kPlace = "{name}";
  std::string filled;
  for (std::size_t at = 0; at < text.size();) {
    const std::size_t next = std::min(text.find(kPlace, at), text.size());
    filled += text.substr(at, next - at);
    if (next == text.size()) break;
    filled += name;
    at = next + kPlace.size();
  }
  return filled;
}

Result<> CheckTemplate(const std::string& name) {
  for (const std::string_view known : kTemplates)
    if (known == name) return {};
  return NotFound("GY4912", "there is no template `{}`", name).Fix("--template tabular");
}

}  // namespace

Result<int> WriteTemplate(Invocation& in, const std::string& name, const std::string& folder) {
  GYRE_DO(CheckTemplate(name));
  std::string whole = config::AbsolutePath(folder);
  while (whole.ends_with('/')) whole.pop_back();
  const std::string project = whole.substr(whole.rfind('/') + 1);
  GYRE_DO(CheckName("project", project));
  const auto there = exec::ListFiles(whole, 1);
  if (!there || !there->empty()) {
    return MakeError(Code::kAlreadyExists, "GY4913", "{} holds something already", folder)
        .Why("a template writes a folder of its own")
        .Fix(fmt::format("gyre init --template {} {}", name, ShellWord(folder + "-new")));
  }
  const std::array<std::pair<std::string, std::string>, 4> files = {
      {{"gyre.yaml", Filled(kTabular, project)},
       {"gyre.schema.json", EditorSchema().DumpPretty() + "\n"},
       {"README.md", Filled(kTabularReadme, project)},
       {"data/customers.csv", MakeChurnData(kSeed, kRows).csv}}};
  Output& out = in.out();
  if (!in.dry_run()) GYRE_DO(config::MakeDirectories(whole + "/data"));
  for (const auto& [file, text] : files) {
    if (in.dry_run()) {
      out.Print(fmt::format("would write {}/{}\n", folder, file));
      continue;
    }
    GYRE_DO(config::WriteSmallFile(fmt::format("{}/{}", whole, file), text));
    out.Done(fmt::format("wrote {}/{}", folder, file));
  }
  if (!in.dry_run()) out.Hint(fmt::format("cd {} && gyre apply", ShellWord(folder)));
  return 0;
}

}  // namespace gyre::cli::apply

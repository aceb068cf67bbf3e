#include "ml/tracking/run_effects.h"

#include <algorithm>
#include <cmath>
#include <utility>

#include "ledger/lineage/lineage.h"
#include "ledger/usage/usage.h"

namespace gyre::tracking {
namespace {

// Whoever reports what a program used may report anything; sums stay whole numbers.
double Between(const Json& value, double most) {
  const double number = value.AsDouble();
  return number > 0 ? std::min(number, most) : 0;
}

}  // namespace

Result<> WriteLineage(db::Transaction& tx, const Run& run) {
  const auto node = [&](const std::string& id, std::string_view kind, std::string label) {
    return lineage::Node{.id = id,
                         .kind = std::string(kind),
                         .label = std::move(label),
                         .project = run.project,
                         .created_us = run.created_us};
  };
  if (run.kind == kClientKind) return {};
  GYRE_DO(lineage::AddNode(tx, node(run.id, "run", run.name)));
  if (run.kind == "program") return {};  // it tells what it reads while it runs
  if (!run.parent.empty()) {
    GYRE_DO(lineage::EnsureNode(tx, node(run.parent, "run", run.parent.substr(0, 12))));
    return lineage::AddEdge(tx, run.parent, run.id, "tried");
  }
  for (const Json& input : run.inputs.items()) {
    const std::string& id = input["id"].AsString();
    GYRE_DO(lineage::EnsureNode(tx, node(id, input["kind"].AsString(), input["name"].AsString())));
    GYRE_DO(lineage::AddEdge(tx, id, run.id, "read_by"));
  }
  return {};
}

Result<> BookUsage(db::Transaction& tx, const Run& run, const RunEnd& end) {
  if (run.kind != "program" || run.ended_us != 0) return {};
  const Json& used = end.resources;
  constexpr double kSecondsMax = 1e7, kBytesMax = 1e13;
  const auto bytes =
      Between(used["read_bytes"], kBytesMax) + Between(used["written_bytes"], kBytesMax);
  usage::Quantities quantities = usage::QuantitiesOf(
      Between(used["cpu_seconds"], kSecondsMax), Between(used["wall_seconds"], kSecondsMax),
      static_cast<std::int64_t>(Between(used["memory_bytes_peak"], kBytesMax)),
      static_cast<std::int64_t>(bytes));
  // Nobody but the program knows: it says so at its end, or in a metric of that name.
  const auto logged = run.metrics.find("gpu_seconds");
  const Json told = used["gpu_seconds"].is_number() || logged == run.metrics.end()
                        ? used["gpu_seconds"]
                        : Json(logged->second.value);
  quantities.gpu_us = std::llround(Between(told, kSecondsMax) * kMicrosPerSecond);
  if (quantities == usage::Quantities{}) return {};
  return usage::Record(tx, {.project = run.project,
                            .subject_kind = "run",
                            .subject_id = run.id,
                            .subject_label = run.name,
                            .at_us = end.ended_us,
                            .quantities = quantities,
                            .user = usage::UserOf(run.created_by)});
}

std::optional<Json> WithInput(const Json& inputs, const RunInput& input) {
  Json all = Json::Arr();
  bool there = false;
  for (const Json& item : inputs.items()) {
    Json same = item;
    if (item["id"].AsString() == input.id) {
      if (item["latest"].AsBool() || !input.latest) return std::nullopt;
      same.Set("latest", true);
      there = true;
    }
    all.Push(std::move(same));
  }
  if (!there) {
    all.Push(Json::Obj({{"kind", input.kind},
                        {"id", input.id},
                        {"name", input.name},
                        {"digest", input.digest},
                        {"latest", input.latest}}));
  }
  return all;
}

}  // namespace gyre::tracking

#include "cli/imports/neptune_run.h"

#include <algorithm>
#include <cmath>
#include <tuple>

#include "base/json.h"
#include "base/text.h"
#include "base/time.h"

namespace gyre::cli::imports {
namespace {

constexpr std::int64_t kStepUnit = 1'000'000;
// What the names and params of a run may be.
constexpr std::size_t kNameBytesMax = 250, kParamBytesMax = 8'000;
constexpr std::string_view kSystem = "sys/";

bool MayBeName(std::string_view name) {
  return !name.empty() && name.size() <= kNameBytesMax &&
         std::ranges::none_of(name, [](char c) { return static_cast<unsigned char>(c) < 0x20; });
}

bool IsFile(std::string_view type) {
  return type == "file" || type == "file_series" || type == "file_set" || type == "artifact";
}

// As people read it: a moment in the ISO form.
std::string PlainText(const NeptuneRow& row) {
  if (row.type != "datetime") return row.value;
  const auto time_us = ParseInt(row.value);
  return time_us ? FormatTime(*time_us) : row.value;
}

std::string DecimalOf(std::int64_t millionths) {
  std::string text =
      fmt::format("{}{}.{:06}", millionths < 0 ? "-" : "", std::abs(millionths / kStepUnit),
                  std::abs(millionths % kStepUnit));
  text.resize(text.find_last_not_of('0') + 1);
  if (text.ends_with('.')) text.pop_back();
  return text;
}

}  // namespace

void NeptuneRun::Saw(std::int64_t time_us) {
  first_us_ = first_us_ == 0 ? time_us : std::min(first_us_, time_us);
  last_us_ = std::max(last_us_, time_us);
}

void NeptuneRun::Add(const NeptuneRow& row) {
  if (source_.name.empty()) {
    source_.name = row.run;
    source_.origin = row.project + "/" + row.run;
    source_.key = "neptune:" + source_.origin;
    source_.tags = {{"neptune.project", row.project}, {"neptune.run", row.run}};
  }
  if (row.time_us) Saw(*row.time_us);
  if (row.type == "histogram_series") {
    ++not_taken["histograms"];
  } else if (IsFile(row.type)) {
    const bool series = row.type == "file_series";
    files.emplace_back(
        series ? fmt::format("{}/step_{}", row.attribute, DecimalOf(row.step.value_or(0)))
               : row.attribute,
        row.value);
  } else if (!MayBeName(row.attribute)) {
    ++not_taken[fmt::format("values of names longer than {} bytes", kNameBytesMax)];
  } else if (row.type == "float_series") {
    AddPoint(row);
  } else if (row.type == "string_series") {
    series_[row.attribute].push_back({row.time_us.value_or(0), row.step.value_or(0), row.value});
  } else {
    AddPlain(row);
  }
}

void NeptuneRun::AddPoint(const NeptuneRow& row) {
  const auto value = ParseDouble(row.value);
  if (!value) {
    ++not_taken["points that are no numbers"];
    return;
  }
  source_.points.push_back({names_.IndexOf(row.attribute, &source_.metrics), *value,
                            row.step.value_or(0), row.time_us.value_or(0)});
}

void NeptuneRun::AddPlain(const NeptuneRow& row) {
  constexpr std::string_view kPlain[] = {"float", "int",      "string",
                                         "bool",  "datetime", "string_set"};
  if (std::ranges::find(kPlain, row.type) == std::end(kPlain)) {
    ++not_taken[fmt::format("values of the type `{}`", row.type)];
  } else if (row.attribute.starts_with(kSystem)) {
    AddOfSystem(row.attribute.substr(kSystem.size()), row);
  } else if (row.value.size() > kParamBytesMax) {
    source_.texts[ArtifactPath("params", row.attribute, ".txt")] = row.value;
  } else {
    source_.params[row.attribute] = PlainText(row);
  }
}

// Neptune's own attributes say when and how a run was; they are no parameters of it.
void NeptuneRun::AddOfSystem(const std::string& name, const NeptuneRow& row) {
  if (name == "creation_time") source_.created_us = ParseInt(row.value).value_or(0);
  if (name == "modification_time") changed_us_ = ParseInt(row.value).value_or(0);
  if (name == "running_time") seconds_ = ParseDouble(row.value).value_or(0);
  if (name == "failed" && row.value == "true") source_.status = "failed";
  source_.tags["neptune." + name] = PlainText(row).substr(0, kParamBytesMax);
}

bool NeptuneRun::StepsAreWhole() const {
  return std::ranges::all_of(source_.points,
                             [](const Point& point) { return point.step % kStepUnit == 0; });
}

RunSource NeptuneRun::Finish(const std::string& experiment) {
  RunSource source = source_;
  source.importer = "neptune";
  source.experiment = experiment;
  // All steps of a run in one unit, so that its series lie above each other.
  if (StepsAreWhole()) {
    for (Point& point : source.points) point.step /= kStepUnit;
  } else {
    source.tags["neptune.step_unit"] = "0.000001";
  }
  // The export writes series as they arrived; what a run got later has later times, though.
  std::ranges::sort(source.points, [&](const Point& a, const Point& b) {
    return std::tie(a.time_us, source.metrics[a.metric], a.step, a.value) <
           std::tie(b.time_us, source.metrics[b.metric], b.step, b.value);
  });
  for (auto& [name, texts] : series_) {
    std::ranges::stable_sort(texts, {}, [](const Text& t) { return std::pair(t.time_us, t.step); });
    std::string* const lines = &source.texts[ArtifactPath("series", name, ".jsonl")];
    for (const Text& text : texts) {
      Json line = Json::Obj({{"step", DecimalOf(text.step)}, {"value", text.value}});
      if (text.time_us != 0) line.Set("time", FormatTime(text.time_us));
      *lines += line.Dump() + "\n";
    }
  }
  if (source.created_us == 0) source.created_us = first_us_;
  source.ended_us = last_us_;
  if (source.ended_us == 0 && source.created_us != 0 && seconds_ > 0 && seconds_ < 1e10)
    source.ended_us = source.created_us + std::llround(seconds_ * kMicrosPerSecond);
  if (source.ended_us == 0) source.ended_us = std::max(changed_us_, source.created_us);
  return source;
}

}  // namespace gyre::cli::imports

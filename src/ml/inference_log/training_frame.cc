#include <algorithm>

#include "base/text.h"
#include "ml/inference_log/joined.h"

namespace gyre::inference_log {
namespace {

constexpr std::string_view kShadow = "shadow";

// The label as a column of the target's type.
table::Column TargetColumn(const Joined& joined) {
  const table::Column& label = *joined.frame.Find("label");
  table::Column target{.name = joined.target, .type = joined.target_type};
  if (joined.classes.empty() || target.type == table::Type::kText ||
      label.type != table::Type::kText) {
    target = label;
    target.name = joined.target;
    return target;
  }
  for (std::size_t row = 0; row < label.size(); ++row) {
    const std::string_view word = label.IsValid(row) ? label.text[row] : std::string_view();
    const auto number = ParseDouble(word == "true" ? "1" : word == "false" ? "0" : word);
    if (!number)
      target.PushNull();
    else if (target.type == table::Type::kDouble)
      target.PushDouble(*number);
    else
      target.PushInt(static_cast<std::int64_t>(*number));
  }
  return target;
}

}  // namespace

TrainingRows TrainingFrame(const Joined& joined, bool labelled_only,
                           const std::vector<std::string>& classes) {
  TrainingRows made;
  const table::Column& label = *joined.frame.Find("label");
  const table::TextColumn& roles = joined.frame.Find("role")->text;
  const table::TextColumn& models = joined.frame.Find("model_version")->text;
  const auto& times = joined.frame.Find("event_time")->ints;
  std::vector<std::uint32_t> rows;
  const auto unknown = [&](std::size_t row) {
    return !classes.empty() && label.type == table::Type::kText && label.IsValid(row) &&
           std::ranges::find(classes, label.text[row]) == classes.end();
  };
  for (std::size_t row = 0; row < joined.frame.rows(); ++row) {
    if (roles[row] == kShadow || (labelled_only && !label.IsValid(row))) continue;
    if (label.IsValid(row)) ++made.labelled;
    if (unknown(row)) {
      ++made.set_aside[std::string(label.text[row])];
      continue;
    }
    rows.push_back(static_cast<std::uint32_t>(row));
    made.event_us.push_back(times[row]);
    if (std::ranges::find(made.versions, models[row], &AnsweringVersion::model) !=
        made.versions.end())
      continue;
    const auto known = std::ranges::find(joined.versions, models[row], &AnsweringVersion::model);
    if (known != joined.versions.end()) made.versions.push_back(*known);
  }
  table::Frame frame;
  for (const JoinedInput& input : joined.inputs) {
    if (std::ranges::find(joined.hashed, input.name) != joined.hashed.end()) continue;
    frame.columns.push_back(*joined.frame.Find(input.column));
    frame.columns.back().name = input.name;
  }
  frame.columns.push_back(TargetColumn(joined));
  made.frame = frame.Select(rows);
  return made;
}

}  // namespace gyre::inference_log

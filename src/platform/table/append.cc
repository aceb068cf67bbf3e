#include "platform/table/append.h"

#include "base/time.h"

namespace gyre::table {

namespace {
template <class T>
void AppendAll(const std::vector<T>& from, std::vector<T>* to) {
  to->insert(to->end(), from.begin(), from.end());
}

void AppendColumn(const Column& from, Column* to) {
  const std::size_t before = to->size(), added = from.size();
  if (!from.valid.empty() || !to->valid.empty()) {
    if (to->valid.empty()) to->valid.assign(before, 1);
    if (from.valid.empty()) {
      to->valid.insert(to->valid.end(), added, 1);
    } else {
      AppendAll(from.valid, &to->valid);
    }
  }
  AppendAll(from.ints, &to->ints);
  AppendAll(from.doubles, &to->doubles);
  if (from.type != Type::kText) return;
  const std::uint64_t shift = to->text.chars.size();
  to->text.chars += from.text.chars;
  for (std::size_t i = 1; i < from.text.offsets.size(); ++i)
    to->text.offsets.push_back(from.text.offsets[i] + shift);
}
}  // namespace

Frame EmptyFrame(const Schema& schema) {
  Frame frame;
  frame.columns.resize(schema.size());
  for (std::size_t i = 0; i < schema.size(); ++i) {
    frame.columns[i].name = schema[i].name;
    frame.columns[i].type = schema[i].type;
  }
  return frame;
}

void AppendFrame(const Frame& from, Frame* to) {
  for (std::size_t i = 0; i < to->columns.size(); ++i)
    AppendColumn(from.columns[i], &to->columns[i]);
}

std::int64_t FrameBytes(const Frame& frame) {
  std::size_t bytes = 0;
  for (const Column& column : frame.columns) {
    bytes += column.valid.size() +
             8 * (column.ints.size() + column.doubles.size() + column.text.offsets.size()) +
             column.text.chars.size();
  }
  return static_cast<std::int64_t>(bytes);
}

std::string DateText(std::int64_t days) {
  const CivilTime civil = ToCivil(days * kMicrosPerDay);
  return fmt::format("{:04}-{:02}-{:02}", civil.year, civil.month, civil.day);
}

}  // namespace gyre::table

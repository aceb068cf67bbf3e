// Hours added up by whatever somebody asks for.
#include <algorithm>
#include <map>
#include <tuple>

#include "ledger/usage/expected.h"
#include "ledger/usage/prices.h"
#include "ledger/usage/usage.h"
#include "platform/db/in_list.h"

namespace gyre::usage {
namespace {

constexpr std::int64_t kMicrosPerDay = 24 * kMicrosPerHour;

std::int64_t DayOf(std::int64_t at_us) { return at_us - at_us % kMicrosPerDay; }

bool IsRun(std::string_view kind) {
  return kind == "run" || kind == "job" || kind == "pipeline_run";
}

// The run that a row counts for: that of the pipeline, where it is a part of one.
void SetRun(const HourRow& row, Line* line) {
  if (row.run.empty() && !IsRun(row.subject_kind)) return;
  line->project = row.project;
  line->subject_kind = row.run.empty() ? row.subject_kind : "pipeline_run";
  line->subject_id = row.run.empty() ? row.subject_id : row.run;
  line->subject_label = row.run.empty() ? row.subject_label : row.run_label;
}

// "churn" of "churn/canary".
std::string_view EndpointOf(std::string_view subject) {
  return subject.substr(0, subject.find('/'));
}

void SetSubject(const HourRow& row, Line* line) {
  line->project = row.project;
  line->subject_kind = row.subject_kind;
  line->subject_id = row.subject_id;
  line->subject_label = row.subject_label;
}

// What tells a row's line from others.
Line HeadOf(const HourRow& row, GroupBy by) {
  Line line;
  switch (by) {
    case GroupBy::kSubject:
      SetSubject(row, &line);
      break;
    case GroupBy::kProject:
      line.project = row.project;
      break;
    case GroupBy::kDay:
      line.day_us = DayOf(row.hour_us);
      break;
    case GroupBy::kUser:
      line.user = row.user;
      break;
    case GroupBy::kKind:
      line.subject_kind = row.subject_kind;
      break;
    case GroupBy::kRun:
      SetRun(row, &line);
      break;
    case GroupBy::kStep:
      if (!row.step.empty()) SetRun(row, &line);
      line.step = row.step;
      break;
    case GroupBy::kEndpoint:
      if (row.subject_kind != "endpoint") break;
      SetSubject(row, &line);
      line.subject_id = line.subject_label = EndpointOf(row.subject_id);
      break;
    case GroupBy::kDataset:
      if (row.subject_kind == "dataset") SetSubject(row, &line);
      break;
  }
  return line;
}

auto KeyOf(const Line& line) {
  return std::tuple(line.day_us, line.project, line.subject_kind, line.subject_id, line.user,
                    line.step);
}
using LineKey = decltype(KeyOf(Line()));

HourRow RowOf(const db::Row& row) {
  return {.project = row.Text(0),
          .subject_kind = row.Text(1),
          .subject_id = row.Text(2),
          .subject_label = row.Text(3),
          .user = row.Text(4),
          .step = row.Text(5),
          .run = row.Text(6),
          .run_label = row.Text(7),
          .hour_us = row.Int(8),
          .quantities = {.cpu_us = row.Int(9),
                         .memory_mib_ms = row.Int(10),
                         .bytes = row.Int(11),
                         .requests = row.Int(12),
                         .gpu_us = row.Int(13),
                         .storage_byte_hours = row.Int(14),
                         .egress_bytes = row.Int(15)}};
}

}  // namespace

Result<> ForEachHour(db::Reader& reader, const ReportFilter& filter,
                     const std::function<void(const HourRow&, const PriceBook&)>& each) {
  GYRE_TRY(const std::vector<PriceBook> books, ReadBooks(reader));
  const std::int64_t from_us = filter.from_us - filter.from_us % kMicrosPerHour;
  std::vector<db::Value> values = {filter.subject_kind, filter.subject_id, from_us,
                                   filter.to_us,        filter.user,       filter.run,
                                   filter.endpoint};
  const std::string among = db::AmongText("project", filter.projects, &values);
  // A condition that is not asked for must not keep an index from being used.
  std::string where = among +
                      " AND hour_us >= ?3 AND (?4 = 0 OR hour_us < ?4) AND (?1 = '' OR "
                      "subject_kind = ?1) AND (?5 = '' OR user_name = ?5)";
  where += filter.subject_id.empty() ? " AND ?2 = ''" : " AND subject_id = ?2";
  where += filter.run.empty() ? " AND ?6 = ''" : " AND (subject_id = ?6 OR run_id = ?6)";
  where += filter.endpoint.empty() ? " AND ?7 = ''"
                                   : " AND subject_kind = 'endpoint' AND (subject_id = ?7 OR "
                                     "substr(subject_id, 1, length(?7) + 1) = ?7 || '/')";
  const std::string sql =
      "SELECT project, subject_kind, subject_id, subject_label, user_name, step, run_id, "
      "run_label, hour_us, cpu_us, memory_mib_ms, bytes, requests, gpu_us, storage_byte_hours, "
      "egress_bytes FROM usage_line WHERE " +
      where + " ORDER BY hour_us";
  return reader.QueryList(sql, values, [&](const db::Row& row) -> Result<> {
    const HourRow hour = RowOf(row);
    each(hour, books[BookAt(books, hour.hour_us)]);
    return {};
  });
}

namespace {

Result<> AddExpected(db::Reader& reader, const std::vector<PriceBook>& books, Line* line) {
  GYRE_TRY(line->expected, ExpectedOf(reader, line->subject_id));
  if (!line->expected) return {};
  const PriceBook& book = books[BookAt(books, line->expected->at_us)];
  line->expected_nanos = CostNanos(line->expected->quantities, book);
  return {};
}

}  // namespace

Result<Report> Usage::Sum(const ReportFilter& filter) const {
  Report report;
  std::map<LineKey, Line> lines;
  GYRE_DO(database_.Read([&](db::Reader& reader) -> Result<> {
    GYRE_TRY(const std::vector<PriceBook> books, ReadBooks(reader));
    report.currency = books.front().currency;
    GYRE_DO(ForEachHour(reader, filter, [&](const HourRow& row, const PriceBook& book) {
      Line head = HeadOf(row, filter.group_by);
      Line& line = lines[KeyOf(head)];
      head.quantities = line.quantities;
      head.cost_nanos = line.cost_nanos;
      line = std::move(head);  // the newest label
      line.quantities += row.quantities;
      line.cost_nanos += CostNanos(row.quantities, book);
    }));
    if (filter.group_by != GroupBy::kSubject && filter.group_by != GroupBy::kRun) return Result<>();
    for (auto& [key, line] : lines)
      if (IsRun(line.subject_kind)) GYRE_DO(AddExpected(reader, books, &line));
    return {};
  }));
  for (auto& [key, line] : lines) {
    report.total += line.quantities;
    report.cost_nanos += line.cost_nanos;
    report.lines.push_back(std::move(line));
  }
  if (filter.group_by == GroupBy::kDay) return report;
  std::ranges::stable_sort(report.lines, [](const Line& a, const Line& b) {
    return std::tie(a.cost_nanos, a.quantities.cpu_us) >
           std::tie(b.cost_nanos, b.quantities.cpu_us);
  });
  return report;
}

Result<std::vector<Charge>> Usage::Charges(const ReportFilter& filter) const {
  using Key = std::tuple<LineKey, std::string, std::size_t, std::int64_t>;
  std::map<Key, Charge> charges;
  GYRE_DO(database_.Read([&](db::Reader& reader) -> Result<> {
    return ForEachHour(reader, filter, [&](const HourRow& row, const PriceBook& book) {
      Line head = HeadOf(row, GroupBy::kSubject);
      head.user = row.user;
      head.step = row.step;
      head.day_us = DayOf(row.hour_us);
      for (std::size_t i = 0; i < kMeters.size(); ++i) {
        const Meter& meter = kMeters[i];
        if (row.quantities.*meter.quantity == 0) continue;
        Charge& charge = charges[{KeyOf(head), std::string(row.run), i, book.*meter.price}];
        charge.project = head.project;
        charge.subject_kind = head.subject_kind;
        charge.subject_id = head.subject_id;
        charge.subject_label = head.subject_label;
        charge.user = head.user;
        charge.run = row.run;
        charge.step = head.step;
        charge.day_us = head.day_us;
        charge.meter = i;
        charge.price_micros = book.*meter.price;
        charge.quantity += row.quantities.*meter.quantity;
        charge.cost_nanos += CostNanos(row.quantities, book, meter);
      }
    });
  }));
  std::vector<Charge> all;
  all.reserve(charges.size());
  for (auto& [key, charge] : charges) all.push_back(std::move(charge));
  return all;
}

}  // namespace gyre::usage

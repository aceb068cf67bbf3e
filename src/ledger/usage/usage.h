// What was used, by whom, at what price. Whole numbers only: sums are exact, in whatever order
// samples come and whatever lines they are added up by.
#pragma once

#include <array>
#include <cstdint>
#include <functional>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "base/time.h"
#include "platform/db/database.h"

namespace gyre::usage {

db::ModuleSchema UsageSchema();

constexpr std::int64_t kMicrosPerHour = 3600 * kMicrosPerSecond;

struct Quantities {
  std::int64_t cpu_us = 0;         // microseconds of CPU time
  std::int64_t memory_mib_ms = 0;  // mebibytes held, times milliseconds
  std::int64_t bytes = 0;          // read and written
  std::int64_t requests = 0;
  std::int64_t gpu_us = 0;
  std::int64_t storage_byte_hours = 0;
  std::int64_t egress_bytes = 0;  // answered over the network
  Quantities& operator+=(const Quantities& other);
  friend bool operator==(const Quantities&, const Quantities&) = default;
};
// Of a finished child: CPU seconds, peak memory held over the wall time, bytes. Rounded up.
Quantities QuantitiesOf(double cpu_seconds, double wall_seconds, std::int64_t memory_bytes_peak,
                        std::int64_t bytes);

struct Sample {
  std::string_view project;
  std::string_view subject_kind;  // run, job, pipeline_run, endpoint, dataset, model, ...
  std::string_view subject_id;
  std::string_view subject_label = {};
  std::int64_t at_us = 0;
  Quantities quantities = {};
  std::string_view user = {};  // who caused it
  // The pipeline's run that it is a part of, and the step there.
  std::string_view run = {}, run_label = {}, step = {};
};
// Who stands behind a `created_by`: "ana" of "ana>train", where a step began another run.
std::string_view UserOf(std::string_view created_by);

// Adds to the sums of its hour, in the transaction of what it belongs to.
Result<> Record(db::Transaction& tx, const Sample& sample);

// Prices in millionths of the currency. The default book is all zeros in EUR.
struct PriceBook {
  std::string currency = "EUR";
  std::int64_t cpu_hour_micros = 0;
  std::int64_t memory_gib_hour_micros = 0;
  std::int64_t gigabyte_micros = 0;  // 10^9 bytes read or written
  std::int64_t thousand_requests_micros = 0;
  std::int64_t valid_from_us = 0;
  std::int64_t gpu_hour_micros = 0;
  std::int64_t storage_gigabyte_month_micros = 0;  // 10^9 bytes for 730 hours
  std::int64_t egress_gigabyte_micros = 0;
  std::string set_by = {};
  std::int64_t set_us = 0;
};

// What has a price: one row for the API, the CLI, charges and exports alike.
struct Meter {
  std::string_view name;     // "cpu_hour"
  std::string_view about;    // "an hour of one core"
  std::string_view unit;     // "Hours", as FOCUS has it
  std::string_view service;  // "Compute", a category of FOCUS
  std::int64_t Quantities::* quantity;
  std::int64_t PriceBook::* price;
  std::int64_t quantity_per_unit;
};
extern const std::array<Meter, 7> kMeters;

enum class GroupBy { kProject, kSubject, kDay, kUser, kRun, kStep, kEndpoint, kDataset, kKind };

// Of a job or a run, when it began.
struct Expected {
  Quantities quantities = {};
  std::int64_t at_us = 0;  // the prices of that hour hold
  int measured = 0;        // how many like it that is known from
  std::string how = {};    // in words
};

// Costs are in billionths of the currency, rounded half to even once per hour, subject and meter:
// whatever is added up, it is the same whole numbers.
struct Line {
  // Those that the grouping tells apart; a line of what has no such thing (no run, no endpoint) has
  // them empty, so that the lines always add up to the total.
  std::string project = {}, subject_kind = {}, subject_id = {}, subject_label = {};
  std::string user = {}, step = {};
  std::int64_t day_us = 0;
  Quantities quantities = {};
  std::int64_t cost_nanos = 0;
  std::optional<Expected> expected = {};  // of a job or a run that has a line to itself
  std::int64_t expected_nanos = 0;
};

struct Report {
  std::vector<Line> lines = {};  // the dearest first, then by CPU time; days in order
  Quantities total = {};
  std::int64_t cost_nanos = 0;  // the sum of the lines, exactly
  std::string currency = {};
};

struct ReportFilter {
  std::optional<std::vector<std::string>> projects = {};  // only these; nothing = all
  std::string subject_kind = {}, subject_id = {};
  std::int64_t from_us = 0, to_us = 0;  // whole hours count; 0 = open
  GroupBy group_by = GroupBy::kSubject;
  std::string user = {};
  std::string run = {};       // a run and whatever is a part of it
  std::string endpoint = {};  // with its variants
};

// What one meter of one subject cost on one day (UTC) at one price.
struct Charge {
  std::string project, subject_kind, subject_id, subject_label, user, run, step;
  std::int64_t day_us = 0;
  std::size_t meter = 0;  // of kMeters
  std::int64_t quantity = 0, price_micros = 0, cost_nanos = 0;
};

// An hour of one subject, as it is stored.
struct HourRow {
  std::string_view project, subject_kind, subject_id, subject_label, user, step, run, run_label;
  std::int64_t hour_us = 0;
  Quantities quantities = {};
};
// Each with the prices that were valid then, oldest first; of closures too.
Result<> ForEachHour(db::Reader& reader, const ReportFilter& filter,
                     const std::function<void(const HourRow&, const PriceBook&)>& row);

class Usage {
 public:
  Usage(db::Database& database, const Clock& clock) : database_(database), clock_(clock) {}
  Result<> Record(const Sample& sample);
  Result<> Record(std::span<const Sample> samples);  // all, or none of them
  // From now on, or from valid_from_us; hours before keep their price. kInvalidArgument GY4131 for
  // negative prices or another currency.
  Result<> SetPrices(PriceBook book);
  Result<std::vector<PriceBook>> Prices() const;  // oldest first, at least one
  Result<PriceBook> PricesNow() const;
  Result<Report> Sum(const ReportFilter& filter) const;
  Result<std::vector<Charge>> Charges(const ReportFilter& filter) const;  // by day

 private:
  db::Database& database_;
  const Clock& clock_;
};

// cost = quantity x price / unit, each rounded half to even; exact for all inputs (128 bits
// inside).
std::int64_t CostNanos(const Quantities& quantities, const PriceBook& book);
std::int64_t CostNanos(const Quantities& quantities, const PriceBook& book, const Meter& meter);

// Of an amount in billionths: "12.50", "0.000125".
std::string MoneyText(std::int64_t nanos);
std::string DecimalText(std::int64_t nanos);  // all nine places that are not zero

}  // namespace gyre::usage

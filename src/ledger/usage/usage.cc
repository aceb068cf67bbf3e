#include "ledger/usage/usage.h"

#include <algorithm>
#include <cmath>

#include "ledger/usage/prices.h"

namespace gyre::usage {
namespace {

constexpr std::int64_t kMibMsPerGibHour = 1024ll * 3600 * 1000;
constexpr std::int64_t kBytesPerGigabyte = 1'000'000'000;
constexpr std::int64_t kHoursPerMonth = 730;  // a year's twelfth
constexpr double kBytesPerMib = 1 << 20;

__extension__ using Wide = __int128;

std::int64_t DivideHalfToEven(Wide numerator, Wide denominator) {
  Wide quotient = numerator / denominator;
  const Wide twice = 2 * (numerator % denominator);
  if (twice > denominator || (twice == denominator && quotient % 2 != 0)) ++quotient;
  return static_cast<std::int64_t>(quotient);
}

PriceBook MakeBook(const db::Row& row) {
  return {.currency = row.Str(1),
          .cpu_hour_micros = row.Int(2),
          .memory_gib_hour_micros = row.Int(3),
          .gigabyte_micros = row.Int(4),
          .thousand_requests_micros = row.Int(5),
          .valid_from_us = row.Int(0),
          .gpu_hour_micros = row.Int(6),
          .storage_gigabyte_month_micros = row.Int(7),
          .egress_gigabyte_micros = row.Int(8),
          .set_by = row.Str(9),
          .set_us = row.Int(10)};
}
constexpr std::string_view kBooks =
    "SELECT valid_from_us, currency, cpu_hour_micros, memory_gib_hour_micros, gigabyte_micros, "
    "thousand_requests_micros, gpu_hour_micros, storage_gigabyte_month_micros, "
    "egress_gigabyte_micros, set_by, set_us FROM usage_price ORDER BY valid_from_us";

Result<> CheckBook(const PriceBook& book) {
  for (const Meter& meter : kMeters) {
    if (book.*meter.price < 0)
      return InvalidArgument("GY4131", "the price of {} is negative: {}", meter.about,
                             book.*meter.price)
          .Fix("give prices in millionths of the currency, 0 or more");
  }
  const bool letters =
      std::ranges::all_of(book.currency, [](char c) { return c >= 'A' && c <= 'Z'; });
  if (book.currency.size() != 3 || !letters) {
    return InvalidArgument("GY4131", "`{}` is no currency", book.currency)
        .Fix("use three capital letters, as in EUR or USD");
  }
  return {};
}

}  // namespace

constinit const std::array<Meter, 7> kMeters = {{
    {"cpu_hour", "an hour of one core", "Hours", "Compute", &Quantities::cpu_us,
     &PriceBook::cpu_hour_micros, kMicrosPerHour},
    {"gpu_hour", "an hour of one GPU", "Hours", "Compute", &Quantities::gpu_us,
     &PriceBook::gpu_hour_micros, kMicrosPerHour},
    {"memory_gib_hour", "a GiB of memory for an hour", "GiB-Hours", "Compute",
     &Quantities::memory_mib_ms, &PriceBook::memory_gib_hour_micros, kMibMsPerGibHour},
    {"gigabyte", "a GB read or written", "GB", "Storage", &Quantities::bytes,
     &PriceBook::gigabyte_micros, kBytesPerGigabyte},
    {"storage_gigabyte_month", "a GB stored for 730 hours", "GB-Months", "Storage",
     &Quantities::storage_byte_hours, &PriceBook::storage_gigabyte_month_micros,
     kBytesPerGigabyte* kHoursPerMonth},
    {"egress_gigabyte", "a GB answered over the network", "GB", "Networking",
     &Quantities::egress_bytes, &PriceBook::egress_gigabyte_micros, kBytesPerGigabyte},
    {"thousand_requests", "a thousand requests", "1000 Requests", "AI and Machine Learning",
     &Quantities::requests, &PriceBook::thousand_requests_micros, 1000},
}};

Quantities& Quantities::operator+=(const Quantities& other) {
  for (const Meter& meter : kMeters) this->*meter.quantity += other.*meter.quantity;
  return *this;
}

Quantities QuantitiesOf(double cpu_seconds, double wall_seconds, std::int64_t memory_bytes_peak,
                        std::int64_t bytes) {
  return {.cpu_us = static_cast<std::int64_t>(std::ceil(cpu_seconds * 1e6)),
          .memory_mib_ms = static_cast<std::int64_t>(std::ceil(
              static_cast<double>(memory_bytes_peak) / kBytesPerMib * wall_seconds * 1e3)),
          .bytes = bytes};
}

std::int64_t CostNanos(const Quantities& quantities, const PriceBook& book, const Meter& meter) {
  constexpr std::int64_t kNanosPerMicro = 1000;
  return DivideHalfToEven(
      static_cast<Wide>(quantities.*meter.quantity) * (book.*meter.price) * kNanosPerMicro,
      meter.quantity_per_unit);
}

std::int64_t CostNanos(const Quantities& quantities, const PriceBook& book) {
  std::int64_t nanos = 0;
  for (const Meter& meter : kMeters) nanos += CostNanos(quantities, book, meter);
  return nanos;
}

std::string_view UserOf(std::string_view created_by) {
  return created_by.substr(0, created_by.find('>'));
}

Result<> Record(db::Transaction& tx, const Sample& sample) {
  const Quantities& q = sample.quantities;
  const std::int64_t hour_us = sample.at_us - sample.at_us % kMicrosPerHour;
  return tx.Execute(
      "INSERT INTO usage_line (project, subject_kind, subject_id, user_name, step, hour_us, "
      "subject_label, run_id, run_label, cpu_us, gpu_us, memory_mib_ms, bytes, requests, "
      "storage_byte_hours, egress_bytes) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, "
      "?12, ?13, ?14, ?15, ?16) ON CONFLICT (project, subject_kind, subject_id, user_name, step, "
      "hour_us) DO UPDATE SET subject_label = excluded.subject_label, cpu_us = usage_line.cpu_us + "
      "excluded.cpu_us, gpu_us = usage_line.gpu_us + excluded.gpu_us, memory_mib_ms = "
      "usage_line.memory_mib_ms + excluded.memory_mib_ms, bytes = usage_line.bytes + "
      "excluded.bytes, requests = usage_line.requests + excluded.requests, storage_byte_hours = "
      "usage_line.storage_byte_hours + excluded.storage_byte_hours, egress_bytes = "
      "usage_line.egress_bytes + excluded.egress_bytes",
      {sample.project, sample.subject_kind, sample.subject_id, sample.user, sample.step, hour_us,
       sample.subject_label, sample.run, sample.run_label, q.cpu_us, q.gpu_us, q.memory_mib_ms,
       q.bytes, q.requests, q.storage_byte_hours, q.egress_bytes});
}

Result<> Usage::Record(const Sample& sample) {
  return database_.Write([&](db::Transaction& tx) { return usage::Record(tx, sample); });
}

Result<> Usage::Record(std::span<const Sample> samples) {
  return database_.Write([&](db::Transaction& tx) -> Result<> {
    for (const Sample& sample : samples) GYRE_DO(usage::Record(tx, sample));
    return {};
  });
}

// --- prices --------------------------------------------------------------------------------------

Result<std::vector<PriceBook>> ReadBooks(db::Reader& reader) {
  GYRE_TRY(auto books, db::Collect<PriceBook>(reader, kBooks, {}, MakeBook));
  if (books.empty() || books.front().valid_from_us > 0) {
    PriceBook free;
    if (!books.empty()) free.currency = books.front().currency;
    books.insert(books.begin(), free);
  }
  return books;
}

std::size_t BookAt(const std::vector<PriceBook>& books, std::int64_t at_us) {
  std::size_t index = 0;
  while (index + 1 < books.size() && books[index + 1].valid_from_us <= at_us) ++index;
  return index;
}

Result<> Usage::SetPrices(PriceBook book) {
  GYRE_DO(CheckBook(book));
  book.set_us = clock_.NowMicros();
  if (book.valid_from_us == 0) book.valid_from_us = book.set_us;
  // Sums are kept per hour, so prices change at the full hour.
  book.valid_from_us -= book.valid_from_us % kMicrosPerHour;
  return database_.Write([&](db::Transaction& tx) -> Result<> {
    GYRE_TRY(const auto books, db::Collect<PriceBook>(tx, kBooks, {}, MakeBook));
    if (!books.empty() && books.front().currency != book.currency) {
      return InvalidArgument("GY4131", "prices are kept in {}, not in {}", books.front().currency,
                             book.currency)
          .Why("costs of different currencies cannot be added");
    }
    // Hours that are over may have another price now.
    GYRE_DO(tx.Execute("DELETE FROM usage_budget_closed", {}));
    return tx.Execute(
        "INSERT INTO usage_price (valid_from_us, currency, cpu_hour_micros, "
        "memory_gib_hour_micros, gigabyte_micros, thousand_requests_micros, gpu_hour_micros, "
        "storage_gigabyte_month_micros, egress_gigabyte_micros, set_by, set_us) VALUES (?1, ?2, "
        "?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11) ON CONFLICT (valid_from_us) DO UPDATE SET "
        "cpu_hour_micros = excluded.cpu_hour_micros, memory_gib_hour_micros = "
        "excluded.memory_gib_hour_micros, gigabyte_micros = excluded.gigabyte_micros, "
        "thousand_requests_micros = excluded.thousand_requests_micros, gpu_hour_micros = "
        "excluded.gpu_hour_micros, storage_gigabyte_month_micros = "
        "excluded.storage_gigabyte_month_micros, egress_gigabyte_micros = "
        "excluded.egress_gigabyte_micros, set_by = excluded.set_by, set_us = excluded.set_us",
        {book.valid_from_us, book.currency, book.cpu_hour_micros, book.memory_gib_hour_micros,
         book.gigabyte_micros, book.thousand_requests_micros, book.gpu_hour_micros,
         book.storage_gigabyte_month_micros, book.egress_gigabyte_micros, book.set_by,
         book.set_us});
  });
}

Result<std::vector<PriceBook>> Usage::Prices() const {
  std::vector<PriceBook> books;
  GYRE_DO(database_.Read([&](db::Reader& reader) -> Result<> {
    GYRE_TRY(books, ReadBooks(reader));
    return {};
  }));
  return books;
}

Result<PriceBook> Usage::PricesNow() const {
  GYRE_TRY(const std::vector<PriceBook> books, Prices());
  return books[BookAt(books, clock_.NowMicros())];
}

// --- words ---------------------------------------------------------------------------------------

std::string DecimalText(std::int64_t nanos) {
  constexpr std::int64_t kOne = 1'000'000'000;
  std::string text = fmt::format("{}{}.{:09}", nanos < 0 ? "-" : "", std::abs(nanos / kOne),
                                 std::abs(nanos % kOne));
  while (text.ends_with('0')) text.pop_back();
  if (text.ends_with('.')) text.pop_back();
  return text;
}

std::string MoneyText(std::int64_t nanos) {
  constexpr std::int64_t kCent = 10'000'000;
  const double amount = static_cast<double>(nanos) / 1e9;
  return nanos == 0 || std::abs(nanos) >= kCent ? fmt::format("{:.2f}", amount)
                                                : fmt::format("{:.6f}", amount);
}

}  // namespace gyre::usage

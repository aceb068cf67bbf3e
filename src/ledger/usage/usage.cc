#include "ledger/usage/usage.h"

#include <algorithm>
#include <cmath>
#include <map>
#include <tuple>

#include "platform/db/in_list.h"

namespace gyre::usage {
namespace {

constexpr std::int64_t kMicrosPerHour = 3600 * kMicrosPerSecond;
constexpr std::int64_t kMibMsPerGibHour = 1024ll * 3600 * 1000;
constexpr std::int64_t kBytesPerGigabyte = 1'000'000'000;
constexpr double kBytesPerMib = 1 << 20;

__extension__ using Wide = __int128;

std::int64_t DivideHalfToEven(Wide numerator, Wide denominator) {
  Wide quotient = numerator / denominator;
  const Wide twice = 2 * (numerator % denominator);
  if (twice > denominator || (twice == denominator && quotient % 2 != 0)) ++quotient;
  return static_cast<std::int64_t>(quotient);
}

std::int64_t Priced(std::int64_t quantity, std::int64_t price, std::int64_t unit) {
  return DivideHalfToEven(static_cast<Wide>(quantity) * price, unit);
}

PriceBook MakeBook(const db::Row& row) {
  return {row.Str(1), row.Int(2), row.Int(3), row.Int(4), row.Int(5), row.Int(0)};
}
constexpr std::string_view kBooks =
    "SELECT valid_from_us, currency, cpu_hour_micros, memory_gib_hour_micros, gigabyte_micros, "
    "thousand_requests_micros FROM usage_price "
    "ORDER BY valid_from_us";

Result<std::vector<PriceBook>> ReadBooks(db::Reader& reader) {
  GYRE_TRY(auto books, db::Collect<PriceBook>(reader, kBooks, {}, MakeBook));
  if (books.empty() || books.front().valid_from_us > 0) {
    PriceBook free;
    if (!books.empty()) free.currency = books.front().currency;
    books.insert(books.begin(), free);
  }
  return books;
}

// The book that is valid at a time; the first one is valid from the beginning.
std::size_t BookAt(const std::vector<PriceBook>& books, std::int64_t at_us) {
  std::size_t index = 0;
  while (index + 1 < books.size() && books[index + 1].valid_from_us <= at_us) ++index;
  return index;
}

using LineKey = std::tuple<std::string, std::string, std::string>;

struct OpenLine {
  std::string label;
  std::map<std::size_t, Quantities> by_book;  // each price period is rounded once
};

}  // namespace

Quantities& Quantities::operator+=(const Quantities& other) {
  cpu_us += other.cpu_us;
  memory_mib_ms += other.memory_mib_ms;
  bytes += other.bytes;
  requests += other.requests;
  return *this;
}

Quantities QuantitiesOf(double cpu_seconds, double wall_seconds, std::int64_t memory_bytes_peak,
                        std::int64_t bytes) {
  return {.cpu_us = static_cast<std::int64_t>(std::ceil(cpu_seconds * 1e6)),
          .memory_mib_ms = static_cast<std::int64_t>(std::ceil(
              static_cast<double>(memory_bytes_peak) / kBytesPerMib * wall_seconds * 1e3)),
          .bytes = bytes,
          .requests = 0};
}

std::int64_t CostMicros(const Quantities& quantities, const PriceBook& book) {
  return Priced(quantities.cpu_us, book.cpu_hour_micros, kMicrosPerHour) +
         Priced(quantities.memory_mib_ms, book.memory_gib_hour_micros, kMibMsPerGibHour) +
         Priced(quantities.bytes, book.gigabyte_micros, kBytesPerGigabyte) +
         Priced(quantities.requests, book.thousand_requests_micros, 1000);
}

Result<> Record(db::Transaction& tx, const Sample& sample) {
  const Quantities& q = sample.quantities;
  const std::int64_t hour_us = sample.at_us - sample.at_us % kMicrosPerHour;
  return tx.Execute(
      "INSERT INTO usage_hour (project, subject_kind, subject_id, hour_us, subject_label, cpu_us, "
      "memory_mib_ms, bytes, requests) "
      "VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9) ON CONFLICT (project, subject_kind, subject_id, "
      "hour_us) DO UPDATE SET "
      "subject_label = excluded.subject_label, cpu_us = usage_hour.cpu_us + excluded.cpu_us, "
      "memory_mib_ms = usage_hour.memory_mib_ms + excluded.memory_mib_ms, bytes = usage_hour.bytes "
      "+ excluded.bytes, "
      "requests = usage_hour.requests + excluded.requests",
      {sample.project, sample.subject_kind, sample.subject_id, hour_us, sample.subject_label,
       q.cpu_us, q.memory_mib_ms, q.bytes, q.requests});
}

Result<> Usage::Record(const Sample& sample) {
  return database_.Write([&](db::Transaction& tx) { return usage::Record(tx, sample); });
}

Result<> Usage::SetPrices(PriceBook book) {
  for (const std::int64_t price : {book.cpu_hour_micros, book.memory_gib_hour_micros,
                                   book.gigabyte_micros, book.thousand_requests_micros}) {
    if (price < 0)
      return InvalidArgument("GY4131", "a price is negative: {}", price)
          .Fix("give prices in millionths of the currency, 0 or more");
  }
  const bool letters =
      std::ranges::all_of(book.currency, [](char c) { return c >= 'A' && c <= 'Z'; });
  if (book.currency.size() != 3 || !letters) {
    return InvalidArgument("GY4131", "`{}` is no currency", book.currency)
        .Fix("use three capital letters, as in EUR or USD");
  }
  if (book.valid_from_us == 0) book.valid_from_us = clock_.NowMicros();
  // Sums are kept per hour, so prices change at the full hour.
  book.valid_from_us -= book.valid_from_us % kMicrosPerHour;
  return database_.Write([&](db::Transaction& tx) -> Result<> {
    GYRE_TRY(const auto books, db::Collect<PriceBook>(tx, kBooks, {}, MakeBook));
    if (!books.empty() && books.front().currency != book.currency) {
      return InvalidArgument("GY4131", "prices are kept in {}, not in {}", books.front().currency,
                             book.currency)
          .Why("costs of different currencies cannot be added");
    }
    return tx.Execute(
        "INSERT INTO usage_price (valid_from_us, currency, cpu_hour_micros, "
        "memory_gib_hour_micros, gigabyte_micros, "
        "thousand_requests_micros) VALUES (?1, ?2, ?3, ?4, ?5, ?6) ON CONFLICT (valid_from_us) DO "
        "UPDATE SET "
        "cpu_hour_micros = excluded.cpu_hour_micros, memory_gib_hour_micros = "
        "excluded.memory_gib_hour_micros, "
        "gigabyte_micros = excluded.gigabyte_micros, thousand_requests_micros = "
        "excluded.thousand_requests_micros",
        {book.valid_from_us, book.currency, book.cpu_hour_micros, book.memory_gib_hour_micros,
         book.gigabyte_micros, book.thousand_requests_micros});
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

Result<Report> Usage::Sum(const ReportFilter& filter) const {
  std::vector<PriceBook> books;
  std::map<LineKey, OpenLine> open;
  const std::int64_t from_us = filter.from_us - filter.from_us % kMicrosPerHour;
  std::vector<db::Value> values = {filter.subject_kind, filter.subject_id, from_us, filter.to_us};
  const std::string sql = fmt::format(
      "SELECT project, subject_kind, subject_id, subject_label, hour_us, cpu_us, memory_mib_ms, "
      "bytes, requests FROM usage_hour WHERE {} AND (?1 = '' OR subject_kind = ?1) AND (?2 = '' OR "
      "subject_id = ?2) AND hour_us >= ?3 AND (?4 = 0 OR hour_us < ?4) ORDER BY hour_us",
      db::AmongText("project", filter.projects, &values));
  GYRE_DO(database_.Read([&](db::Reader& reader) -> Result<> {
    GYRE_TRY(books, ReadBooks(reader));
    return reader.QueryList(sql, values, [&](const db::Row& row) -> Result<> {
      const bool subjects = filter.group_by == GroupBy::kSubject;
      OpenLine& line = open[{row.Str(0), subjects ? row.Str(1) : "", subjects ? row.Str(2) : ""}];
      if (subjects) line.label = row.Str(3);  // the newest
      line.by_book[BookAt(books, row.Int(4))] += {row.Int(5), row.Int(6), row.Int(7), row.Int(8)};
      return {};
    });
  }));
  Report report;
  report.currency = books.front().currency;
  for (const auto& [key, item] : open) {
    Line line{std::get<0>(key), std::get<1>(key), std::get<2>(key), item.label};
    for (const auto& [book, quantities] : item.by_book) {
      line.quantities += quantities;
      line.cost_micros += CostMicros(quantities, books[book]);
    }
    report.total += line.quantities;
    report.cost_micros += line.cost_micros;
    report.lines.push_back(std::move(line));
  }
  std::ranges::stable_sort(report.lines, [](const Line& a, const Line& b) {
    return std::tie(a.cost_micros, a.quantities.cpu_us) >
           std::tie(b.cost_micros, b.quantities.cpu_us);
  });
  return report;
}

}  // namespace gyre::usage

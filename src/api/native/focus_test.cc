#include "api/native/focus.h"

#include <gtest/gtest.h>

#include "base/text.h"

namespace gyre::native {
namespace {

constexpr std::size_t kCpu = 0, kGpu = 1, kStorage = 4, kRequests = 6;

std::string ColumnOf(const usage::Charge& charge, std::string_view name) {
  const std::string csv = FocusCsv({charge}, "EUR");
  const auto lines = Split(csv, '\n');
  const auto head = Split(lines[0].substr(0, lines[0].size() - 1), ','),
             row = Split(lines[1].substr(0, lines[1].size() - 1), ',');
  for (std::size_t i = 0; i < head.size(); ++i)
    if (head[i] == name) return std::string(row[i]);
  return "there is no " + std::string(name);
}

usage::Charge Charged(std::size_t meter, std::int64_t quantity, std::int64_t price_micros) {
  usage::Charge charge{.subject_kind = "run", .subject_id = "r"};
  charge.meter = meter;
  charge.quantity = quantity;
  charge.price_micros = price_micros;
  usage::Quantities used;
  usage::PriceBook book;
  used.*usage::kMeters[meter].quantity = quantity;
  book.*usage::kMeters[meter].price = price_micros;
  charge.cost_nanos = usage::CostNanos(used, book);
  return charge;
}

TEST(Focus, QuantitiesArePlainDecimals) {
  EXPECT_EQ(ColumnOf(Charged(kCpu, 3'600'000'000, 1), "ConsumedQuantity"), "1.0");
  EXPECT_EQ(ColumnOf(Charged(kCpu, 5'400'000'000, 1), "PricingQuantity"), "1.5");
  EXPECT_EQ(ColumnOf(Charged(kCpu, 1, 1), "PricingQuantity"), "0.000000000277777777777777");
  EXPECT_EQ(ColumnOf(Charged(kStorage, 730, 1), "PricingQuantity"), "0.000000001");
  EXPECT_EQ(ColumnOf(Charged(kRequests, 7, 1), "PricingQuantity"), "0.007");
  EXPECT_EQ(ColumnOf(Charged(kRequests, 9'000'000'000'000'000'001, 1), "PricingQuantity"),
            "9000000000000000.001");
}

TEST(Focus, ReportedGpuTimeIsThereToTheMicrosecond) {
  // 1,234.567891 s at 90 an hour: 30.864197275 exactly.
  const usage::Charge charge = Charged(kGpu, 1'234'567'891, 90'000'000);
  EXPECT_EQ(ColumnOf(charge, "SkuId"), "gpu_hour");
  EXPECT_EQ(ColumnOf(charge, "BilledCost"), "30.864197275");
  EXPECT_EQ(ColumnOf(charge, "PricingUnit"), "Hours");
  const std::string hours = ColumnOf(charge, "PricingQuantity");
  EXPECT_EQ(hours, "0.342935525277777777777777");
}

TEST(Focus, TagsOfTheProviderHaveItsPrefix) {
  usage::Charge charge = Charged(kCpu, 1, 1);
  charge.user = "ana";
  EXPECT_EQ(ColumnOf(charge, "Tags"), "\"{\"\"gyre/user\"\":\"\"ana\"\"}\"");
}

}  // namespace
}  // namespace gyre::native

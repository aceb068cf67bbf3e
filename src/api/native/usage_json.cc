#include "api/native/usage_json.h"

#include "base/time.h"

namespace gyre::native {

void AddQuantities(const usage::Quantities& quantities, Json* document) {
  document->Set("cpu_us", quantities.cpu_us)
      .Set("cpu_seconds", static_cast<double>(quantities.cpu_us) / 1e6)
      .Set("gpu_us", quantities.gpu_us)
      .Set("gpu_seconds", static_cast<double>(quantities.gpu_us) / 1e6)
      .Set("memory_mib_ms", quantities.memory_mib_ms)
      .Set("memory_gib_hours",
           static_cast<double>(quantities.memory_mib_ms) / (1024.0 * 3600 * 1000))
      .Set("bytes", quantities.bytes)
      .Set("requests", quantities.requests)
      .Set("storage_byte_hours", quantities.storage_byte_hours)
      .Set("storage_gb_months", static_cast<double>(quantities.storage_byte_hours) / (1e9 * 730))
      .Set("egress_bytes", quantities.egress_bytes);
}

void AddCost(std::int64_t nanos, Json* document) {
  document->Set("cost_nanos", nanos)
      .Set("cost", static_cast<double>(nanos) / 1e9)
      .Set("cost_decimal", usage::DecimalText(nanos))
      .Set("cost_text", usage::MoneyText(nanos));
}

Json BookToJson(const usage::PriceBook& book) {
  Json json = Json::Obj({{"currency", book.currency}});
  for (const usage::Meter& meter : usage::kMeters)
    json.Set(fmt::format("{}_micros", meter.name), book.*meter.price);
  return json.Set("valid_from", FormatTime(book.valid_from_us))
      .Set("set_by", book.set_by)
      .Set("set_at", book.set_us == 0 ? Json() : Json(FormatTime(book.set_us)));
}

Json ExpectedToJson(const runners::Estimate& estimate, const usage::PriceBook& prices) {
  const auto cost = [&](double cpu_seconds) {
    return usage::CostNanos(
        usage::QuantitiesOf(cpu_seconds, estimate.wall_seconds, estimate.memory_bytes, 0), prices);
  };
  Json json = Json::Obj(
      {{"known", estimate.known}, {"measured", estimate.measured}, {"how", estimate.how}});
  if (!estimate.known) return json;
  json.Set("cpu_seconds", estimate.cpu_seconds)
      .Set("cpu_seconds_low", estimate.cpu_seconds_low)
      .Set("cpu_seconds_high", estimate.cpu_seconds_high)
      .Set("wall_seconds", estimate.wall_seconds)
      .Set("memory_bytes", estimate.memory_bytes)
      .Set("currency", prices.currency);
  AddCost(cost(estimate.cpu_seconds), &json);
  json.Set("cost_high_nanos", cost(estimate.cpu_seconds_high));
  return json;
}

}  // namespace gyre::native

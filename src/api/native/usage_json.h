// Quantities, prices and amounts as documents.
#pragma once

#include <cstdint>

#include "base/json.h"
#include "ledger/usage/usage.h"
#include "ml/runners/estimate.h"

namespace gyre::native {

void AddQuantities(const usage::Quantities& quantities, Json* document);
void AddCost(std::int64_t nanos, Json* document);
Json BookToJson(const usage::PriceBook& book);
// What a job is expected to use, and the price of that today.
Json ExpectedToJson(const runners::Estimate& estimate, const usage::PriceBook& prices);

}  // namespace gyre::native

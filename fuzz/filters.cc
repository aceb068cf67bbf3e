// Filters and orders as people write them: nothing may crash, and what is accepted says the same
// when it is written down and read again.
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>

#include "ml/tracking/filter.h"

namespace gyre::tracking {
namespace {

void TryFilter(std::string_view text, const FieldTable& fields) {
  const auto filter = ParseFilter(text, fields);
  if (!filter) return;
  const std::string plain = FilterText(*filter, fields);
  // Quotes within are doubled, and infinities have no number: those read differently.
  if (text.find_first_of("'\"`\\") != std::string_view::npos || plain.contains("inf")) return;
  const auto again = ParseFilter(plain, fields);
  // What is quoted grows when it is written down, so that the longest may not fit again.
  if (!again && text.size() < kFilterBytesMax / 4) std::abort();
  if (again && *again != *filter) std::abort();
}

}  // namespace
}  // namespace gyre::tracking

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* bytes, std::size_t size) {
  using namespace gyre::tracking;
  const std::string_view text(reinterpret_cast<const char*>(bytes), size);
  for (const FieldTable* fields : {&kRunFields, &kExperimentFields, &kModelFields,
                                   &kModelVersionFields, &kLoggedModelFields, &kTraceFields}) {
    TryFilter(text, *fields);
    const std::string orders[] = {std::string(text)};
    if (const auto order = ParseOrder(orders, *fields); order && order->size() != 1) std::abort();
  }
  const std::size_t half = size / 2;
  if (Matches(text.substr(0, half), text.substr(half), false) &&
      !Matches(text.substr(0, half), text.substr(half), true))
    std::abort();
  return 0;
}

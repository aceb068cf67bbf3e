// Pickles and other model files that strangers bring: whatever the bytes are, they are read or
// refused, and nothing in them is carried out.
#include <cstddef>
#include <cstdint>
#include <string_view>

#include "ml/training/model_file.h"
#include "ml/training/pickle_file.h"
#include "ml/training/ubjson.h"
#include "ml/training/xgboost_file.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view bytes(reinterpret_cast<const char*>(data), size);
  (void)gyre::training::InspectPickle(bytes).has_value();
  (void)gyre::training::InspectKept(bytes).has_value();
  const auto document = gyre::training::ParseUbjson(bytes);
  if (document) (void)gyre::training::ReadXgboost(*document).has_value();
  return 0;
}

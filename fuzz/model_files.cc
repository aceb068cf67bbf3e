// Files of a model that a stranger logged: whatever the bytes are, they are judged, nothing in them
// is carried out, and nothing is unfolded beyond its bounds.
#include <cstddef>
#include <cstdint>
#include <string_view>

#include "ml/training/inspected_file.h"
#include "ml/training/mlmodel_file.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace gyre::training;
  const std::string_view bytes(reinterpret_cast<const char*>(data), size);
  for (const std::string_view path : {"model.pkl", "notes.txt", "data/pickle_module_info.txt"}) {
    const InspectedFile found = InspectFile(path, bytes);
    GYRE_CHECK(found.why.empty() == (found.safety == Safety::kSafe));
    GYRE_CHECK(found.unknown.empty() || found.safety != Safety::kSafe);
  }
  (void)ReadMlmodel(bytes).has_value();
  return 0;
}

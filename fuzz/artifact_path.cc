// Whatever a client calls a place for files: cleaned once it is clean for ever, and it never
// climbs.
#include "api/mlflow/artifact_path.h"

#include <cstddef>
#include <cstdint>
#include <string>

#include "base/text.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  const auto clean = gyre::mlflow::CleanArtifactPath(text);
  if (!clean) return 0;
  const auto again = gyre::mlflow::CleanArtifactPath(*clean);
  GYRE_CHECK(again && *again == *clean);
  GYRE_CHECK(clean->empty() || (clean->front() != '/' && clean->back() != '/'));
  GYRE_CHECK(clean->find('\0') == std::string::npos && clean->find('\\') == std::string::npos);
  for (const std::string_view part : gyre::Split(*clean, '/'))
    GYRE_CHECK(part != ".." && part != "." && (!part.empty() || clean->empty()));
  const gyre::mlflow::ArtifactPlace place = gyre::mlflow::PlaceOf(*clean);
  GYRE_CHECK(clean->ends_with(place.path));
  return 0;
}

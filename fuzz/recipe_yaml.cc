// Recipes as people write them, and fitted recipes as files: nothing may crash, and what is
// accepted must keep its promises.
#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "ml/recipes/hostile_frame.h"
#include "ml/recipes/recipe.h"

namespace gyre {
namespace {

void Require(bool condition) {
  if (!condition) std::abort();
}

void TryRecipe(std::string_view text) {
  const auto spec = recipes::Spec::FromYaml(text);
  if (!spec) return;
  const auto again = recipes::Spec::FromJson(spec->ToJson());
  Require(again.has_value() && again->hash() == spec->hash());
  static const table::Frame frame = recipes::HostileFrame(1, 40);
  static const table::Column label = *frame.Find("b");
  const auto fitted = recipes::Fit(*spec, frame, {.target = &label});
  if (!fitted) return;
  const auto loaded = recipes::Fitted::Load(fitted->Save());
  Require(loaded.has_value() && loaded->Save() == fitted->Save());
  Require(loaded->Apply(frame).has_value());
}

void TryArtefact(std::string_view text) {
  const auto fitted = recipes::Fitted::Load(text);
  if (!fitted) return;
  const auto matrix = fitted->Apply(recipes::HostileFrame(2, 5));
  Require(!matrix || matrix->columns == fitted->width());
}

}  // namespace
}  // namespace gyre

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* bytes, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(bytes), size);
  gyre::TryRecipe(text);
  gyre::TryArtefact(text);
  return 0;
}

// Pipelines as people write them: nothing may crash, and what is accepted is the same again when a
// run's record is read back.
#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "ml/pipelines/expression.h"
#include "ml/pipelines/programs.h"
#include "ml/pipelines/spec.h"

namespace gyre::pipelines {
namespace {

void Require(bool condition) {
  if (!condition) std::abort();
}

void TryPipeline(std::string_view text) {
  const FindComponent none = [](std::string_view reference) -> Result<Spec> {
    return NotFound("GY4711", "there is no component `{}`", reference);
  };
  const auto spec = ParseSpec(text, "p.yaml", ProgramKinds(), none);
  if (!spec) return;
  const Json record = SpecToJson(*spec);
  Require(SpecToJson(SpecFromJson(record)) == record);
  if (const auto params = BindParams(*spec, Json::Obj())) Require(params->is_object());
}

void TryCondition(std::string_view text) {
  const Lookup lookup = [](std::string_view path) -> std::optional<Json> {
    return path.size() % 2 == 0 ? std::optional<Json>(Json(path)) : std::nullopt;
  };
  const auto paths = PathsInCondition(text);
  const auto holds = Holds(text, lookup);
  Require(!holds || paths.has_value());
  if (const auto filled = Fill(Json(text), lookup)) Require(PathsIn(text).has_value());
}

}  // namespace
}  // namespace gyre::pipelines

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* bytes, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(bytes), size);
  gyre::pipelines::TryPipeline(text);
  gyre::pipelines::TryCondition(text);
  return 0;
}

#include "api/native/expected.h"

#include "api/native/usage_json.h"
#include "ml/pipelines/pipelines.h"

namespace gyre::native {
Result<Json> ExpectedOfPipeline(pipelines::Pipelines& pipelines, const usage::Usage& usage,
                                const std::string& project, const std::string& pipeline) {
  GYRE_TRY(const runners::Estimate expected,
           pipelines.Expected(project, std::string_view(pipeline).substr(0, pipeline.find(':'))));
  GYRE_TRY(const usage::PriceBook prices, usage.PricesNow());
  return ExpectedToJson(expected, prices);
}

}  // namespace gyre::native

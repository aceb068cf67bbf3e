// Bodies of requests as MLflow's and OpenTelemetry's clients send them: read or refused, and what a
// batch holds has passed its checks.
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <string_view>

#include "api/mlflow/arguments.h"
#include "api/mlflow/otlp_request.h"
#include "api/mlflow/run_batch.h"

namespace gyre::mlflow {
namespace {

using net::Type;

const net::Route kLogBatch = {.method = net::Method::kPost,
                              .path = "/",
                              .handler = nullptr,
                              .permission = net::kPublic,
                              .summary = "",
                              .members = {{"run_id", Type::kText, "", "", net::kRequired},
                                          {"metrics", Type::kObjects, ""},
                                          {"params", Type::kObjects, ""},
                                          {"tags", Type::kObjects, ""},
                                          {"datasets", Type::kObjects, ""}}};

class BodyOnly final : public net::Request {
 public:
  explicit BodyOnly(std::string_view body) : body_(body) { route = &kLogBatch; }
  net::Method method() const override { return net::Method::kPost; }
  std::string_view path() const override { return "/"; }
  std::optional<std::string_view> Header(std::string_view name) const override {
    if (name == "content-type") return "application/json";
    return {};
  }
  std::string_view body() const override { return body_; }
  net::BodyReader& body_reader() override { std::abort(); }
  const net::Peer& peer() const override { return peer_; }
  const std::string& id() const override { return id_; }
  bool client_gone() const override { return false; }

 private:
  std::string_view body_;
  net::Peer peer_;
  std::string id_;
};

void TryBatch(std::string_view body) {
  const BodyOnly request(body);
  const auto arguments = Arguments::Read(request);
  if (!arguments) return;
  (void)ReadDatasets(*arguments).has_value();
  const auto batch = ReadBatch(*arguments);
  if (!batch) return;
  GYRE_CHECK(batch->metrics.size() <= 1'000 && batch->params.size() <= 100 &&
             batch->tags.size() <= 100);
  for (const tracking::MetricPoint& point : batch->metrics)
    GYRE_CHECK(!point.key.empty() && point.key.size() <= 4'000);
}

}  // namespace
}  // namespace gyre::mlflow

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view bytes(reinterpret_cast<const char*>(data), size);
  gyre::mlflow::TryBatch(bytes);
  (void)gyre::mlflow::ReadOtlpJson(bytes).has_value();
  (void)gyre::mlflow::ReadOtlpProtobuf(bytes).has_value();
  return 0;
}

#include "ml/monitoring/kpi_task.h"

#include <map>

#include "ml/monitoring/answers.h"

namespace gyre::monitoring {
namespace {

constexpr std::int64_t kChunkRows = 50'000;

// Rows by the version that answered them; a shadow answered nobody.
class Gathered {
 public:
  void Take(const inference_log::Joined& head, const table::Frame& chunk) {
    const table::Column* const role = chunk.Find("role");
    const table::Column* const model = chunk.Find("model_version");
    if (role == nullptr || model == nullptr) return;
    std::map<std::string, std::vector<std::uint32_t>, std::less<>> rows;
    for (std::size_t row = 0; row < chunk.rows(); ++row) {
      if (role->text[row] != "shadow")
        rows[std::string(model->text[row])].push_back(static_cast<std::uint32_t>(row));
    }
    for (const auto& [name, of_version] : rows) {
      rows_ += std::ssize(of_version);
      const std::vector<std::string>& classes = head.ClassesOf(name);
      const Answers answers = AnswersOf(classes, chunk, of_version);
      labelled_ += std::ssize(answers.labelled);
      if (classes == head.classes) AppendAnswers(answers, &answers_);
    }
  }

  Json ToJson(std::size_t classes) const {
    Json metrics = Json::Obj();
    if (const auto scored = ScoredOf(answers_)) metrics = scored->Values().ToJson();
    Json feedback = Json::Obj({{"count", labelled_}});
    if (classes == 2) AddConfusion(&feedback);
    return Json::Obj({{"rows", rows_},
                      {"labelled", labelled_},
                      {"classes", classes},
                      {"metrics", std::move(metrics)},
                      {"feedback", std::move(feedback)}});
  }

 private:
  void AddConfusion(Json* feedback) const {
    std::int64_t count[2][2] = {};  // truth, decided
    for (std::size_t i = 0; i < answers_.labelled.size(); ++i)
      ++count[answers_.label[i] == 1 ? 1 : 0][answers_.decided[answers_.labelled[i]] == 1 ? 1 : 0];
    feedback->Set("positive", count[1][0] + count[1][1])
        .Set("true_positive", count[1][1])
        .Set("false_positive", count[0][1])
        .Set("true_negative", count[0][0])
        .Set("false_negative", count[1][0]);
  }

  std::int64_t rows_ = 0, labelled_ = 0;
  Answers answers_;
};

}  // namespace

Result<Json> RunKpiTask(runners::TaskContext& context) {
  inference_log::ReadRequest request = inference_log::ReadRequestFromJson(context.input()["log"]);
  request.cancelled = [&context] { return context.cancelled(); };
  Gathered gathered;
  GYRE_TRY(const inference_log::Joined head,
           inference_log::ForEachJoined(
               request, kChunkRows,
               [&](const inference_log::Joined& joined, table::Frame& chunk) -> Result<> {
                 gathered.Take(joined, chunk);
                 return {};
               }));
  return gathered.ToJson(head.classes.size());
}

}  // namespace gyre::monitoring

// What MLflow calls things of the registry: documents, stage words, and its sentences for our
// errors. Private.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "api/mlflow/answer.h"
#include "api/mlflow/arguments.h"
#include "ml/registry/registry.h"
#include "ml/tracking/filter.h"

namespace gyre::mlflow {

std::string_view StageWord(registry::Stage stage);           // "Production"
Result<registry::Stage> StageOfWord(std::string_view word);  // in any case
Result<int> VersionOf(const Arguments& arguments);           // of the field "version"
Result<registry::Tags> TagsOf(const Arguments& arguments);   // of the field "tags"; the last wins
Result<registry::Tags> TagOf(const Arguments& arguments);    // of "key" and "value"

// Where a client finds the files of a version: its source, or the files of the run that made it.
std::string SourceOf(const registry::ModelVersion& version);
std::string DownloadUriOf(const registry::ModelVersion& version);

// `message`: what is to be said of it, besides.
void WriteVersion(const registry::ModelVersion& version, std::string_view name, AnswerWriter* out,
                  std::string_view message = {});
void WriteModel(const registry::Model& model, const std::vector<registry::ModelVersion>& latest,
                AnswerWriter* out);
net::Response VersionAnswer(const registry::ModelVersion& version, std::string_view message = {});
net::Response ModelAnswer(const registry::Model& model,
                          const std::vector<registry::ModelVersion>& latest);

// The members that every search has.
struct SearchTerms {
  tracking::Filter filter;
  std::vector<tracking::OrderBy> order;
  int limit = 0;
  std::string page_token;
};
Result<SearchTerms> SearchOf(const Arguments& arguments, const tracking::FieldTable& fields,
                             int results, int results_max);

// Of an error about the model of that name, or a version or alias of it.
Error InModelWords(const Error& error, std::string_view name);
Error InVersionWords(const Error& error, std::string_view name, int version);
Error InAliasWords(const Error& error, std::string_view name, std::string_view alias);

// What MLflow says of an alias that it would not take.
Result<> CheckAliasWords(std::string_view alias);

}  // namespace gyre::mlflow

// Models and versions found by a filter, in an order, page by page. The work grows with what is
// looked at: equalities that must hold are asked of the database, the rest is held against each
// row. Prompts, which are models with a tag, are left out unless the filter asks for them.
// Thread-safe.
#pragma once

#include <string>
#include <vector>

#include "base/error.h"
#include "ml/registry/registry.h"
#include "ml/tracking/filter.h"
#include "platform/db/database.h"

namespace gyre::registry {

struct ModelSearch {
  std::string project;
  tracking::Filter filter = {};  // of kModelFields or kModelVersionFields
  // Empty: models by title; versions by updated_us DESC. Then title, then version DESC.
  std::vector<tracking::OrderBy> order = {};
  int limit = 100;
  std::string page_token = {};
};

struct FoundModel {
  Model model;                       // with tags and aliases, without counts
  std::vector<ModelVersion> latest;  // of each stage; what they are and where from, no package
};
struct FoundModels {
  std::vector<FoundModel> models;
  std::string next_page_token;  // empty at the end
};
// Versions with tags and aliases, without metrics, signature, datasets and attachments.
struct FoundVersions {
  std::vector<ModelVersion> versions;
  std::string next_page_token;
};

class ModelSearcher {
 public:
  explicit ModelSearcher(db::Database& database) : database_(database) {}
  // Error: kInvalidArgument GY3638 a page token that is not of this search.
  Result<FoundModels> Models(const ModelSearch& search);
  Result<FoundVersions> Versions(const ModelSearch& search);

 private:
  db::Database& database_;
};

}  // namespace gyre::registry

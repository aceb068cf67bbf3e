// One person's rows and labels leave the files of an endpoint. Private.
#pragma once

#include <set>
#include <string>
#include <string_view>

#include "ml/inference_log/inference_log.h"
#include "ml/inference_log/store.h"
#include "platform/blob/blob_store.h"
#include "platform/db/database.h"

namespace gyre::inference_log {

class Forgetter {
 public:
  struct Whose {
    std::string key = {}, key_hash = {};  // as it stands where the policy hashes it
    std::string id = {};                  // canonical
    std::string by = {};                  // who asked for it
    std::int64_t now_us = 0;
  };
  Forgetter(db::Database& database, blob::Store& blobs, Whose whose)
      : database_(database), blobs_(blobs), whose_(std::move(whose)) {}

  // Adds to `all`. All files of the endpoint are replaced in one transaction.
  Result<> Forget(const EndpointName& name, Forgotten* all) const;

 private:
  struct Round;
  Result<> RewriteSegments(const EndpointName& name, Round* round) const;
  Result<> RewriteLabels(const EndpointName& name, Round* round) const;
  Result<> Replace(const EndpointName& name, const Round& round) const;
  bool IsTheirs(std::string_view key) const;

  db::Database& database_;
  blob::Store& blobs_;
  const Whose whose_;
};

// GY4620, GY4621; `sealed`: what is in memory is in files.
Result<> CheckForget(const InferenceLog::ForgetRequest& request, const Result<>& sealed);
Result<Forgotten> ForgetRows(db::Database& database, blob::Store& blobs,
                             const InferenceLog::ForgetRequest& request, std::string_view hash_key,
                             std::int64_t now_us);

}  // namespace gyre::inference_log

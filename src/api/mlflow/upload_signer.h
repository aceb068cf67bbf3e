// Uploads in parts keep no state here: the id of an upload, the addresses of its parts and what a
// stored part is called are signed, so that each says for itself what it is good for and how long.
// A key of the process: an upload does not outlive the server.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "base/error.h"
#include "base/time.h"
#include "platform/blob/blob_store.h"

namespace gyre::mlflow {

inline constexpr std::int64_t kUploadPartsMax = 10'000;

class UploadSigner {
 public:
  explicit UploadSigner(const Clock& clock);

  // `place`: project and path of what is uploaded.
  std::string NewUpload(std::string_view place) const;
  // Errors, here and below: kInvalidArgument GY5111 not of this server, or it has ended.
  Result<> CheckUpload(std::string_view upload_id, std::string_view place) const;

  std::string SignPart(std::string_view upload_id, std::int64_t number) const;
  Result<> CheckPart(std::string_view upload_id, std::int64_t number,
                     std::string_view signature) const;

  // The ETag of a stored part, and back.
  std::string TagOf(std::string_view upload_id, std::int64_t number,
                    const blob::Object& part) const;
  Result<blob::Object> PartOf(std::string_view upload_id, std::int64_t number,
                              std::string_view tag) const;

 private:
  std::string Sign(std::string_view what, std::string_view upload_id, std::string_view rest) const;
  Result<> CheckTime(std::string_view upload_id) const;

  const Clock& clock_;
  const std::string key_;
};

}  // namespace gyre::mlflow

// Artifacts: the proxy (one PUT and one GET per file, lists, uploads in parts) and what the UI asks
// of runs. A file is (owner, clean path) of tracking::Files; its bytes go straight to and from the
// blobs, with constant memory.
#pragma once

#include <string>

#include "api/mlflow/answer.h"
#include "api/mlflow/artifact_path.h"
#include "api/mlflow/call.h"
#include "api/mlflow/upload_signer.h"
#include "base/time.h"
#include "ml/tracking/files.h"

namespace gyre::registry {
class Catalog;
}

namespace gyre::mlflow {

// "files" of a list: what a folder holds, below it ("" = by their own names).
void WriteEntries(const std::vector<tracking::FileEntry>& entries, const std::string& folder,
                  AnswerWriter& out);

class ArtifactsApi final : public Noun {
 public:
  // `base_path`: below which this server is reached, for addresses of itself.
  ArtifactsApi(projects::Projects& projects, tracking::Tracking& tracking, tracking::Files& files,
               blob::Store& blobs, registry::Catalog& catalog, const Clock& clock,
               std::string base_path)
      : Noun(projects),
        tracking_(tracking),
        files_(files),
        blobs_(blobs),
        catalog_(catalog),
        signer_(clock),
        base_path_(std::move(base_path)) {}
  net::RouteTable table();

  Result<net::Response> Upload(Call& call);
  Result<net::Response> Download(Call& call);
  Result<net::Response> Delete(Call& call);
  Result<net::Response> List(Call& call);
  Result<net::Response> BeginParts(Call& call);
  Result<net::Response> PutPart(net::Request& request);
  Result<net::Response> CompleteParts(Call& call);
  Result<net::Response> AbortParts(Call& call);

  Result<net::Response> ListOfRun(Call& call);
  Result<net::Response> GetOfRun(Call& call);
  Result<net::Response> UploadToRun(Call& call);
  Result<net::Response> GetOfVersion(Call& call);

  // The bytes of a file, as what is not ours.
  Result<net::Response> Answer(const net::Request& request, const tracking::FileOwner& owner,
                               const std::string& path);

 private:
  Result<blob::Object> Store(net::Request& request);
  Result<> Keep(const tracking::FileOwner& owner, const std::string& path,
                const blob::Object& object);
  Result<blob::Object> Join(const std::vector<blob::Object>& parts);

  tracking::Tracking& tracking_;
  tracking::Files& files_;
  blob::Store& blobs_;
  registry::Catalog& catalog_;
  const UploadSigner signer_;
  const std::string base_path_;
};

}  // namespace gyre::mlflow

#include "api/mlflow/artifacts_api.h"

#include <algorithm>
#include <utility>
#include <vector>

#include "api/files/file_bodies.h"
#include "api/files/stored_file.h"
#include "api/mlflow/answer.h"
#include "api/mlflow/artifact_target.h"
#include "api/mlflow/endpoints.h"
#include "api/mlflow/registry_words.h"
#include "api/mlflow/run_words.h"
#include "base/text.h"
#include "ml/registry/catalog.h"
#include "platform/blob/blob_store.h"

namespace gyre::mlflow {
namespace {

using net::Bind;
using net::Method;
using net::Permission;
using net::Type;

constexpr std::int64_t kArtifactBytesMax = std::int64_t{1} << 40;
constexpr std::int64_t kPartBytesMax = std::int64_t{5} << 30;
constexpr std::int64_t kUiUploadBytesMax = 10 * kMiB;
constexpr int kListedAtOnce = 10'000;
constexpr std::size_t kListedMax = 1'000'000;
constexpr int kPageOfRun = 1'000;

constexpr Permission kRead("run.read"), kWrite("run.write");
constexpr net::Field kFileName{"path", Type::kText, "name of the file", "", net::kRequired};
constexpr net::Field kUploadId{"upload_id", Type::kText, "of the upload"};
constexpr net::Fields kVersionFields = {{"name", Type::kText, "the model", "", net::kRequired},
                                        {"version", Type::kText, "its version", "", net::kRequired},
                                        {"path", Type::kText, "the file", "", net::kRequired}};

constexpr Endpoint OfVersion(std::string_view path) {
  return {.method = Method::kGet,
          .path = path,
          .handler = Serve<&ArtifactsApi::GetOfVersion>,
          .permission = Permission("model.read"),
          .summary = "The bytes of a file of a model version",
          .fields = kVersionFields,
          .doors = Doors::kRoot};
}

constexpr Endpoint kEndpoints[] = {
    {.method = Method::kPut,
     .path = "/mlflow-artifacts/artifacts/{path*}",
     .handler = Serve<&ArtifactsApi::Upload>,
     .permission = kWrite,
     .summary = "Keep a file",
     .body_bytes_max = kArtifactBytesMax,
     .raw_body = true},
    {.method = Method::kGet,
     .path = "/mlflow-artifacts/artifacts/{path*}",
     .handler = Serve<&ArtifactsApi::Download>,
     .permission = kRead,
     .summary = "The bytes of a file"},
    {.method = Method::kDelete,
     .path = "/mlflow-artifacts/artifacts/{path*}",
     .handler = Serve<&ArtifactsApi::Delete>,
     .permission = kWrite,
     .summary = "Remove a file, or a folder with what is in it"},
    {.method = Method::kGet,
     .path = "/mlflow-artifacts/artifacts",
     .handler = Serve<&ArtifactsApi::List>,
     .permission = kRead,
     .summary = "What a folder holds",
     .fields = {{"path", Type::kText, "the folder"}}},
    {.method = Method::kPost,
     .path = "/mlflow-artifacts/mpu/create/{path*}",
     .handler = Serve<&ArtifactsApi::BeginParts>,
     .permission = kWrite,
     .summary = "Begin the upload of a file in parts",
     .fields = {kFileName, {"num_parts", Type::kWhole, "how many"}},
     .audited = false},
    {.method = Method::kPost,
     .path = "/mlflow-artifacts/mpu/complete/{path*}",
     .handler = Serve<&ArtifactsApi::CompleteParts>,
     .permission = kWrite,
     .summary = "Make one file of its parts",
     .fields = {kFileName, kUploadId, {"parts", Type::kObjects, "its parts", "", net::kRequired}}},
    {.method = Method::kPost,
     .path = "/mlflow-artifacts/mpu/abort/{path*}",
     .handler = Serve<&ArtifactsApi::AbortParts>,
     .permission = kWrite,
     .summary = "Give an upload up",
     .fields = {kFileName, kUploadId},
     .audited = false},
    // Whoever has the address was given it for this part: it is signed, and ends.
    {.method = Method::kPut,
     .path = "/mlflow-artifacts/mpu/part",
     .handler = Bind<&ArtifactsApi::PutPart>,
     .permission = net::kPublic,
     .summary = "One part of an upload",
     .body_bytes_max = kPartBytesMax,
     .raw_body = true,
     .audited = false},
    {.method = Method::kGet,
     .path = "/mlflow/artifacts/list",
     .handler = Serve<&ArtifactsApi::ListOfRun>,
     .permission = kRead,
     .summary = "What a folder of a run holds",
     .fields = {{"run_id", Type::kText, "the run", "", net::kRequired},
                {"run_uuid", Type::kText, "the same, as old clients call it"},
                {"path", Type::kText, "the folder"},
                {"page_token", Type::kText, "next_page_token of the page before"}}},
    {.method = Method::kGet,
     .path = "/get-artifact",
     .handler = Serve<&ArtifactsApi::GetOfRun>,
     .permission = kRead,
     .summary = "The bytes of a file of a run",
     .fields = {{"run_id", Type::kText, "the run", "", net::kRequired},
                {"run_uuid", Type::kText, "the same, as old clients call it"},
                {"path", Type::kText, "the file", "", net::kRequired}},
     .doors = Doors::kRoot},
    OfVersion("/model-versions/get-artifact"),
    OfVersion("//model-versions/get-artifact"),  // as MLflow's pages ask for it
    {.method = Method::kPost,
     .path = "/mlflow/upload-artifact",
     .handler = Serve<&ArtifactsApi::UploadToRun>,
     .permission = kWrite,
     .summary = "Keep a small file of a run",
     .doors = Doors::kAjax2,
     .body_bytes_max = kUiUploadBytesMax,
     .raw_body = true},
};

// The answer of a room, with what it says of a missing run in MLflow's words.
template <class T>
Result<T> OfRun(std::string_view run_id, Result<T> answer) {
  if (!answer) return InRunWords(answer.error(), run_id);
  return answer;
}

// Of the path in the address.
Result<ArtifactTarget> TargetOf(const Call& call) {
  GYRE_TRY(const std::string clean, CleanArtifactPath(call.request.Param("path")));
  return mlflow::TargetOf(call.project, clean);
}

tracking::FileOwner RunOwner(const Call& call, std::string run_id) {
  return {tracking::FileOwner::Kind::kRun, call.project, std::move(run_id)};
}

// The folder of the address and the last part of the name, which old clients send with their own
// folders before it.
Result<std::string> UploadPathOf(const Call& call) {
  GYRE_TRY(const std::string folder, CleanArtifactPath(call.request.Param("path")));
  std::string name = call.arguments.Text("path");
  name = name.substr(name.find_last_of("/\\") + 1);
  GYRE_TRY(name, CleanArtifactPath(name));
  name = BaseName(name);
  if (name.empty()) return InvalidArgument("GY5110", "Invalid path");
  return folder.empty() ? name : folder + "/" + name;
}

}  // namespace

void WriteEntries(const std::vector<tracking::FileEntry>& entries, const std::string& folder,
                  AnswerWriter& out) {
  if (entries.empty()) return;
  out.List("files");
  for (const tracking::FileEntry& entry : entries) {
    out.Object();
    out.Text("path", folder.empty() ? entry.name : folder + "/" + entry.name);
    out.Bool("is_dir", entry.is_folder);
    if (entry.size_bytes > 0) out.Whole("file_size", entry.size_bytes);
    out.End();
  }
  out.End();
}

net::RouteTable ArtifactsApi::table() { return {"mlflow", RoutesOf<kEndpoints>::routes(), this}; }

// --- the proxy

Result<blob::Object> ArtifactsApi::Store(net::Request& request) {
  GYRE_TRY(auto writer, blobs_.NewWriter());
  GYRE_DO(files::Receive(request, *writer));
  return writer->Commit();
}

Result<> ArtifactsApi::Keep(const tracking::FileOwner& owner, const std::string& path,
                            const blob::Object& object) {
  if (path.empty()) return InvalidArgument("GY5110", "Invalid path");
  return OfRun(owner.id, files_.Put(owner, {path, object, ""}));
}

Result<net::Response> ArtifactsApi::Upload(Call& call) {
  GYRE_TRY(const ArtifactTarget target, TargetOf(call));
  GYRE_DO(OfRun(target.owner.id, files_.CheckTaker(target.owner)));
  GYRE_TRY(const blob::Object object, Store(call.request));
  GYRE_DO(Keep(target.owner, target.path, object));
  return EmptyAnswer();
}

Result<net::Response> ArtifactsApi::Answer(const net::Request& request,
                                           const tracking::FileOwner& owner,
                                           const std::string& path) {
  const auto file = OfRun(owner.id, files_.Get(owner, path));
  if (!file && file.error().gy() != "GY3403") return file.error();
  if (!file) {
    GYRE_TRY(const tracking::FilePage below, files_.List(owner, path, "", 1));
    if (!below.entries.empty()) {
      return InvalidParameter(
          fmt::format("Artifact path refers to a directory, not a file: '{}'", path));
    }
    return NotFound("GY5112", "No such artifact: '{}'", path);
  }
  GYRE_TRY(net::Response response,
           files::AnswerStored(
               request, blobs_,
               {.object = file->object, .content_type = std::string(MediaTypeOf(path))}));
  files::SayItIsForeign(BaseName(path), &response);
  return response;
}

Result<net::Response> ArtifactsApi::Download(Call& call) {
  GYRE_TRY(const ArtifactTarget target, TargetOf(call));
  return Answer(call.request, target.owner, target.path);
}

Result<net::Response> ArtifactsApi::Delete(Call& call) {
  GYRE_TRY(const ArtifactTarget target, TargetOf(call));
  GYRE_DO(OfRun(target.owner.id, files_.Remove(target.owner, target.path)));
  return EmptyAnswer();
}

Result<net::Response> ArtifactsApi::List(Call& call) {
  GYRE_TRY(const std::string clean, CleanArtifactPath(call.arguments.Text("path")));
  const ArtifactTarget target = mlflow::TargetOf(call.project, clean);
  std::vector<tracking::FileEntry> entries;  // all: this list has no pages
  std::string token;
  do {
    GYRE_TRY(tracking::FilePage page,
             OfRun(target.owner.id, files_.List(target.owner, target.path, token, kListedAtOnce)));
    entries.insert(entries.end(), page.entries.begin(), page.entries.end());
    token = std::move(page.next_page_token);
    if (entries.size() > kListedMax)
      return InvalidParameter("The folder holds more than 1,000,000 files: list those in it");
  } while (!token.empty());
  return AnswerOf([&](AnswerWriter& out) { WriteEntries(entries, "", out); });
}

// --- uploads in parts

Result<net::Response> ArtifactsApi::BeginParts(Call& call) {
  GYRE_TRY(const std::string path, UploadPathOf(call));
  const std::int64_t parts = call.arguments.Whole("num_parts", 1);
  if (parts < 1 || parts > kUploadPartsMax) {
    return InvalidParameter(
        fmt::format("num_parts must be between 1 and {} (got {}).", kUploadPartsMax, parts));
  }
  const std::string upload = signer_.NewUpload(call.project + "/" + path);
  const net::Request& request = call.request;
  const std::string address =
      fmt::format("{}://{}{}/api/2.0/mlflow-artifacts/mpu/part?upload_id={}",
                  request.peer().tls ? "https" : "http", request.Header("host").value_or(""),
                  base_path_, upload);
  return AnswerOf([&](AnswerWriter& out) {
    out.Text("upload_id", upload).List("credentials");
    for (std::int64_t number = 1; number <= parts; ++number) {
      out.Object();
      out.Text("url", fmt::format("{}&part={}&signature={}", address, number,
                                  signer_.SignPart(upload, number)));
      out.Whole("part_number", number).Object("headers").End().End();
    }
    out.End();
  });
}

Result<net::Response> ArtifactsApi::PutPart(net::Request& request) {
  const std::string upload = request.Query("upload_id").value_or("");
  GYRE_TRY(const std::int64_t number, request.QueryInt("part", 0, 1, kUploadPartsMax));
  GYRE_DO(signer_.CheckPart(upload, number, request.Query("signature").value_or("")));
  GYRE_TRY(const blob::Object part, Store(request));
  return net::Response::Text("").With("ETag", "\"" + signer_.TagOf(upload, number, part) + "\"");
}

// One part is the file already.
Result<blob::Object> ArtifactsApi::Join(const std::vector<blob::Object>& parts) {
  if (parts.size() == 1) return parts[0];
  GYRE_TRY(auto writer, blobs_.NewWriter());
  for (const blob::Object& part : parts) {
    GYRE_TRY(const auto stream, blobs_.Open(part.digest));
    for (std::int64_t at = 0; at < part.size_bytes; at += kMiB) {
      GYRE_TRY(const std::string piece, stream->Read(at, std::min(kMiB, part.size_bytes - at)));
      GYRE_DO(writer->Append(piece));
    }
  }
  return writer->Commit();
}

Result<net::Response> ArtifactsApi::CompleteParts(Call& call) {
  GYRE_TRY(const std::string path, UploadPathOf(call));
  const std::string upload = call.arguments.Text("upload_id");
  GYRE_DO(signer_.CheckUpload(upload, call.project + "/" + path));
  std::vector<std::pair<std::int64_t, std::string>> tags;
  for (const JsonValue part : call.arguments.Objects("parts"))
    tags.emplace_back(WholeOf(part["part_number"]).value_or(0), part["etag"].text());
  std::ranges::sort(tags);
  std::vector<blob::Object> parts;
  std::vector<blob::Pin> pins;
  for (const auto& [number, tag] : tags) {
    if (number != std::ssize(parts) + 1)
      return InvalidParameter("The parts of an upload are numbered from 1 without gaps.");
    GYRE_TRY(blob::Object part, signer_.PartOf(upload, number, tag));
    pins.push_back(blobs_.PinObject(part.digest));
    parts.push_back(std::move(part));
  }
  if (parts.empty()) return MissingValue("parts");
  GYRE_TRY(const blob::Object whole, Join(parts));
  const ArtifactTarget target = mlflow::TargetOf(call.project, path);
  GYRE_DO(Keep(target.owner, target.path, whole));
  return EmptyAnswer();
}

// What came of it belongs to nobody and is collected.
Result<net::Response> ArtifactsApi::AbortParts(Call& call) {
  GYRE_TRY(const std::string path, UploadPathOf(call));
  GYRE_DO(signer_.CheckUpload(call.arguments.Text("upload_id"), call.project + "/" + path));
  return EmptyAnswer();
}

// --- of a run

Result<net::Response> ArtifactsApi::ListOfRun(Call& call) {
  const std::string run_id = call.arguments.Text("run_id");
  GYRE_TRY(const std::string folder, CleanArtifactPath(call.arguments.Text("path")));
  GYRE_TRY(const tracking::Run run, OfRun(run_id, tracking_.GetRunById(run_id)));
  GYRE_TRY(const tracking::FilePage page,
           OfRun(run_id, files_.List(RunOwner(call, run_id), folder,
                                     call.arguments.Text("page_token"), kPageOfRun)));
  return AnswerOf([&](AnswerWriter& out) {
    out.Text("root_uri", ArtifactUri(run));
    WriteEntries(page.entries, folder, out);
    out.TextUnlessEmpty("next_page_token", page.next_page_token);
  });
}

Result<net::Response> ArtifactsApi::GetOfRun(Call& call) {
  GYRE_TRY(const std::string path, CleanArtifactPath(call.arguments.Text("path")));
  return Answer(call.request, RunOwner(call, call.arguments.Text("run_id")), path);
}

// Only files that are kept here: a source that names another place is text.
Result<net::Response> ArtifactsApi::GetOfVersion(Call& call) {
  const std::string name = call.arguments.Text("name");
  GYRE_TRY(const int number, VersionOf(call.arguments));
  GYRE_TRY(const std::string path, CleanArtifactPath(call.arguments.Text("path")));
  const auto version = catalog_.GetVersion(call.project, name, number);
  if (!version) return InVersionWords(version.error(), name, number);
  const std::string uri = DownloadUriOf(*version);
  GYRE_TRY(const auto target, TargetOfSource(call.project, uri));
  if (target)
    return Answer(call.request, target->owner,
                  target->path.empty() ? path : target->path + "/" + path);
  return InvalidParameter(
      fmt::format("The files of version {} of model {} are kept elsewhere: {}", number, name, uri));
}

Result<net::Response> ArtifactsApi::UploadToRun(Call& call) {
  const net::Request& request = call.request;
  const auto run_id = request.Query("run_id") ? request.Query("run_id") : request.Query("run_uuid");
  if (!run_id) return InvalidParameter("Request must specify run_id or run_uuid.");
  GYRE_TRY(const std::string path, CleanArtifactPath(request.Query("path").value_or("")));
  if (path.empty()) return InvalidParameter("Request must specify path.");
  GYRE_DO(OfRun(*run_id, files_.CheckTaker(RunOwner(call, *run_id))));
  GYRE_TRY(const blob::Object object, Store(call.request));
  if (object.size_bytes == 0) return InvalidParameter("Request must specify data.");
  GYRE_DO(Keep(RunOwner(call, *run_id), path, object));
  return EmptyAnswer();
}

}  // namespace gyre::mlflow

#include "api/native/datasets_api.h"

#include <array>

#include "api/native/datasets_routes.h"
#include "api/native/file_range.h"
#include "base/text.h"
#include "ml/data/datasets.h"
#include "ml/projects/projects.h"
#include "platform/exec/files.h"

namespace gyre::native {
namespace {

constexpr std::int64_t kPieceBytes = kMiB;
constexpr std::int64_t kQueryRowsMax = 10'000;

struct ExportKind {
  std::string_view format, content_type;
};
constexpr std::array kExports = {ExportKind{"csv", "text/csv; charset=utf-8"},
                                 ExportKind{"jsonl", "application/x-ndjson"},
                                 ExportKind{"parquet", "application/vnd.apache.parquet"}};

// A made file that goes, with its folder, when the answer has been sent or given up.
class MadeFile {
 public:
  explicit MadeFile(std::string path) : path_(std::move(path)) {}
  ~MadeFile() { (void)exec::RemoveTree(path_.substr(0, path_.rfind('/'))).has_value(); }
  MadeFile(const MadeFile&) = delete;
  MadeFile& operator=(const MadeFile&) = delete;
  const std::string& path() const { return path_; }

 private:
  std::string path_;
};

Result<> Receive(net::Request& request, data::Upload& upload) {
  for (;;) {
    GYRE_TRY(const std::string piece, request.body_reader().Next());
    if (piece.empty()) return {};
    GYRE_DO(upload.Append(piece));
  }
}

Result<data::ImportRequest> ReadImportRequest(const net::Request& request) {
  data::ImportRequest import;
  import.project = request.Param("project");
  import.dataset = request.Param("dataset");
  import.created_by = request.principal.name;
  import.filename = import.dataset;
  for (const auto& [name, value] : request.query) {
    if (name == "filename") {
      import.filename = value.substr(value.rfind('/') + 1).substr(0, 255);
    } else if (name == "format") {
      import.format = value;
    } else if (name == "bad") {
      import.bad = value;
    } else if (name == "target") {
      import.target = value;
    } else if (name == "type") {
      import.types.push_back(value);
    } else if (name == "tag") {
      const std::size_t colon = value.find(':');
      if (colon == std::string::npos)
        return InvalidArgument("GY2109", "`tag={}` lacks a value", value.substr(0, 100))
            .Fix("tag=source:crm");
      import.tags[value.substr(0, colon)] = value.substr(colon + 1);
    } else {
      return InvalidArgument("GY2109", "the query has no parameter `{}`", name.substr(0, 100))
          .Fix("filename, format, bad, type, tag, target");
    }
  }
  return import;
}
}  // namespace

net::RouteTable DatasetsApi::table() { return {"native", kDatasetRoutes, this}; }

Result<data::Version> DatasetsApi::VersionOf(net::Request& request) {
  return datasets_.Resolve(request.Param("project"),
                           request.Param("dataset") + ":" + request.Param("version"));
}

Result<net::Response> DatasetsApi::List(net::Request& request) {
  GYRE_TRY(const std::int64_t limit, request.QueryInt("limit", 100, 1, kPageSizeMax));
  GYRE_TRY(const auto project, projects_.Get(request.Param("project")));
  GYRE_TRY(const auto page, datasets_.List(project.name, request.Query("page_token").value_or(""),
                                           static_cast<int>(limit)));
  Json items = Json::Arr();
  for (const data::Dataset& dataset : page) items.Push(data::DatasetToJson(dataset));
  Json answer = Json::Obj({{"items", std::move(items)}});
  if (page.size() == static_cast<std::size_t>(limit))
    answer.Set("next_page_token", page.back().name);
  return net::Response::JsonDoc(answer);
}

Result<net::Response> DatasetsApi::Get(net::Request& request) {
  GYRE_TRY(const data::Dataset dataset,
           datasets_.Get(request.Param("project"), request.Param("dataset")));
  return net::Response::JsonDoc(data::DatasetToJson(dataset));
}

Result<net::Response> DatasetsApi::Remove(net::Request& request) {
  GYRE_DO(CheckName("dataset", request.Param("dataset")));
  GYRE_DO(datasets_.Remove(request.Param("project"), request.Param("dataset")));
  return net::Response::Empty();
}

Result<net::Response> DatasetsApi::AddVersion(net::Request& request) {
  GYRE_TRY(data::ImportRequest import, ReadImportRequest(request));
  GYRE_DO(CheckName("dataset", import.dataset));
  GYRE_TRY(const auto project, projects_.Get(import.project));
  if (import.target.empty() && project.problem) import.target = project.problem->target;
  GYRE_TRY(auto upload, datasets_.NewUpload());
  GYRE_DO(Receive(request, *upload));
  GYRE_TRY(const runners::Job job, datasets_.Import(std::move(import), std::move(upload)));
  return net::Response::JsonDoc(runners::JobToJson(job), 202)
      .With("Location", "/api/v1/jobs/" + job.id);
}

Result<net::Response> DatasetsApi::ListVersions(net::Request& request) {
  GYRE_TRY(const std::int64_t limit, request.QueryInt("limit", 100, 1, kPageSizeMax));
  GYRE_TRY(const std::int64_t before, request.QueryInt("page_token", 0, 0, INT64_MAX));
  GYRE_TRY(const auto page,
           datasets_.ListVersions(request.Param("project"), request.Param("dataset"), before,
                                  static_cast<int>(limit)));
  Json items = Json::Arr();
  for (const data::Version& version : page) items.Push(data::VersionToJson(version));
  Json answer = Json::Obj({{"items", std::move(items)}});
  if (page.size() == static_cast<std::size_t>(limit))
    answer.Set("next_page_token", std::to_string(page.back().number));
  return net::Response::JsonDoc(answer);
}

Result<net::Response> DatasetsApi::GetVersion(net::Request& request) {
  GYRE_TRY(const data::Version version, VersionOf(request));
  return net::Response::JsonDoc(data::VersionToJson(version));
}

Result<net::Response> DatasetsApi::RemoveVersion(net::Request& request) {
  GYRE_TRY(const data::Version version, VersionOf(request));
  GYRE_DO(datasets_.Remove(version.project, version.reference()));
  return net::Response::Empty();
}

Result<net::Response> DatasetsApi::SetTags(net::Request& request) {
  GYRE_TRY(const Json body, request.JsonBody());
  GYRE_TRY(const data::Version version, VersionOf(request));
  std::map<std::string, std::string> tags;
  for (const auto& [name, value] : body.members()) {
    if (!value.is_string())
      return InvalidArgument("GY2107", "the value of tag `{}` must be text", name);
    tags[name] = value.AsString();
  }
  GYRE_DO(datasets_.SetTags(version.project, version.reference(), tags));
  return GetVersion(request);
}

Result<net::Response> DatasetsApi::Profile(net::Request& request) {
  GYRE_TRY(const data::Version version, VersionOf(request));
  const auto target = request.Query("target");
  GYRE_TRY(const Json profile,
           target ? datasets_.ProfileAgainst(version, *target) : datasets_.Profile(version));
  return net::Response::JsonDoc(profile);
}

Result<net::Response> DatasetsApi::Rows(net::Request& request) {
  GYRE_TRY(const std::int64_t limit, request.QueryInt("limit", 100, 1, kPageSizeMax));
  GYRE_TRY(const std::int64_t offset, request.QueryInt("offset", 0, 0, INT64_MAX / 2));
  GYRE_TRY(const data::Version version, VersionOf(request));
  GYRE_TRY(const Json rows, datasets_.Rows(version, offset, limit));
  return net::Response::JsonDoc(rows);
}

Result<net::Response> DatasetsApi::ParquetFile(net::Request& request) {
  GYRE_TRY(const data::Version version, VersionOf(request));
  const std::string tag = "\"" + version.content_hash + "\"";
  if (request.Header("if-none-match") == std::string_view(tag)) return net::Response::Empty(304);
  GYRE_TRY(const blob::Object object, datasets_.ParquetFile(version));
  const FileRange range = ParseFileRange(request.Header("range"), object.size_bytes);
  if (range.unsatisfiable)
    return net::Response::Empty(416).With("Content-Range",
                                          fmt::format("bytes */{}", object.size_bytes));
  GYRE_TRY(std::shared_ptr<blob::ReadStream> stream, blobs_.Open(object.digest));
  net::Response response;
  response.status = range.partial ? 206 : 200;
  response.content_type = "application/vnd.apache.parquet";
  response.content_length = range.length;
  response.headers = {{"Accept-Ranges", "bytes"}, {"ETag", tag}};
  if (range.partial) {
    response.headers.emplace_back(
        "Content-Range", fmt::format("bytes {}-{}/{}", range.begin, range.begin + range.length - 1,
                                     object.size_bytes));
  }
  response.stream = [stream, range](net::BodyWriter& writer) -> Result<> {
    for (std::int64_t done = 0; done < range.length;) {
      GYRE_TRY(const std::string piece,
               stream->Read(range.begin + done, std::min(kPieceBytes, range.length - done)));
      if (piece.empty()) return {};
      GYRE_DO(writer.Write(piece));
      done += static_cast<std::int64_t>(piece.size());
    }
    return {};
  };
  return response;
}

Result<net::Response> DatasetsApi::Export(net::Request& request) {
  const std::string format = request.Query("format").value_or("csv");
  if (format == "parquet") return ParquetFile(request);
  GYRE_TRY(const data::Version version, VersionOf(request));
  GYRE_TRY(std::string path,
           datasets_.Export(version, format, [&request] { return request.client_gone(); }));
  net::Response response;
  for (const ExportKind& kind : kExports) {
    if (kind.format == format) response.content_type = kind.content_type;
  }
  response.headers = {
      {"Content-Disposition",
       fmt::format("attachment; filename=\"{}-v{}.{}\"", version.dataset, version.number, format)}};
  response.stream =
      [file = std::make_shared<MadeFile>(std::move(path))](net::BodyWriter& writer) -> Result<> {
    for (std::int64_t offset = 0;;) {
      GYRE_TRY(const std::string piece, exec::ReadFilePart(file->path(), offset, kPieceBytes));
      if (piece.empty()) return {};
      GYRE_DO(writer.Write(piece));
      offset += static_cast<std::int64_t>(piece.size());
    }
  };
  return response;
}

Result<net::Response> DatasetsApi::Quarantine(net::Request& request) {
  GYRE_TRY(const std::int64_t limit, request.QueryInt("limit", 100, 1, kPageSizeMax));
  GYRE_TRY(const data::Version version, VersionOf(request));
  GYRE_TRY(const Json rows, datasets_.Quarantine(version, limit));
  return net::Response::JsonDoc(rows);
}

Result<net::Response> DatasetsApi::Check(net::Request& request) {
  GYRE_TRY(const data::Version version, VersionOf(request));
  GYRE_TRY(const runners::Job job, datasets_.Check(version, request.principal.name));
  return net::Response::JsonDoc(runners::JobToJson(job), 202)
      .With("Location", "/api/v1/jobs/" + job.id);
}

Result<net::Response> DatasetsApi::Diff(net::Request& request) {
  const std::string& project = request.Param("project");
  const std::string& dataset = request.Param("dataset");
  GYRE_TRY(const data::Version to,
           datasets_.Resolve(project, dataset + ":" + request.Query("to").value_or("latest")));
  const std::string before = fmt::format("v{}", std::max<std::int64_t>(1, to.number - 1));
  GYRE_TRY(const data::Version from,
           datasets_.Resolve(project, dataset + ":" + request.Query("from").value_or(before)));
  GYRE_TRY(const Json diff, datasets_.Diff(from, to));
  return net::Response::JsonDoc(diff);
}

Result<net::Response> DatasetsApi::Expectations(net::Request& request) {
  GYRE_TRY(const Json suite,
           datasets_.Expectations(request.Param("project"), request.Param("dataset")));
  return net::Response::JsonDoc(suite);
}

Result<net::Response> DatasetsApi::SetExpectations(net::Request& request) {
  GYRE_TRY(const Json body, request.JsonBody());
  GYRE_TRY(const Json suite,
           datasets_.SetExpectations(request.Param("project"), request.Param("dataset"), body,
                                     request.principal.name));
  return net::Response::JsonDoc(suite);
}

Result<net::Response> DatasetsApi::Query(net::Request& request) {
  GYRE_TRY(const Json body, request.JsonBody());
  for (const auto& [key, value] : body.members()) {
    if (key != "sql" && key != "limit")
      return InvalidArgument("GY2109", "a query has no member `{}`", key).Fix("sql, limit");
  }
  GYRE_TRY(const std::string sql, body.GetString("sql"));
  std::int64_t limit = 1000;
  if (body.Has("limit")) {
    GYRE_TRY(limit, body.GetInt("limit"));
    if (limit < 1 || limit > kQueryRowsMax)
      return InvalidArgument("GY2109", "`limit` must be between 1 and {}", kQueryRowsMax)
          .Where("limit");
  }
  GYRE_TRY(const auto project, projects_.Get(request.Param("project")));
  GYRE_TRY(const Json result,
           datasets_.Query(project.name, sql, limit, [&request] { return request.client_gone(); }));
  return net::Response::JsonDoc(result);
}

}  // namespace gyre::native

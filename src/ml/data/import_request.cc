#include "ml/data/import_request.h"

#include <algorithm>

#include "base/hash.h"
#include "base/text.h"
#include "ml/data/reference.h"

namespace gyre::data {

Result<Json> ImportInput(const ImportRequest& request, ScratchUpload& upload) {
  GYRE_DO(CheckName("dataset", request.dataset));
  for (const auto& [name, value] : request.tags) GYRE_DO(CheckName("tag", name));
  static constexpr std::string_view kBad[] = {"", "error", "null", "quarantine"};
  if (std::find(std::begin(kBad), std::end(kBad), request.bad) == std::end(kBad)) {
    return InvalidArgument("GY2106", "bad cells cannot be treated as `{}`", request.bad)
        .Fix("--bad error, null or quarantine");
  }
  if (!request.columns.empty() && request.columns != "same" && request.columns != "any")
    return InvalidArgument("GY2106", "columns cannot be `{}`", request.columns).Fix("same or any");
  static constexpr std::string_view kFormats[] = {"",      "csv",    "tsv",     "json",
                                                  "jsonl", "ndjson", "parquet", "tar"};
  if (std::find(std::begin(kFormats), std::end(kFormats), request.format) == std::end(kFormats)) {
    return InvalidArgument("GY2106", "there is no format `{}`", request.format)
        .Fix("csv, jsonl, parquet or tar");
  }
  GYRE_TRY(const Json types, ParseTypes(request.types));
  GYRE_DO(upload.Finish());
  const std::string how = Json::Obj({{"format", request.format},
                                     {"bad", request.bad.empty() ? "error" : request.bad},
                                     {"types", types}})
                              .DumpCanonical();
  Json tags = Json::Obj(), made_from = Json::Arr();
  for (const std::string& id : request.made_from) made_from.Push(id);
  for (const auto& [name, value] : request.tags) tags.Set(name, value);
  return Json::Obj(
      {{"dataset", request.dataset},
       {"name", IsValidUtf8(request.filename) ? request.filename : std::string("upload")},
       {"format", request.format},
       {"bad", request.bad},
       {"columns", request.columns},
       {"types", types},
       {"tags", std::move(tags)},
       {"target", request.target},
       {"made_from", std::move(made_from)},
       {"upload", upload.folder().substr(upload.folder().rfind('/') + 1)},
       {"source_bytes", upload.size()},
       {"source_digest", upload.digest()},
       {"source_key", Sha256Hex(upload.digest() + how)}});
}

}  // namespace gyre::data

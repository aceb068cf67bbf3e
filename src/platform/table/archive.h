// A folder of tables as one stream: tar, written by the command line and unpacked by the worker.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "platform/table/import.h"

namespace gyre::table {

// By its name: csv, tsv, txt, json, jsonl, ndjson, parquet, also .gz and .zst; hidden files are
// none.
bool IsTable(std::string_view path);
// Tables below `directory` (csv, tsv, txt, json, jsonl, ndjson, parquet, also .gz and .zst), sorted
// by path. Names that begin with '.' or '_' are left out. Error: kNotFound GY2042 when there is
// none.
Result<std::vector<SourceFile>> ListTables(const std::string& directory);
Result<> WriteTar(const std::vector<SourceFile>& files, const std::string& out_path);
Result<> WriteTarGz(const std::vector<SourceFile>& files, const std::string& out_path);

// Unpacks the plain files of a tar (also gzip, zstd) as numbered files into `directory`; paths
// inside the archive are only shown. Links, devices and hidden files are left out. Errors:
// kInvalidArgument GY2043 broken or empty archive.
Result<std::vector<SourceFile>> ExtractTar(const std::string& path, const std::string& shown_name,
                                           const std::string& directory);

}  // namespace gyre::table

#include "platform/table/duckdb_api.h"

#include <string>

#include "platform/exec/library.h"

namespace gyre::table {

namespace {
constexpr std::string_view kVersion = "v1.5.6";

Result<DuckDbApi> Load() {
  GYRE_TRY(const std::string path, exec::FindLibrary("libduckdb.so"));
  GYRE_TRY(const exec::Library library, exec::Library::Open(path));
  DuckDbApi api;
#define X(name)                                             \
  {                                                         \
    GYRE_TRY(void* const symbol, library.Symbol(#name));    \
    api.name = reinterpret_cast<decltype(&::name)>(symbol); \
  }
  GYRE_DUCKDB_FUNCTIONS(X)
#undef X
  if (api.duckdb_library_version() != kVersion) {
    return FailedPrecondition("GY2001", "{} is DuckDB {}, gyre needs {}", path,
                              api.duckdb_library_version(), kVersion)
        .Fix("make deps");
  }
  return api;
}
}  // namespace

Result<const DuckDbApi*> LoadDuckDb() {
  static const Result<DuckDbApi> loaded = Load();
  if (!loaded) return Error(loaded.error());
  return &*loaded;
}

}  // namespace gyre::table

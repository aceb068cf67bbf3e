#include "platform/db/database_suite.h"

namespace gyre::db {
namespace {

INSTANTIATE_TEST_SUITE_P(Sqlite, DatabaseSuite,
                         testing::Values(SuiteBackend{
                             "sqlite",
                             [](const std::string& directory, Settings settings) {
                               settings.path = directory + "/gyre.db";
                               return OpenSqlite(std::move(settings));
                             }}),
                         [](const auto& backend) { return backend.param.name; });

}  // namespace
}  // namespace gyre::db

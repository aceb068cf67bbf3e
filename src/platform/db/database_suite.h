// What every backend of db::Database must do. A backend instantiates the suite with a way to open
// itself.
#pragma once

#include <gtest/gtest.h>

#include <functional>
#include <memory>
#include <string>

#include "platform/db/database.h"

namespace gyre::db {

struct SuiteBackend {
  std::string name;
  // Opens the database of `directory`, made at the first call; `settings.path` is set by the
  // backend.
  std::function<Result<std::unique_ptr<Database>>(const std::string& directory, Settings settings)>
      open;
};

class DatabaseSuite : public testing::TestWithParam<SuiteBackend> {
 protected:
  void SetUp() override;
  void TearDown() override;
  void Reopen(Settings settings = {});

  std::string directory_;
  std::unique_ptr<Database> database_;
};

}  // namespace gyre::db

// Text as a file that is read, for tests.
#pragma once

#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>
#include <string>
#include <string_view>

#include "platform/exec/files.h"
#include "platform/table/import.h"
#include "platform/table/reader.h"

namespace gyre::table {

class Import : public testing::Test {
 protected:
  void SetUp() override {
    folder_ = testing::TempDir() + "/gyre_import_" + std::to_string(getpid());
    std::filesystem::create_directories(folder_);
  }
  void TearDown() override { std::filesystem::remove_all(folder_); }

  SourceFile File(const std::string& name, std::string_view bytes) {
    const std::string path = folder_ + "/" + name;
    EXPECT_TRUE(exec::WriteFile(path, bytes));
    return {path, name};
  }
  Result<ImportedFrame> Read(std::string_view bytes, const ImportOptions& options = {},
                             const std::string& name = "sales.csv") {
    return ImportFrame({File(name, bytes)}, options);
  }
  // Types of the columns as "int text".
  static std::string Types(const ImportedFrame& imported) {
    std::string out;
    for (const Field& field : imported.report.schema)
      out += std::string(out.empty() ? "" : " ") + std::string(TypeName(field.type));
    return out;
  }
  static std::string Row(const Frame& frame, std::size_t row) {
    std::string out;
    for (const Column& column : frame.columns)
      out += (out.empty() ? "" : "|") + (column.IsValid(row) ? CellText(column, row) : "~");
    return out;
  }
  std::string folder_;
};

}  // namespace gyre::table

// Whole small files and folders, for job logs, scratch folders and what workers hand over. Durable
// objects go through platform/blob.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"

namespace gyre::exec {

Result<> MakeDirectories(const std::string& path);  // and its parents; an existing one is fine
Result<> MakeDirectory(const std::string& path);    // its parent is there; an existing one is fine
// Everything in a folder whose name does not begin with `kept`.
void RemoveContents(const std::string& directory, std::string_view kept);
Result<> RemoveTree(
    const std::string& path);  // a missing one is fine; links are removed, not followed
Result<std::string> ReadFile(const std::string& path,
                             std::int64_t bytes_max = std::int64_t{1} << 30);
// Up to `length` bytes from `offset`; fewer at the end.
Result<std::string> ReadFilePart(const std::string& path, std::int64_t offset, std::int64_t length);
Result<> WriteFile(const std::string& path, std::string_view bytes);  // replaces; not synced
Result<> AppendFile(const std::string& path, std::string_view bytes);
// For a file of lines that must not be lost: durable when it returns. What a crash left of a line
// that was never whole is cut off first.
Result<> AppendLineDurably(const std::string& path, std::string_view line);
// For keys: mode 0600, replaced at once and durable when it returns.
Result<> WritePrivateFile(const std::string& path, std::string_view bytes);
// Errors: kNotFound; kPermissionDenied GY1333 when anybody but its owner may read it.
Result<std::string> ReadPrivateFile(const std::string& path, std::int64_t bytes_max = 1 << 16);
Result<> RenameDurably(const std::string& from, const std::string& to);  // in one folder
// A file of /proc or /sys, whose size is not known beforehand; at most 64 KiB.
Result<std::string> ReadSystemFile(const std::string& path);
bool FileExists(const std::string& path);
std::int64_t FileSize(const std::string& path);  // -1 when there is none
bool FolderExists(const std::string& path);
// A new empty folder of our own (0700) where temporary files go.
Result<std::string> MakeTemporaryDirectory();

struct FileEntry {
  std::string path;  // relative to the folder listed, with '/'
  std::int64_t size_bytes = 0;
  std::int64_t modified_us = 0;
};
// Plain files below `directory`, sorted by path; links are left out. A missing folder is empty.
// Error: kResourceExhausted GY1330 when there are more than `count_max`.
Result<std::vector<FileEntry>> ListFiles(const std::string& directory,
                                         std::size_t count_max = 10'000);

}  // namespace gyre::exec

#include "ml/automation/watched_folder.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <fnmatch.h>
#include <sys/stat.h>

#include <algorithm>
#include <memory>

#include "base/text.h"
#include "base/time.h"

namespace gyre::automation {

Result<> CheckFolder(const std::string& folder) {
  const std::unique_ptr<DIR, int (*)(DIR*)> open(::opendir(folder.c_str()), ::closedir);
  if (open) return {};
  return NotFound("GY4812", "the folder {} cannot be watched: {}", folder,
                  SystemError("opening it", errno).message())
      .Why("the server must be able to list it")
      .Fix("mkdir -p " + folder);
}

Result<std::vector<RestingFile>> FilesAtRest(const std::string& folder, const std::string& pattern,
                                             std::int64_t after_us, std::int64_t now_us,
                                             std::int64_t rest_us, std::size_t files_max) {
  const std::unique_ptr<DIR, int (*)(DIR*)> open(::opendir(folder.c_str()), ::closedir);
  if (!open) return SystemError("watching " + folder, errno);
  const std::string glob = pattern.empty() ? "*" : pattern;
  std::vector<RestingFile> files;
  while (const dirent* const entry = ::readdir(open.get())) {
    if (::fnmatch(glob.c_str(), entry->d_name, FNM_PERIOD) != 0) continue;
    if (!IsValidUtf8(entry->d_name)) continue;
    struct stat info = {};
    if (::fstatat(::dirfd(open.get()), entry->d_name, &info, AT_SYMLINK_NOFOLLOW) != 0) continue;
    if (!S_ISREG(info.st_mode)) continue;
    // Of the entry, not of its bytes: a file that is moved in keeps the time of those.
    const std::int64_t changed_us =
        info.st_ctim.tv_sec * kMicrosPerSecond + info.st_ctim.tv_nsec / 1000;
    if (changed_us <= after_us || changed_us > now_us - rest_us) continue;
    files.push_back({entry->d_name, changed_us, info.st_size});
  }
  std::ranges::sort(files, {},
                    [](const RestingFile& f) { return std::pair(f.changed_us, f.name); });
  // Many files may bear one time, that of a tick of the kernel: all of them or none.
  if (files.size() > files_max) {
    const std::int64_t last_us = files[files_max - 1].changed_us;
    files.erase(std::ranges::upper_bound(files, last_us, {}, &RestingFile::changed_us),
                files.end());
  }
  return files;
}

}  // namespace gyre::automation

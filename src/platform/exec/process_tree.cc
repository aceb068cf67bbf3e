#include "platform/exec/process_tree.h"

#include <filesystem>
#include <initializer_list>
#include <string>
#include <string_view>

#include "base/text.h"
#include "platform/exec/files.h"

namespace gyre::exec {
namespace {

constexpr std::size_t kProcessesMax = 100'000;

void AppendChildren(int pid, std::vector<int>* out) {
  std::error_code error;
  const std::filesystem::directory_iterator threads(fmt::format("/proc/{}/task", pid), error);
  if (error) return;
  for (auto it = begin(threads); it != end(threads); it.increment(error)) {
    if (error) return;
    const auto text = ReadSystemFile(it->path().string() + "/children");
    if (!text) continue;
    for (const std::string_view word : Split(*text, ' ')) {
      if (const auto child = ParseInt(Trim(word))) out->push_back(static_cast<int>(*child));
    }
  }
}

// Lines `Name:   123 kB`, in bytes; 0 for a process that has ended meanwhile.
std::int64_t SumOfFields(const std::string& path, std::initializer_list<std::string_view> fields) {
  const auto text = ReadSystemFile(path);
  if (!text) return 0;
  std::int64_t bytes = 0;
  for (const std::string_view line : Split(*text, '\n')) {
    for (const std::string_view field : fields) {
      if (!line.starts_with(field)) continue;
      std::string_view number = Trim(line.substr(field.size()));
      if (number.ends_with(" kB")) number.remove_suffix(3);
      bytes += ParseInt(Trim(number)).value_or(0) * 1024;
    }
  }
  return bytes;
}

}  // namespace

std::vector<int> ProcessTree(int pid) {
  std::vector<int> pids{pid};
  for (std::size_t i = 0; i < pids.size() && pids.size() < kProcessesMax; ++i)
    AppendChildren(pids[i], &pids);
  return pids;
}

std::int64_t MemoryBytes(const std::vector<int>& pids, MemoryCount count) {
  std::int64_t bytes = 0;
  for (const int pid : pids) {
    bytes += count == MemoryCount::kQuick ? SumOfFields(fmt::format("/proc/{}/status", pid),
                                                        {"RssAnon:", "RssShmem:", "VmSwap:"})
                                          : SumOfFields(fmt::format("/proc/{}/smaps_rollup", pid),
                                                        {"Pss_Anon:", "Pss_Shmem:", "SwapPss:"});
  }
  return bytes;
}

}  // namespace gyre::exec

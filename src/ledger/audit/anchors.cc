#include "ledger/audit/anchors.h"

#include <utility>

#include "base/json.h"
#include "base/text.h"
#include "platform/exec/files.h"
#include "platform/telemetry/log.h"

namespace gyre::audit {
namespace {

constexpr telemetry::Logger kLog{"ledger/audit"};
constexpr std::int64_t kEntriesBetween = 1'000;
constexpr std::int64_t kMicrosBetween = 3'600 * kMicrosPerSecond;
constexpr std::int64_t kLookEveryMicros = 60 * kMicrosPerSecond;

std::string LineOf(const Anchor& anchor) {
  return Json::Obj({{"sequence", anchor.sequence},
                    {"hash", anchor.hash},
                    {"at", FormatTime(anchor.at_us)}})
      .Dump();
}

}  // namespace

Anchors::Anchors(const Audit& audit, std::string path, const Clock& clock)
    : audit_(audit), path_(std::move(path)), clock_(clock) {
  if (auto written = Read(path_); written && !written->empty()) last_ = written->back();
  last_.at_us = 0;
  WriteWhenDue();
  worker_ = exec::Worker("audit-anchors", [this](const exec::StopFlag& stop) {
    while (!stop.WaitMicros(kLookEveryMicros)) WriteWhenDue();
  });
}

Anchors::~Anchors() {
  worker_ = exec::Worker();
  last_.at_us = 0;
  WriteWhenDue();
}

// Nobody's change waits for an anchor: what cannot be written is told to the log, and tried again.
void Anchors::WriteWhenDue() {
  auto end = audit_.End();
  if (!end) return kLog.Failed("audit log cannot be read", end.error());
  if (end->sequence == last_.sequence && end->hash == last_.hash) return;
  end->at_us = clock_.NowMicros();
  if (end->at_us - last_.at_us < kMicrosBetween && end->sequence - last_.sequence < kEntriesBetween)
    return;
  if (const auto written = Write(*end); !written)
    kLog.Failed("anchor of the audit log not written", written.error());
}

Result<> Anchors::Write(const Anchor& end) {
  kLog.Info("audit anchor", {{"sequence", end.sequence}, {"hash", end.hash}});
  GYRE_DO(exec::AppendLineDurably(path_, LineOf(end)));
  last_ = end;
  return {};
}

Result<> Anchors::CutAfter(const std::string& path, std::int64_t sequence,
                           const std::string& aside) {
  GYRE_TRY(const auto anchors, Read(path));
  std::string kept;
  bool all = true;
  for (const Anchor& anchor : anchors) {
    all = all && anchor.sequence <= sequence;
    if (anchor.sequence <= sequence) kept += LineOf(anchor) + "\n";
  }
  if (all) return {};
  GYRE_TRY(const std::string whole, exec::ReadFile(path));
  GYRE_DO(exec::WritePrivateFile(aside, whole));
  return exec::WritePrivateFile(path, kept);
}

Result<std::vector<Anchor>> Anchors::Read(const std::string& path) {
  std::vector<Anchor> anchors;
  if (!exec::FileExists(path)) return anchors;
  GYRE_TRY(const std::string text, exec::ReadFile(path));
  const std::size_t whole = text.rfind('\n');
  if (whole == std::string::npos) return anchors;
  int number = 0;
  for (const std::string_view line : Split(std::string_view(text).substr(0, whole), '\n')) {
    ++number;
    const auto json = Json::Parse(line);
    const auto at = json ? ParseTime((*json)["at"].AsString()) : std::nullopt;
    if (!at || !(*json)["sequence"].is_int() || (*json)["hash"].AsString().empty()) {
      return MakeError(Code::kDataLoss, "GY4165", "line {} of {} is no anchor of the audit log",
                       number, path)
          .Why("gyre only adds lines to this file: somebody else has changed it");
    }
    anchors.push_back({(*json)["sequence"].AsInt(), (*json)["hash"].AsString(), *at});
  }
  return anchors;
}

}  // namespace gyre::audit

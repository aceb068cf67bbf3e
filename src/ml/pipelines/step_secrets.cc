#include "ml/pipelines/step_secrets.h"

#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

#include <algorithm>

#include "platform/exec/files.h"

namespace gyre::pipelines {
namespace {

constexpr std::string_view kReference = "secret:";

std::size_t LongestOf(std::span<const std::string> secrets) {
  std::size_t longest = 0;
  for (const std::string& secret : secrets) longest = std::max(longest, secret.size());
  return longest;
}

// Bytes at the end that a secret may begin with.
std::size_t BegunAtTheEnd(std::string_view text, std::span<const std::string> secrets) {
  std::size_t most = 0;
  for (const std::string& secret : secrets) {
    for (std::size_t length = std::min(secret.size() - 1, text.size()); length > most; --length) {
      if (text.ends_with(std::string_view(secret).substr(0, length))) most = length;
    }
  }
  return most;
}

}  // namespace

bool IsSecret(const Json& value) { return value.AsString().starts_with(kReference); }

Result<> CheckSecrets(const Spec& spec, std::string_view project, const FindSecret& find) {
  for (const Step& step : spec.steps) {
    for (const auto& [name, value] : step.with["environment"].members()) {
      if (!IsSecret(value)) continue;
      const auto found = find(project, value.AsString());
      if (!found) return Error(found.error()).Where("step " + step.name);
    }
  }
  return {};
}

std::vector<std::string> SecretsOf(const Step& step, std::string_view project,
                                   const FindSecret& find) {
  std::vector<std::string> secrets;
  for (const auto& [name, value] : step.with["environment"].members()) {
    if (!IsSecret(value)) continue;
    auto found = find(project, value.AsString());
    if (found && !found->empty()) secrets.push_back(*std::move(found));
  }
  return secrets;
}

std::string Masked(std::string text, std::span<const std::string> secrets) {
  // All are looked for in what was there: one may begin with another, or within it.
  const std::string as_it_was = text;
  for (const std::string& secret : secrets) {
    for (std::size_t at = as_it_was.find(secret); at != std::string::npos;
         at = as_it_was.find(secret, at + 1))
      text.replace(at, secret.size(), secret.size(), '*');
  }
  return text;
}

Result<std::string> ReadMasked(const std::string& file, std::int64_t offset, std::int64_t bytes_max,
                               std::span<const std::string> secrets) {
  const auto around = static_cast<std::int64_t>(LongestOf(secrets));
  const std::int64_t from = std::max<std::int64_t>(0, offset - around);
  GYRE_TRY(std::string text, exec::ReadFilePart(file, from, offset - from + bytes_max + around));
  text = Masked(std::move(text), secrets);
  const auto skipped = static_cast<std::size_t>(offset - from);
  if (text.size() <= skipped) return std::string();
  return text.substr(skipped, static_cast<std::size_t>(bytes_max));
}

Result<exec::PieceOfLog> ReadMaskedLog(const std::string& file, std::int64_t offset,
                                       std::int64_t bytes_max, std::span<const std::string> secrets,
                                       bool ended) {
  GYRE_TRY(exec::PieceOfLog piece, exec::ReadLogFrom(file, offset, bytes_max));
  if (secrets.empty() || piece.text.empty()) return piece;
  const auto around = static_cast<std::int64_t>(LongestOf(secrets));
  const std::int64_t from = std::max<std::int64_t>(0, offset - around);
  GYRE_TRY(const std::string before, exec::ReadFilePart(file, from, offset - from));
  GYRE_TRY(const std::string after, exec::ReadFilePart(file, piece.next_offset, around));
  const std::string all = Masked(before + piece.text + after, secrets);
  piece.text = all.substr(before.size(), piece.text.size());
  if (ended || !after.empty()) return piece;
  const std::size_t begun = BegunAtTheEnd(piece.text, secrets);
  piece.text.resize(piece.text.size() - begun);
  piece.next_offset -= static_cast<std::int64_t>(begun);
  return piece;
}

Result<bool> HoldsSecret(const std::string& file, std::span<const std::string> secrets) {
  constexpr std::int64_t kPiece = 1 << 20;
  if (secrets.empty()) return false;
  const std::int64_t size = exec::FileSize(file);
  for (std::int64_t at = 0; at < size; at += kPiece) {
    GYRE_TRY(const std::string plain, exec::ReadFilePart(file, at, kPiece));
    GYRE_TRY(const std::string masked, ReadMasked(file, at, kPiece, secrets));
    if (plain != masked) return true;
  }
  return false;
}

Result<> MaskFile(const std::string& file, std::span<const std::string> secrets) {
  constexpr std::int64_t kPiece = 1 << 20;
  if (secrets.empty()) return {};
  const std::int64_t size = exec::FileSize(file);
  const int opened = ::open(file.c_str(), O_WRONLY | O_CLOEXEC);
  if (opened < 0) return {};  // it printed nothing
  bool written = true;
  for (std::int64_t at = 0; at < size && written; at += kPiece) {
    const auto before = exec::ReadFilePart(file, at, kPiece);
    const auto after = ReadMasked(file, at, kPiece, secrets);
    if (!before || !after || *before == *after) continue;
    written =
        ::pwrite(opened, after->data(), after->size(), at) == static_cast<ssize_t>(after->size());
  }
  ::close(opened);
  return written ? Result<>() : SystemError("masking " + file, errno);
}

}  // namespace gyre::pipelines

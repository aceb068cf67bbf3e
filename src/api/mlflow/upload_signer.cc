#include "api/mlflow/upload_signer.h"

#include "base/hash.h"
#include "base/id.h"
#include "base/text.h"

namespace gyre::mlflow {
namespace {

// Less than the collector leaves to a blob that nobody refers to yet.
constexpr std::int64_t kLifetimeMicros = 12 * 3'600 * kMicrosPerSecond;

Error NotOurs() {
  return InvalidArgument("GY5111", "The upload is not known here, or it has ended")
      .Why("an upload in parts is good for twelve hours, until the server stops");
}

}  // namespace

UploadSigner::UploadSigner(const Clock& clock) : clock_(clock), key_(NewId() + NewId()) {}

std::string UploadSigner::Sign(std::string_view what, std::string_view upload_id,
                               std::string_view rest) const {
  return HmacSha256Hex(key_, fmt::format("{}\n{}\n{}", what, upload_id, rest));
}

std::string UploadSigner::NewUpload(std::string_view place) const {
  const std::string id =
      fmt::format("{}.{}", (clock_.NowMicros() + kLifetimeMicros) / kMicrosPerSecond, NewId());
  return id + "." + Sign("upload", id, place);
}

Result<> UploadSigner::CheckTime(std::string_view upload_id) const {
  const auto expires = ParseInt(upload_id.substr(0, upload_id.find('.')));
  if (!expires || *expires < clock_.NowMicros() / kMicrosPerSecond) return NotOurs();
  return {};
}

Result<> UploadSigner::CheckUpload(std::string_view upload_id, std::string_view place) const {
  const std::size_t dot = upload_id.rfind('.');
  if (dot == std::string_view::npos ||
      !ConstantTimeEqual(upload_id.substr(dot + 1),
                         Sign("upload", upload_id.substr(0, dot), place)))
    return NotOurs();
  return CheckTime(upload_id);
}

std::string UploadSigner::SignPart(std::string_view upload_id, std::int64_t number) const {
  return Sign("part", upload_id, std::to_string(number));
}

Result<> UploadSigner::CheckPart(std::string_view upload_id, std::int64_t number,
                                 std::string_view signature) const {
  if (!ConstantTimeEqual(signature, SignPart(upload_id, number))) return NotOurs();
  return CheckTime(upload_id);
}

std::string UploadSigner::TagOf(std::string_view upload_id, std::int64_t number,
                                const blob::Object& part) const {
  const std::string content = fmt::format("{}.{}", part.digest, part.size_bytes);
  return content + "." + Sign("tag", upload_id, fmt::format("{}\n{}", number, content));
}

Result<blob::Object> UploadSigner::PartOf(std::string_view upload_id, std::int64_t number,
                                          std::string_view tag) const {
  if (tag.size() >= 2 && tag.front() == '"' && tag.back() == '"')
    tag = tag.substr(1, tag.size() - 2);
  const std::vector<std::string_view> parts = Split(tag, '.');
  if (parts.size() != 3) return NotOurs();
  const blob::Object part{std::string(parts[0]), ParseInt(parts[1]).value_or(0)};
  if (!ConstantTimeEqual(tag, TagOf(upload_id, number, part))) return NotOurs();
  return part;
}

}  // namespace gyre::mlflow

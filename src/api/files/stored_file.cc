#include "api/files/stored_file.h"

#include <algorithm>

#include "api/files/file_bodies.h"
#include "api/files/file_range.h"
#include "base/text.h"

namespace gyre::files {
namespace {

// Up to here a file is answered at once, without a thread that streams it.
constexpr std::int64_t kAtOnceBytesMax = 256 << 10;

bool IsPlain(char c) {
  const auto byte = static_cast<unsigned char>(c);
  return byte >= 0x20 && byte < 0x7f && c != '"' && c != '\\';
}

}  // namespace

Result<net::Response> AnswerStored(const net::Request& request, blob::Store& blobs,
                                   const StoredFile& file) {
  const std::int64_t size = file.object.size_bytes;
  const std::string tag = "\"" + (file.tag.empty() ? file.object.digest : file.tag) + "\"";
  if (request.Header("if-none-match") == std::string_view(tag))
    return net::Response::Empty(304).With("ETag", tag);
  // A part of what the client has not seen would not fit to what it has; weak tags never fit.
  const bool same = request.Header("if-range").value_or(tag) == tag;
  const FileRange range = ParseFileRange(same ? request.Header("range") : std::nullopt, size);
  if (range.unsatisfiable)
    return net::Response::Empty(416).With("Content-Range", fmt::format("bytes */{}", size));
  GYRE_TRY(std::shared_ptr<blob::ReadStream> stream, blobs.Open(file.object.digest));
  net::Response response;
  response.status = range.partial ? 206 : 200;
  response.content_type = file.content_type;
  response.headers = {{"Accept-Ranges", "bytes"}, {"ETag", tag}};
  if (range.partial) {
    response.headers.emplace_back(
        "Content-Range",
        fmt::format("bytes {}-{}/{}", range.begin, range.begin + range.length - 1, size));
  }
  if (range.length <= kAtOnceBytesMax) {
    if (range.length > 0) {
      GYRE_TRY(response.body, stream->Read(range.begin, range.length));
    }
    return response;
  }
  response.content_length = range.length;
  response.stream = StreamBlob(std::move(stream), range.begin, range.length);
  return response;
}

void SayItIsForeign(std::string_view name, net::Response* response) {
  std::string plain(name);
  std::ranges::replace_if(plain, [](char c) { return !IsPlain(c); }, '_');
  std::string disposition = "attachment; filename=\"" + plain + "\"";
  if (plain != name) disposition += "; filename*=UTF-8''" + PercentEncode(name);
  response->headers.emplace_back("Content-Disposition", std::move(disposition));
  response->headers.emplace_back("X-Content-Type-Options", "nosniff");
  response->headers.emplace_back("Content-Security-Policy", "sandbox");
}

}  // namespace gyre::files

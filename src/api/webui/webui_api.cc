#include "api/webui/webui_api.h"

#include <algorithm>
#include <utility>

#include "base/hash.h"
#include "base/text.h"
#include "platform/exec/files.h"

namespace gyre::webui {
namespace {

using net::Bind;
using net::Method;
using net::Response;

constexpr net::Route PageRow(std::string_view path) {
  return {.method = Method::kGet,
          .path = path,
          .handler = Bind<&WebuiApi::Page>,
          .permission = net::kPublic,
          .summary = "A page of the web UI",
          .any_query = true};
}

// gyre's own API stands at the root alone: a program that asks for it below a project gets no page.
constexpr net::Route NoApiRow(Method method) {
  return {.method = method,
          .path = "/p/{project}/api/{rest*}",
          .handler = Bind<&WebuiApi::NoApi>,
          .permission = net::kPublic,
          .summary = "Nothing",
          .any_query = true};
}

// Whatever has no row here or in another table is nothing, and says so as the API does.
constexpr net::Route kRoutes[] = {
    PageRow("/"),
    PageRow("/setup"),
    PageRow("/login"),
    PageRow("/activity"),
    PageRow("/p/{project}"),
    PageRow("/p/{project}/{page*}"),
    NoApiRow(Method::kGet),
    NoApiRow(Method::kPost),
    NoApiRow(Method::kPut),
    NoApiRow(Method::kPatch),
    NoApiRow(Method::kDelete),
    {.method = Method::kGet,
     .path = "/assets/{file*}",
     .handler = Bind<&WebuiApi::File>,
     .permission = net::kPublic,
     .summary = "A file of the web UI",
     .any_query = true},
};

// Nothing from elsewhere, no script or style in the page itself, nobody frames it. Pictures of data
// may be made in the page (blob:, data:).
constexpr std::string_view kPolicy =
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data: blob:; font-src "
    "'self'; connect-src 'self'; frame-src 'self'; form-action 'self'; base-uri 'self'; "
    "frame-ancestors 'none'";
constexpr std::string_view kBase = "<base href=\"/\">";
constexpr std::string_view kForEver = "public, max-age=31536000, immutable";

constexpr std::string_view kWithout =
    "<!doctype html><html lang=\"en\"><head><meta charset=\"utf-8\"><base href=\"/\">"
    "<title>gyre</title></head><body><main><h1>gyre</h1><p>This program was built without its web "
    "UI (GYRE_UI=OFF). It is used by its command line, <code>gyre help</code>, and by its API, "
    "<a href=\"api/v1/openapi.json\">api/v1/openapi.json</a>.</p><p>The first user is made with "
    "<code>gyre login --setup LINK</code>.</p></main></body></html>\n";

std::string_view ContentTypeOf(std::string_view path) {
  constexpr std::pair<std::string_view, std::string_view> kTypes[] = {
      {".js", "text/javascript; charset=utf-8"},
      {".css", "text/css; charset=utf-8"},
      {".html", "text/html; charset=utf-8"},
      {".svg", "image/svg+xml"},
      {".woff2", "font/woff2"},
      {".png", "image/png"},
      {".json", "application/json"}};
  for (const auto& [ending, type] : kTypes) {
    if (path.ends_with(ending)) return type;
  }
  return "application/octet-stream";
}

std::string WithBase(std::string_view html, std::string_view base_path) {
  std::string page(html);
  const std::size_t at = page.find(kBase);
  if (at != std::string::npos)
    page.replace(at, kBase.size(), fmt::format("<base href=\"{}/\">", base_path));
  return page;
}

bool Accepts(const net::Request& request, std::string_view coding) {
  for (const std::string_view item : Split(request.Header("accept-encoding").value_or(""), ',')) {
    const std::size_t semicolon = item.find(';');
    if (!EqualsIgnoreCase(Trim(item.substr(0, semicolon)), coding)) continue;
    return semicolon == std::string_view::npos ||
           Trim(item.substr(semicolon + 1)).find_first_of("123456789") != std::string_view::npos;
  }
  return false;
}

Error NoFile(std::string_view path) {
  return NotFound("GY4190", "the web UI has no file `{}`", path)
      .Why("a page that was open while another version was installed asks for files of its own")
      .Fix("load the page again");
}

}  // namespace

WebuiApi::WebuiApi(std::span<const Asset> assets, WebuiSettings settings)
    : assets_(assets), settings_(std::move(settings)) {
  const Asset* const index = Find("index.html");
  page_ = WithBase(index == nullptr ? kWithout : index->plain, settings_.base_path);
}

net::RouteTable WebuiApi::table() { return {"webui", kRoutes, this}; }

const Asset* WebuiApi::Find(std::string_view path) const {
  const auto found = std::ranges::find(assets_, path, &Asset::path);
  return found == assets_.end() ? nullptr : &*found;
}

Result<Response> WebuiApi::PageOf(const net::Request& request, std::string html) const {
  const std::string tag = "\"" + Sha256Hex(html).substr(0, 32) + "\"";
  const bool known = request.Header("if-none-match") == std::string_view(tag);
  Response response = known ? Response::Empty(304)
                            : Response::Text(std::move(html), 200, "text/html; charset=utf-8");
  return std::move(response)
      .With("ETag", tag)
      .With("Cache-Control", "no-cache")
      .With("Content-Security-Policy", std::string(kPolicy))
      .With("Cross-Origin-Opener-Policy", "same-origin")
      .With("Referrer-Policy", "same-origin");
}

Result<Response> WebuiApi::NoApi(net::Request& /*request*/) {
  return NotFound("GY1616", "nothing is here");
}

Result<Response> WebuiApi::Page(net::Request& request) {
  if (settings_.folder.empty()) return PageOf(request, page_);
  GYRE_TRY(const Response file, FileOfFolder("index.html"));
  return PageOf(request, WithBase(file.body, settings_.base_path));
}

Result<Response> WebuiApi::FileOfFolder(const std::string& path) const {
  auto text = exec::ReadFile(settings_.folder + "/" + path);
  if (!text) return NoFile(path).Why(text.error().ToString());
  return Response::Text(*std::move(text), 200, std::string(ContentTypeOf(path)))
      .With("Cache-Control", "no-cache");
}

Result<Response> WebuiApi::File(net::Request& request) {
  const std::string path = "assets/" + request.Param("file");
  if (!settings_.folder.empty()) return FileOfFolder(path);
  const Asset* const asset = Find(path);
  if (asset == nullptr) return NoFile(path);
  const bool brotli = !asset->brotli.empty() && Accepts(request, "br");
  const bool gzip = !brotli && !asset->gzip.empty() && Accepts(request, "gzip");
  const std::string_view bytes = brotli ? asset->brotli : gzip ? asset->gzip : asset->plain;
  Response response = Response::Text(std::string(bytes), 200, std::string(asset->content_type))
                          .With("Cache-Control", std::string(kForEver))
                          .With("Vary", "Accept-Encoding");
  if (brotli || gzip) response.headers.emplace_back("Content-Encoding", brotli ? "br" : "gzip");
  return response;
}

}  // namespace gyre::webui

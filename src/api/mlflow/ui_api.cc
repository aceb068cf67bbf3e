#include "api/mlflow/ui_api.h"

#include "base/text.h"
#include "platform/exec/beneath.h"

namespace gyre::mlflow {
namespace {

using net::Bind;
using net::Method;
using net::Response;

constexpr std::int64_t kFileBytesMax = 64 << 20;
constexpr std::string_view kPageFile = "index.html", kHead = "<head>";

constexpr net::Route Row(std::string_view path, net::HandlerFunction handler) {
  return {.method = Method::kGet,
          .path = path,
          .handler = handler,
          .permission = net::kPublic,  // it holds nothing: it asks as whoever is logged in
          .summary = "MLflow's own web UI",
          .any_query = true};
}

constexpr net::Route kRoutes[] = {
    Row("/mlflow", Bind<&UiApi::Page>),
    Row("/mlflow-session.js", Bind<&UiApi::Script>),
    Row("/static-files/{file*}", Bind<&UiApi::File>),
    Row("/p/{project}/mlflow", Bind<&UiApi::PageOfProject>),
    Row("/p/{project}/mlflow-session.js", Bind<&UiApi::Script>),
    Row("/p/{project}/static-files/{file*}", Bind<&UiApi::File>),
};

// Scripts only from here, and nothing is asked of anybody else. Its styles stand in its elements.
constexpr std::string_view kPolicy =
    "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data: "
    "blob:; font-src 'self' data:; connect-src 'self' data: blob:; media-src 'self' blob:; "
    "worker-src 'self' blob:; frame-src 'self' blob:; manifest-src 'self'; form-action 'self'; "
    "base-uri 'self'; frame-ancestors 'none'";

// A browser's session changes nothing without a header that pages of other origins cannot send.
constexpr std::string_view kScript =
    R"js('use strict';
(() => {
  const ours = (url) => new URL(url, document.baseURI).origin === location.origin;
  const ask = window.fetch;
  window.fetch = (what, how) => {
    const request = new Request(what, how);
    if (ours(request.url)) request.headers.set('X-Gyre-Browser', 'mlflow');
    return ask(request);
  };
  const open = XMLHttpRequest.prototype.open;
  XMLHttpRequest.prototype.open = function (method, url, ...rest) {
    open.call(this, method, url, ...rest);
    if (ours(url)) this.setRequestHeader('X-Gyre-Browser', 'mlflow');
  };
})();
)js";

std::string_view ContentTypeOf(std::string_view path) {
  constexpr std::pair<std::string_view, std::string_view> kTypes[] = {
      {".js", "text/javascript; charset=utf-8"},
      {".css", "text/css; charset=utf-8"},
      {".html", "text/html; charset=utf-8"},
      {".json", "application/json"},
      {".svg", "image/svg+xml"},
      {".png", "image/png"},
      {".gif", "image/gif"},
      {".ico", "image/x-icon"},
      {".woff2", "font/woff2"},
      {".woff", "font/woff"},
      {".ttf", "font/ttf"},
      {".wasm", "application/wasm"},
      {".txt", "text/plain; charset=utf-8"}};
  for (const auto& [ending, type] : kTypes) {
    if (path.ends_with(ending)) return type;
  }
  return "application/octet-stream";
}

Response WithPolicy(Response response) {
  return std::move(response)
      .With("Content-Security-Policy", std::string(kPolicy))
      .With("X-Content-Type-Options", "nosniff")
      .With("Referrer-Policy", "same-origin");
}

}  // namespace

Result<> CheckUiFolder(const std::string& folder) {
  auto page = exec::ReadFileBeneath(folder, kPageFile, kFileBytesMax);
  if (page && page->find("static-files/") != std::string::npos &&
      page->find(kHead) != std::string::npos)
    return {};
  return InvalidArgument("GY5120", "{} holds no build of MLflow's web UI", folder)
      .Why(page ? "its index.html is another one" : page.error().message())
      .Fix(
          "--mlflow-ui $(python -c 'import mlflow, os; "
          "print(os.path.dirname(mlflow.__file__))')/server/js/build");
}

net::RouteTable UiApi::table() { return {"mlflow-ui", kRoutes, this}; }

// Its addresses are relative: <base> says below what.
Result<Response> UiApi::PageBelow(const std::string& root) {
  GYRE_TRY(std::string page, exec::ReadFileBeneath(folder_, kPageFile, kFileBytesMax));
  const std::size_t head = page.find(kHead);
  if (head == std::string::npos) return NotFound("GY5121", "MLflow's web UI has no page");
  page.insert(head + kHead.size(),
              fmt::format("<base href=\"{}/\"/><script src=\"mlflow-session.js\"></script>", root));
  return WithPolicy(Response::Text(std::move(page), 200, "text/html; charset=utf-8")
                        .With("Cache-Control", "no-cache"));
}

Result<Response> UiApi::Page(net::Request& /*request*/) { return PageBelow(base_path_); }

Result<Response> UiApi::PageOfProject(net::Request& request) {
  return PageBelow(fmt::format("{}/p/{}", base_path_, PercentEncode(request.Param("project"))));
}

Result<Response> UiApi::File(net::Request& request) {
  const std::string& path = request.Param("file");
  auto bytes = exec::ReadFileBeneath(folder_, path, kFileBytesMax);
  if (!bytes) return NotFound("GY5121", "MLflow's web UI has no file `{}`", path.substr(0, 200));
  return WithPolicy(Response::Text(*std::move(bytes), 200, std::string(ContentTypeOf(path)))
                        .With("Cache-Control", path.starts_with("static/")
                                                   ? "public, max-age=2419200, immutable"
                                                   : "no-cache"));
}

Result<Response> UiApi::Script(net::Request& /*request*/) {
  return WithPolicy(Response::Text(std::string(kScript), 200, "text/javascript; charset=utf-8")
                        .With("Cache-Control", "no-cache"));
}

}  // namespace gyre::mlflow

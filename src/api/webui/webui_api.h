// The web UI: its page below every address that is a page's, and its files.
#pragma once

#include <span>
#include <string>

#include "api/webui/assets.h"
#include "platform/net/http.h"

namespace gyre::webui {

struct WebuiSettings {
  std::string base_path = {};  // "/gyre": where the page finds everything
  std::string folder =
      {};  // files are read from here at each request, while somebody works on them
};

class WebuiApi {
 public:
  WebuiApi(std::span<const Asset> assets, WebuiSettings settings);
  net::RouteTable table();

  Result<net::Response> Page(net::Request& request);
  Result<net::Response> NoApi(net::Request& request);
  Result<net::Response> File(net::Request& request);

 private:
  Result<net::Response> PageOf(const net::Request& request, std::string html) const;
  Result<net::Response> FileOfFolder(const std::string& path) const;
  const Asset* Find(std::string_view path) const;

  const std::span<const Asset> assets_;
  const WebuiSettings settings_;
  std::string page_;  // of assets_
};

}  // namespace gyre::webui

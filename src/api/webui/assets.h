// The web UI's files as they were built, packed once: the table is written by web/tools/build.mjs
// and compiled in. Empty in a program that was built without (GYRE_UI=OFF).
#pragma once

#include <span>
#include <string_view>

namespace gyre::webui {

struct Asset {
  std::string_view path;  // "index.html", "assets/app-1b2c3d.js"
  std::string_view content_type;
  std::string_view tag;                  // of its content
  std::string_view plain, gzip, brotli;  // packed ones are empty where that saves nothing
};

std::span<const Asset> BuiltAssets();

}  // namespace gyre::webui

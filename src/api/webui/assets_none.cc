#include "api/webui/assets.h"

namespace gyre::webui {

std::span<const Asset> BuiltAssets() { return {}; }

}  // namespace gyre::webui

// Zip archives that libraries load models from: PyTorch's, skops', Keras', numpy's, any other.
// Pure. Private.
#pragma once

#include <functional>
#include <string_view>

#include "ml/training/inspected_file.h"

namespace gyre::training {

using InspectMember = std::function<InspectedFile(std::string_view name, std::string_view bytes)>;

// At most 256 MiB are unfolded, of all members together.
InspectedFile InspectArchive(std::string_view bytes, const InspectMember& inspect);

}  // namespace gyre::training

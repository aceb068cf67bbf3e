// What somebody wants imported, checked, as the input that an import works by. Private.
#pragma once

#include "ml/data/upload.h"

namespace gyre::data {

// Finishes the upload. Errors: kInvalidArgument GY2106, and of names and types.
Result<Json> ImportInput(const ImportRequest& request, ScratchUpload& upload);

}  // namespace gyre::data

// What an import answers. Private.
#pragma once

#include "ml/data/datasets.h"

namespace gyre::data {

Json SchemaJson(const Version& version);  // with the formats of its columns
// `created`: false when the content was there already.
Json ImportResult(const Version& version, bool created);

}  // namespace gyre::data

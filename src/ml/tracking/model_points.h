// Points of logged models, in the transaction of the run that measured them. Private.
#pragma once

#include <string_view>

#include "base/error.h"
#include "ml/tracking/logged_models.h"
#include "platform/db/database.h"

namespace gyre::tracking {

// The same point twice is one. Those of models that are not in the project are left out: the run
// keeps them anyway.
Result<> PutModelPoints(db::Transaction& tx, std::string_view project, const ModelPoints& by_model);

}  // namespace gyre::tracking

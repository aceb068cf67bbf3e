// References of one owner that another one needs too.
#pragma once

#include "platform/blob/blob_store.h"

namespace gyre::blob {

// `to` needs what `from` needs.
Result<> CopyRefs(db::Transaction& tx, const Owner& from, const Owner& to);

}  // namespace gyre::blob

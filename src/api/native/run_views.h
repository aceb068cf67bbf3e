// Which of the runs and experiments a list shows. Private to api/native.
#pragma once

#include "api/native/route_table.h"
#include "ml/tracking/experiments.h"

namespace gyre::native {

inline constexpr net::Field kView{"view", Type::kText, "active when it is not given",
                                  "active|deleted|all"};
inline tracking::View ViewOf(const net::Request& request) {
  const auto view = request.Query("view");
  if (view == "deleted") return tracking::View::kDeleted;
  return view == "all" ? tracking::View::kAll : tracking::View::kActive;
}

}  // namespace gyre::native

// What work was expected to use when it began, beside what it used.
#pragma once

#include <string_view>

#include "ledger/usage/usage.h"

namespace gyre::usage {

// In the transaction that begins it.
Result<> Expect(db::Transaction& tx, std::string_view subject_id, const Expected& expected);
// What was expected of one is expected of the other: a training is booked as its run.
Result<> ExpectAlso(db::Transaction& tx, std::string_view of, std::string_view subject_id);
// Nothing when nobody knew. Of closures.
Result<std::optional<Expected>> ExpectedOf(db::Reader& reader, std::string_view subject_id);

// What a run and all of its parts used. Of closures.
Result<Quantities> UsedByRun(db::Reader& reader, std::string_view run_id);

}  // namespace gyre::usage

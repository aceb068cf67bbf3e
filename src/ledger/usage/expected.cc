#include "ledger/usage/expected.h"

namespace gyre::usage {

Result<> Expect(db::Transaction& tx, std::string_view subject_id, const Expected& expected) {
  return tx.Execute(
      "INSERT INTO usage_expected (subject_id, at_us, cpu_us, memory_mib_ms, measured, how) VALUES "
      "(?1, ?2, ?3, ?4, ?5, ?6)",
      {subject_id, expected.at_us, expected.quantities.cpu_us, expected.quantities.memory_mib_ms,
       expected.measured, expected.how});
}

Result<> ExpectAlso(db::Transaction& tx, std::string_view of, std::string_view subject_id) {
  return tx.Execute(
      "INSERT INTO usage_expected (subject_id, at_us, cpu_us, memory_mib_ms, measured, how) SELECT "
      "?2, at_us, cpu_us, memory_mib_ms, measured, how FROM usage_expected WHERE subject_id = ?1 "
      "AND NOT EXISTS (SELECT 1 FROM usage_expected WHERE subject_id = ?2)",
      {of, subject_id});
}

Result<std::optional<Expected>> ExpectedOf(db::Reader& reader, std::string_view subject_id) {
  std::optional<Expected> found;
  GYRE_TRY([[maybe_unused]] const bool any,
           reader.QueryOne("SELECT at_us, cpu_us, memory_mib_ms, measured, how FROM usage_expected "
                           "WHERE subject_id = ?1",
                           {subject_id}, [&](const db::Row& row) {
                             found = {
                                 .quantities = {.cpu_us = row.Int(1), .memory_mib_ms = row.Int(2)},
                                 .at_us = row.Int(0),
                                 .measured = static_cast<int>(row.Int(3)),
                                 .how = row.Str(4)};
                           }));
  return found;
}

Result<Quantities> UsedByRun(db::Reader& reader, std::string_view run_id) {
  Quantities used;
  GYRE_DO(ForEachHour(reader, {.run = std::string(run_id)},
                      [&](const HourRow& row, const PriceBook&) { used += row.quantities; }));
  return used;
}

}  // namespace gyre::usage

#include "ml/traces/span_store.h"

#include "base/text.h"

namespace gyre::traces {

Result<> AddBatch(db::Transaction& tx, TraceRow* row, std::string_view batch, std::int64_t bytes) {
  if (row->span_bytes + bytes > kSpanBytesMax)
    return InvalidArgument("GY3454", "the spans of trace `{}` are larger than {}", row->trace.id,
                           HumanBytes(kSpanBytesMax))
        .Fix("end the trace and begin another one");
  row->span_bytes += bytes;
  row->span_batches += 1;
  return tx.Execute("INSERT INTO traces_spans (trace, batch, spans) VALUES (?1, ?2, ?3)",
                    {row->number, row->span_batches, db::Bytes{batch}});
}

Result<> JoinBatches(db::Transaction& tx, TraceRow* row) {
  if (row->span_batches < 2) return {};
  GYRE_TRY(const std::string all, ReadBatches(tx, row->number));
  GYRE_DO(tx.Execute("DELETE FROM traces_spans WHERE trace = ?1", {row->number}));
  row->span_batches = 1;
  return tx.Execute("INSERT INTO traces_spans (trace, batch, spans) VALUES (?1, 1, ?2)",
                    {row->number, db::Bytes{all}});
}

Result<std::string> ReadBatches(db::Reader& reader, std::int64_t trace) {
  std::string all;
  GYRE_DO(reader.Query("SELECT spans FROM traces_spans WHERE trace = ?1 ORDER BY batch", {trace},
                       [&](const db::Row& row) -> Result<> {
                         all += row.Text(0);
                         return {};
                       }));
  return all;
}

}  // namespace gyre::traces

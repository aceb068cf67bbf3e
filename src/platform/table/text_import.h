// Gives types to the records of text files. Private to platform/table.
#pragma once

#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "platform/table/cell_types.h"
#include "platform/table/import.h"
#include "platform/table/text_source.h"

namespace gyre::table {

// A column's unit now and before; -1 without one. `by`: what had it before.
std::string UnitNote(std::string_view column, int now, int before, std::string_view by);

class TextImport {
 public:
  TextImport(const std::vector<SourceFile>& files, std::vector<FileFormat> formats,
             const ImportOptions& options, ImportSink& sink);
  Result<ImportReport> Run();

 private:
  struct Column {
    std::string name;
    ColumnPlan plan;
    bool given = false;  // by --type, the known table or a model
    std::string given_by;
    std::optional<ColumnFormat> format;  // given, with the type
    KindCounts counts;                   // while counting
    std::int64_t good = 0;               // cells read by `plan` before counting began
    std::int64_t bad = 0;                // known after the decision
    std::int64_t filled = 0;             // cells that are not missing, likewise
    std::int64_t with_unit = 0;          // of these, with the plan's unit
    bool ambiguous_date = false;         // day/month and month/day would both fit
    bool mixed = false;
    bool nested = false;    // JSON: a cell is an object or a list
    bool as_known = false;  // no value shows how its numbers are written
    std::string shown_by;   // but that column, which has it thus; with as_known, otherwise
    Decision::Seems seems;
    std::map<std::string, std::int64_t, std::less<>> tokens;  // words read as missing
  };

  Result<> Pass();
  Result<> ReadFile(std::size_t file);
  Result<std::unique_ptr<RecordSource>> Open(std::size_t file);
  Result<std::vector<std::size_t>> MapColumns(const RecordSource& source, std::size_t file);
  Result<> AddColumn(const std::string& name);
  void PlanFromFirst(const RecordBatch& batch, const std::vector<std::size_t>& map);
  void Settle(Column* column);
  void AgreeOnForm();
  Result<> TakeBatch(const RecordSource& source, const RecordBatch& batch,
                     const std::vector<std::size_t>& map);
  bool Fits(const RecordBatch& batch, const std::vector<std::size_t>& map);
  bool GivenByUser(const Column& column) const;
  void ApplyGiven(Column* column) const;
  void ApplyKnown(Column* column) const;
  bool StandsAsItIs(const Column& column) const;
  bool ReadAs(TextFormat form, Column* column) const;
  void ReadAsShown(const Column* comma, const Column* point, Column* column) const;
  void NoteFormat(const Column& column);
  std::string NumberNote(const Column& column) const;
  std::string DateNote(const Column& column) const;
  void NoteUnits(const Column& column);
  std::string Differs(TextFormat known, std::string_view what) const;
  void NoteText(const Column& column);
  void StartCounting();
  void Count(const RecordBatch& batch, const std::vector<std::size_t>& map);
  Result<> Convert(const RecordSource& source, const RecordBatch& batch,
                   const std::vector<std::size_t>& map);
  std::vector<unsigned char> RowsToKeep(const RecordSource& source, const RecordBatch& batch,
                                        const std::vector<std::size_t>& map);
  Result<> SetAside(RecordSource& source);
  void Quarantine(BadRow row);
  Result<> Flush();
  Error BadCell(const RecordSource& source, const RecordBatch& batch, std::size_t row,
                const RawCell& cell, const Column& column) const;
  void WriteNotes();
  void Progress(const RecordSource& source);

  const std::vector<SourceFile>& files_;
  std::vector<FileFormat> formats_;
  const ImportOptions& options_;
  ImportSink& sink_;
  std::vector<std::optional<Encoding>> encodings_;
  std::vector<std::int64_t> sizes_;
  std::uint32_t file_ = 0;        // that is being read
  std::int64_t size_before_ = 0;  // bytes of the files that were read
  std::vector<Column> columns_;
  std::vector<unsigned char> present_;  // columns of the current CSV file
  char decimal_point_ = '.';
  bool comma_parts_ = false;  // the cells of the first file
  bool planned_ = false, decided_ = false, counting_ = false;
  bool from_start_ = false;      // count, and begin anew for it
  std::int64_t rows_ = 0;        // seen in this pass
  std::int64_t rows_total_ = 0;  // seen in the pass that counted
  Frame pending_;
  std::vector<RowOrigin> origins_;  // of pending_'s rows
  ImportReport report_;
};

}  // namespace gyre::table

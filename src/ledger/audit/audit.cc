#include "ledger/audit/audit.h"

#include <algorithm>
#include <map>

#include "base/hash.h"

namespace gyre::audit {
namespace {

constexpr std::string_view kColumns =
    "sequence, at_us, actor_id, actor_name, actor_kind, action, project, object, outcome, "
    "request_id, peer, details, hash";

Entry MakeEntry(const db::Row& row) {
  return {row.Int(0), row.Int(1), row.Str(2), row.Str(3),  row.Str(4),  row.Str(5), row.Str(6),
          row.Str(7), row.Str(8), row.Str(9), row.Str(10), row.Str(11), row.Str(12)};
}

// Lengths stand before the fields, so that no two entries are written alike.
std::string HashOf(std::string_view hash_before, std::int64_t sequence, const NewEntry& entry) {
  std::string text = fmt::format("gyre.audit.1 {} {}", sequence, entry.at_us);
  for (const std::string_view field :
       {hash_before, entry.actor_id, entry.actor_name, entry.actor_kind, entry.action,
        entry.project, entry.object, entry.outcome, entry.request_id, entry.peer, entry.details}) {
    text += fmt::format(" {}:", field.size());
    text += field;
  }
  return Sha256Hex(text);
}

NewEntry ViewOf(const Entry& entry) {
  return {entry.at_us,      entry.actor_id, entry.actor_name, entry.actor_kind,
          entry.action,     entry.project,  entry.object,     entry.outcome,
          entry.request_id, entry.peer,     entry.details};
}

// Walks the chain and stops at the first entry that does not fit.
class Verifier {
 public:
  explicit Verifier(std::span<const Anchor> anchors) {
    for (const Anchor& anchor : anchors) anchors_.emplace(anchor.sequence, anchor);
  }

  void Check(const Entry& entry) {
    if (!verdict_.sound) return;
    const std::int64_t expected = verdict_.end.sequence + 1;
    if (entry.sequence != expected)
      return Break(expected, fmt::format("entry {} is missing", expected));
    if (HashOf(verdict_.end.hash, entry.sequence, ViewOf(entry)) != entry.hash) {
      return Break(entry.sequence, fmt::format("entry {} has been changed", entry.sequence));
    }
    const auto [first, last] = anchors_.equal_range(entry.sequence);
    for (auto it = first; it != last; ++it) {
      if (it->second.hash != entry.hash) {
        return Break(
            entry.sequence,
            fmt::format("entry {} is not the one that the anchor names: the log was rewritten",
                        entry.sequence));
      }
      verdict_.anchored = it->second;
    }
    ++verdict_.entries;
    verdict_.end = {entry.sequence, entry.hash, entry.at_us};
  }

  Verdict Finish() {
    const std::int64_t newest = anchors_.empty() ? 0 : anchors_.rbegin()->first;
    if (verdict_.sound && verdict_.end.sequence < newest) {
      Break(verdict_.end.sequence + 1,
            fmt::format("the log ends at entry {}, the anchor names entry {}",
                        verdict_.end.sequence, newest));
    }
    return verdict_;
  }

 private:
  void Break(std::int64_t sequence, std::string problem) {
    verdict_.sound = false;
    verdict_.broken_at = sequence;
    verdict_.problem = std::move(problem);
  }

  std::multimap<std::int64_t, Anchor> anchors_;
  Verdict verdict_;
};

}  // namespace

Result<> Append(db::Transaction& tx, const NewEntry& entry) {
  std::int64_t sequence = 1;
  std::string hash_before;
  GYRE_DO(tx.QueryOne("SELECT sequence, hash FROM audit_entry ORDER BY sequence DESC LIMIT 1", {},
                      [&](const db::Row& row) {
                        sequence = row.Int(0) + 1;
                        hash_before = row.Str(1);
                      }));
  return tx.Execute(fmt::format("INSERT INTO audit_entry ({}) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, "
                                "?8, ?9, ?10, ?11, ?12, ?13)",
                                kColumns),
                    {sequence, entry.at_us, entry.actor_id, entry.actor_name, entry.actor_kind,
                     entry.action, entry.project, entry.object, entry.outcome, entry.request_id,
                     entry.peer, entry.details, HashOf(hash_before, sequence, entry)});
}

Result<> Audit::Append(const NewEntry& entry) {
  return database_.Write([&](db::Transaction& tx) { return audit::Append(tx, entry); });
}

Result<std::vector<Entry>> Audit::List(const Filter& filter) const {
  std::vector<Entry> entries;
  const bool prefix = filter.action.ends_with('.');
  GYRE_DO(database_.Read([&](db::Reader& reader) {
    return reader.Query(
        fmt::format("SELECT {} FROM audit_entry WHERE (?1 = '' OR project = ?1) "
                    "AND (?2 = '' OR actor_id = ?2 OR actor_name = ?2) "
                    "AND (?3 = '' OR (?4 = 0 AND action = ?3) OR (?4 = 1 AND "
                    "substr(action, 1, length(?3)) = ?3)) "
                    "AND (?5 = '' OR object = ?5 OR substr(object, 1, length(?5) + 1) "
                    "= ?5 || '/') AND at_us >= ?6 AND (?7 = 0 OR "
                    "at_us < ?7) AND (?8 = 0 OR sequence < ?8) "
                    "ORDER BY sequence DESC LIMIT ?9",
                    kColumns),
        {filter.project, filter.actor, filter.action, prefix, filter.object, filter.from_us,
         filter.to_us, filter.before, filter.limit},
        [&](const db::Row& row) -> Result<> {
          entries.push_back(MakeEntry(row));
          return {};
        });
  }));
  return entries;
}

Result<Anchor> Audit::End() const {
  Anchor end;
  GYRE_DO(database_.Read([&](db::Reader& reader) -> Result<> {
    GYRE_DO(reader.QueryOne("SELECT sequence, hash FROM audit_entry ORDER BY sequence DESC LIMIT 1",
                            {}, [&](const db::Row& row) { end = {row.Int(0), row.Str(1)}; }));
    return {};
  }));
  return end;
}

Result<Verdict> Audit::Verify(std::span<const Anchor> anchors) const {
  Verifier verifier(anchors);
  GYRE_DO(database_.Read([&](db::Reader& reader) {
    return reader.Query(fmt::format("SELECT {} FROM audit_entry ORDER BY sequence", kColumns), {},
                        [&](const db::Row& row) -> Result<> {
                          verifier.Check(MakeEntry(row));
                          return {};
                        });
  }));
  return verifier.Finish();
}

}  // namespace gyre::audit

#include "ml/pipelines/approvals.h"

#include <algorithm>
#include <optional>

#include "base/text.h"
#include "ledger/notices/notices.h"
#include "ml/pipelines/expression.h"

namespace gyre::pipelines {
namespace {

constexpr std::size_t kTextBytesMax = 10'000;
constexpr std::string_view kColumns =
    "SELECT id, run_id, project, step, item, message, who, state, decided_by, reason, asked_us, "
    "decided_us FROM pipeline_approval ";

constexpr KindKey kKeys[] = {{"message"}, {"role"}, {"who"}};
const OutputSpec kOutputs[] = {{"approved_by", ValueType::kText}, {"reason", ValueType::kText}};
const KindFacts kApprove{"approve", kKeys, kOutputs};

Json Texts(const std::vector<std::string>& texts) {
  Json list = Json::Arr();
  for (const std::string& text : texts) list.Push(text);
  return list;
}

Approval ApprovalAt(const db::Row& row) {
  Approval approval;
  approval.id = row.Str(0);
  approval.run_id = row.Str(1);
  approval.project = row.Str(2);
  approval.step = row.Str(3);
  approval.item = row.Int(4);
  approval.message = row.Str(5);
  if (const auto who = Json::Parse(row.Text(6))) {
    for (const Json& name : who->items()) approval.who.push_back(name.AsString());
  }
  approval.state = row.Str(7);
  approval.decided_by = row.Str(8);
  approval.reason = row.Str(9);
  approval.asked_us = row.Int(10);
  approval.decided_us = row.Int(11);
  return approval;
}

Result<std::optional<Approval>> Find(db::Reader& reader, std::string_view where,
                                     std::string_view value) {
  std::optional<Approval> found;
  const std::string sql = std::string(kColumns) + std::string(where);
  GYRE_DO(reader.QueryOne(sql, {value}, [&](const db::Row& row) { found = ApprovalAt(row); }));
  return found;
}

// "ann", or ["ann", "ben"].
Result<std::vector<std::string>> NamesOf(const Json& who) {
  const Json::Array one = {who};
  std::vector<std::string> names;
  if (who.is_null()) return names;
  for (const Json& name : who.is_array() ? who.items() : one) {
    if (!name.is_string() || name.AsString().empty())
      return InvalidArgument("GY4745", "`who` of an approval must be names of users").Fix("[ann]");
    names.push_back(name.AsString());
  }
  return names;
}

Result<Approval> Asked(const StepContext& context) {
  const std::string role = context.with["role"].StringOr(kApprover);
  if (role != kApprover)
    return InvalidArgument("GY4745", "nobody can agree as `{}`", role)
        .Why("who has the role approver or admin may agree")
        .Fix(fmt::format("role: {}", kApprover));
  Approval approval{.id = context.attempt_key,
                    .run_id = context.run_id,
                    .project = context.project,
                    .step = context.step,
                    .item = context.item,
                    .message = TextOf(context.with["message"]),
                    .state = "asked"};
  approval.message.resize(std::min(approval.message.size(), kTextBytesMax));
  GYRE_TRY(approval.who, NamesOf(context.with["who"]));
  return approval;
}

notices::NewNotice NoticeOf(const Approval& approval) {
  const std::string run = approval.run_id.substr(0, 8);
  return {
      .project = approval.project,
      .kind = "pipeline.approval",
      .severity = notices::Severity::kWarning,
      .title = fmt::format(
          "run {} waits for {}", run,
          approval.who.empty() ? "an " + std::string(kApprover) : Join(approval.who, " or ")),
      .text = fmt::format("{}\ngyre pipelines approve {} {}",
                          approval.message.empty() ? "step " + approval.task() : approval.message,
                          run, approval.task()),
      .dedupe_key = "approval " + approval.id,
      .payload = ApprovalToJson(approval)};
}

Error AskedNobody(std::string_view run_id, std::string_view task,
                  const std::vector<Approval>& all) {
  Error error = NotFound("GY4746", "step `{}` of run {} asks nobody", task, run_id.substr(0, 8));
  for (const Approval& one : all) {
    if (one.state == "asked")
      error = std::move(error).Fix(
          fmt::format("gyre pipelines approve {} {}", run_id.substr(0, 8), one.task()));
  }
  return std::move(error).Fix(fmt::format("gyre pipelines status {}", run_id.substr(0, 8)));
}

class OfApproval final : public StepKind {
 public:
  explicit OfApproval(Approvals& approvals) : approvals_(approvals) {}
  const KindFacts& facts() const override { return kApprove; }

  Result<std::string> Start(const StepContext& context) override {
    GYRE_TRY(const Approval approval, approvals_.Ask(context));
    return approval.id;
  }

  Result<std::optional<StepEnd>> Poll(const std::string& reference,
                                      const StepContext& /*context*/) override {
    GYRE_TRY(const Approval approval, approvals_.Get(reference));
    if (approval.state == "asked") return std::optional<StepEnd>();
    StepEnd end{.outputs =
                    Json::Obj({{"approved_by", approval.decided_by}, {"reason", approval.reason}})};
    if (approval.state == "approved") return std::optional<StepEnd>(std::move(end));
    end.findings = true;  // asking again would ask the same
    end.outputs = FailedPrecondition("GY4749", "{} said no{}", approval.decided_by,
                                     approval.reason.empty() ? "" : ": " + approval.reason);
    return std::optional<StepEnd>(std::move(end));
  }

  void Cancel(const std::string& reference) override {
    static_cast<void>(approvals_.Withdraw(reference));
  }

 private:
  Approvals& approvals_;
};

}  // namespace

std::string Approval::task() const { return item < 0 ? step : fmt::format("{}[{}]", step, item); }

Json ApprovalToJson(const Approval& approval) {
  return Json::Obj(
      {{"run", approval.run_id},
       {"task", approval.task()},
       {"message", approval.message},
       {"role", kApprover},
       {"who", Texts(approval.who)},
       {"state", approval.state},
       {"decided_by", approval.decided_by},
       {"reason", approval.reason},
       {"asked_at", FormatTime(approval.asked_us)},
       {"decided_at", approval.decided_us == 0 ? Json() : Json(FormatTime(approval.decided_us))}});
}

Result<Approval> Approvals::Ask(const StepContext& context) {
  GYRE_TRY(Approval approval, Asked(context));
  approval.asked_us = clock_.NowMicros();
  const std::string who = Texts(approval.who).Dump();
  std::optional<notices::Draft> notice;
  if (notices_ != nullptr) notice = notices::Compose(NoticeOf(approval));
  std::optional<Approval> same;
  GYRE_DO(database_.Write([&](db::Transaction& tx) -> Result<> {
    GYRE_TRY(same, Find(tx, "WHERE id = ?1", approval.id));
    if (same) return {};
    GYRE_DO(tx.Execute(
        "INSERT INTO pipeline_approval (id, run_id, project, step, item, message, who, state, "
        "decided_by, reason, asked_us, decided_us) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, 'asked', "
        "'', '', ?8, 0)",
        {approval.id, approval.run_id, approval.project, approval.step, approval.item,
         approval.message, who, approval.asked_us}));
    if (!notice) return {};
    GYRE_TRY([[maybe_unused]] const notices::Published published, notices_->Publish(tx, *notice));
    return {};
  }));
  return same ? *std::move(same) : approval;
}

Result<Approval> Approvals::Get(std::string_view id) {
  std::optional<Approval> found;
  GYRE_DO(database_.Read([&](db::Reader& reader) -> Result<> {
    GYRE_TRY(found, Find(reader, "WHERE id = ?1", id));
    return {};
  }));
  if (!found) return NotFound("GY4746", "there is no approval `{}`", id);
  return *std::move(found);
}

Result<std::vector<Approval>> Approvals::OfRun(std::string_view run_id) {
  static const std::string kSql = std::string(kColumns) + "WHERE run_id = ?1 ORDER BY asked_us, id";
  std::vector<Approval> all;
  GYRE_DO(database_.Read([&](db::Reader& reader) -> Result<> {
    GYRE_TRY(all, db::Collect<Approval>(reader, kSql, {run_id}, ApprovalAt));
    return {};
  }));
  return all;
}

Result<Approval> Approvals::Decide(std::string_view run_id, const Word& word) {
  if (word.reason.size() > kTextBytesMax)
    return InvalidArgument("GY4745", "a reason has at most {} bytes", kTextBytesMax);
  GYRE_TRY(const std::vector<Approval> all, OfRun(run_id));
  // The newest attempt's: a step that is tried again asks again.
  const auto asked = std::find_if(all.rbegin(), all.rend(),
                                  [&](const Approval& one) { return one.task() == word.task; });
  if (asked == all.rend()) return AskedNobody(run_id, word.task, all);
  if (!asked->who.empty() && std::ranges::find(asked->who, word.by) == asked->who.end())
    return MakeError(Code::kPermissionDenied, "GY4748", "{} is not asked", word.by)
        .Why(fmt::format("step `{}` asks {}", word.task, Join(asked->who, " or ")));
  std::optional<Approval> now;
  GYRE_DO(database_.Write([&](db::Transaction& tx) -> Result<> {
    GYRE_DO(tx.Execute(
        "UPDATE pipeline_approval SET state = ?2, decided_by = ?3, reason = ?4, decided_us = ?5 "
        "WHERE id = ?1 AND state = 'asked'",
        {asked->id, word.agreed ? "approved" : "rejected", word.by, word.reason,
         clock_.NowMicros()}));
    if (tx.changes() == 0) return {};
    GYRE_TRY(now, Find(tx, "WHERE id = ?1", asked->id));
    return {};
  }));
  if (now) return *std::move(now);
  GYRE_TRY(const Approval was, Get(asked->id));
  return FailedPrecondition("GY4747", "step `{}` of run {} waits for nobody: it was {}{}",
                            word.task, run_id.substr(0, 8), was.state,
                            was.decided_by.empty() ? "" : " by " + was.decided_by);
}

Result<> Approvals::Withdraw(std::string_view id) {
  return database_.Write([&](db::Transaction& tx) {
    return tx.Execute(
        "UPDATE pipeline_approval SET state = 'withdrawn', decided_us = ?2 WHERE id = ?1 AND "
        "state = 'asked'",
        {id, clock_.NowMicros()});
  });
}

std::unique_ptr<StepKind> ApproveKind(Approvals& approvals) {
  return std::make_unique<OfApproval>(approvals);
}

}  // namespace gyre::pipelines

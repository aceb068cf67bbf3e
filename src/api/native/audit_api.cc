#include "api/native/audit_api.h"

#include <limits>

#include "api/native/lists.h"
#include "api/native/route_table.h"
#include "base/time.h"
#include "ledger/audit/anchors.h"

namespace gyre::native {
namespace {

constexpr net::Route kRoutes[] = {
    {.method = Method::kGet,
     .path = "/api/v1/audit",
     .handler = Bind<&AuditApi::List>,
     .permission = Permission("audit.read"),
     .summary = "The audit log, newest first; by project, actor, action, object and time",
     .response_type = "AuditList",
     .query = {{"project", Type::kText, "only changes in it"},
               {"actor", Type::kText, "only changes by this id or name"},
               {"action", Type::kText, "only this permission: model.approve"},
               {"object", Type::kText, "only changes of it"},
               {"from", Type::kTime, "the earliest"},
               {"to", Type::kTime, "the end, not included"},
               kLimit,
               kPageToken}},
    {.method = Method::kGet,
     .path = "/api/v1/audit/verify",
     .handler = Bind<&AuditApi::Verify>,
     .permission = Permission("audit.read"),
     .summary = "Checks the chain of hashes, also against an anchor kept elsewhere",
     .response_type = "AuditVerdict",
     .query = {{"sequence", Type::kWhole, "number of the entry that the anchor names"},
               {"hash", Type::kText, "of that entry"}}},
};

Json EntryToJson(const audit::Entry& entry) {
  auto details = Json::Parse(entry.details);
  return Json::Obj({{"sequence", entry.sequence},
                    {"at", FormatTime(entry.at_us)},
                    {"actor", Json::Obj({{"id", entry.actor_id},
                                         {"name", entry.actor_name},
                                         {"kind", entry.actor_kind}})},
                    {"action", entry.action},
                    {"project", entry.project},
                    {"object", entry.object},
                    {"outcome", entry.outcome},
                    {"request_id", entry.request_id},
                    {"peer", entry.peer},
                    {"details", details ? *std::move(details) : Json(entry.details)},
                    {"hash", entry.hash}});
}

// Up to where the chain agrees with what was written down outside of it.
Json AnchoredJson(const audit::Anchor& anchor) {
  if (anchor.sequence == 0) return Json();
  return Json::Obj({{"sequence", anchor.sequence},
                    {"at", anchor.at_us == 0 ? Json() : Json(FormatTime(anchor.at_us))}});
}

}  // namespace

net::RouteTable AuditApi::table() { return {"native", kRoutes, this}; }

Result<net::Response> AuditApi::List(net::Request& request) {
  GYRE_TRY(const SequencePage page, ReadSequencePage(request));
  audit::Filter filter;
  filter.project = request.Query("project").value_or("");
  filter.actor = request.Query("actor").value_or("");
  filter.action = request.Query("action").value_or("");
  filter.object = request.Query("object").value_or("");
  GYRE_TRY(filter.from_us, ReadTime(request, "from"));
  GYRE_TRY(filter.to_us, ReadTime(request, "to"));
  filter.before = page.before;
  filter.limit = page.limit;
  GYRE_TRY(const auto entries, audit_.List(filter));
  return PageOf(entries, page.limit, EntryToJson, &audit::Entry::sequence);
}

Result<net::Response> AuditApi::Verify(net::Request& request) {
  GYRE_TRY(std::vector<audit::Anchor> anchors, audit::Anchors::Read(anchors_));
  audit::Anchor given;
  GYRE_TRY(given.sequence,
           request.QueryInt("sequence", 0, 0, std::numeric_limits<std::int64_t>::max()));
  given.hash = request.Query("hash").value_or("");
  if (given.sequence > 0) anchors.push_back(std::move(given));
  GYRE_TRY(const audit::Verdict verdict, audit_.Verify(anchors));
  Json document = Json::Obj(
      {{"sound", verdict.sound},
       {"entries", verdict.entries},
       {"anchor", Json::Obj({{"sequence", verdict.end.sequence}, {"hash", verdict.end.hash}})},
       {"anchored", AnchoredJson(verdict.anchored)}});
  if (!verdict.sound) document.Set("broken_at", verdict.broken_at).Set("problem", verdict.problem);
  return net::Response::JsonDoc(document);
}

}  // namespace gyre::native

// gyre apply, export, schema: a project as a file.
#include <unistd.h>

#include <algorithm>

#include "base/text.h"
#include "cli/apply/actual.h"
#include "cli/apply/check.h"
#include "cli/apply/converge.h"
#include "cli/apply/declaration.h"
#include "cli/apply/describe.h"
#include "cli/apply/export.h"
#include "cli/apply/plan.h"
#include "cli/apply/removals.h"
#include "cli/command.h"
#include "cli/error_text.h"
#include "cli/nouns.h"
#include "cli/out_file.h"
#include "cli/output.h"
#include "cli/session.h"
#include "cli/terminal_output.h"
#include "platform/config/environment.h"

namespace gyre::cli {
namespace {

constexpr int kFindingsExit = 5;

std::string FileOf(const Invocation& in) {
  if (in.Has("FILE")) return in.Get("FILE");
  const std::string found = config::FindProjectFile();
  return found.empty() ? "gyre.yaml" : found;
}

Result<apply::Declaration> Read(Invocation& in) {
  std::vector<Error> also;
  auto declaration = apply::ReadDeclaration(FileOf(in), &also);
  for (const Error& error : also) in.out().Note(Trim(ErrorText(error, {})));
  return declaration;
}

// A project that is named on the command line wins: the same file for another place.
std::string ProjectOf(const Invocation& in, const apply::Declaration& declaration) {
  return in.Has("project") || declaration.project.empty() ? in.project() : declaration.project;
}

Json Document(const apply::Plan& plan, const std::string& project, bool applied) {
  return apply::PlanJson(plan).Set("project", project).Set("applied", applied);
}

std::string Head(const apply::Declaration& declaration, const std::string& project,
                 const Output& out) {
  return fmt::format("{} {} project {}\n", declaration.file, out.Mark("arrow"), project);
}

// What lives longer than a command needs a server.
bool NeedsServer(const apply::Plan& plan) {
  return std::ranges::any_of(plan.changes, [](const apply::Change& change) {
    return change.kind->noun == "endpoints" || change.kind->noun == "monitors" ||
           change.kind->noun == "triggers";
  });
}

Error Stopped(Error error, const apply::Change& change, const std::vector<std::string>& done,
              Output& out) {
  out.Note(done.empty() ? "nothing was applied"
                        : fmt::format("applied already: {}", Join(done, ", ")));
  out.Note("gyre apply again goes on from there");
  if (error.code() == Code::kCancelled) return error;
  return Error(std::move(error).Context(change.id()));
}

Result<int> Converge(apply::Work& work, const apply::Plan& plan) {
  Output& out = work.out;
  GYRE_DO(apply::MakeProject(work));
  std::vector<std::string> done;
  for (const apply::Change& change : plan.changes) {
    const auto brought = apply::Bring(work, change);
    if (!brought) return Stopped(brought.error(), change, done, out);
    done.push_back(change.id());
    out.Done(brought->empty() ? change.id() : fmt::format("{}   {}", change.id(), *brought));
  }
  GYRE_DO(apply::KeepRecords(work, plan));
  return work.gate_said_no ? kFindingsExit : 0;
}

Result<int> Apply(Invocation& in) {
  GYRE_TRY(const apply::Declaration declaration, Read(in));
  const std::string project = ProjectOf(in, declaration);
  Output& out = in.out();
  GYRE_TRY(Session * session, in.session());
  GYRE_TRY(const config::Settings settings, in.LoadSettings());
  apply::Reading reading{*session, out, project, settings.Text("egress.allow")};
  GYRE_TRY(const apply::Actual actual, apply::ReadActual(reading, declaration));
  apply::Plan plan = apply::MakePlan(declaration, actual, {.prune = in.Has("prune")});
  GYRE_DO(apply::CheckPlan(*session, project, declaration, actual, plan));
  GYRE_DO(apply::SeeWhoNeeds(*session, project, &plan));
  for (const std::string& warning : actual.warnings) out.Warn(warning);
  const bool only_look = in.Has("check") || in.dry_run();
  apply::Work work{*session, out, project, reading, declaration, actual};
  if (plan.changes.empty() && (actual.has_project || only_look)) {
    if (!only_look) GYRE_DO(apply::KeepRecords(work, plan));
    out.Document(Document(plan, project, !only_look), "");
    out.Done(fmt::format("no changes: project {} is as {} says ({} entries)", project,
                         declaration.file, plan.unchanged));
    return 0;
  }
  if (!out.json() || only_look)
    out.Document(Document(plan, project, false),
                 Head(declaration, project, out) +
                     apply::PlanText(plan, {.arrow = out.Mark("arrow"),
                                            .colour = ColourWanted(STDOUT_FILENO)}));
  if (only_look) return in.Has("check") ? kFindingsExit : 0;
  GYRE_DO(apply::CheckRemovals(plan));
  GYRE_DO(in.Confirm(fmt::format("change project {} so", project), "yes"));
  if (NeedsServer(plan)) GYRE_DO(session->EnsureServerOutlivesUs(out));
  GYRE_TRY(const int code, Converge(work, plan));
  if (out.json()) out.Document(Document(plan, project, true), "");
  out.Done(fmt::format("applied: {} added, {} changed, {} removed", plan.Count(apply::Action::kAdd),
                       plan.Count(apply::Action::kChange), plan.Count(apply::Action::kRemove)));
  return code;
}

Result<int> Export(Invocation& in) {
  GYRE_TRY(const std::string file, OutFile(in));
  GYRE_TRY(Session* const session, in.session());
  GYRE_TRY(const apply::Exported exported, apply::ExportProject(*session, in.project()));
  const std::string text = apply::FileText(exported.document);
  if (file == "-") {
    in.out().Document(exported.document, text);
  } else if (in.dry_run()) {
    in.out().Print(fmt::format("would write {}\n", file));
  } else {
    GYRE_DO(config::WriteSmallFile(file, text));
    in.out().Done("wrote " + file);
    in.out().Hint("gyre apply --check " + file);
  }
  for (const std::string& note : exported.notes) in.out().Note(note);
  return 0;
}

Result<int> Schema(Invocation& in) {
  in.out().Print(in.Has("markdown") ? apply::ReferencePage()
                                    : apply::EditorSchema().DumpPretty() + "\n");
  return 0;
}

constexpr Positional kFile[] = {
    {"FILE", "default: the gyre.yaml of this folder, or of one above it", false, false, "file"}};
constexpr Option kApply[] = {
    {"--check", "", "only say where the server is not as the file; exit code 5 when it is not"},
    {"--prune", "", "remove what an earlier apply made and the file no longer has"}};
constexpr Option kExport[] = {
    {"--out", "FILE", "where to; - = standard output", "-", false, "file"}, kForceOut};
constexpr Option kSchema[] = {{"--markdown", "", "the reference page instead"}};
constexpr Command kCommands[] = {
    {"apply", "make a project as its gyre.yaml says: shows the plan, asks, then changes",
     "gyre apply\ngyre apply --dry-run\ngyre apply --check\ngyre apply prod.yaml --prune --yes",
     kFile, kApply, Apply},
    {"export",
     "write down what a project is made of, as a gyre.yaml",
     "gyre export\ngyre export --out gyre.yaml --project churn",
     {},
     kExport,
     Export},
    {"schema",
     "what gyre.yaml may hold, as JSON Schema for editors",
     "gyre schema > gyre.schema.json\ngyre schema --markdown",
     {},
     kSchema,
     Schema},
};

}  // namespace

std::span<const Command> ApplyCommands() { return kCommands; }

}  // namespace gyre::cli

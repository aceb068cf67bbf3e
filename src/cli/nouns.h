// The command rows of each noun; cli.cc joins them.
#pragma once

#include <span>

#include "cli/command.h"

namespace gyre::cli {

std::span<const Command> AccessCommands();
std::span<const Command> AddCommands();
std::span<const Command> ApiCommands();
std::span<const Command> ApplyCommands();
std::span<const Command> BackupCommands();
std::span<const Command> CapturesCommands();
std::span<const Command> ConfigCommands();
std::span<const Command> CostCommands();
std::span<const Command> DatasetsCommands();
std::span<const Command> DemoCommands();
std::span<const Command> DoctorCommands();
std::span<const Command> EndpointsCommands();
std::span<const Command> EvaluateCommands();
std::span<const Command> ExperimentsCommands();
std::span<const Command> ImportCommands();
std::span<const Command> InspectionsCommands();
std::span<const Command> JobsCommands();
std::span<const Command> KpiCommands();
std::span<const Command> LedgerCommands();
std::span<const Command> LineageCommands();
std::span<const Command> LoopCommands();
std::span<const Command> MaintenanceCommands();
std::span<const Command> ModelsCommands();
std::span<const Command> MonitorsCommands();
std::span<const Command> NoticesCommands();
std::span<const Command> PredictCommands();
std::span<const Command> PipelinesCommands();
std::span<const Command> ProgramsCommands();
std::span<const Command> ProjectsCommands();
std::span<const Command> QueryCommands();
std::span<const Command> RecipesCommands();
std::span<const Command> ReportCommands();
std::span<const Command> RunsCommands();
std::span<const Command> SourcesCommands();
std::span<const Command> TrainCommands();
std::span<const Command> TriggersCommands();

}  // namespace gyre::cli

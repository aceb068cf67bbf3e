#include "cli/cli.h"
#include "gyre/compose.h"
#include "gyre/server_command.h"
#include "platform/config/settings.h"
#include "platform/exec/signals.h"

namespace {

gyre::Result<std::unique_ptr<gyre::cli::Owner>> BecomeOwner(
    const gyre::cli::OwnerRequest& request) {
  gyre::HouseOptions options;
  options.data_directory = request.data_directory;
  options.sources = gyre::config::DefaultSources();
  options.sources.explicit_file = request.config_file;
  options.is_scratch = request.is_scratch;
  options.may_be_damaged = request.may_be_damaged;
  GYRE_TRY(auto house, gyre::House::Open(options));
  return std::unique_ptr<gyre::cli::Owner>(std::move(house));
}

gyre::Result<gyre::config::Settings> LoadSettings(const std::string& config_file) {
  gyre::config::Sources sources = gyre::config::DefaultSources();
  sources.explicit_file = config_file;
  return gyre::LoadSettings(sources);
}

}  // namespace

int main(int argc, char** argv) {
  gyre::exec::IgnoreBrokenPipes();
  return gyre::cli::Main(argc, argv,
                         {gyre::Version(), gyre::ProgramCommands(), BecomeOwner, LoadSettings});
}

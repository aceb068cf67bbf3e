// CPU per request of one JSON row of 30 columns through the whole program (gyre server, a forest of
// 100 trees of depth 6), against a bare epoll echo in the same run, with each answer captured and
// with capture off; then the latency at 2,000 requests a second, open loop. CPU is the server
// process's own with all its threads, from /proc: writing what was captured is in it.
#include <fcntl.h>
#include <fmt/core.h>

#include <csignal>
#include <filesystem>
#include <functional>

#include "base/text.h"
#include "ml/predictors/testing/lightgbm_training.h"
#include "ml/serving/testing/house.h"
#include "ml/serving/testing/load.h"
#include "platform/exec/files.h"
#include "platform/exec/process.h"

namespace gyre::serving {
namespace {

constexpr std::size_t kColumns = 30;
constexpr double kSeconds = 1.5;
constexpr int kRounds =
    4;  // taken in turns; the best of each counts, because the machine is not ours alone

std::string ColumnName(std::size_t i) { return fmt::format("feature_{}", i); }

Result<predictors::ModelPackage> ForestPackage() {
  GYRE_TRY(const predictors::LightGbmApi* api, predictors::LoadLightGbm());
  api->RegisterLogCallback([](const char*) {});
  const predictors::Generated data =
      predictors::Generate({.rows = 20'000, .columns = kColumns, .classes = 2});
  std::string schema, steps, vector;
  table::Frame frame;
  for (std::size_t j = 0; j < kColumns; ++j) {
    const std::string name = ColumnName(j);
    schema += fmt::format("{}{}: double", j == 0 ? "" : ", ", name);
    steps += fmt::format("  - {{id: s{}, op: number, in: {}}}\n", j, name);
    vector += fmt::format("{}s{}", j == 0 ? "" : ", ", j);
    frame.columns.emplace_back();
    frame.columns.back().name = name;
    frame.columns.back().type = table::Type::kDouble;
    for (std::size_t i = 0; i < 1000; ++i) frame.columns.back().PushDouble(data.row(i)[j]);
  }
  GYRE_TRY(const auto spec,
           recipes::Spec::FromYaml(fmt::format(
               "recipe: bench\ninput: {{schema: {{{}}}}}\nsteps:\n{}output: {{vector: [{}]}}\n",
               schema, steps, vector)));
  GYRE_TRY(const auto fitted, recipes::Fit(spec, frame, {}));
  predictors::ModelPackage package;
  package.task = predictors::Task::kBinary;
  package.classes = {"No", "Yes"};
  package.target = "Churn";
  package.recipe = fitted.Save();
  package.predictor_format = "lightgbm.text";
  package.predictor = predictors::TrainText(
      *api, data, "objective=binary num_leaves=64 max_depth=6 min_data_in_leaf=5", 100);
  package.learner = "lightgbm";
  return package;
}

std::string RequestText() {
  const predictors::Generated data =
      predictors::Generate({.rows = 1, .columns = kColumns, .seed = 77});
  std::string body = R"({"inputs":[{)";
  for (std::size_t j = 0; j < kColumns; ++j)
    body += fmt::format("{}\"{}\":{:.6f}", j == 0 ? "" : ",", ColumnName(j), data.row(0)[j]);
  body += "}]}";
  return fmt::format(
      "POST /e/bench HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: "
      "application/json\r\nContent-Length: {}\r\n\r\n{}",
      body.size(), body);
}

struct Cpu {
  double user = 0, system = 0;  // seconds
};
Result<Cpu> CpuOf(int pid) {
  GYRE_TRY(const std::string text, exec::ReadSystemFile(fmt::format("/proc/{}/stat", pid)));
  std::string_view rest = std::string_view(text).substr(text.rfind(')') + 2);
  Cpu cpu;
  const auto tick = 1.0 / static_cast<double>(sysconf(_SC_CLK_TCK));
  for (int field = 3; field <= 15; ++field) {
    const std::string_view word = rest.substr(0, rest.find(' '));
    if (field == 14) cpu.user = tick * ParseDouble(word).value_or(0);
    if (field == 15) cpu.system = tick * ParseDouble(word).value_or(0);
    rest.remove_prefix(word.size() + 1);
  }
  return cpu;
}

struct Measured {
  double cpu_us = 0, user_us = 0;  // of one request
  LoadResult load;
};
Result<Measured> Measure(int pid, int port, const std::string& request) {
  {
    Load warm_up({.port = port, .seconds = 0.5}, request);
    if (warm_up.Run().failed != 0) return Internal("GY3805", "requests fail");
  }
  GYRE_TRY(const Cpu before, CpuOf(pid));
  Load load({.port = port, .seconds = kSeconds}, request);
  Measured measured;
  measured.load = load.Run();
  GYRE_TRY(const Cpu after, CpuOf(pid));
  const double per_request = 1e6 / static_cast<double>(std::max(1L, measured.load.answered));
  measured.user_us = per_request * (after.user - before.user);
  measured.cpu_us = measured.user_us + per_request * (after.system - before.system);
  return measured;
}

// The running server: its process, and the port from DIR/server.json.
struct Server {
  exec::Process process;
  int port = 0;
};
Result<Server> StartGyre(const std::string& program, const std::string& directory) {
  exec::SpawnOptions options;
  options.argv = {program, "server", "--data", directory, "--listen", "127.0.0.1:0"};
  options.environment = {{"GYRE_SERVER_IO_THREADS", "1"}, {"GYRE_LOG_FILE", directory + "/log"}};
  const int null = open("/dev/null", O_WRONLY);
  options.descriptors = {{null, 1}, {null, 2}};
  GYRE_TRY(exec::Process process, exec::Process::Spawn(std::move(options)));
  for (int i = 0; i < 200; ++i) {
    usleep(20'000);
    const auto text = exec::ReadFile(directory + "/server.json");
    const auto info = text ? Json::Parse(*text) : Json::Parse("");
    if (!info || (*info)["pid"].AsInt() != process.pid()) continue;
    const std::string& url = (*info)["url"].AsString();
    const auto port = ParseInt(std::string_view(url).substr(url.rfind(':') + 1));
    if (port) return Server{std::move(process), static_cast<int>(*port)};
  }
  return Internal("GY3805", "{} does not start", program);
}

// The echo as a child of ours; the best of its rounds stands for it.
class Echo {
 public:
  Echo() : listener_(Listen(&port_)), pid_(fork()) {
    if (pid_ == 0) RunEcho(listener_);
    close(listener_);
  }
  ~Echo() { kill(pid_, SIGKILL); }
  Echo(const Echo&) = delete;
  Echo& operator=(const Echo&) = delete;
  int pid() const { return pid_; }
  int port() const { return port_; }

 private:
  int port_ = 0;
  int listener_, pid_;
};

double InProcess(Serving& serving, std::string_view body) {
  constexpr int kCalls = 100'000;
  long bytes = 0;
  timespec begin{}, end{};
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &begin);
  for (int i = 0; i < kCalls; ++i)
    bytes += static_cast<long>(serving.Predict("bench", body)->size());
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &end);
  GYRE_CHECK(bytes > 0);
  const double seconds = static_cast<double>(end.tv_sec - begin.tv_sec) +
                         1e-9 * static_cast<double>(end.tv_nsec - begin.tv_nsec);
  return 1e6 * seconds / kCalls;
}

// Turns capture of the endpoint on or off.
Result<> Capture(int port, bool on) {
  const std::string body = fmt::format("{{\"on\":{}}}", on);
  const std::string request = fmt::format(
      "PATCH /api/v1/projects/default/endpoints/bench/captures/policy HTTP/1.1\r\nHost: "
      "127.0.0.1\r\n"
      "Content-Type: application/json\r\nContent-Length: {}\r\n\r\n{}",
      body.size(), body);
  Load load({.port = port, .connections = 1, .seconds = 0.1}, request);
  const LoadResult result = load.Run();
  if (result.answered > 0 && result.failed == 0) return {};
  return Internal("GY3805", "capture cannot be turned {}", on ? "on" : "off");
}

void Say(const char* what, const Measured& measured, const Measured& echo) {
  fmt::print(
      "{:<34} {:6.2f} us CPU a request ({:.2f} user), {:7.0f} requests per CPU-second ({:.0f} % of "
      "the echo), {} failed\n",
      what, measured.cpu_us, measured.user_us, 1e6 / measured.cpu_us,
      100 * echo.cpu_us / measured.cpu_us, measured.load.failed);
}

Result<int> Run(const std::string& program) {
  const std::string request = RequestText();
  Echo echo;  // before there are threads
  GYRE_TRY(const auto package, ForestPackage());
  TestHouse house;
  house.RegisterPackage("bench", package);
  GYRE_DO(house.Deploy("bench:v1"));
  const std::string_view body = std::string_view(request).substr(request.find("\r\n\r\n") + 4);
  fmt::print("{:<34} {:6.2f} us CPU\n", "rows, recipe and forest alone",
             InProcess(*house.serving, body));
  const std::string directory = house.directory().string();
  std::filesystem::permissions(directory, std::filesystem::perms::owner_all);
  house.Close();
  GYRE_TRY(Server server, StartGyre(program, directory));
  Measured best_echo, best_gyre, best_bare;
  for (int round = 0; round < kRounds; ++round) {
    GYRE_TRY(Measured of_echo, Measure(echo.pid(), echo.port(), request));
    GYRE_DO(Capture(server.port, false));
    GYRE_TRY(Measured of_bare, Measure(server.process.pid(), server.port, request));
    GYRE_DO(Capture(server.port, true));
    GYRE_TRY(Measured of_gyre, Measure(server.process.pid(), server.port, request));
    if (round == 0 || of_echo.cpu_us < best_echo.cpu_us) best_echo = std::move(of_echo);
    if (round == 0 || of_bare.cpu_us < best_bare.cpu_us) best_bare = std::move(of_bare);
    if (round == 0 || of_gyre.cpu_us < best_gyre.cpu_us) best_gyre = std::move(of_gyre);
  }
  Say("bare epoll echo of the same bytes", best_echo, best_echo);
  Say("gyre server, capture off", best_bare, best_echo);
  Say("gyre server, each answer captured", best_gyre, best_echo);
  fmt::print("{:<34} {:.3f} times the CPU of a request without it (owed <= 1.10)\n", "  capture",
             best_gyre.cpu_us / best_bare.cpu_us);
  Load open_loop({.port = server.port, .connections = 32, .seconds = 5, .rate = 2000}, request);
  const LoadResult result = open_loop.Run();
  fmt::print("{:<34} p50 {:.2f} ms, p99 {:.2f} ms, p99.9 {:.2f} ms, {} answered, {} failed\n",
             "  at 2,000 requests a second", result.Percentile(0.5) / 1000,
             result.Percentile(0.99) / 1000, result.Percentile(0.999) / 1000, result.answered,
             result.failed);
  server.process.Signal(SIGTERM);
  GYRE_DO(server.process.Wait(-1));
  return 0;
}

}  // namespace
}  // namespace gyre::serving

int main(int argc, char** argv) {
  const std::string build = argc > 1 ? argv[1] : "build";
  const auto done = gyre::serving::Run(std::filesystem::absolute(build + "/gyre").string());
  if (!done) fmt::print("{}\n", done.error().ToString());
  return done ? 0 : 1;
}

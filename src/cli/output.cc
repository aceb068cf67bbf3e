#include <unistd.h>

#include <algorithm>
#include <cstdio>

#include "base/text.h"
#include "base/time.h"
#include "cli/jq.h"
#include "cli/table_text.h"
#include "cli/terminal_output.h"
#include "platform/config/environment.h"
#include "platform/config/yaml.h"

namespace gyre::cli {
namespace {

constexpr std::int64_t kRedrawMicros = 100'000;
constexpr std::int64_t kPlainLineMicros = 2 * kMicrosPerSecond;

struct MarkText {
  std::string_view name, utf8, ascii;
};
constexpr MarkText kMarks[] = {
    {"ok", "✓", "ok"},      {"fail", "✗", "x"},     {"up", "▲", "^"},    {"down", "▼", "v"},
    {"dot", "·", "|"},      {"ge", "≥", ">="},      {"le", "≤", "<="},   {"arrow", "→", "->"},
    {"play", "▶", ">"},     {"delta", "Δ", "diff"}, {"pm", "±", "+-"},   {"tee", "├─", "|-"},
    {"corner", "└─", "`-"}, {"dash", "—", "-"},     {"times", "×", "x"}, {"ellipsis", "…", "..."},
    {"bar", "█", "#"},      {"rest", "░", "."},     {"euro", "€", "EUR"}};

void WriteTo(std::FILE* file, std::string_view text) {
  std::fwrite(text.data(), 1, text.size(), file);
  std::fflush(file);
}

class TerminalOutput : public Output {
 public:
  explicit TerminalOutput(OutputSettings settings) : settings_(std::move(settings)) {
    stdout_ = config::TerminalOf(STDOUT_FILENO);
    stderr_ = config::TerminalOf(STDERR_FILENO);
    ascii_ = AsciiOnly();
    if (!settings_.fields.empty() || !settings_.jq.empty()) settings_.format = "json";
    if (settings_.format.empty()) settings_.format = stdout_.is_terminal ? "table" : "tsv";
    if (settings_.progress == "auto")
      settings_.progress = stderr_.is_terminal && !settings_.quiet ? "bar" : "none";
  }
  ~TerminalOutput() override { EndProgress(); }

  bool json() const override {
    const std::string& f = settings_.format;
    return f == "json" || f == "ndjson" || f == "yaml" || f == "csv" || f == "name";
  }

  void Table(const std::vector<ColumnSpec>& all, const Json& rows,
             std::string_view name_key) override {
    EndProgress();
    const std::string& format = settings_.format;
    if (!settings_.jq.empty()) return WriteFiltered(rows);
    if (!settings_.fields.empty()) return WriteFields(rows.items(), all, true);
    if (!settings_.columns.empty() && !CheckColumns(all)) return;
    if (format == "json") return WriteTo(stdout, rows.DumpPretty() + "\n");
    if (format == "yaml") return WriteTo(stdout, config::DumpYaml(rows));
    if (format == "ndjson") {
      for (const Json& row : rows.items()) WriteTo(stdout, row.Dump() + "\n");
      return;
    }
    if (format == "name") {
      for (const Json& row : rows.items())
        WriteTo(stdout, PlainCell(MemberAt(row, name_key), ColumnSpec::Format::kText) + "\n");
      return;
    }
    const std::vector<ColumnSpec> columns = Chosen(all);
    if (format == "csv") return WriteTo(stdout, CsvTable(columns, rows, settings_.headers));
    if (format == "tsv") return WriteTo(stdout, TsvTable(columns, rows, settings_.headers));
    if (rows.size() == 0) return Note("nothing here yet");
    WriteTo(stdout, AlignedTable(columns, rows, settings_.headers, stdout_.columns));
  }

  void Document(const Json& document, std::string_view human) override {
    EndProgress();
    const std::string& format = settings_.format;
    if (!settings_.jq.empty()) return WriteFiltered(document);
    if (!settings_.fields.empty()) {
      if (document.is_array()) return WriteFields(document.items(), {}, true);
      return WriteFields({document}, {}, false);
    }
    if (format == "json") return WriteTo(stdout, document.DumpPretty() + "\n");
    if (format == "yaml") return WriteTo(stdout, config::DumpYaml(document));
    if (format == "ndjson") return WriteTo(stdout, document.Dump() + "\n");
    if (format == "name") {
      const Json& name = document.Has("name") ? document["name"] : document["id"];
      return WriteTo(stdout, PlainCell(name, ColumnSpec::Format::kText) + "\n");
    }
    if (format == "csv") {
      std::vector<ColumnSpec> columns;
      for (const auto& [key, value] : document.members())
        columns.push_back({key, key, ColumnSpec::Format::kText, false});
      if (!settings_.columns.empty() && !CheckColumns(columns)) return;
      return WriteTo(stdout, CsvTable(Chosen(columns), Json::Arr({document}), settings_.headers));
    }
    if (human.empty()) return;
    WriteTo(stdout, SteerlessText(human));
    if (!human.ends_with('\n')) WriteTo(stdout, "\n");
  }

  void Print(std::string_view text) override {
    EndProgress();
    if (stdout_.is_terminal) return WriteTo(stdout, SteerlessText(text));
    WriteTo(stdout, text);
  }

  void Done(std::string_view line) override {
    EndProgress();
    if (json() || settings_.quiet) return;
    const bool colour = ColourWanted(STDOUT_FILENO);
    WriteTo(stdout, fmt::format("{}{}{} {}\n", colour ? "\x1b[32m" : "", Mark("ok"),
                                colour ? "\x1b[0m" : "", SteerlessText(line)));
  }

  void Note(std::string_view line) override {
    EndProgress();
    if (!settings_.quiet) WriteTo(stderr, fmt::format("{}\n", SteerlessText(line)));
  }

  void Warn(std::string_view line) override {
    EndProgress();
    const bool colour = ColourWanted(STDERR_FILENO);
    WriteTo(stderr, fmt::format("{}!{} {}\n", colour ? "\x1b[33m" : "", colour ? "\x1b[0m" : "",
                                SteerlessText(line)));
  }

  void Hint(std::string_view line) override {
    EndProgress();
    if (stderr_.is_terminal && !settings_.quiet)
      WriteTo(stderr, fmt::format("  next: {}\n", SteerlessText(line)));
  }

  void Progress(double fraction, std::string_view text) override {
    if (settings_.progress == "none") return;
    const std::int64_t now_us = SystemClock().MonotonicMicros();
    if (started_us_ == 0) started_us_ = now_us;
    const bool bar = settings_.progress == "bar";
    const std::int64_t every_us = bar ? kRedrawMicros : kPlainLineMicros;
    if (drawn_us_ != 0 && now_us - drawn_us_ < every_us && fraction < 1) return;
    if (!bar && drawn_us_ != 0 && text == last_text_ && fraction == last_fraction_) return;
    drawn_us_ = now_us;
    last_text_ = std::string(text);
    last_fraction_ = fraction;
    const double seconds = static_cast<double>(now_us - started_us_) / kMicrosPerSecond;
    if (settings_.progress == "json") {
      Json json = Json::Obj({{"progress", fraction < 0 ? Json() : Json(fraction)},
                             {"text", text},
                             {"seconds", seconds}});
      return WriteTo(stderr, json.Dump() + "\n");
    }
    if (!bar) {
      const std::string percent =
          fraction < 0 ? std::string("  - ") : fmt::format("{:3.0f}%", 100 * fraction);
      return WriteTo(stderr, fmt::format("{} {}\n", percent, SteerlessText(text)));
    }
    DrawBar(fraction, text, seconds);
  }

  void EndProgress() override {
    if (on_screen_) WriteTo(stderr, "\r\x1b[K");
    on_screen_ = false;
    started_us_ = drawn_us_ = 0;
  }

  Result<> Written() const override {
    if (misuse_) return *misuse_;
    if (lacks_columns_ && !has_columns_) return *lacks_columns_;
    return {};
  }

  std::string_view Mark(std::string_view name) const override {
    for (const MarkText& mark : kMarks) {
      if (mark.name == name) return ascii_ ? mark.ascii : mark.utf8;
    }
    return "";
  }

 private:
  void DrawBar(double fraction, std::string_view text, double seconds) {
    constexpr int kBarCells = 20;
    std::string line;
    if (fraction >= 0) {
      const int full = static_cast<int>(std::min(fraction, 1.0) * kBarCells);
      for (int i = 0; i < kBarCells; ++i) line += Mark(i < full ? "bar" : "rest");
      line += fmt::format(" {:3.0f}% ", 100 * std::min(fraction, 1.0));
    }
    line += OneLineText(text);
    if (fraction > 0.02 && fraction < 1 && seconds > 2)
      line += fmt::format("  {} left", HumanSeconds(seconds * (1 - fraction) / fraction));
    std::size_t end = 0;
    for (int cells = 0; end < line.size() && cells + 1 < stderr_.columns; ++cells) {
      const std::size_t step = Utf8SequenceLength(std::string_view(line).substr(end));
      end += step == 0 ? 1 : step;
    }
    line.resize(end);
    on_screen_ = true;
    WriteTo(stderr, "\r\x1b[K" + line);
  }

  // What --json asks for, of each item. A field is a member, a path of members, or the name of a
  // column of the table.
  void WriteFields(const Json::Array& items, const std::vector<ColumnSpec>& columns, bool list) {
    std::vector<std::string> keys;
    for (const std::string& field : settings_.fields) {
      std::string key = field;
      if (!items.empty() && !AnyHas(items, key)) {
        const auto column = std::find_if(columns.begin(), columns.end(), [&](const auto& one) {
          return EqualsIgnoreCase(one.header, field) && AnyHas(items, one.key);
        });
        if (column == columns.end()) return Misuse("--json", field, MemberNames(items));
        key = column->key;
      }
      keys.push_back(std::move(key));
    }
    Json out = Json::Arr();
    for (const Json& item : items) {
      Json one = Json::Obj();
      for (std::size_t i = 0; i < keys.size(); ++i)
        one.Set(settings_.fields[i], MemberAt(item, keys[i]));
      out.Push(std::move(one));
    }
    WriteTo(stdout, (list ? out : out.items()[0]).DumpPretty() + "\n");
  }

  static bool AnyHas(const Json::Array& items, std::string_view key) {
    return std::any_of(items.begin(), items.end(),
                       [&](const Json& item) { return HasMemberAt(item, key); });
  }

  static std::vector<std::string> MemberNames(const Json::Array& items) {
    std::vector<std::string> names;
    for (const Json& item : items) {
      for (const auto& [name, value] : item.members()) {
        if (std::find(names.begin(), names.end(), name) == names.end()) names.push_back(name);
      }
    }
    return names;
  }

  void WriteFiltered(const Json& document) {
    auto text = ApplyJq(settings_.jq, document);
    if (text) return WriteTo(stdout, *text);
    if (!misuse_) misuse_ = std::move(text).error();
  }

  // Of a command's tables those are shown that have the columns: one of them must.
  bool CheckColumns(const std::vector<ColumnSpec>& all) {
    std::vector<std::string> names;
    for (const ColumnSpec& column : all) names.push_back(ToLower(column.header));
    for (const std::string& wanted : settings_.columns) {
      const bool there = std::any_of(all.begin(), all.end(), [&](const ColumnSpec& column) {
        return EqualsIgnoreCase(column.header, wanted) || column.key == wanted;
      });
      if (there) continue;
      if (!lacks_columns_) lacks_columns_ = NoSuch("--columns", wanted, names);
      return false;
    }
    has_columns_ = true;
    return true;
  }

  void Misuse(std::string_view option, const std::string& name,
              const std::vector<std::string>& known) {
    misuse_ = NoSuch(option, name, known);
  }

  static Error NoSuch(std::string_view option, const std::string& name,
                      const std::vector<std::string>& known) {
    Error error = InvalidArgument("GY4015", "there is no `{}` for {} here", name, option)
                      .Why("there are " + Join(known, ", "));
    if (const auto close = ClosestMatch(name, known))
      error = std::move(error).Fix(fmt::format("did you mean `{}`?", *close));
    return std::move(error).Fix(fmt::format("{} {}", option, Join(known, ",")));
  }

  std::vector<ColumnSpec> Chosen(const std::vector<ColumnSpec>& all) const {
    std::vector<ColumnSpec> chosen;
    for (const std::string& name : settings_.columns) {
      for (const ColumnSpec& column : all) {
        if (EqualsIgnoreCase(column.header, name) || column.key == name) chosen.push_back(column);
      }
    }
    if (!settings_.columns.empty()) return chosen;
    const bool wide = settings_.format != "table";
    for (const ColumnSpec& column : all) {
      if (wide || !column.wide_only) chosen.push_back(column);
    }
    return chosen;
  }

  OutputSettings settings_;
  std::optional<Error> misuse_, lacks_columns_;
  bool has_columns_ = false;  // a table had all that were asked for
  config::Terminal stdout_, stderr_;
  bool ascii_ = false;
  bool on_screen_ = false;
  std::int64_t started_us_ = 0, drawn_us_ = 0;
  std::string last_text_;
  double last_fraction_ = -2;
};

}  // namespace

bool ColourWanted(int descriptor) {
  if (const auto no = config::Environment("NO_COLOR"); no && !no->empty()) return false;
  if (const auto force = config::Environment("CLICOLOR_FORCE");
      force && *force != "0" && !force->empty())
    return true;
  if (config::Environment("TERM").value_or("dumb") == "dumb") return false;
  return config::TerminalOf(descriptor).is_terminal;
}

bool AsciiOnly() {
  return config::Environment("TERM").value_or("") == "dumb" || !config::LocaleIsUtf8();
}

Result<std::unique_ptr<Output>> NewTerminalOutput(OutputSettings settings) {
  static constexpr std::string_view kFormats[] = {"",     "table", "wide", "json", "ndjson",
                                                  "yaml", "csv",   "tsv",  "name"};
  static constexpr std::string_view kModes[] = {"auto", "plain", "json", "none"};
  if (std::find(std::begin(kFormats), std::end(kFormats), settings.format) == std::end(kFormats)) {
    return InvalidArgument("GY4007", "there is no output format `{}`", settings.format)
        .Fix("-o table, wide, json, ndjson, yaml, csv, tsv or name");
  }
  if (std::find(std::begin(kModes), std::end(kModes), settings.progress) == std::end(kModes)) {
    return InvalidArgument("GY4007", "there is no progress mode `{}`", settings.progress)
        .Fix("--progress auto, plain, json or none");
  }
  return std::unique_ptr<Output>(std::make_unique<TerminalOutput>(std::move(settings)));
}

}  // namespace gyre::cli

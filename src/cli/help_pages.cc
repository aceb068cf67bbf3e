#include "cli/help_pages.h"

#include <algorithm>

#include "base/text.h"
#include "cli/help.h"

namespace gyre::cli {
namespace {

constexpr std::size_t kLinesOfAPage = 3;  // found in it
constexpr std::size_t kLineWidth = 100;

// What people type: "first-model".
std::string_view ShortName(const HelpPage& page) {
  return page.name.substr(page.name.rfind('/') + 1);
}

std::string CommandAndTopic(const Grammar& grammar, const std::string& words, bool everything) {
  std::vector<std::string> parts;
  if (const std::string_view topic = HelpTopic(words); !topic.empty()) parts.emplace_back(topic);
  const Command* command = grammar.FindPath(words);
  if (command != nullptr && !IsHidden(*command)) parts.push_back(CommandHelp(*command, everything));
  if (std::string noun = NounHelp(grammar, words); !noun.empty()) parts.push_back(std::move(noun));
  return Join(parts, "\n");
}

// A command of that name says its own help.
std::string NameToAsk(const Grammar& grammar, const HelpPage& page) {
  const std::string name(ShortName(page));
  return CommandAndTopic(grammar, name, false).empty() ? name : fmt::format("docs/{}", page.name);
}

bool HasAll(std::string_view text, const std::vector<std::string>& words) {
  const std::string lower = ToLower(text);
  return std::all_of(words.begin(), words.end(), [&](const std::string& word) {
    return lower.find(word) != std::string::npos;
  });
}

class Found {
 public:
  explicit Found(std::string_view words) {
    for (std::string_view word : Split(words, ' ')) words_.push_back(ToLower(word));
  }
  // Lines of a text with all the words, at most `most`.
  void Look(std::string_view where, std::string_view text, std::size_t most) {
    for (std::string_view line : Split(text, '\n')) {
      if (most == 0 || !HasAll(line, words_)) continue;
      --most;
      const std::string_view shown = Trim(line).substr(0, Trim(line).find_first_of("\r"));
      lines_.push_back(fmt::format("{:<28} {}", where, Cut(shown)));
    }
  }
  // A text whose lines do not have them may have them as a whole.
  void LookAtAll(std::string_view where, std::string_view title, std::string_view text,
                 std::size_t most) {
    const std::size_t before = lines_.size();
    Look(where, text, most);
    if (lines_.size() == before && HasAll(text, words_))
      lines_.push_back(fmt::format("{:<28} {}", where, title));
  }
  const std::vector<std::string>& lines() const { return lines_; }

 private:
  static std::string Cut(std::string_view line) {
    std::size_t end = std::min(line.size(), kLineWidth);
    while (end < line.size() && (static_cast<unsigned char>(line[end]) & 0xC0) == 0x80) ++end;
    return std::string(line.substr(0, end)) + (end < line.size() ? " .." : "");
  }
  std::vector<std::string> words_, lines_;
};

}  // namespace

const HelpPage* FindHelpPage(std::string_view name) {
  const std::string wanted = ToLower(name.starts_with("docs/") ? name.substr(5) : name);
  for (const HelpPage& page : HelpPages()) {
    if (page.name == wanted || ShortName(page) == wanted) return &page;
  }
  return nullptr;
}

Result<std::string> HelpAbout(const Grammar& grammar, const std::string& words, bool everything,
                              const TextLook& look) {
  const HelpPage* page = FindHelpPage(words);
  if (std::string text = CommandAndTopic(grammar, words, everything); !text.empty()) {
    if (page != nullptr)
      text += fmt::format("\nmore: gyre help docs/{}   ({})\n", page->name, page->title);
    return text;
  }
  if (page != nullptr) return TerminalMarkdown(page->text, look);
  std::vector<std::string> candidates = HelpNames();
  for (const Command& command : grammar.commands()) candidates.emplace_back(command.path);
  Error error = NotFound("GY4008", "there is no help about `{}`", words);
  if (const auto close = ClosestMatch(words, candidates))
    return std::move(error).Fix(fmt::format("did you mean `gyre help {}`?", *close));
  return std::move(error).Fix(fmt::format("gyre help --search {}", words)).Fix("gyre help topics");
}

std::string PageList(const Grammar& grammar, bool with_titles) {
  std::vector<std::string> lines, names;
  for (const HelpPage& page : HelpPages()) {
    lines.push_back(fmt::format("gyre help {:<18} {}", NameToAsk(grammar, page), page.title));
    if (page.name.starts_with("guide/")) names.emplace_back(ShortName(page));
  }
  return with_titles ? Join(lines, "\n") + "\n" : Join(names, ", ");
}

std::vector<std::string> HelpNames() {
  std::vector<std::string> names = HelpTopics();
  for (const HelpPage& page : HelpPages()) names.emplace_back(ShortName(page));
  return names;
}

Result<std::string> SearchHelp(const Grammar& grammar, const std::string& words) {
  Found found(words);
  for (const Command& command : grammar.commands()) {
    if (IsHidden(command)) continue;
    std::string text = fmt::format("{} {}", command.path, command.summary);
    for (const Option& option : command.options) text += fmt::format(" {}", option.help);
    found.LookAtAll(fmt::format("gyre {}", command.path), command.summary, text, 0);
  }
  for (const std::string& topic : HelpTopics())
    found.Look("gyre help " + topic, HelpTopic(topic), kLinesOfAPage);
  for (const HelpPage& page : HelpPages())
    found.LookAtAll("gyre help " + NameToAsk(grammar, page), page.title, page.text, kLinesOfAPage);
  if (found.lines().empty())
    return NotFound("GY4008", "there is no help about `{}`", words).Fix("gyre help topics");
  return Join(found.lines(), "\n") + "\n";
}

}  // namespace gyre::cli

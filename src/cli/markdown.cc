#include "cli/markdown.h"

#include <algorithm>
#include <numeric>
#include <vector>

#include "base/text.h"

namespace gyre::cli {
namespace {

constexpr std::size_t kCellWidthMin = 12;
constexpr std::size_t kCodeIndent = 4;
constexpr char kEscape = '\x1b';

// Columns that the text takes; escape sequences take none.
std::size_t Width(std::string_view text) {
  std::size_t width = 0;
  bool escape = false;
  for (const char c : text) {
    if (c == kEscape) escape = true;
    if (!escape && (static_cast<unsigned char>(c) & 0xC0) != 0x80) ++width;
    if (escape && c == 'm') escape = false;
  }
  return width;
}

std::vector<std::string> Wrapped(std::string_view text, std::size_t width) {
  std::vector<std::string> lines(1);
  for (std::string_view word : Split(text, ' ')) {
    if (word.empty()) continue;
    if (!lines.back().empty() && Width(lines.back()) + 1 + Width(word) > width)
      lines.emplace_back();
    if (!lines.back().empty()) lines.back() += ' ';
    lines.back() += word;
  }
  return lines;
}

// Cells of "| a | b |"; a stroke in code or behind a backslash is text.
std::vector<std::string> Cells(std::string_view line) {
  std::vector<std::string> cells;
  std::string cell;
  bool code = false;
  for (std::size_t i = 1; i < line.size(); ++i) {
    if (line[i] == '`') code = !code;
    if (line[i] == '\\' && i + 1 < line.size() && line[i + 1] == '|') {
      cell += line[++i];
    } else if (line[i] == '|' && !code) {
      cells.emplace_back(Trim(cell));
      cell.clear();
    } else {
      cell += line[i];
    }
  }
  return cells;
}

// The length of "- " or "12. " at the beginning; 0 when the line begins no item.
std::size_t ItemMark(std::string_view line) {
  if (line.starts_with("- ") || line.starts_with("* ")) return 2;
  std::size_t digits = 0;
  while (digits < line.size() && line[digits] >= '0' && line[digits] <= '9') ++digits;
  return digits > 0 && line.substr(digits).starts_with(". ") ? digits + 2 : 0;
}

class Renderer {
 public:
  explicit Renderer(const TextLook& look)
      : look_(look), width_(static_cast<std::size_t>(std::clamp(look.columns, 40, 100))) {}

  std::string Render(std::string_view markdown) {
    for (std::string_view line : Split(markdown, '\n')) Take(line);
    Flush();
    while (text_.ends_with("\n\n")) text_.pop_back();
    return std::move(text_);
  }

 private:
  void Take(std::string_view line) {
    if (comment_ || line.starts_with("<!--")) {
      comment_ = line.find("-->") == std::string_view::npos;
    } else if (line.starts_with("```")) {
      Flush();
      fence_ = !fence_;
    } else if (fence_) {
      Verbatim(line);
    } else if (Trim(line).empty()) {
      Flush();
      Blank();
    } else if (line.starts_with("#")) {
      Flush();
      Heading(line);
    } else if (line.starts_with("|")) {
      FlushParagraph();
      table_.push_back(Cells(line));
    } else if (line.starts_with("    ") && paragraph_.empty()) {
      Verbatim(line.substr(kCodeIndent));
    } else {
      TakeText(line);
    }
  }

  void TakeText(std::string_view line) {
    const std::string_view trimmed = Trim(line);
    if (const std::size_t mark = ItemMark(trimmed); mark > 0) {
      Flush();
      indent_ = static_cast<std::size_t>(trimmed.data() - line.data()) + mark;
      mark_ = std::string(trimmed.substr(0, mark));
      paragraph_ = std::string(trimmed.substr(mark));
      return;
    }
    if (!paragraph_.empty()) paragraph_ += ' ';
    paragraph_ += trimmed.starts_with("> ") ? trimmed.substr(2) : trimmed;
  }

  void Flush() {
    FlushParagraph();
    if (!table_.empty()) Table();
    table_.clear();
  }

  void FlushParagraph() {
    if (paragraph_.empty()) return;
    std::string before = std::string(indent_ - mark_.size(), ' ') + mark_;
    for (const std::string& line : Wrapped(Inline(paragraph_), width_ - indent_)) {
      text_ += before + line + "\n";
      before = std::string(indent_, ' ');
    }
    paragraph_.clear();
    mark_.clear();
    indent_ = 0;
  }

  void Blank() {
    if (!text_.empty() && !text_.ends_with("\n\n")) text_ += '\n';
  }

  void Verbatim(std::string_view line) {
    const bool command = line.starts_with("$ ") && look_.colour;
    text_ += std::string(kCodeIndent, ' ') + (command ? Bold(line) : std::string(line)) + "\n";
  }

  void Heading(std::string_view line) {
    const std::size_t depth = line.find_first_not_of('#');
    const std::string title = Inline(Trim(line.substr(std::min(depth, line.size()))));
    Blank();
    text_ += Bold(title) + "\n";
    if (!look_.colour && depth < 3)
      text_ += std::string(Width(title), depth == 1 ? '=' : '-') + "\n";
  }

  std::string Bold(std::string_view text) const {
    return look_.colour ? fmt::format("\x1b[1m{}\x1b[0m", text) : std::string(text);
  }

  // Code, bold, links and escapes of a line.
  std::string Inline(std::string_view text) const {
    std::string out;
    for (std::size_t i = 0; i < text.size(); ++i) {
      const std::string_view rest = text.substr(i);
      if (rest[0] == '`' && rest.find('`', 1) != rest.npos) {
        const std::size_t end = rest.find('`', 1);
        out += look_.colour ? fmt::format("\x1b[36m{}\x1b[0m", rest.substr(1, end - 1))
                            : std::string(rest.substr(0, end + 1));
        i += end;
      } else if (rest.starts_with("**") && rest.find("**", 2) != rest.npos) {
        const std::size_t end = rest.find("**", 2);
        out += Bold(Inline(rest.substr(2, end - 2)));
        i += end + 1;
      } else if (const std::size_t length = Link(rest, &out); length > 0) {
        i += length - 1;
      } else if (rest[0] == '\\' && rest.size() > 1) {
        out += text[++i];
      } else {
        out += rest[0];
      }
    }
    return out;
  }

  // Adds "[text](target)" or "![text](picture)" as people read it; the length of it, or 0.
  std::size_t Link(std::string_view text, std::string* out) const {
    const std::size_t open = text.starts_with("![") ? 1 : 0;
    const std::size_t middle = text.find("](");
    if (text[open] != '[' || middle == text.npos || text.find('[', open + 1) < middle) return 0;
    const std::size_t end = text.find(')', middle);
    if (end == text.npos) return 0;
    const std::string label = Inline(text.substr(open + 1, middle - open - 1));
    std::string_view target = text.substr(middle + 2, end - middle - 2);
    target = target.substr(0, target.find('#'));
    if (open == 1) {
      *out += fmt::format("[picture: {}]", label);
    } else if (target.starts_with("http")) {
      *out += fmt::format("{} <{}>", label, target);
    } else if (target.ends_with(".md") && target.find("src/") == target.npos) {
      std::string_view page = target.substr(target.rfind('/') + 1);
      page.remove_suffix(3);
      *out += label == target || label == page ? fmt::format("`gyre help {}`", page)
                                               : fmt::format("{} (`gyre help {}`)", label, page);
    } else {
      *out += label;
    }
    return end + 1;
  }

  void Table() {
    constexpr std::string_view kGap = "  ";
    std::size_t columns = 0;
    for (auto& row : table_) {
      for (std::string& cell : row) cell = Inline(cell);
      columns = std::max(columns, row.size());
    }
    std::vector<std::size_t> widths(columns, 0);
    for (auto& row : table_) {
      row.resize(columns);
      for (std::size_t c = 0; c < columns && !IsRule(row); ++c)
        widths[c] = std::max(widths[c], Width(row[c]));
    }
    const std::size_t room = width_ - std::min(width_ / 2, kGap.size() * columns);
    while (std::accumulate(widths.begin(), widths.end(), std::size_t{0}) > room) {
      auto widest = std::max_element(widths.begin(), widths.end());
      if (*widest <= kCellWidthMin) break;
      --*widest;
    }
    for (const auto& row : table_) {
      if (IsRule(row)) {
        TableRule(widths, kGap);
      } else {
        TableRow(row, widths, kGap);
      }
    }
  }

  static bool IsRule(const std::vector<std::string>& row) {
    return std::all_of(row.begin(), row.end(),
                       [](const std::string& cell) {
                         return cell.find_first_not_of(":-") == std::string::npos;
                       }) &&
           !row.empty() && !row[0].empty();
  }

  void TableRule(const std::vector<std::size_t>& widths, std::string_view gap) {
    std::string line;
    for (const std::size_t width : widths) line += std::string(width, '-') + std::string(gap);
    text_ += std::string(TrimEnd(line)) + "\n";
  }

  void TableRow(const std::vector<std::string>& row, const std::vector<std::size_t>& widths,
                std::string_view gap) {
    std::vector<std::vector<std::string>> cells;
    std::size_t height = 1;
    for (std::size_t c = 0; c < row.size(); ++c) {
      cells.push_back(Wrapped(row[c], widths[c]));
      height = std::max(height, cells.back().size());
    }
    for (std::size_t y = 0; y < height; ++y) {
      std::string line;
      for (std::size_t c = 0; c < cells.size(); ++c) {
        const std::string cell = y < cells[c].size() ? cells[c][y] : "";
        const std::size_t padding = widths[c] - std::min(widths[c], Width(cell));
        line += cell + std::string(padding, ' ') + std::string(gap);
      }
      text_ += std::string(TrimEnd(line)) + "\n";
    }
  }

  static std::string_view TrimEnd(std::string_view line) {
    while (line.ends_with(' ')) line.remove_suffix(1);
    return line;
  }

  TextLook look_;
  std::size_t width_;
  std::string text_, paragraph_, mark_;
  std::size_t indent_ = 0;
  std::vector<std::vector<std::string>> table_;
  bool fence_ = false, comment_ = false;
};

}  // namespace

std::string TerminalMarkdown(std::string_view markdown, const TextLook& look) {
  return Renderer(look).Render(markdown);
}

}  // namespace gyre::cli

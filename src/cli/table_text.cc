#include "cli/table_text.h"

#include <algorithm>
#include <cmath>

#include "base/text.h"
#include "base/time.h"

namespace gyre::cli {
namespace {

using Format = ColumnSpec::Format;
constexpr std::size_t kCellWidthMax = 60;

std::size_t DisplayWidth(std::string_view text) {
  std::size_t width = 0;
  for (unsigned char c : text) width += (c & 0xC0) != 0x80 ? 1 : 0;
  return width;
}

std::string Shorten(std::string text, std::size_t width) {
  if (DisplayWidth(text) <= width) return text;
  std::size_t end = 0;
  for (std::size_t seen = 0; end < text.size() && seen + 2 < width; ++seen) {
    const std::size_t step = Utf8SequenceLength(std::string_view(text).substr(end));
    end += step == 0 ? 1 : step;
  }
  text.resize(end);
  return text + "..";
}

std::string Significant(double value) {
  std::string text = fmt::format("{:.6g}", value);
  return text;
}

std::string CsvField(const std::string& text) {
  if (text.find_first_of(",\"\r\n") == std::string::npos) return text;
  std::string quoted = "\"";
  for (char c : text) {
    if (c == '"') quoted += '"';
    quoted += c;
  }
  return quoted + "\"";
}

template <class CellText>
std::string Delimited(std::span<const ColumnSpec> columns, const Json& rows, bool headers,
                      char separator, CellText cell_text) {
  std::string text;
  if (headers) {
    for (std::size_t c = 0; c < columns.size(); ++c) {
      if (c > 0) text += separator;
      text += cell_text(std::string(columns[c].header));
    }
    text += '\n';
  }
  for (const Json& row : rows.items()) {
    for (std::size_t c = 0; c < columns.size(); ++c) {
      if (c > 0) text += separator;
      text += cell_text(PlainCell(MemberAt(row, columns[c].key), columns[c].format));
    }
    text += '\n';
  }
  return text;
}

// The character at *i, a control character as \x1b; *i is then at its last byte.
void AppendSteerless(std::string_view text, std::size_t* i, std::string* out) {
  const auto c = static_cast<unsigned char>(text[*i]);
  // U+0080 to U+009F: control characters of two bytes.
  const bool second = c == 0xC2 && *i + 1 < text.size() &&
                      static_cast<unsigned char>(text[*i + 1]) >= 0x80 &&
                      static_cast<unsigned char>(text[*i + 1]) < 0xA0;
  if (c < 0x20 || c == 0x7f) {
    *out += fmt::format("\\x{:02x}", c);
  } else if (second) {
    *out += fmt::format("\\x{:02x}", static_cast<unsigned char>(text[++*i]));
  } else {
    *out += text[*i];
  }
}

// Of "\x1b[31;1m" at the beginning of a text: it colours what follows and does nothing else.
std::size_t ColourLength(std::string_view text) {
  if (!text.starts_with("\x1b[")) return 0;
  const std::size_t end = text.find_first_not_of("0123456789;", 2);
  return end != std::string_view::npos && text[end] == 'm' ? end + 1 : 0;
}

}  // namespace

std::string OneLineText(std::string_view text) {
  std::string line;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '\n') {
      line += "\\n";
    } else if (text[i] == '\t') {
      line += "\\t";
    } else if (text[i] == '\r') {
      line += "\\r";
    } else {
      AppendSteerless(text, &i, &line);
    }
  }
  return line;
}

std::string SteerlessText(std::string_view text) {
  std::string harmless;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (const std::size_t colour = ColourLength(text.substr(i)); colour > 0) {
      harmless += text.substr(i, colour);
      i += colour - 1;
    } else if (text[i] == '\n' || text[i] == '\t' || text[i] == '\r') {
      harmless += text[i];
    } else {
      AppendSteerless(text, &i, &harmless);
    }
  }
  return harmless;
}

bool HasMemberAt(const Json& row, std::string_view key) {
  if (row.Has(key)) return true;
  const std::size_t dot = key.find('.');
  return dot != std::string_view::npos && HasMemberAt(row[key.substr(0, dot)], key.substr(dot + 1));
}

const Json& MemberAt(const Json& row, std::string_view key) {
  if (row.Has(key)) return row[key];
  const Json* at = &row;
  for (std::string_view part : Split(key, '.')) at = &(*at)[part];
  return *at;
}

std::string PlainCell(const Json& value, ColumnSpec::Format format) {
  if (value.is_null()) return {};
  if (format == Format::kTime && value.is_int())
    return value.AsInt() == 0 ? std::string() : FormatTime(value.AsInt());
  if (value.is_string()) return value.AsString();
  // What was measured to the microsecond has no more digits.
  if (value.is_number() && (format == Format::kSeconds || format == Format::kPercent))
    return fmt::format("{}", std::round(value.AsDouble() * 1e6) / 1e6);
  return value.Dump();
}

std::string HumanCell(const Json& value, ColumnSpec::Format format) {
  if (value.is_null()) return {};
  if (value.is_number()) {
    switch (format) {
      case Format::kCount:
        return GroupDigits(value.AsInt());
      case Format::kBytes:
        return HumanBytes(value.AsInt());
      case Format::kTime: {
        if (value.AsInt() == 0) return {};
        std::string text =
            FormatTime(value.AsInt() / (60 * kMicrosPerSecond) * (60 * kMicrosPerSecond))
                .substr(0, 16);
        std::replace(text.begin(), text.end(), 'T', ' ');
        return text;
      }
      case Format::kSeconds:
        return HumanSeconds(value.AsDouble());
      case Format::kNumber:
        return Significant(value.AsDouble());
      case Format::kPercent:
        if (value.AsDouble() < 0) return {};  // nobody knows
        return fmt::format("{:.1f} %", 100 * value.AsDouble());
      case Format::kText:
        break;
    }
  }
  if (format == Format::kTime && value.is_string() && value.AsString().size() >= 16 &&
      value.AsString()[10] == 'T') {
    return value.AsString().substr(0, 10) + " " + value.AsString().substr(11, 5);
  }
  if (value.is_array() && std::all_of(value.items().begin(), value.items().end(),
                                      [](const Json& item) { return item.is_string(); })) {
    std::vector<std::string> parts;
    for (const Json& item : value.items()) parts.push_back(item.AsString());
    return OneLineText(Join(parts, ", "));
  }
  return OneLineText(PlainCell(value, format));
}

std::string AlignedTable(std::span<const ColumnSpec> columns, const Json& rows, bool headers,
                         int width_max) {
  std::vector<std::vector<std::string>> cells;
  std::vector<std::size_t> widths(columns.size(), 0);
  const std::size_t cell_max =
      std::max<std::size_t>(kCellWidthMax, static_cast<std::size_t>(width_max) / 2);
  if (headers) {
    auto& line = cells.emplace_back();
    for (const ColumnSpec& column : columns) line.push_back(OneLineText(column.header));
  }
  for (const Json& row : rows.items()) {
    auto& line = cells.emplace_back();
    for (const ColumnSpec& column : columns)
      line.push_back(Shorten(HumanCell(MemberAt(row, column.key), column.format), cell_max));
  }
  for (const auto& line : cells) {
    for (std::size_t c = 0; c < columns.size(); ++c)
      widths[c] = std::max(widths[c], DisplayWidth(line[c]));
  }
  std::string text;
  for (const auto& line : cells) {
    std::string out;
    for (std::size_t c = 0; c < columns.size(); ++c) {
      if (c > 0) out += "  ";
      const std::string padding(widths[c] - DisplayWidth(line[c]), ' ');
      const bool right = columns[c].format != Format::kText && columns[c].format != Format::kTime;
      out += right ? padding + line[c] : line[c] + padding;
    }
    while (out.ends_with(' ')) out.pop_back();
    text += out + "\n";
  }
  return text;
}

std::string TsvTable(std::span<const ColumnSpec> columns, const Json& rows, bool headers) {
  return Delimited(columns, rows, headers, '\t',
                   [](const std::string& text) { return OneLineText(text); });
}

std::string CsvTable(std::span<const ColumnSpec> columns, const Json& rows, bool headers) {
  return Delimited(columns, rows, headers, ',',
                   [](const std::string& text) { return CsvField(text); });
}

}  // namespace gyre::cli

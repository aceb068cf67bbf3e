#include "ml/monitoring/report_picture.h"

#include <algorithm>
#include <cmath>
#include <vector>

#include "base/text.h"
#include "base/time.h"
#include "platform/table/append.h"

namespace gyre::monitoring {
namespace {

struct Size {
  double width, height;
};
constexpr Size kPicture{520, 150}, kSpark{120, 26};
constexpr double kAxisHeight = 20, kBarHeight = 8, kBarGap = 8, kLabelWidth = 150, kShareWidth = 96;
constexpr std::size_t kLabelLetters = 22;

// Both sides as shares, so that tables of different sizes lie over each other.
struct Shares {
  std::vector<double> reference, current;
  double highest = 0;
};

std::vector<double> SharesOf(const std::vector<double>& counts, double outside) {
  double sum = outside;
  for (const double count : counts) sum += count;
  std::vector<double> shares;
  for (const double count : counts) shares.push_back(sum > 0 ? count / sum : 0);
  return shares;
}

Shares SharesOf(const Json& column) {
  std::vector<double> reference, current;
  double reference_outside = 0, current_outside = 0;
  if (const Json& histogram = column["histogram"]; histogram.is_object()) {
    for (const Json& count : histogram["reference"].items()) reference.push_back(count.AsDouble());
    for (const Json& count : histogram["current"].items()) current.push_back(count.AsDouble());
    for (const char* where : {"below", "above"}) {
      reference_outside += histogram[where]["reference"].AsDouble();
      current_outside += histogram[where]["current"].AsDouble();
    }
  }
  for (const Json& value : column["values"].items()) {
    reference.push_back(value["reference"].AsDouble());
    current.push_back(value["current"].AsDouble());
  }
  Shares shares{SharesOf(reference, reference_outside), SharesOf(current, current_outside)};
  for (const std::vector<double>* side : {&shares.reference, &shares.current}) {
    for (const double share : *side) shares.highest = std::max(shares.highest, share);
  }
  return shares;
}

// The outline of a histogram; closed at the ground for an area.
std::string Steps(const std::vector<double>& shares, double highest, Size size, bool closed) {
  const double width = size.width / static_cast<double>(shares.size());
  const auto y = [&](double share) { return size.height - (size.height - 3) * share / highest; };
  std::string path = closed ? fmt::format("M0 {:.1f}", size.height) : std::string();
  for (std::size_t i = 0; i < shares.size(); ++i) {
    const double left = width * static_cast<double>(i);
    path += fmt::format("{}{:.1f} {:.1f}H{:.1f}", path.empty() ? 'M' : 'L', left, y(shares[i]),
                        left + width);
  }
  if (closed) path += fmt::format("L{:.1f} {:.1f}Z", size.width, size.height);
  return path;
}

std::string Outlines(const Shares& shares, Size size) {
  return fmt::format(R"(<path class="ref" d="{}"/><path class="cur" d="{}"/>)",
                     Steps(shares.reference, shares.highest, size, true),
                     Steps(shares.current, shares.highest, size, false));
}

std::string Begin(Size size, std::string_view kind, std::string_view about) {
  return fmt::format(R"(<svg class="{}" viewBox="0 0 {:.0f} {:.0f}" role="img" aria-label="{}">)",
                     kind, size.width, size.height, EscapeHtml(about));
}

std::string Outside(const Json& histogram, const char* where) {
  const double reference = histogram[where]["reference"].AsDouble(),
               current = histogram[where]["current"].AsDouble();
  if (reference + current == 0) return {};
  return fmt::format(" ({} {})", GroupDigits(static_cast<std::int64_t>(reference + current)),
                     where);
}

std::string HistogramPicture(const Json& column, const Shares& shares) {
  const Json& histogram = column["histogram"];
  const Json::Array& edges = histogram["edges"].items();
  const std::string& type = column["type"].AsString();
  const double low = edges.front().AsDouble(), high = edges.back().AsDouble();
  const Size area{kPicture.width, kPicture.height - kAxisHeight};
  std::string svg = Begin(kPicture, "picture", "distributions of " + column["name"].AsString());
  svg += Outlines(shares, area);
  svg += fmt::format(R"(<path class="axis" d="M0 {0:.1f}H{1:.0f}"/>)", area.height, area.width);
  const auto label = [&](double x, std::string_view anchor, const std::string& text) {
    svg += fmt::format(R"(<text x="{:.0f}" y="{:.0f}" text-anchor="{}">{}</text>)", x,
                       kPicture.height - 5, anchor, EscapeHtml(text));
  };
  label(0, "start", ShownNumber(type, low) + Outside(histogram, "below"));
  label(area.width / 2, "middle", ShownNumber(type, (low + high) / 2));
  label(area.width, "end", ShownNumber(type, high) + Outside(histogram, "above"));
  return svg + "</svg>";
}

std::string Label(const Json& value) {
  if (value["value"].is_null()) return fmt::format("{} others", value["of"].AsInt());
  const std::string& text = value["value"].AsString();
  if (text.empty()) return "(empty)";
  std::string shown;
  std::size_t letters = 0;
  for (std::size_t at = 0; at < text.size(); ++letters) {
    const std::size_t length =
        std::max(std::size_t{1}, Utf8SequenceLength(std::string_view(text).substr(at)));
    if (letters == kLabelLetters) return shown + "…";
    shown += text.substr(at, length);
    at += length;
  }
  return shown;
}

std::string BarsPicture(const Json& column, const Shares& shares) {
  const Json::Array& values = column["values"].items();
  const double step = 2 * kBarHeight + kBarGap;
  const Size size{kPicture.width, step * static_cast<double>(values.size())};
  const double full = size.width - kLabelWidth - kShareWidth;
  std::string svg = Begin(size, "picture", "categories of " + column["name"].AsString());
  for (std::size_t i = 0; i < values.size(); ++i) {
    const double top = step * static_cast<double>(i);
    const auto bar = [&](double share, double y, std::string_view kind) {
      svg +=
          fmt::format(R"(<rect class="{}" x="{:.0f}" y="{:.1f}" width="{:.1f}" height="{:.0f}"/>)",
                      kind, kLabelWidth, y,
                      std::max(full * share / shares.highest, share > 0 ? 1.0 : 0.0), kBarHeight);
    };
    svg += fmt::format(R"(<text x="{:.0f}" y="{:.1f}" text-anchor="end">{}</text>)",
                       kLabelWidth - 8, top + kBarHeight + 4, EscapeHtml(Label(values[i])));
    bar(shares.reference[i], top, "refbar");
    bar(shares.current[i], top + kBarHeight, "curbar");
    svg += fmt::format(R"(<text x="{:.0f}" y="{:.1f}" text-anchor="end">{:.1f} → {:.1f} %</text>)",
                       size.width, top + kBarHeight + 4, 100 * shares.reference[i],
                       100 * shares.current[i]);
  }
  return svg + "</svg>";
}

}  // namespace

std::string EscapeHtml(std::string_view text) {
  std::string out;
  for (const char c : text) {
    if (c == '&') {
      out += "&amp;";
    } else if (c == '<') {
      out += "&lt;";
    } else if (c == '>') {
      out += "&gt;";
    } else if (c == '"') {
      out += "&quot;";
    } else if (c == '\'') {
      out += "&#39;";
    } else if (static_cast<unsigned char>(c) < ' ') {
      out += ' ';
    } else {
      out += c;
    }
  }
  return out;
}

std::string ShownNumber(std::string_view type, double value) {
  constexpr std::size_t kToTheMinute = 16;  // of "2011-12-31T10:00:00Z"
  if (type == "date") return table::DateText(static_cast<std::int64_t>(std::floor(value)));
  if (type == "timestamp") {
    std::string text = FormatTime(static_cast<std::int64_t>(value)).substr(0, kToTheMinute);
    std::ranges::replace(text, 'T', ' ');
    return text;
  }
  constexpr double kPlainMin = 1e3, kPlainMax = 1e7;  // 13034, not 1.303e+04
  if (std::abs(value) >= kPlainMin && std::abs(value) < kPlainMax)
    return fmt::format("{:.0f}", value);
  return fmt::format("{:.4g}", value);
}

std::string ColumnPicture(const Json& column) {
  const Shares shares = SharesOf(column);
  if (shares.highest <= 0) return {};
  return column["histogram"].is_object() ? HistogramPicture(column, shares)
                                         : BarsPicture(column, shares);
}

std::string ColumnSpark(const Json& column) {
  const Shares shares = SharesOf(column);
  if (shares.highest <= 0) return {};
  return Begin(kSpark, "spark", "distributions") + Outlines(shares, kSpark) + "</svg>";
}

}  // namespace gyre::monitoring

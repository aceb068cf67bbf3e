#include "ml/data/reference.h"

#include <algorithm>

#include "base/text.h"
#include "platform/table/formats.h"
#include "platform/table/frame.h"

namespace gyre::data {

Result<std::int64_t> ParseVersionNumber(std::string_view text) {
  if (text.empty() || text == "latest") return 0;
  const std::string_view digits = text.starts_with('v') ? text.substr(1) : text;
  const auto number = ParseInt(digits);
  if (number && *number > 0) return *number;
  return InvalidArgument("GY2103", "`{}` is not a version", text.substr(0, 60))
      .Fix("v1, v2, ... or latest");
}

Result<Reference> ParseReference(std::string_view project, std::string_view text) {
  Reference reference;
  reference.project = project;
  if (const std::size_t slash = text.find('/'); slash != std::string_view::npos) {
    reference.project = text.substr(0, slash);
    text.remove_prefix(slash + 1);
    GYRE_DO(CheckName("project", reference.project));
  }
  if (const std::size_t colon = text.find(':'); colon != std::string_view::npos) {
    GYRE_TRY(reference.number, ParseVersionNumber(text.substr(colon + 1)));
    text = text.substr(0, colon);
  }
  reference.dataset = text;
  if (reference.dataset.find('@') != std::string::npos) {
    return InvalidArgument("GY2103", "a dataset has no alias: `{}`", text.substr(0, 60))
        .Fix("name a version: sales:v3");
  }
  GYRE_DO(CheckName("dataset", reference.dataset));
  return reference;
}

Result<Json> ParseTypes(const std::vector<std::string>& types) {
  Json list = Json::Arr();
  for (const std::string& item : types) {
    // The last separator: a column's name may hold one.
    std::string_view text = item, format;
    std::size_t colon = text.rfind(":%");
    if (const std::size_t at = text.rfind(":1"); at != std::string_view::npos) {
      const auto number = table::ParseFormat(text.substr(at + 1));
      if (number && table::IsNumberFormat(number->text)) colon = at;
    }
    if (colon != std::string_view::npos) {
      format = text.substr(colon + 1);
      text = text.substr(0, colon);
    }
    const std::size_t at = text.find_last_of("=:");
    const std::string type(at == std::string_view::npos ? "" : text.substr(at + 1));
    const auto known = table::ParseFormat(format);
    if (!format.empty() &&
        (!known || type != (table::IsNumberFormat(known->text) ? "double" : "date"))) {
      return InvalidArgument("GY2106", "`{}` does not give a column a format", item.substr(0, 100))
          .Fix("--type when=date:%d/%m/%Y    (or %m/%d/%Y, %Y-%m-%d)")
          .Fix("--type price=double:1.234,5    (or 1,234.5)");
    }
    if (at == std::string::npos || at == 0 || !table::ParseType(type)) {
      return InvalidArgument("GY2106", "`{}` does not give a column a type", item.substr(0, 100))
          .Fix("--type age=text    (bool, int, double, text, date, timestamp)");
    }
    Json field = Json::Obj({{"name", text.substr(0, at)}, {"type", type}});
    if (!format.empty()) field.Set("format", format);
    list.Push(std::move(field));
  }
  return list;
}

namespace {

bool Mentions(std::string_view sql, std::string_view name, bool alone) {
  const std::string text = ToLower(sql), word = ToLower(name);
  const auto is_word = [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '_';
  };
  for (std::size_t at = text.find(word); at != std::string::npos; at = text.find(word, at + 1)) {
    const std::size_t end = at + word.size();
    const bool begins = at == 0 || !is_word(text[at - 1]);
    const bool ends = end >= text.size() || !is_word(text[end]);
    if (begins && ends && !(alone && text.compare(end, 2, ":v") == 0)) return true;
  }
  return false;
}

}  // namespace

bool MentionsName(std::string_view sql, std::string_view name) {
  return Mentions(sql, name, false);
}

bool MentionsNameAlone(std::string_view sql, std::string_view name) {
  return Mentions(sql, name, true);
}

std::string ShortTitle(std::string_view sql) {
  constexpr std::size_t kShown = 60;
  std::string title(Trim(sql));
  std::ranges::replace(title, '\n', ' ');
  std::size_t end = 0;
  while (end < std::min(title.size(), kShown))
    end += std::max<std::size_t>(1, Utf8SequenceLength(std::string_view(title).substr(end)));
  return end < title.size() ? title.substr(0, end) + "..." : title;
}

Error NoSuchTable(const Error& error, const std::vector<std::string>& names) {
  constexpr std::size_t kShown = 10;
  const std::string& message = error.message();
  const std::size_t from = message.find('`') + 1;
  Error own = InvalidArgument("GY2017", "{}", message);
  if (const auto close = ClosestMatch(message.substr(from, message.rfind('`') - from), names))
    own = std::move(own).Fix(fmt::format("did you mean `{}`?", *close));
  const std::vector<std::string> some(
      names.begin(), names.begin() + static_cast<std::ptrdiff_t>(std::min(names.size(), kShown)));
  return std::move(own).Fix("datasets of the project: " + Join(some, ", "));
}

}  // namespace gyre::data

#include "cli/apply/declaration.h"

#include <algorithm>
#include <cmath>
#include <set>

#include "base/text.h"
#include "cli/apply/sql_tables.h"
#include "cli/fetch.h"
#include "cli/small_file.h"
#include "platform/config/environment.h"
#include "platform/config/settings.h"
#include "platform/config/yaml.h"

namespace gyre::cli::apply {
namespace {

constexpr std::size_t kProblemsMax = 100;

std::string KindText(const Json& json) {
  switch (json.kind()) {
    case Json::Kind::kNull:
      return "nothing";
    case Json::Kind::kBool:
      return "true or false";
    case Json::Kind::kInt:
    case Json::Kind::kDouble:
      return "a number";
    case Json::Kind::kString:
      return "a text";
    case Json::Kind::kArray:
      return "a list";
    case Json::Kind::kObject:
      return "names and values";
  }
  return {};
}

std::string_view ShapeText(Shape shape) {
  constexpr std::string_view kTexts[] = {"a text",
                                         "a whole number",
                                         "a number",
                                         "true or false",
                                         "a time such as 90, 60s, 5m, 1h or 1d",
                                         "a list of texts",
                                         "names and texts",
                                         "names and values",
                                         "a list of names and values",
                                         "names and values",
                                         "a document",
                                         "names and what each holds",
                                         "a time of the day such as 22:00"};
  return kTexts[static_cast<int>(shape)];
}

template <class Range, class Name>
std::vector<std::string> NamesOf(const Range& range, Name name) {
  std::vector<std::string> names;
  for (const auto& item : range) names.emplace_back(item.*name);
  return names;
}

class Reader {
 public:
  Reader(Declaration* declaration, std::vector<Error>* problems)
      : declaration_(*declaration), problems_(*problems) {}

  void ReadAll(const Json& document) {
    std::vector<std::string> known = NamesOf(Kinds(), &Kind::noun);
    known.insert(known.end(), {"project", "settings"});
    for (const auto& [key, value] : document.members()) {
      if (std::ranges::find(known, key) != known.end()) continue;
      Say({key}, Guess(InvalidArgument("GY4902", "gyre.yaml has no `{}`", key), key, known,
                       "gyre schema   (says what it may hold)"));
    }
    ReadProject(document);
    for (const Kind& kind : Kinds()) ReadKind(kind, document);
  }

  // What an entry names must be there; what the server may have is asked of it later.
  void CheckTogether() {
    OrderQueries();
    CheckCircles();
    for (Entry& entry : declaration_.entries) {
      if (entry.kind->noun == "sources") CheckSource(entry);
      if (entry.kind->noun == "datasets") CheckRows(entry);
      if (entry.kind->noun == "recipes") ReadNamed(entry, "recipe");
      if (entry.kind->noun == "pipelines") ReadPipeline(entry);
      if (entry.kind->noun == "channels") CheckChannel(entry);
      if (entry.kind->noun == "endpoints") {
        FollowChampion(entry);
        CheckVariants(entry);
      }
    }
  }

 private:
  using Path = std::vector<std::string>;

  void Say(const Path& path, Error error) {
    if (problems_.size() >= kProblemsMax) return;
    const int line = config::YamlLineAt(declaration_.text, path);
    problems_.push_back(Error(std::move(error).Where(declaration_.Where(line))));
  }
  static Error Guess(Error error, std::string_view word, const std::vector<std::string>& known,
                     std::string otherwise) {
    if (const auto close = ClosestMatch(word, known))
      return Error(std::move(error).Fix(fmt::format("did you mean `{}`?", *close)));
    return Error(std::move(error).Fix(std::move(otherwise)));
  }
  static Path Below(Path path, std::string_view key) {
    path.emplace_back(key);
    return path;
  }
  static Path PathOf(const Entry& entry) {
    Path path = {std::string(entry.kind->noun)};
    if (!entry.name.empty()) path.push_back(entry.name);
    return path;
  }

  void ReadProject(const Json& document) {
    const Json& name = document["project"];
    if (name.is_null()) return;
    if (!name.is_string())
      return Say({"project"},
                 InvalidArgument("GY4903", "`project` must be a text, not {}", KindText(name))
                     .Fix("project: churn"));
    if (auto named = CheckName("project", name.AsString()); !named)
      return Say({"project"}, std::move(named).error());
    declaration_.project = name.AsString();
  }

  void ReadKind(const Kind& kind, const Json& document) {
    const Json* const section = document.Find(kind.noun);
    if (section == nullptr || section->is_null()) return;
    const std::string noun(kind.noun);
    if (!section->is_object()) {
      return Say({noun}, InvalidArgument("GY4903", "`{}` must hold names and values, not {}", noun,
                                         KindText(*section))
                             .Fix(std::string(Trim(kind.example))));
    }
    if (kind.noun == kProblem) return ReadEntry(kind, "", *section, {noun});
    for (const auto& [name, value] : section->members()) {
      const Path path = {noun, name};
      const std::string bare = name.substr(0, kind.noun == "gates" ? name.find('@') : name.size());
      if (auto named = CheckName(kind.singular, bare); !named) {
        Say(path, std::move(named).error());
      } else if (!value.is_object() && !value.is_null()) {
        Say(path, InvalidArgument("GY4903", "{} `{}` must hold names and values, not {}",
                                  kind.singular, name, KindText(value))
                      .Fix(std::string(Trim(kind.example))));
      } else {
        ReadEntry(kind, name, value, path);
      }
    }
  }

  void ReadEntry(const Kind& kind, const std::string& name, const Json& value, const Path& path) {
    Entry entry{.kind = &kind, .name = name, .line = config::YamlLineAt(declaration_.text, path)};
    entry.spec = ReadMembers(kind.members, value, path, entry.id());
    declaration_.entries.push_back(std::move(entry));
  }

  Json ReadMembers(std::span<const Member> members, const Json& value, const Path& path,
                   const std::string& of) {
    Json spec = Json::Obj();
    for (const auto& [key, given] : value.members()) {
      const Member* const member = FindMember(members, key);
      if (member == nullptr) {
        const auto known = NamesOf(members, &Member::name);
        Say(Below(path, key), Guess(InvalidArgument("GY4902", "`{}` has no `{}`", of, key), key,
                                    known, "it has " + Join(known, ", ")));
      } else if (!given.is_null()) {
        if (auto read = ReadValue(*member, given, Below(path, key), of + "." + key))
          spec.Set(key, *std::move(read));
      }
    }
    for (const Member& member : members) {
      if (!member.required || spec.Has(member.name) || value.Has(member.name)) continue;
      Say(path, InvalidArgument("GY4904", "`{}` lacks `{}`", of, member.name)
                    .Why(std::string(member.doc))
                    .Fix(fmt::format("{}: ...", member.name)));
    }
    return spec;
  }

  std::optional<Json> ReadValue(const Member& member, const Json& given, const Path& path,
                                const std::string& of) {
    const auto wrong = [&]() -> std::optional<Json> {
      Say(path, InvalidArgument("GY4903", "`{}` must be {}, not {}", of, ShapeText(member.shape),
                                KindText(given))
                    .Why(std::string(member.doc)));
      return std::nullopt;
    };
    switch (member.shape) {
      case Shape::kText:
        // A name of digits is a number to YAML.
        if (given.is_number()) return Allowed(member, given.Dump(), path, of);
        return given.is_string() ? Allowed(member, given.AsString(), path, of) : wrong();
      case Shape::kWhole:
        return given.is_int() ? given : wrong();
      case Shape::kNumber:
        return given.is_number() && std::isfinite(given.AsDouble()) ? given : wrong();
      case Shape::kBool:
        return given.is_bool() ? given : wrong();
      case Shape::kSeconds:
        if (const auto seconds = Seconds(given)) return *seconds;
        return wrong();
      case Shape::kTexts:
        return given.is_array() && std::ranges::all_of(given.items(), &Json::is_string)
                   ? Goals(member, given)
                   : wrong();
      case Shape::kTextMap:
        return given.is_object() ? ReadTexts(member, given, path, of) : wrong();
      case Shape::kFreeMap:
        return given.is_object() ? given : wrong();
      case Shape::kObjects:
        return given.is_array() && std::ranges::all_of(given.items(), &Json::is_object) ? given
                                                                                        : wrong();
      case Shape::kObject:
        if (!given.is_object()) return wrong();
        return ReadMembers(member.members, given, path, of);
      case Shape::kFree:
        return given.is_object() ? given : wrong();
      case Shape::kObjectMap:
        return given.is_object() ? ReadNamedObjects(member, given, path, of) : wrong();
      case Shape::kClock:
        if (const auto clock = ClockText(given)) return *clock;
        return wrong();
    }
    return wrong();
  }

  std::optional<Json> Allowed(const Member& member, const std::string& text, const Path& path,
                              const std::string& of) {
    if (member.allowed.empty()) return text;
    std::vector<std::string> allowed;
    for (const std::string_view word : Split(member.allowed, '|')) allowed.emplace_back(word);
    if (std::ranges::find(allowed, text) != allowed.end()) return text;
    Say(path, Guess(InvalidArgument("GY4905", "`{}` cannot be `{}`", of, text), text, allowed,
                    "one of " + Join(allowed, ", ")));
    return std::nullopt;
  }

  std::optional<Json> ReadTexts(const Member& member, const Json& given, const Path& path,
                                const std::string& of) {
    Json texts = Json::Obj();
    for (const auto& [name, value] : given.members()) {
      if (!value.is_string()) {
        Say(Below(path, name),
            InvalidArgument("GY4903", "`{}.{}` must be a text, not {}", of, name, KindText(value)));
      } else if (Allowed(member, value.AsString(), Below(path, name), of + "." + name)) {
        texts.Set(name, value);
      }
    }
    return texts;
  }

  Json ReadNamedObjects(const Member& member, const Json& given, const Path& path,
                        const std::string& of) {
    Json objects = Json::Obj();
    for (const auto& [name, value] : given.members()) {
      const std::string id = fmt::format("{}.{}", of, name);
      if (value.is_object()) {
        objects.Set(name, ReadMembers(member.members, value, Below(path, name), id));
      } else {
        Say(Below(path, name), InvalidArgument("GY4903", "`{}` must be names and values, not {}",
                                               id, KindText(value)));
      }
    }
    return objects;
  }

  static Json Goals(const Member& member, const Json& given) {
    if (member.name != "kpis") return given;
    Json goals = Json::Arr();
    for (const Json& goal : given.items()) goals.Push(GoalText(goal.AsString()));
    return goals;
  }

  // "7:00" -> "07:00", as the server keeps it.
  static std::optional<Json> ClockText(const Json& given) {
    const auto parts = Split(given.AsString(), ':');
    if (parts.size() != 2) return std::nullopt;
    const auto hour = ParseInt(parts[0]), minute = ParseInt(parts[1]);
    if (!hour || !minute || *hour < 0 || *hour > 23 || *minute < 0 || *minute > 59)
      return std::nullopt;
    return Json(fmt::format("{:02}:{:02}", *hour, *minute));
  }

  static std::optional<Json> Seconds(const Json& given) {
    double seconds = 0;
    if (given.is_number()) {
      seconds = given.AsDouble();
    } else {
      const auto parsed = given.is_string() ? config::ParseSeconds(given.AsString())
                                            : Result<double>(InvalidArgument("GY4903", "no time"));
      if (!parsed) return std::nullopt;
      seconds = *parsed;
    }
    if (!std::isfinite(seconds) || seconds < 0 || seconds > 1e11) return std::nullopt;
    const auto whole = static_cast<std::int64_t>(seconds);
    return static_cast<double>(whole) == seconds ? Json(whole) : Json(seconds);
  }

  // What a query reads stands before it. A name that may be only that of a column gives way to one
  // that is certainly a table's.
  void OrderQueries() {
    std::vector<Entry> entries, datasets;
    for (Entry& entry : declaration_.entries)
      (entry.kind->noun == "datasets" ? datasets : entries).push_back(std::move(entry));
    std::vector<std::set<std::string>> tables;
    for (const Entry& entry : datasets) tables.push_back(TablesOf(entry.spec["sql"].AsString()));
    const auto needs = [&](std::size_t i, std::size_t j) {
      if (tables[i].contains(ToLower(datasets[j].name))) return true;
      return Mentions(datasets[i].spec["sql"].AsString(), datasets[j].name) &&
             !tables[j].contains(ToLower(datasets[i].name));
    };
    std::vector<bool> placed(datasets.size(), false);
    std::vector<Entry> ordered;
    const auto place = [&](auto&& self, std::size_t i) -> void {
      if (placed[i]) return;
      placed[i] = true;
      for (std::size_t j = 0; j < datasets.size(); ++j)
        if (!placed[j] && needs(i, j)) self(self, j);
      ordered.push_back(datasets[i]);
    };
    for (std::size_t i = 0; i < datasets.size(); ++i) place(place, i);
    const auto at = std::ranges::find_if(
        entries, [](const Entry& entry) { return entry.kind > FindKind("datasets"); });
    entries.insert(at, std::make_move_iterator(ordered.begin()),
                   std::make_move_iterator(ordered.end()));
    declaration_.entries = std::move(entries);
  }

  // None of them could be asked first.
  void CheckCircles() {
    Reads reads;
    for (const Entry& entry : declaration_.entries) {
      if (entry.kind->noun != "datasets" || !entry.spec.Has("sql")) continue;
      reads[ToLower(entry.name)] = TablesOf(entry.spec["sql"].AsString());
    }
    std::set<std::string> told;
    for (const Entry& entry : declaration_.entries) {
      const std::string name = ToLower(entry.name);
      if (entry.kind->noun != "datasets" || told.contains(name)) continue;
      const std::vector<std::string> circle = CircleFrom(name, reads);
      if (circle.empty()) continue;
      told.insert(circle.begin(), circle.end());
      Say(Below(PathOf(entry), "sql"),
          InvalidArgument("GY4921", "`{}` reads itself by way of others: {}", entry.id(),
                          Join(circle, ", which reads "))
              .Why("none of these queries could be asked first")
              .Fix("give one of them rows of its own: path, url or source"));
    }
  }

  void CheckUrl(const Entry& entry) {
    const Json* const url = entry.spec.Find("url");
    if (url == nullptr || IsUrl(url->AsString())) return;
    Say(Below(PathOf(entry), "url"),
        InvalidArgument("GY4905", "`{}.url` cannot be `{}`", entry.id(), url->AsString())
            .Fix("url: https://example.org/rows.csv")
            .Fix("path: FILE   (of this machine)"));
  }

  void CheckSource(const Entry& entry) {
    CheckUrl(entry);
    if (entry.spec.Has("path") != entry.spec.Has("url")) return;
    Say(PathOf(entry), InvalidArgument("GY4907", "`{}` needs either `path` or `url`", entry.id())
                           .Fix("path: data/rows.csv"));
  }

  void CheckRows(const Entry& entry) {
    CheckUrl(entry);
    std::vector<std::string> places;
    for (const std::string_view name : {"source", "path", "url", "sql"})
      if (entry.spec.Has(name)) places.emplace_back(name);
    if (places.size() > 1) {
      return Say(
          Below(PathOf(entry), places[1]),
          InvalidArgument("GY4907", "`{}` has both `{}` and `{}`", entry.id(), places[0], places[1])
              .Why("its rows come from one place"));
    }
    if (!entry.spec.Has("source")) return;
    const std::string& name = entry.spec["source"].AsString();
    if (declaration_.Find("sources", name) != nullptr) return;
    std::vector<std::string> known;
    for (const Entry& other : declaration_.entries) {
      if (other.kind->noun == "sources") known.push_back(other.name);
    }
    Say(Below(PathOf(entry), "source"),
        Guess(NotFound("GY4908", "`{}`: there is no source `{}` in the file", entry.id(), name),
              name, known, fmt::format("sources: {{{}: {{path: data.csv}}}}", name)));
  }

  // Either the document stands here, or it is read from the file that is named.
  void ReadNamed(Entry& entry, std::string_view member) {
    const bool inside = entry.spec.Has(member), outside = entry.spec.Has("file");
    if (inside == outside) {
      return Say(PathOf(entry),
                 InvalidArgument("GY4907", "`{}` needs either `file` or `{}`", entry.id(), member));
    }
    if (inside) return;
    const std::string& file = entry.spec["file"].AsString();
    const auto text = ReadNamedFile(declaration_.PathOf(file));
    if (!text) {
      return Say(Below(PathOf(entry), "file"), NoFile(declaration_, entry, file));
    }
    auto document = config::ParseYaml(*text, file);
    if (!document) {
      problems_.push_back(document.error());  // names its own line
    } else if (!document->is_object()) {
      Say(Below(PathOf(entry), "file"),
          InvalidArgument("GY4903", "{} must hold names and values, not {}", file,
                          KindText(*document)));
    } else {
      entry.spec.Set(member, *std::move(document));
    }
  }

  void ReadPipeline(Entry& entry) {
    ReadNamed(entry, "definition");
    const Json& definition = entry.spec["definition"];
    if (definition.is_null()) return;
    const std::string_view key = definition.Has("component") ? "component" : "name";
    if (!definition.Has(key) && !entry.spec.Has("file")) {
      Json named = Json::Obj({{"name", entry.name}});
      for (const auto& [name, value] : definition.members()) named.Set(name, value);
      entry.spec.Set("definition", std::move(named));
    } else if (definition[key].AsString() != entry.name) {
      Say(PathOf(entry), InvalidArgument("GY4909", "`{}` has the name `{}` in its own YAML",
                                         entry.id(), definition[key].AsString())
                             .Fix(fmt::format("{}: {}", key, entry.name)));
    }
  }

  void CheckChannel(const Entry& entry) {
    if (entry.spec.Has("webhook") != entry.spec.Has("smtp")) return;
    Say(PathOf(entry),
        InvalidArgument("GY4907", "`{}` needs either `webhook` or `smtp`", entry.id()));
  }

  // 25 was meant as per cent; what 1.7 was meant as, nobody knows.
  void SayBadShare(const Path& path, const std::string& id, double share) {
    const bool in_range = share >= 0 && share <= 1, per_cent = share >= 2 && share <= 100;
    Say(path,
        InvalidArgument("GY4905", "`{}.share` cannot be `{}`", id, share)
            .Why(in_range ? "a shadow scores what others have answered, and answers nobody"
                          : "a share is a part of all requests: from 0 to 1")
            .Fix(in_range ? "share: 0" : fmt::format("share: {}", per_cent ? share / 100 : 0.1)));
  }

  void CheckVariants(const Entry& entry) {
    double sum = 0;
    const Path path = Below(PathOf(entry), "variants");
    for (const auto& [name, spec] : entry.spec["variants"].members()) {
      const double share = spec["share"].AsDouble();
      sum += share > 1 ? 0 : share;
      const std::string id = fmt::format("{}.variants.{}", entry.id(), name);
      if (name == "champion")
        Say(Below(path, name), InvalidArgument("GY4905", "`{}` cannot be `champion`", id)
                                   .Why("that is what `model` names; it has the rest"));
      if (share < 0 || share > 1 || (share > 0 && spec["shadow"].AsBool()))
        SayBadShare(Below(path, name), id, share);
    }
    if (sum > 1 + 1e-9)
      Say(path,
          InvalidArgument("GY4905", "the shares of `{}` cannot be `{}` together", entry.id(), sum)
              .Why("they are parts of one; the champion has the rest"));
  }

  // A bare name means its champion, as everywhere.
  static void FollowChampion(Entry& entry) {
    const std::string model = entry.spec["model"].AsString();
    if (!model.empty() && model.find_first_of("@:") == std::string::npos)
      entry.spec.Set("model", model + "@champion");
  }

  Declaration& declaration_;
  std::vector<Error>& problems_;
};

}  // namespace

std::string Entry::id() const {
  return name.empty() ? std::string(kind->noun) : fmt::format("{}.{}", kind->noun, name);
}

const Entry* Declaration::Find(std::string_view noun, std::string_view name) const {
  const auto found = std::ranges::find_if(
      entries, [&](const Entry& entry) { return entry.kind->noun == noun && entry.name == name; });
  return found == entries.end() ? nullptr : &*found;
}

std::string Declaration::PathOf(std::string_view relative) const {
  if (relative.starts_with('/') || relative.starts_with('~')) return config::AbsolutePath(relative);
  return fmt::format("{}/{}", folder, relative);
}

std::string Declaration::Where(int line) const {
  return line > 0 ? fmt::format("{}:{}", file, line) : file;
}

Result<Declaration> ParseDeclaration(std::string text, std::string file, std::string folder,
                                     std::vector<Error>* also) {
  Declaration declaration{
      .file = std::move(file), .folder = std::move(folder), .text = std::move(text)};
  GYRE_TRY(const Json document, config::ParseYaml(declaration.text, declaration.file));
  if (!document.is_object() && !document.is_null()) {
    return InvalidArgument("GY4903", "{} must hold names and values, not {}", declaration.file,
                           KindText(document))
        .Where(declaration.Where(1))
        .Fix("project: churn");
  }
  std::vector<Error> problems;
  Reader reader(&declaration, &problems);
  reader.ReadAll(document);
  reader.CheckTogether();
  if (problems.empty()) return declaration;
  Error last = std::move(problems.back());
  problems.pop_back();
  if (also != nullptr) *also = std::move(problems);
  return last;
}

Result<Declaration> ReadDeclaration(const std::string& file, std::vector<Error>* also) {
  GYRE_TRY(auto text, config::ReadSmallFile(file, 8 << 20));
  if (!text) {
    return NotFound("GY4901", "there is no file {}", file)
        .Fix("gyre init --template tabular NAME   (writes a project to begin with)")
        .Fix("gyre export --out gyre.yaml   (writes down what the server has)");
  }
  const std::string whole = config::AbsolutePath(file);
  return ParseDeclaration(*std::move(text), file, whole.substr(0, whole.rfind('/')), also);
}

Error NoFile(const Declaration& declaration, const Entry& entry, std::string_view path) {
  return NotFound("GY4906", "`{}`: there is no file or folder {}", entry.id(), path)
      .Why("paths are read from the folder of " + declaration.file);
}

Error NoRows(const Declaration& declaration, const Entry& dataset) {
  return FailedPrecondition("GY4910", "`{}` does not say where its rows come from", dataset.id())
      .Where(declaration.Where(dataset.line))
      .Fix("path: FILE, url: ADDRESS, sql: SELECT or source: NAME");
}

std::string GoalText(std::string_view text) {
  const std::size_t at = text.find_first_of("<>=");
  if (at == std::string_view::npos) return std::string(Trim(text));
  const std::size_t end = std::min(text.find_first_not_of("<>=", at), text.size());
  const std::string_view rest = Trim(text.substr(end));
  const std::size_t unit = std::min(rest.find_first_not_of("0123456789.+-eE"), rest.size());
  const auto number = ParseDouble(rest.substr(0, unit));
  if (!number) return std::string(Trim(text));
  std::string_view of = Trim(rest.substr(unit));
  double value = *number;
  if (of.starts_with('%')) {
    value /= 100;
    of = Trim(of.substr(1));
  }
  return fmt::format("{} {} {}{}{}", Trim(text.substr(0, at)), text.substr(at, end - at), value,
                     of.empty() ? "" : " ", of);
}

RowsPlace PlaceOfRows(const Declaration& declaration, const Entry& dataset) {
  const Entry* const source = declaration.Find("sources", dataset.spec["source"].AsString());
  const Json& spec = source != nullptr ? source->spec : dataset.spec;
  const std::string& path = spec["path"].AsString();
  return {.path = path.empty() ? std::string() : declaration.PathOf(path),
          .url = spec["url"].AsString(),
          .sql = dataset.spec["sql"].AsString()};
}

bool Mentions(std::string_view sql, std::string_view name) {
  const auto in_name = [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' ||
           c == '-';
  };
  const std::string text = ToLower(sql), word = ToLower(name);
  for (std::size_t at = text.find(word); at != std::string::npos; at = text.find(word, at + 1)) {
    const std::size_t end = at + word.size();
    const bool begins = at == 0 || !in_name(text[at - 1]);
    if (begins && (end == text.size() || !in_name(text[end]))) return !word.empty();
  }
  return false;
}

}  // namespace gyre::cli::apply

#include "cli/apply/plan.h"

#include <algorithm>

#include "base/text.h"

namespace gyre::cli::apply {
namespace {

constexpr std::size_t kValueBytesMax = 60;

bool Same(const Json& a, const Json& b) {
  if (a.is_number() && b.is_number()) return a.AsDouble() == b.AsDouble();
  if (a.kind() != b.kind()) return false;
  if (a.is_array()) return std::ranges::equal(a.items(), b.items(), Same);
  if (!a.is_object()) return a == b;
  if (a.size() != b.size()) return false;
  return std::ranges::all_of(a.members(), [&](const Json::Member& member) {
    const Json* const other = b.Find(member.first);
    return other != nullptr && Same(member.second, *other);
  });
}

void Compare(std::span<const Member> members, const Json& declared, const Json& actual,
             const std::string& prefix, std::vector<Field>* fields) {
  for (const Member& member : members) {
    const Json* const wanted = declared.Find(member.name);
    if (wanted == nullptr || member.seen == Seen::kLocal) continue;
    const Json& there = actual[member.name];
    const std::string name = prefix + std::string(member.name);
    if (member.shape == Shape::kObject) {
      Compare(member.members, *wanted, there, name + ".", fields);
    } else if (member.shape == Shape::kObjectMap) {
      for (const auto& [key, value] : wanted->members())
        Compare(member.members, value, there[key], fmt::format("{}.{}.", name, key), fields);
    } else if (member.shape == Shape::kTextMap || member.shape == Shape::kFreeMap) {
      for (const auto& [key, value] : wanted->members()) {
        if (!Same(value, there[key])) fields->push_back({name + "." + key, there[key], value});
      }
    } else if (!Same(*wanted, there)) {
      fields->push_back({name, there, *wanted});
    }
  }
}

// What a dataset or a pipeline that changes means for what names its newest version.
void AddConsequences(const Plan& plan, const Entry& entry, std::vector<Field>* fields) {
  const auto changes = [&](std::string_view noun, const Json& name) {
    return std::ranges::any_of(plan.changes, [&](const Change& change) {
      return change.action == Action::kChange && change.kind->noun == noun &&
             change.name == name.AsString();
    });
  };
  if (!fields->empty()) return;
  const std::string& sql = entry.spec["sql"].AsString();
  const bool other_rows = std::ranges::any_of(plan.changes, [&](const Change& change) {
    return change.kind->noun == "datasets" && Mentions(sql, change.name);
  });
  if (entry.kind->noun == "datasets" && other_rows)
    fields->push_back({"rows", "of earlier rows", "of those that come"});
  if (entry.kind->noun == "training" && entry.spec["retrain"].AsString() == "on_new_data" &&
      changes("datasets", entry.spec["dataset"]))
    fields->push_back({"dataset", entry.spec["dataset"], "its new version"});
  const Json& pipeline = entry.spec["run"]["pipeline"];
  if (entry.kind->noun == "triggers" && changes("pipelines", pipeline))
    fields->push_back({"run.pipeline", pipeline, "its new version"});
}

void PlanEntry(const Entry& entry, const Actual& actual, Plan* plan) {
  Change change{.kind = entry.kind, .name = entry.name, .entry = &entry};
  const Json* const there = actual.Find(entry.kind->noun, entry.name);
  change.action = there == nullptr ? Action::kAdd : Action::kChange;
  change.fields = Differences(entry.kind->members, entry.spec, there == nullptr ? Json() : *there);
  if (const auto found = actual.found.find(entry.id()); found != actual.found.end())
    change.fields.insert(change.fields.begin(), found->second.begin(), found->second.end());
  if (there != nullptr) AddConsequences(*plan, entry, &change.fields);
  if (there != nullptr && change.fields.empty()) {
    ++plan->unchanged;
  } else {
    plan->changes.push_back(std::move(change));
  }
}

// What names goes before what is named. A gate goes after its model: it holds as long as that is
// there, and goes with it.
void PlanRemovals(const Declaration& declaration, const Actual& actual, Plan* plan) {
  const std::size_t before = plan->changes.size();
  const std::span<const Kind> kinds = Kinds();
  for (auto kind = kinds.rbegin(); kind != kinds.rend(); ++kind) {
    for (const Record& record : actual.records) {
      if (record.kind != kind->noun || kind->noun == kProblem) continue;
      if (declaration.Find(record.kind, record.name) != nullptr) continue;
      plan->changes.push_back(
          {.action = Action::kRemove,
           .kind = &*kind,
           .name = record.name,
           .made = record.made && actual.Find(record.kind, record.name) != nullptr});
    }
  }
  const auto removals = std::ranges::subrange(
      plan->changes.begin() + static_cast<std::ptrdiff_t>(before), plan->changes.end());
  std::ranges::stable_sort(removals, std::ranges::greater(), [](const Change& change) {
    const auto place = 2 * (change.kind - Kinds().data());
    return change.kind->noun == "gates" ? place - 3 : place;
  });
}

// Documents are too long to read in a plan.
std::string ValueText(const Json& value) {
  if (value.is_null()) return "(nothing)";
  std::string text = value.is_string() ? value.AsString() : value.Dump();
  if (value.is_array() && std::ranges::all_of(value.items(), &Json::is_string)) {
    std::vector<std::string> words;
    for (const Json& word : value.items()) words.push_back(word.AsString());
    text = Join(words, ", ");
  }
  if (value.is_string() && text.empty()) return "(nothing)";
  if (value.is_object() && text.size() > kValueBytesMax) return "(a document)";
  if (value.is_array() && text.size() > kValueBytesMax)
    return fmt::format("({} items)", value.size());
  if (text.size() <= kValueBytesMax) return text;
  std::size_t end = kValueBytesMax;
  while (end > 0 && (static_cast<unsigned char>(text[end]) & 0xC0) == 0x80) --end;
  return text.substr(0, end) + "...";
}

// A list that changes in length says so; else both documents would read alike.
std::string FromToText(const Field& field, const PlanMarks& marks) {
  std::string from = ValueText(field.from), to = ValueText(field.to);
  if (from == to) to = "other " + to;
  return fmt::format("{} {} {}", from, marks.arrow, to);
}

std::string RemovalText(const Change& change) {
  if (!change.made) return "(only forgotten: no apply made it, or it is gone)";
  if (change.needed_by.empty()) return "(made by an earlier apply)";
  return fmt::format("(refused: {} needs it)", change.needed_by);
}

const Member* MemberAt(std::span<const Member> members, std::string_view path) {
  const std::size_t dot = path.find('.');
  const Member* const member = FindMember(members, path.substr(0, dot));
  if (member == nullptr || dot == std::string_view::npos || member->members.empty()) return member;
  std::string_view below = path.substr(dot + 1);
  if (member->shape == Shape::kObjectMap) below = below.substr(below.rfind('.') + 1);
  return MemberAt(member->members, below);
}

Field Shown(const Kind& kind, Field field) {
  const Member* const member = MemberAt(kind.members, field.member);
  const bool number =
      member != nullptr && (member->shape == Shape::kSeconds || member->shape == Shape::kNumber);
  if (!number) return field;
  for (Json* const value : {&field.from, &field.to}) {
    if (!value->is_number()) continue;
    Json one = Json::Obj();
    one.Set(member->name, *value);
    *value = ForPeople({member, 1}, one)[member->name];
  }
  return field;
}

}  // namespace

const Json* Actual::Find(std::string_view kind, std::string_view name) const {
  const auto one = specs.find({std::string(kind), std::string(name)});
  return one == specs.end() ? nullptr : &one->second;
}

const Record* Actual::FindRecord(std::string_view kind, std::string_view name) const {
  const auto one = std::ranges::find_if(
      records, [&](const Record& record) { return record.kind == kind && record.name == name; });
  return one == records.end() ? nullptr : &*one;
}

std::string Change::id() const {
  return name.empty() ? std::string(kind->noun) : fmt::format("{}.{}", kind->noun, name);
}

std::size_t Plan::Count(Action action) const {
  return static_cast<std::size_t>(std::ranges::count(changes, action, &Change::action));
}

std::vector<Field> Differences(std::span<const Member> members, const Json& declared,
                               const Json& actual) {
  std::vector<Field> fields;
  Compare(members, declared, actual, "", &fields);
  return fields;
}

Plan MakePlan(const Declaration& declaration, const Actual& actual, PlanOptions options) {
  Plan plan;
  for (const Entry& entry : declaration.entries) PlanEntry(entry, actual, &plan);
  // A gate of a model that is there must hold when it is trained anew.
  std::ranges::stable_sort(plan.changes, {}, [](const Change& change) {
    const auto place = 2 * (change.kind - Kinds().data());
    return change.kind->noun == "gates" && change.action == Action::kChange ? place - 3 : place;
  });
  if (options.prune) PlanRemovals(declaration, actual, &plan);
  return plan;
}

std::string PlanText(const Plan& plan, const PlanMarks& marks) {
  const auto sign = [&](char of, std::string_view colour) {
    return marks.colour ? fmt::format("\x1b[{}m{}\x1b[0m", colour, of) : std::string(1, of);
  };
  const std::string plus = sign('+', "32"), tilde = sign('~', "33"), minus = sign('-', "31");
  std::string text;
  for (const Change& change : plan.changes) {
    if (change.action == Action::kRemove) {
      text += fmt::format("  {} {}   {}\n", minus, change.id(), RemovalText(change));
      continue;
    }
    const bool add = change.action == Action::kAdd;
    text += fmt::format("  {} {}\n", add ? plus : tilde, change.id());
    std::size_t width = 0;
    for (const Field& field : change.fields) width = std::max(width, field.member.size());
    for (const Field& given : change.fields) {
      const Field field = Shown(*change.kind, given);
      text += fmt::format("      {:<{}}   {}\n", field.member, width,
                          add ? ValueText(field.to) : FromToText(field, marks));
    }
  }
  return text + fmt::format("Plan: {} to add, {} to change, {} to remove.\n",
                            plan.Count(Action::kAdd), plan.Count(Action::kChange),
                            plan.Count(Action::kRemove));
}

Json PlanJson(const Plan& plan) {
  Json changes = Json::Arr();
  for (const Change& change : plan.changes) {
    constexpr std::string_view kActions[] = {"add", "change", "remove"};
    Json fields = Json::Arr();
    for (const Field& field : change.fields)
      fields.Push(Json::Obj({{"member", field.member}, {"from", field.from}, {"to", field.to}}));
    Json document = Json::Obj({{"action", kActions[static_cast<int>(change.action)]},
                               {"kind", change.kind->noun},
                               {"name", change.name},
                               {"fields", std::move(fields)}});
    if (change.action == Action::kRemove) document.Set("made", change.made);
    if (!change.needed_by.empty()) document.Set("needed_by", change.needed_by);
    if (change.entry != nullptr) document.Set("line", change.entry->line);
    changes.Push(std::move(document));
  }
  return Json::Obj({{"changes", std::move(changes)},
                    {"add", plan.Count(Action::kAdd)},
                    {"change", plan.Count(Action::kChange)},
                    {"remove", plan.Count(Action::kRemove)},
                    {"unchanged", plan.unchanged}});
}

}  // namespace gyre::cli::apply

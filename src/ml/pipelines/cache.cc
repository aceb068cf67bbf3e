#include "ml/pipelines/cache.h"

#include "base/hash.h"
#include "base/text.h"
#include "ml/pipelines/programs.h"
#include "platform/exec/files.h"
#include "platform/exec/find_program.h"

namespace gyre::pipelines {
namespace {

constexpr std::int64_t kFileBytesMax = std::int64_t{1} << 30;

std::string HashOf(const Json& value) { return Sha256Hex(value.DumpCanonical()).substr(0, 32); }

Result<> AddFiles(const Json& files, Json* parts) {
  const Json::Array one = {files};
  for (const Json& file : files.is_array() ? files.items() : one) {
    if (file.is_null()) continue;
    GYRE_TRY(const std::string bytes, exec::ReadFile(TextOf(file), kFileBytesMax));
    parts->Set("files." + TextOf(file), Sha256Hex(bytes).substr(0, 32));
  }
  return {};
}

// Code is the same only below the same program. A word after the first may name it: `env python3`.
std::string InterpreterOf(const Step& step, const Json& with,
                          std::vector<std::string> environment) {
  if (step.kind != "shell" && step.kind != "script") return {};
  if (const Json& path = with["environment"]["PATH"]; !path.is_null())
    environment.push_back("PATH=" + TextOf(path));
  const Json words = step.kind == "shell" ? Json("/bin/sh") : InterpreterWords(with);
  std::string identity;
  const Json::Array one = {words};
  for (const Json& word : words.is_array() ? words.items() : one)
    identity += exec::ProgramIdentity(TextOf(word), exec::PathOf(environment)) + "\n";
  return identity;
}

bool FindFiles(PipelineStore& store, blob::Store& blobs, std::string_view project, const Step& step,
               CacheHit* hit) {
  for (const OutputSpec& output : step.outputs) {
    if (output.type != ValueType::kFile) continue;
    auto file = FileOf(blobs, hit->outputs[output.name]);
    if (!file || !store.HasFile(project, file->digest).value_or(false)) return false;
    hit->files.push_back(*std::move(file));
  }
  return true;
}

std::string Difference(const Json& before, const Json& now) {
  std::vector<std::string> changed;
  for (const auto& [name, hash] : now.members()) {
    if (before[name] != hash) changed.push_back(name + (before.Has(name) ? " changed" : " is new"));
  }
  for (const auto& [name, hash] : before.members()) {
    if (!now.Has(name)) changed.push_back(name + " is gone");
  }
  return changed.empty() ? "its result was too old or is gone" : Join(changed, ", ");
}

}  // namespace

Result<CacheKey> CacheKeyOf(const Machine& machine, std::size_t task,
                            const std::function<bool(std::string_view)>& verbatim,
                            const std::vector<std::string>& environment) {
  const Step& step = machine.step_of(machine.tasks()[task]);
  // Where an output is written changes with each attempt and means nothing.
  GYRE_TRY(const Machine::Filled filled, machine.Fill(task, verbatim, [](std::string_view name) {
    return fmt::format("outputs/{}", name);
  }));
  CacheKey key;
  key.parts = Json::Obj({{"kind", HashOf(Json(step.kind))}});
  for (const auto& [name, value] : filled.with.members())
    key.parts.Set("with." + name, HashOf(value));
  for (const auto& [name, value] : filled.inputs.members())
    key.parts.Set("inputs." + name, HashOf(value));
  if (step.kind == "shell" || step.kind == "script") {  // which may read them all
    for (const auto& [name, value] : machine.run().params.members())
      key.parts.Set("params." + name, HashOf(value));
  }
  if (const std::string identity = InterpreterOf(step, filled.with, environment); !identity.empty())
    key.parts.Set("interpreter", HashOf(Json(identity)));
  for (const OutputSpec& output : step.outputs)
    key.parts.Set("outputs." + output.name, std::string(ValueTypeName(output.type)));
  GYRE_DO(AddFiles(filled.with["files"], &key.parts));
  const TaskRecord& record = machine.tasks()[task];
  if (record.item >= 0) key.parts.Set("item", HashOf(record.value));
  key.key = HashOf(key.parts);
  return key;
}

Result<CacheAnswer> AskCache(PipelineStore& store, blob::Store& blobs, const RunRecord& run,
                             const Step& step, const CacheKey& key, std::int64_t now_us) {
  CacheAnswer answer;
  const std::int64_t after_us = *step.cache_us == 0 ? 0 : now_us - *step.cache_us;
  GYRE_TRY(auto hit, store.FindCached(run.project, key.key, after_us));
  if (hit && FindFiles(store, blobs, run.project, step, &*hit)) {
    answer.hit = std::move(hit);
    return answer;
  }
  if (hit) {
    answer.why_not = "the files that it made are gone";
    return answer;
  }
  GYRE_TRY(const auto newest, store.NewestOfStep(run.project, run.pipeline, step.name));
  answer.why_not = newest ? Difference(newest->parts, key.parts) : "no earlier result";
  return answer;
}

}  // namespace gyre::pipelines

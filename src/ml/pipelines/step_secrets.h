// Secrets of steps: `environment: {TOKEN: secret:NAME}`. The value stands in the environment of the
// step's program and nowhere else: in what it prints, asterisks stand in its place. Private.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "ml/pipelines/programs.h"
#include "platform/exec/bounded_log.h"

namespace gyre::pipelines {

bool IsSecret(const Json& value);  // "secret:NAME", as it is written
// Each is there. Errors: those of the room that keeps them, with the step's name.
Result<> CheckSecrets(const Spec& spec, std::string_view project, const FindSecret& find);
// What must not be seen of a step. One that is gone by now is not among them.
std::vector<std::string> SecretsOf(const Step& step, std::string_view project,
                                   const FindSecret& find);

// As long as before, so that offsets stay what they are.
std::string Masked(std::string text, std::span<const std::string> secrets);
// The bytes of a part of a file as they stand there.
Result<std::string> ReadMasked(const std::string& file, std::int64_t offset, std::int64_t bytes_max,
                               std::span<const std::string> secrets);
// A log from there on. Of one that grows, an end that may be the beginning of a secret is left for
// the next call.
Result<exec::PieceOfLog> ReadMaskedLog(const std::string& file, std::int64_t offset,
                                       std::int64_t bytes_max, std::span<const std::string> secrets,
                                       bool ended);
Result<bool> HoldsSecret(const std::string& file, std::span<const std::string> secrets);
// In place, for good: what an older shim has written. Ours write asterisks.
Result<> MaskFile(const std::string& file, std::span<const std::string> secrets);

}  // namespace gyre::pipelines

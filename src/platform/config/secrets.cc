#include "platform/config/secrets.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <string>

namespace gyre::config {

namespace {

constexpr std::string_view kWords[] = {"KEY",  "TOKEN", "SECRET", "PASS",      "PWD_",
                                       "CRED", "AUTH",  "COOKIE", "SIGNATURE", "DSN"};
constexpr std::string_view kLastWords[] = {"_PAT", "_PW", "_PIN"};
constexpr std::string_view kBeginnings[] = {
    "ghp_",  "gho_",  "ghu_",  "ghs_",  "ghr_",  "github_pat_", "glpat-",   "xoxa-",
    "xoxb-", "xoxe-", "xoxp-", "xoxr-", "xoxs-", "sk-",         "sk_live_", "AKIA",
    "ASIA",  "gyre_", "hf_",   "npm_",  "pypi-", "eyJ",         "AIza",     "Bearer "};
constexpr std::size_t kTokenMin = 16;  // "sk-" alone begins a word, too

bool NameIsSecret(std::string_view name) {
  std::string upper(name);
  for (char& c : upper) c = c >= 'a' && c <= 'z' ? static_cast<char>(c - 'a' + 'A') : c;
  const auto holds = [&](std::string_view word) { return upper.find(word) != std::string::npos; };
  const auto ends = [&](std::string_view word) {
    return upper.ends_with(word) || upper == word.substr(1);
  };
  return std::any_of(std::begin(kWords), std::end(kWords), holds) ||
         std::any_of(std::begin(kLastWords), std::end(kLastWords), ends);
}

// One word of letters, digits and the signs of base64, with both, whose bytes are as good as drawn
// at random. Paths, versions and sentences are not.
bool IsRandom(std::string_view value) {
  if (value.size() < 32 || value.size() > 4096) return false;
  std::array<double, 256> counts{};
  bool letter = false, digit = false;
  for (const char c : value) {
    const bool is_letter = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
    const bool is_digit = c >= '0' && c <= '9';
    if (!is_letter && !is_digit && c != '+' && c != '=' && c != '_' && c != '-') return false;
    letter |= is_letter;
    digit |= is_digit;
    ++counts[static_cast<unsigned char>(c)];
  }
  double bits = 0;
  for (const double count : counts) {
    const double share = count / static_cast<double>(value.size());
    if (count > 0) bits -= share * std::log2(share);
  }
  return letter && digit && bits > 3.5;
}

bool ValueIsSecret(std::string_view value) {
  if (value.find("-----BEGIN ") != std::string_view::npos) return true;
  if (value.find("://") != std::string_view::npos && value.find('@') != std::string_view::npos)
    return true;
  const auto begins = [&](std::string_view beginning) { return value.starts_with(beginning); };
  if (value.size() >= kTokenMin &&
      std::any_of(std::begin(kBeginnings), std::end(kBeginnings), begins))
    return true;
  return IsRandom(value);
}

}  // namespace

bool LooksSecret(std::string_view name, std::string_view value) {
  return NameIsSecret(name) || ValueIsSecret(value);
}

}  // namespace gyre::config

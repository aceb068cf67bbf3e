#include "ml/tracking/run_order.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "base/base64.h"
#include "base/json.h"
#include "base/text.h"

namespace gyre::tracking {
namespace {

Error WrongToken() {
  return InvalidArgument("GY3432", "Invalid page token, it is not of this search")
      .Why("a page token holds for the search that gave it: the same filter, order and experiments")
      .Fix("search again without a page token");
}

// "-" nothing, "n" NaN, "d0.5", "tgbm".
std::string KeyText(const FieldValue& key) {
  if (const auto* text = std::get_if<std::string>(&key)) return "t" + *text;
  const auto* number = std::get_if<double>(&key);
  if (number == nullptr) return "-";
  return std::isnan(*number) ? "n" : fmt::format("d{}", *number);
}

std::optional<FieldValue> ParseKey(std::string_view text) {
  if (text == "-") return FieldValue();
  if (text == "n") return FieldValue(std::nan(""));
  if (text.starts_with('t')) return FieldValue(std::string(text.substr(1)));
  if (!text.starts_with('d')) return std::nullopt;
  const auto number = ParseDouble(text.substr(1));
  if (!number) return std::nullopt;
  return FieldValue(*number);
}

}  // namespace

std::weak_ordering RunOrder::Compare(const RunPlace& a, const RunPlace& b,
                                     std::size_t terms) const {
  for (std::size_t i = 0; i < std::min(terms, fields()); ++i) {
    const auto order = CompareFields(a.keys[i], b.keys[i], ascending_[i]);
    if (order != 0) return order;
  }
  if (terms <= fields()) return std::weak_ordering::equivalent;
  if (start_decides_ && a.started_us != b.started_us) return b.started_us <=> a.started_us;
  if (terms != kAll) return std::weak_ordering::equivalent;
  return a.id <=> b.id;
}

std::string EncodePlace(const RunPlace& place, std::uint64_t search) {
  Json keys = Json::Arr({});
  for (const FieldValue& key : place.keys) keys.Push(KeyText(key));
  const Json token =
      Json::Arr({fmt::format("{:016x}", search), std::move(keys), place.started_us, place.id});
  return Base64Encode(token.Dump());
}

Result<RunPlace> DecodePlace(std::string_view token, std::uint64_t search, std::size_t fields) {
  std::string text;
  if (!Base64Decode(token, &text)) return WrongToken();
  const auto parsed = Json::Parse(text);
  if (!parsed || parsed->items().size() != 4) return WrongToken();
  const Json::Array& items = parsed->items();
  const bool sound = items[0].AsString() == fmt::format("{:016x}", search) && items[2].is_int() &&
                     items[3].is_string() && items[1].items().size() == fields;
  if (!sound) return WrongToken();
  RunPlace place = {.started_us = items[2].AsInt(), .id = items[3].AsString()};
  for (const Json& item : items[1].items()) {
    auto key = ParseKey(item.AsString());
    if (!key) return WrongToken();
    place.keys.push_back(*std::move(key));
  }
  return place;
}

bool FirstRuns::AreAllBefore(const RunPlace& place, std::size_t terms) const {
  return full() && order_.Compare(runs_.front().place, place, terms) < 0;
}

bool FirstRuns::Wants(const RunPlace& place) const {
  if (after_ && order_.Compare(*after_, place) >= 0) return false;
  return !full() || order_.Compare(place, runs_.front().place) < 0;
}

void FirstRuns::Add(Run run) {
  const auto before = [&](const Run& a, const Run& b) {
    return order_.Compare(a.place, b.place) < 0;
  };
  if (full()) {
    std::ranges::pop_heap(runs_, before);
    runs_.pop_back();
  }
  runs_.push_back(std::move(run));
  std::ranges::push_heap(runs_, before);
}

std::vector<FirstRuns::Run> FirstRuns::Take() {
  std::ranges::sort_heap(
      runs_, [&](const Run& a, const Run& b) { return order_.Compare(a.place, b.place) < 0; });
  return std::move(runs_);
}

}  // namespace gyre::tracking

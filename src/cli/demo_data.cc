#include "cli/demo_data.h"

#include <fmt/core.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <iterator>

#include "base/random.h"
#include "base/time.h"

namespace gyre::cli {
namespace {

constexpr std::string_view kColumns[] = {"customer_id",
                                         "signup_date",
                                         "age",
                                         "gender",
                                         "country",
                                         "city",
                                         "plan",
                                         "contract",
                                         "payment_method",
                                         "monthly_charge",
                                         "total_charges",
                                         "tenure_months",
                                         "data_gb",
                                         "calls_last_month",
                                         "roaming_days",
                                         "support_tickets",
                                         "last_note",
                                         "satisfaction",
                                         "paperless",
                                         "auto_pay",
                                         "family_lines",
                                         "device",
                                         "promo_code",
                                         "last_login",
                                         "late_payments",
                                         "currency",
                                         "cancellation_date",
                                         "refund_amount",
                                         "churned"};

constexpr std::string_view kCountries[] = {"Germany", "France",  "Italy",       "Spain",
                                           "Poland",  "Austria", "Netherlands", "Portugal",
                                           "Belgium", "Greece"};
constexpr std::string_view kCityStems[] = {"Nor", "Hal", "Bre", "Lin", "Mar", "Os",
                                           "Wal", "Ro",  "Gel", "Tre", "Als", "Vil"};
constexpr std::string_view kCityEnds[] = {"burg", "heim",  "stadt", "ville", "ona",  "dorf",
                                          "port", "field", "mont",  "au",    "ford", "by"};
constexpr std::string_view kPlans[] = {"Basic", "Plus", "Premium", "Business"};
constexpr double kPlanPrices[] = {14.90, 24.90, 39.90, 59.90};
constexpr std::string_view kContracts[] = {"monthly", "one year", "two years"};
constexpr std::string_view kPayments[] = {"card", "direct debit", "bank transfer", "wallet"};
constexpr std::string_view kDevices[] = {"Aria 5",    "Aria 6",    "Aria 6 Pro", "Nimbus X",
                                         "Nimbus XL", "Pebble 2",  "Pebble 3",   "Corvo One",
                                         "Corvo Two", "Lumen S",   "Lumen M",    "Lumen L",
                                         "Tern",      "Tern Plus", "Basalt",     "own device"};
constexpr std::string_view kPromos[] = {"SPRING10", "FRIEND5", "STUDENT", "WELCOME", "LOYAL20"};

// What service people write down, and how it bears on leaving.
struct Phrase {
  std::string_view text;
  double weight;
};
constexpr Phrase kOpenings[] = {{"Customer called about", 0},
                                {"Mail from customer regarding", 0},
                                {"Chat about", 0},
                                {"Visited the shop because of", 0.05}};
constexpr Phrase kTopics[] = {
    {"a wrong invoice", 0.35},           {"slow internet in the evening", 0.45},
    {"a new family line", -0.6},         {"moving to another city", 0.25},
    {"an offer from a competitor", 1.1}, {"roaming costs abroad", 0.3},
    {"a broken SIM card", 0.0},          {"dropped calls at home", 0.55},
    {"changing the plan upwards", -0.8}, {"the notice period", 1.3},
    {"a question on the app", -0.2},     {"the loyalty discount", -0.4}};
constexpr Phrase kEndings[] = {{"and was satisfied with the answer.", -0.5},
                               {"and will think about it.", 0.3},
                               {"and asked for a call back.", 0.1},
                               {"and is angry about the long wait.", 0.7},
                               {"and thanked us for quick help.", -0.7},
                               {"and wants it in writing.", 0.4},
                               {"and the case is closed.", -0.1}};

double Sigmoid(double x) { return 1 / (1 + std::exp(-x)); }

std::string Date(std::int64_t days) {
  const CivilTime c = ToCivil(days * kMicrosPerDay);
  return fmt::format("{:04d}-{:02d}-{:02d}", c.year, c.month, c.day);
}

template <std::size_t N>
std::size_t Pick(Random& random, const std::array<double, N>& weights) {
  double left = random.Uniform();
  for (std::size_t i = 0; i + 1 < N; ++i) {
    left -= weights[i];
    if (left < 0) return i;
  }
  return N - 1;
}

struct Customer {
  std::int64_t id = 0, signup_day = 0, login_minute = 0, cancelled_day = 0;
  int age = 0, gender = 0, tenure = 0, calls = 0, roaming = 0, tickets = 0, satisfaction = 0,
      lines = 1, late = 0;
  std::size_t country = 0, city = 0, plan = 0, contract = 0, payment = 0, device = 0, promo = 0;
  double monthly = 0, total = 0, data_gb = 0, refund = 0, note_weight = 0;
  bool paperless = false, auto_pay = false, left = false;
  bool no_age = false, no_gender = false, no_data = false, no_satisfaction = false, no_promo = true,
       no_login = false;
  std::string note;
};

constexpr std::int64_t kToday = 20'400;  // 2025-11-08: the day the table was drawn

void FillContract(Random& random, Customer& c) {
  c.tenure = 1 + static_cast<int>(-30 * std::log(1 - random.Uniform()));
  c.tenure = std::min(c.tenure, 120);
  c.signup_day = kToday - c.tenure * 30 - static_cast<std::int64_t>(random.Below(30));
  c.plan = Pick<4>(random, {0.34, 0.33, 0.22, 0.11});
  c.contract = Pick<3>(random, {c.tenure < 12 ? 0.62 : 0.38, 0.28, 0.10});
  c.payment = Pick<4>(random, {0.36, 0.34, 0.18, 0.12});
  c.promo = random.Below(std::size(kPromos));
  c.no_promo = random.Uniform() > 0.24;
  c.monthly = kPlanPrices[c.plan] + std::round(random.Normal() * 400) / 100 +
              (random.Uniform() < 0.2 ? 5 : 0);
  c.monthly = std::max(7.9, std::round(c.monthly * 100) / 100);
  c.total = std::round(c.monthly * c.tenure * (0.93 + 0.1 * random.Uniform()) * 100) / 100;
  c.paperless = random.Uniform() < 0.6;
  c.auto_pay = random.Uniform() < (c.payment <= 1 ? 0.75 : 0.2);
  c.lines = 1 + static_cast<int>(Pick<5>(random, {0.58, 0.22, 0.11, 0.06, 0.03}));
  c.late = static_cast<int>(Pick<4>(random, {c.auto_pay ? 0.93 : 0.66, 0.20, 0.09, 0.05}));
}

void FillPerson(Random& random, Customer& c) {
  c.age = std::clamp(static_cast<int>(44 + 16 * random.Normal()), 18, 94);
  c.no_age = random.Uniform() < 0.04;
  c.gender = static_cast<int>(Pick<3>(random, {0.49, 0.48, 0.03}));
  c.no_gender = random.Uniform() < 0.02;
  c.country = Pick<10>(random, {0.30, 0.17, 0.13, 0.11, 0.08, 0.06, 0.05, 0.04, 0.03, 0.03});
  // Cities have a long tail: the sum of two uniform numbers crowds around the middle.
  c.city = (random.Below(72) + random.Below(73)) % (std::size(kCityStems) * std::size(kCityEnds));
  c.device = random.Below(std::size(kDevices));
}

void FillUsage(Random& random, Customer& c) {
  c.data_gb =
      std::round(std::exp(1.6 + 0.35 * static_cast<double>(c.plan) + 0.7 * random.Normal()) * 100) /
      100;
  c.no_data = random.Uniform() < 0.06;
  c.calls = static_cast<int>(std::exp(3 + 0.6 * random.Normal()));
  c.roaming = random.Uniform() < 0.8 ? 0 : 1 + static_cast<int>(random.Below(21));
  c.tickets = static_cast<int>(Pick<6>(random, {0.52, 0.24, 0.12, 0.07, 0.03, 0.02}));
  c.no_login = random.Uniform() < 0.05;
  if (c.tickets == 0) return;
  const Phrase& topic = kTopics[random.Below(std::size(kTopics))];
  const Phrase& ending = kEndings[random.Below(std::size(kEndings))];
  const Phrase& opening = kOpenings[random.Below(std::size(kOpenings))];
  c.note = fmt::format("{} {} on {} {}", opening.text, topic.text,
                       Date(kToday - static_cast<std::int64_t>(random.Below(200))), ending.text);
  c.note_weight = opening.weight + topic.weight + ending.weight;
}

// Before the price rise: who is bound stays, and who came lately goes.
double BoundScore(const Customer& c) {
  double score = c.contract == 0 ? 1.15 : c.contract == 1 ? -0.35 : -1.5;
  score += c.tenure < 6 ? 0.85 : c.tenure < 18 ? 0.25 : -0.45;
  return score + 0.028 * (c.monthly - 27) * (c.contract == 0 ? 1.4 : 0.5);
}

// After it: everybody may cancel, whatever the contract says; the loyal feel betrayed, the dear
// plans are looked at twice, and who is about to leave calls first.
double FreeScore(const Customer& c) {
  double score = c.contract == 0 ? 0.1 : 0;
  score += c.tenure < 6 ? -0.7 : c.tenure < 18 ? -0.1 : 0.4;
  return score + 0.03 * (c.monthly - 33) + 0.016 * (c.calls - 34);
}

// The truth behind the table: what makes people leave, with interactions that a straight line
// cannot follow.
double Risk(const Customer& c, double happiness, bool prices_rose) {
  const double city_mood = std::sin(static_cast<double>(c.city) * 1.7);
  double score = -1.95;
  score += prices_rose ? FreeScore(c) : BoundScore(c);
  score += 0.42 * c.tickets + 1.05 * c.note_weight;
  score += c.payment == 2 ? 0.4 : c.payment == 1 ? -0.3 : 0;
  score += c.auto_pay ? -0.35 : 0.25;
  score += 0.5 * c.late - 0.38 * (c.lines - 1);
  score += c.data_gb < 2 ? 0.55 : 0;
  score += c.age < 27 ? 0.45 : c.age > 62 ? -0.5 : 0;
  score += 0.75 * city_mood;
  score += c.no_promo ? 0 : (c.promo == 4 ? -0.8 : 0.3);
  score -= 0.95 * happiness;
  return Sigmoid(1.6 * score);
}

// What the company does on the day of the drift, and what its customers do at once. No other column
// follows: bills of the past stay as they were.
void RaisePrices(Customer& c) {
  c.monthly = std::round(c.monthly * 1.12 * 100 + 350) / 100;
  c.calls = static_cast<int>(std::lround(1.45 * c.calls));
}

// What happens after the decision, and so must not be learnt from.
void FillOutcome(Random& random, Customer& c, double risk, double happiness) {
  c.left = random.Uniform() < risk;
  c.satisfaction =
      std::clamp(static_cast<int>(std::round(3.3 + happiness + 0.5 * random.Normal())), 1, 5);
  c.no_satisfaction = random.Uniform() < 0.35;
  const double quiet_days = c.left ? 9 + 12 * random.Uniform() : 7;
  c.login_minute = (kToday * 1440) -
                   static_cast<std::int64_t>(-std::log(1 - random.Uniform()) * quiet_days * 1440);
  if (!c.left) {
    c.refund = random.Uniform() < 0.001 ? std::round(random.Uniform() * 1500) / 100 : 0;
    return;
  }
  c.cancelled_day = kToday + 1 + static_cast<std::int64_t>(random.Below(30));
  c.refund = random.Uniform() < 0.995
                 ? std::max(0.01, std::round(c.monthly * random.Uniform() * 100) / 100)
                 : 0;
}

std::string CityName(std::size_t city) {
  return fmt::format("{}{}", kCityStems[city % std::size(kCityStems)],
                     kCityEnds[city / std::size(kCityStems)]);
}
std::string_view GenderName(int gender) {
  return gender == 0 ? "female" : gender == 1 ? "male" : "other";
}
std::string LoginTime(std::int64_t minute) { return FormatTime(minute * 60 * kMicrosPerSecond); }

void AppendRow(const Customer& c, std::string& csv) {
  csv += fmt::format("C-{:06d},{},", c.id, Date(c.signup_day));
  if (!c.no_age) csv += fmt::format("{}", c.age);
  csv += fmt::format(",{},{},{},{},{},{},{:.2f},{:.2f},{},",
                     c.no_gender ? std::string_view() : GenderName(c.gender), kCountries[c.country],
                     CityName(c.city), kPlans[c.plan], kContracts[c.contract], kPayments[c.payment],
                     c.monthly, c.total, c.tenure);
  if (!c.no_data) csv += fmt::format("{:.2f}", c.data_gb);
  csv += fmt::format(",{},{},{},", c.calls, c.roaming, c.tickets);
  if (!c.note.empty()) csv += fmt::format("\"{}\"", c.note);
  csv += ',';
  if (!c.no_satisfaction) csv += fmt::format("{}", c.satisfaction);
  csv += fmt::format(",{},{},{},{},{},", c.paperless, c.auto_pay, c.lines, kDevices[c.device],
                     c.no_promo ? std::string_view() : kPromos[c.promo]);
  if (!c.no_login) csv += LoginTime(c.login_minute);
  csv += fmt::format(",{},EUR,", c.late);
  if (c.left) csv += Date(c.cancelled_day);
  csv += ',';
  if (c.refund > 0) csv += fmt::format("{:.2f}", c.refund);
  csv += c.left ? ",yes\n" : ",no\n";
}

// As a client sends it: original names, numbers as numbers, null for what is not known.
Json RequestRow(const Customer& c) {
  const auto or_null = [](bool missing, Json value) { return missing ? Json() : value; };
  return Json::Obj({{"signup_date", Date(c.signup_day)},
                    {"age", or_null(c.no_age, c.age)},
                    {"gender", or_null(c.no_gender, GenderName(c.gender))},
                    {"country", kCountries[c.country]},
                    {"city", CityName(c.city)},
                    {"plan", kPlans[c.plan]},
                    {"contract", kContracts[c.contract]},
                    {"payment_method", kPayments[c.payment]},
                    {"monthly_charge", c.monthly},
                    {"total_charges", c.total},
                    {"tenure_months", c.tenure},
                    {"data_gb", or_null(c.no_data, c.data_gb)},
                    {"calls_last_month", c.calls},
                    {"roaming_days", c.roaming},
                    {"support_tickets", c.tickets},
                    {"last_note", or_null(c.note.empty(), c.note)},
                    {"satisfaction", or_null(c.no_satisfaction, c.satisfaction)},
                    {"paperless", c.paperless},
                    {"auto_pay", c.auto_pay},
                    {"family_lines", c.lines},
                    {"device", kDevices[c.device]},
                    {"promo_code", or_null(c.no_promo, kPromos[c.promo])},
                    {"last_login", or_null(c.no_login, LoginTime(c.login_minute))},
                    {"late_payments", c.late}});
}

// How happy the customer is, which no column says.
double FillAll(Random& random, Customer& c) {
  FillContract(random, c);
  FillPerson(random, c);
  FillUsage(random, c);
  return random.Normal();
}

// Days until it is known what the customer did: most within two, a few after a week, some never.
int LabelDelay(Random& random) {
  if (random.Uniform() < 0.06) return kNeverLabelled;
  return static_cast<int>(-1.1 * std::log(1 - random.Uniform()));
}

}  // namespace

std::int64_t DemoDayMicros(int day) { return (kToday + day) * kMicrosPerDay; }

DemoDay MakeChurnDay(std::uint64_t seed, int day, std::size_t rows) {
  // A generator of its own for each day, so that the rows of one do not depend on how many another
  // has.
  Random random(seed * 1000 + static_cast<std::uint64_t>(day));
  DemoDay made;
  for (std::size_t row = 0; row < rows; ++row) {
    Customer c;
    const double happiness = FillAll(random, c);
    if (day >= kDemoDriftDay) RaisePrices(c);
    made.old_risk.push_back(Risk(c, happiness, false));
    made.risk.push_back(Risk(c, happiness, day >= kDemoDriftDay));
    FillOutcome(random, c, made.risk.back(), happiness);
    made.inputs.push_back(RequestRow(c));
    made.left.push_back(c.left);
    made.label_delay.push_back(LabelDelay(random));
  }
  return made;
}

DemoData MakeChurnData(std::uint64_t seed, std::size_t rows) {
  DemoData data;
  Random random(seed);
  data.columns.assign(std::begin(kColumns), std::end(kColumns));
  data.csv.reserve(rows * 300 + 1024);
  for (std::size_t i = 0; i < data.columns.size(); ++i)
    data.csv += (i == 0 ? "" : ",") + data.columns[i];
  data.csv += '\n';
  // One more customer than rows: the one that the live model is asked about.
  for (std::size_t row = 0; row <= rows; ++row) {
    Customer c;
    c.id = 100'000 + static_cast<std::int64_t>(row * 7919 % 899'981);
    const double happiness = FillAll(random, c);
    const double risk = Risk(c, happiness, false);
    FillOutcome(random, c, risk, happiness);
    if (row == rows) {
      data.new_customer = RequestRow(c);
      break;
    }
    AppendRow(c, data.csv);
    data.risk.push_back(risk);
    data.left.push_back(c.left);
  }
  return data;
}

}  // namespace gyre::cli

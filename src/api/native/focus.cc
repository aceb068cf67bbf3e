#include "api/native/focus.h"

#include <array>

#include "base/json.h"
#include "base/time.h"
#include "ledger/usage/budgets.h"

namespace gyre::native {
namespace {

constexpr std::int64_t kMicrosPerDay = 24 * usage::kMicrosPerHour;
constexpr std::string_view kProvider = "gyre";

struct ServiceOf {
  std::string_view kind, service, resource;
};
constexpr ServiceOf kServices[] = {{"run", "Training", "Run"},
                                   {"job", "Jobs", "Job"},
                                   {"pipeline_run", "Pipelines", "Pipeline run"},
                                   {"endpoint", "Endpoints", "Endpoint"},
                                   {"dataset", "Datasets", "Dataset"},
                                   {"model", "Registry", "Model"},
                                   {"query", "Queries", "Query"},
                                   {"api", "API", "Protocol"}};

ServiceOf ServiceOfKind(std::string_view kind) {
  for (const ServiceOf& one : kServices) {
    if (one.kind == kind) return one;
  }
  return {kind, "Other", "Other"};
}

std::string Quoted(std::string_view text) {
  if (text.find_first_of(",\"\r\n") == std::string_view::npos) return std::string(text);
  std::string quoted = "\"";
  for (const char c : text) quoted += c == '"' ? std::string("\"\"") : std::string(1, c);
  return quoted + "\"";
}

std::string Time(std::int64_t at_us) { return FormatTime(at_us).substr(0, 19) + "Z"; }

// With a point, so that a column of whole amounts is read as decimals too.
std::string Decimal(std::int64_t nanos) {
  const std::string text = usage::DecimalText(nanos);
  return text.find('.') == std::string::npos ? text + ".0" : text;
}

// By hand, digit for digit: the format knows no exponents, and a double loses what is small.
std::string Units(const usage::Charge& charge, const usage::Meter& meter) {
  constexpr int kDigits = 24;
  const std::int64_t unit = meter.quantity_per_unit;
  std::int64_t rest = charge.quantity % unit;
  std::string text = fmt::format("{}.", charge.quantity / unit);
  for (int i = 0; i < kDigits && (rest != 0 || i == 0); ++i) {
    text += static_cast<char>('0' + rest * 10 / unit);
    rest = rest * 10 % unit;
  }
  return text;
}

std::string TagsOf(const usage::Charge& charge) {
  // What the provider sets has its prefix; keys without one are the users' own.
  Json tags = Json::Obj();
  for (const auto& [key, value] :
       {std::pair{"gyre/user", charge.user}, std::pair{"gyre/run", charge.run},
        std::pair{"gyre/step", charge.step}}) {
    if (!value.empty()) tags.Set(key, value);
  }
  return tags.Dump();
}

struct Column {
  std::string_view name;
  std::string (*value)(const usage::Charge& charge, const std::string& currency);
};

const usage::Meter& MeterOf(const usage::Charge& charge) { return usage::kMeters[charge.meter]; }
using C = const usage::Charge&;
using Text = const std::string&;

std::string Cost(C c, Text) { return Decimal(c.cost_nanos); }
std::string Price(C c, Text) { return Decimal(c.price_micros * 1000); }
std::string Quantity(C c, Text) { return Units(c, MeterOf(c)); }
std::string Unit(C c, Text) { return std::string(MeterOf(c).unit); }
std::string Nothing(C, Text) { return {}; }
std::string Provider(C, Text) { return std::string(kProvider); }
std::string Project(C c, Text) { return c.project.empty() ? "(none)" : c.project; }
std::string Sku(C c, Text) { return std::string(MeterOf(c).name); }

// In the order of the specification: by name. Empty: null, where the specification allows it.
constexpr std::array kColumns = {
    Column{"AvailabilityZone", Nothing},
    Column{"BilledCost", Cost},
    Column{"BillingAccountId", Provider},
    Column{"BillingAccountName", Provider},
    Column{"BillingCurrency", [](C, Text currency) { return currency; }},
    Column{"BillingPeriodEnd",
           [](C c, Text) { return Time(usage::PeriodAt("month", c.day_us).to_us); }},
    Column{"BillingPeriodStart",
           [](C c, Text) { return Time(usage::PeriodAt("month", c.day_us).from_us); }},
    Column{"ChargeCategory", [](C, Text) { return std::string("Usage"); }},
    Column{"ChargeClass", Nothing},
    Column{"ChargeDescription",
           [](C c, Text) {
             const std::string& of = c.subject_label.empty() ? c.subject_id : c.subject_label;
             return fmt::format("{} ({})", MeterOf(c).about, of);
           }},
    Column{"ChargeFrequency", [](C, Text) { return std::string("Usage-Based"); }},
    Column{"ChargePeriodEnd", [](C c, Text) { return Time(c.day_us + kMicrosPerDay); }},
    Column{"ChargePeriodStart", [](C c, Text) { return Time(c.day_us); }},
    Column{"CommitmentDiscountCategory", Nothing},
    Column{"CommitmentDiscountId", Nothing},
    Column{"CommitmentDiscountName", Nothing},
    Column{"CommitmentDiscountStatus", Nothing},
    Column{"CommitmentDiscountType", Nothing},
    Column{"ConsumedQuantity", Quantity},
    Column{"ConsumedUnit", Unit},
    Column{"ContractedCost", Cost},
    Column{"ContractedUnitPrice", Price},
    Column{"EffectiveCost", Cost},
    Column{"InvoiceIssuerName", Provider},
    Column{"ListCost", Cost},
    Column{"ListUnitPrice", Price},
    Column{"PricingCategory", [](C, Text) { return std::string("Standard"); }},
    Column{"PricingQuantity", Quantity},
    Column{"PricingUnit", Unit},
    Column{"ProviderName", Provider},
    Column{"PublisherName", Provider},
    Column{"RegionId", Nothing},
    Column{"RegionName", Nothing},
    Column{"ResourceId",
           [](C c, Text) { return fmt::format("{}/{}", c.subject_kind, c.subject_id); }},
    Column{"ResourceName", [](C c, Text) { return c.subject_label; }},
    Column{"ResourceType",
           [](C c, Text) { return std::string(ServiceOfKind(c.subject_kind).resource); }},
    Column{"ServiceCategory", [](C c, Text) { return std::string(MeterOf(c).service); }},
    Column{"ServiceName",
           [](C c, Text) { return std::string(ServiceOfKind(c.subject_kind).service); }},
    Column{"SkuId", Sku},
    Column{"SkuPriceId",
           [](C c, Text) { return fmt::format("{}@{}", MeterOf(c).name, c.price_micros); }},
    Column{"SubAccountId", Project},
    Column{"SubAccountName", Project},
    Column{"Tags", [](C c, Text) { return TagsOf(c); }}};

}  // namespace

std::string FocusCsv(const std::vector<usage::Charge>& charges, const std::string& currency) {
  std::string text;
  for (const Column& column : kColumns)
    text += fmt::format("{}{}", text.empty() ? "" : ",", column.name);
  text += "\r\n";
  for (const usage::Charge& charge : charges) {
    bool first = true;
    for (const Column& column : kColumns) {
      if (!first) text += ',';
      text += Quoted(column.value(charge, currency));
      first = false;
    }
    text += "\r\n";
  }
  return text;
}

}  // namespace gyre::native

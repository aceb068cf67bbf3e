#include "ml/traces/traces.h"

#include <gtest/gtest.h>
#include <stdlib.h>

#include <ctime>
#include <filesystem>

#include "base/testing/set_clock.h"
#include "base/text.h"
#include "ml/traces/trash_kind.h"
#include "platform/db/read_budget.h"

namespace gyre::traces {
namespace {

constexpr std::int64_t kStart = 1'700'000'000'000'000;

class TracesTest : public testing::Test {
 protected:
  void SetUp() override {
    char pattern[] = "/tmp/gyre-traces-XXXXXX";
    directory_ = mkdtemp(pattern);
    database_ = *db::OpenSqlite({.path = directory_ + "/gyre.db"});
    const db::ModuleSchema schemas[] = {TracesSchema()};
    ASSERT_TRUE(database_->Migrate(schemas));
    traces_ = *OpenTraces(*database_, clock_);
  }
  void TearDown() override {
    traces_.reset();
    database_.reset();
    std::filesystem::remove_all(directory_);
  }
  static Trace Make(const std::string& id, std::int64_t second, State state = State::kOk) {
    Trace trace;
    trace.id = id;
    trace.project = "default";
    trace.experiment = 1;
    trace.started_us = kStart + second * kMicrosPerSecond;
    trace.duration_us = 1'500'000;
    trace.state = state;
    return trace;
  }
  Trace Start(Trace trace) {
    auto made = traces_->Start(trace);
    EXPECT_TRUE(made) << made.error().ToString();
    return made ? *made : Trace();
  }
  static Span MakeSpan(const std::string& id, const std::string& parent, std::int64_t second,
                       const std::string& name) {
    Span span;
    span.id = id;
    span.parent = parent;
    span.name = name;
    span.type = "LLM";
    span.start_ns = (kStart + second * kMicrosPerSecond) * 1'000;
    span.end_ns = span.start_ns + 1'000'000'000;
    span.attributes = Json::Obj({{"model", name + "-model"}, {"n", 3}});
    return span;
  }
  Result<> Add(const std::string& id, std::vector<Span> spans, Texts tags = {}) {
    const SpanBatch batch{.trace_id = id, .spans = std::move(spans), .tags = std::move(tags)};
    return traces_->AddSpans("default", 1, std::span(&batch, 1));
  }
  // The ids found, in order.
  std::string Ids(const std::string& filter, std::vector<std::string> order = {}, int limit = 100,
                  std::string* token = nullptr) {
    TraceSearch search{.project = "default", .experiments = {1, 2}};
    search.filter = *tracking::ParseFilter(filter, tracking::kTraceFields);
    search.order = *tracking::ParseOrder(order, tracking::kTraceFields);
    search.limit = limit;
    if (token != nullptr) search.page_token = *token;
    const auto found = traces_->Search(search);
    if (!found) return found.error().ToString();
    if (token != nullptr) *token = found->next_page_token;
    std::string ids;
    for (const Trace& trace : found->traces) ids += trace.id;
    return ids;
  }

  std::string directory_;
  SetClock clock_{kStart};
  std::unique_ptr<db::Database> database_;
  std::unique_ptr<Traces> traces_;
};

TEST_F(TracesTest, ATraceIsToldAndRead) {
  Trace trace = Make("a", 1);
  trace.tags = {{"k", "v"}};
  trace.metadata = {{"m", "n"}};
  trace.client_request = "c";
  trace.assessments.push_back({.name = "good", .kind = "feedback", .value = "true"});
  const Trace made = Start(trace);
  EXPECT_EQ(made.tags, trace.tags);
  EXPECT_EQ(made.metadata, trace.metadata);
  EXPECT_EQ(made.client_request, "c");
  EXPECT_EQ(made.request_preview, std::nullopt);
  EXPECT_EQ(made.duration_us, 1'500'000);
  ASSERT_EQ(made.assessments.size(), 1u);
  EXPECT_EQ(made.assessments[0].created_us, kStart);
  EXPECT_FALSE(made.has_spans);
  EXPECT_EQ(traces_->Get("shop", "a").error().gy(), "GY3452");

  trace.tags = {{"k", "w"}};
  trace.assessments.clear();
  EXPECT_EQ(Start(trace).tags, trace.tags);  // the same again changes nothing else
  EXPECT_EQ(traces_->Get("default", "a")->assessments.size(), 1u);
  trace.experiment = 2;
  EXPECT_EQ(traces_->Start(trace).error().gy(), "GY3451");
  for (const std::string id : {"", "..", "a/b", "a b", "a%2fb", "a?", "a#"})
    EXPECT_EQ(traces_->Start(Make(id, 1)).error().gy(), "GY3450") << id;
}

TEST_F(TracesTest, SpansComeBeforeTheirTraceIsTold) {
  ASSERT_TRUE(Add("a", {MakeSpan("2", "1", 2, "inner")}));
  EXPECT_EQ(traces_->Get("default", "a")->state, State::kAtWork);
  ASSERT_TRUE(Add("a", {MakeSpan("1", "", 1, "outer")}, {{"from", "root"}}));
  const auto trace = traces_->Get("default", "a");
  ASSERT_TRUE(trace);
  EXPECT_EQ(trace->state, State::kOk);
  EXPECT_EQ(trace->started_us, kStart + kMicrosPerSecond);
  EXPECT_EQ(trace->duration_us, 2 * kMicrosPerSecond);
  EXPECT_EQ(trace->tags.at("from"), "root");
  EXPECT_TRUE(trace->has_spans);
  const Trace told = Start(Make("a", 7));
  EXPECT_EQ(told.started_us, kStart + 7 * kMicrosPerSecond);
  ASSERT_TRUE(Add("a", {MakeSpan("3", "1", 0, "late")}));
  EXPECT_EQ(traces_->Get("default", "a")->started_us, told.started_us);
  const auto spans = traces_->SpansOf("default", "a");
  ASSERT_TRUE(spans) << spans.error().ToString();
  ASSERT_EQ(spans->size(), 3u);
  EXPECT_EQ((*spans)[0].name, "outer");
  EXPECT_EQ((*spans)[1].name, "late");
  const SpanBatch other{.trace_id = "a", .spans = {MakeSpan("9", "", 1, "x")}};
  EXPECT_EQ(traces_->AddSpans("default", 2, std::span(&other, 1)).error().gy(), "GY3451");
}

TEST_F(TracesTest, ATraceHoldsSoMuch) {
  Span large = MakeSpan("1", "", 1, "large");
  large.attributes.Set("x", std::string(40 << 20, 'x'));
  ASSERT_TRUE(Add("a", {large}));
  EXPECT_EQ(Add("a", {large}).error().gy(), "GY3454");
  EXPECT_EQ(traces_->SpansOf("default", "a")->size(), 1u);
}

TEST_F(TracesTest, ATraceStartedEarlyEnds) {
  Trace trace = Make("a", 1, State::kAtWork);
  trace.duration_us = {};
  Start(trace);
  const auto ended = traces_->End(
      "default", "a",
      {.ended_us = kStart + 3 * kMicrosPerSecond, .state = State::kError, .tags = {{"k", "v"}}});
  ASSERT_TRUE(ended);
  EXPECT_EQ(ended->duration_us, 2 * kMicrosPerSecond);
  EXPECT_EQ(ended->state, State::kError);
  EXPECT_EQ(traces_->End("default", "b", {}).error().gy(), "GY3452");
}

TEST_F(TracesTest, FiltersFind) {
  Trace a = Make("a", 1);
  a.tags = {{"k", "x"}, {std::string(kNameTag), "ask"}};
  Trace b = Make("b", 2, State::kError);
  b.tags = {{"k", "Y"}};
  b.duration_us = 100'000;
  Trace c = Make("c", 3, State::kAtWork);
  c.client_request = "req-c";
  c.duration_us = {};
  Trace d = Make("d", 4);
  d.metadata = {{std::string(kRunMetadata), "r1"}, {"user", "otto"}};
  for (const Trace& trace : {a, b, c, d}) Start(trace);
  ASSERT_TRUE(Add("a", {MakeSpan("1", "", 1, "plan"), MakeSpan("2", "1", 1, "call")}));
  ASSERT_TRUE(traces_->Link("default", std::vector<std::string>{"b", "gone"}, "run", "r1"));
  ASSERT_TRUE(traces_->Link("default", std::vector<std::string>{"b"}, "prompt", "p/1"));
  ASSERT_TRUE(
      traces_->Assess("default", "a", {.name = "good", .kind = "feedback", .value = "0.5"}));
  ASSERT_TRUE(
      traces_->Assess("default", "b", {.name = "good", .kind = "feedback", .value = "\"yes\""}));
  const std::string second = std::to_string(kStart / 1'000 + 2'000);
  const std::pair<std::string, std::string> kCases[] = {
      {"", "dcba"},
      {"status = 'OK'", "da"},
      {"status != 'OK'", "cb"},
      {"status IN ('ERROR', 'IN_PROGRESS')", "cb"},
      {"tags.k = 'x'", "a"},
      {"tags.k != 'x'", "b"},
      {"tags.k ILIKE 'y'", "b"},
      {"tags.k IS NULL", "dc"},
      {"tags.k RLIKE '^[xY]$'", "ba"},
      {"name LIKE 'as%'", "a"},
      {"name = 'ask'", "a"},
      {"run_id = 'r1'", "db"},
      {"prompt = 'p/1'", "b"},
      {"metadata.user = 'otto'", "d"},
      {"client_request_id = 'req-c'", "c"},
      {"request_id IN ('a', 'b')", "ba"},
      {"request_id NOT IN ('a', 'b')", "dc"},
      {"execution_time > 1000", "da"},
      {"end_time >= " + second, "dcba"},
      {"timestamp > " + second, "dc"},
      {"timestamp <= " + second, "ba"},
      {"timestamp = " + second, "b"},
      {"span.name = 'call'", "a"},
      {"span.name = 'call' AND span.attributes.model = 'call-model'", "a"},
      {"span.name = 'call' AND span.attributes.model = 'plan-model'", ""},
      {"NOT span.name = 'call'", "dcb"},
      {"span.type = 'LLM' AND status = 'OK'", "a"},
      {"span.content LIKE '%call-model%'", "a"},
      {"text LIKE '%plan%'", "a"},
      {"feedback.good > 0.4", "a"},
      {"feedback.good = 'yes'", "b"},
      {"feedback.good IS NOT NULL", "ba"},
      {"status = 'OK' OR tags.k = 'Y'", "dba"},
      {"(status = 'OK' OR tags.k = 'Y') AND NOT tags.k = 'x'", "db"},
  };
  for (const auto& [filter, ids] : kCases) EXPECT_EQ(Ids(filter), ids) << filter;
  EXPECT_TRUE(Ids("tags.k RLIKE '('").starts_with("GY3455"));
  EXPECT_EQ(Ids("", {"timestamp ASC"}), "abcd");
  EXPECT_EQ(Ids("", {"execution_time DESC"}), "dabc");
  EXPECT_EQ(Ids("", {"tags.k"}), "badc");
}

TEST_F(TracesTest, PagesGoOnWhereTheyEnded) {
  for (int i = 0; i < 7; ++i) Start(Make(std::string(1, static_cast<char>('a' + i)), i / 2));
  for (const std::vector<std::string>& order :
       {std::vector<std::string>{}, std::vector<std::string>{"status", "request_id"}}) {
    std::string token, all;
    do {
      all += Ids("", order, 3, &token) + ".";
    } while (!token.empty());
    EXPECT_EQ(all, order.empty() ? "gef.cda.b." : "abc.def.g.");
  }
  for (std::string token : {"x", "t1", "t.a", "o0", "o3", "tx.a"})
    EXPECT_TRUE(Ids("", {}, 3, &token).starts_with("GY3453")) << token;
}

TEST_F(TracesTest, APageOfAnotherOrderGoesOnBehindItsLastTrace) {
  for (const char id : {'b', 'c', 'd', 'e'}) Start(Make(std::string(1, id), 1));
  std::string token;
  EXPECT_EQ(Ids("", {"request_id"}, 2, &token), "bc");
  std::string of_another = token;
  Start(Make("a", 1));  // would push what was there by one
  ASSERT_TRUE(traces_->Delete({.project = "default", .experiment = 1, .ids = {"c"}}));
  EXPECT_EQ(Ids("", {"request_id"}, 2, &token), "de");
  EXPECT_EQ(token, "");
  EXPECT_TRUE(Ids("status = 'OK'", {"request_id"}, 2, &of_another).starts_with("GY3453"));
}

TEST_F(TracesTest, ASearchEndsWhenItsBudgetIsSpent) {
  Span span = MakeSpan("1", "", 1, "large");
  span.attributes.Set("x", std::string(4 << 20, 'a'));
  ASSERT_TRUE(Add("a", {span}));
  const std::string slow = "span.attributes.x RLIKE '(a|aa|aaa){100}b'";
  const std::clock_t begun = std::clock();
  for (const std::string& filter : {slow, "NOT " + slow, slow + " OR " + slow}) {
    const db::ReadBudget budget(50'000, [] { return false; });
    EXPECT_TRUE(Ids(filter).starts_with("GY1416")) << filter;
  }
  EXPECT_LT(static_cast<double>(std::clock() - begun) / CLOCKS_PER_SEC, 3);
  EXPECT_EQ(Ids("name != 'x'"), "");
}

TEST_F(TracesTest, DeletesTheOldestOrThoseNamed) {
  for (int i = 0; i < 5; ++i) Start(Make(std::string(1, static_cast<char>('a' + i)), i));
  TraceDeletion oldest{.project = "default", .experiment = 1};
  oldest.until_us = kStart + 3 * kMicrosPerSecond;
  oldest.count_max = 2;
  EXPECT_EQ(*traces_->Delete(oldest), 2);
  EXPECT_EQ(Ids(""), "edc");
  EXPECT_EQ(*traces_->Delete({.project = "default", .experiment = 2, .ids = {"c"}}), 0);
  EXPECT_EQ(*traces_->Delete({.project = "shop", .experiment = 1, .ids = {"c"}}), 0);
  EXPECT_EQ(*traces_->Delete({.project = "default", .experiment = 1, .ids = {"c", "x", "e"}}), 2);
  EXPECT_EQ(Ids(""), "d");
}

TEST_F(TracesTest, TagsChange) {
  Start(Make("a", 1));
  ASSERT_TRUE(traces_->SetTag("default", "a", "k", "v"));
  ASSERT_TRUE(traces_->SetTag("default", "a", "k", "w"));
  EXPECT_EQ(traces_->Get("default", "a")->tags.at("k"), "w");
  ASSERT_TRUE(traces_->DeleteTag("default", "a", "k"));
  EXPECT_EQ(traces_->DeleteTag("default", "a", "k").error().gy(), "GY3456");
  EXPECT_EQ(traces_->SetTag("shop", "a", "k", "v").error().gy(), "GY3452");
  EXPECT_EQ(traces_->Link("default", std::vector<std::string>(101, "a"), "run", "r").error().gy(),
            "GY3457");
}

TEST_F(TracesTest, AssessmentsReplaceEachOther) {
  Start(Make("a", 1));
  const auto first =
      traces_->Assess("default", "a", {.name = "good", .kind = "feedback", .value = "true"});
  ASSERT_TRUE(first);
  const auto second = traces_->Assess(
      "default", "a",
      {.name = "good", .kind = "feedback", .value = "false", .overrides = first->id});
  ASSERT_TRUE(second);
  EXPECT_FALSE(traces_->GetAssessment("default", "a", first->id)->valid);
  clock_.now_us += 5;
  const auto changed = traces_->ChangeAssessment("default", "a", second->id,
                                                 {.rationale = "so", .metadata = {{"k", "v"}}});
  ASSERT_TRUE(changed);
  EXPECT_EQ(changed->rationale, "so");
  EXPECT_EQ(changed->updated_us, kStart + 5);
  EXPECT_EQ(changed->metadata.at("k"), "v");
  EXPECT_EQ(
      traces_->ChangeAssessment("default", "a", second->id, {.value = "1", .kind = "expectation"})
          .error()
          .gy(),
      "GY3461");
  ASSERT_TRUE(traces_->DeleteAssessment("default", "a", second->id));
  ASSERT_TRUE(traces_->DeleteAssessment("default", "a", second->id));
  EXPECT_TRUE(traces_->GetAssessment("default", "a", first->id)->valid);
  EXPECT_EQ(traces_->GetAssessment("default", "a", second->id).error().gy(), "GY3458");
  EXPECT_EQ(traces_->Assess("default", "a", {.name = "x", .kind = "feedback", .overrides = "no"})
                .error()
                .gy(),
            "GY3458");
}

TEST_F(TracesTest, CountsHowFiltersGoTogether) {
  for (int i = 0; i < 4; ++i) {
    Trace trace =
        Make(std::string(1, static_cast<char>('a' + i)), i, i < 2 ? State::kError : State::kOk);
    if (i % 2 == 0) trace.tags = {{"k", "v"}};
    Start(trace);
  }
  const auto filter = [](std::string_view text) {
    return *tracking::ParseFilter(text, tracking::kTraceFields);
  };
  const auto counts = traces_->Correlate({.project = "default", .experiments = {1}},
                                         filter("status = 'ERROR'"), filter("tags.k = 'v'"));
  ASSERT_TRUE(counts);
  EXPECT_EQ(counts->first, 2);
  EXPECT_EQ(counts->second, 2);
  EXPECT_EQ(counts->both, 1);
  EXPECT_EQ(counts->all, 4);
}

}  // namespace
}  // namespace gyre::traces

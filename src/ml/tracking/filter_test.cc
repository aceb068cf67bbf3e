#include "ml/tracking/filter.h"

#include <gtest/gtest.h>

#include <random>

namespace gyre::tracking {
namespace {

// What a filter is read as, or "error: " and the message.
std::string Read(const FieldTable& fields, std::string_view text) {
  const auto filter = ParseFilter(text, fields);
  if (!filter) {
    EXPECT_EQ(filter.error().gy(), "GY3430");
    return "error: " + filter.error().message();
  }
  const std::string again = FilterText(*filter, fields);
  // A text with a quote of its own kind in it is not the same when it is read again.
  if (again.contains("''") || again.contains("``") || again.contains('\\')) return again;
  if (again.contains("inf")) return again;
  const auto back = ParseFilter(again, fields);
  EXPECT_TRUE(back && *back == *filter) << text << " -> " << again;
  return again;
}

struct Case {
  std::string_view text, reading;
};

void ExpectAll(const FieldTable& fields, std::span<const Case> cases) {
  for (const Case& one : cases) EXPECT_EQ(Read(fields, one.text), one.reading) << one.text;
}

TEST(Filter, ReadsComparisons) {
  constexpr Case kCases[] = {
      {"", ""},
      {"metrics.a > 1", "metric.`a` > 1"},
      {"metric.a>=-1", "metric.`a` >= -1"},
      {"metrics.a<-1.5e-3", "metric.`a` < -0.0015"},
      {"metrics.a <= 1E+5", "metric.`a` <= 100000"},
      {"metrics.a = .5", "metric.`a` = 0.5"},
      {"metrics.a < 1e999", "metric.`a` < inf"},
      {"metrics.a > -1e999", "metric.`a` > -inf"},
      {"metrics.a > 1e-999", "metric.`a` > 0"},
      {"metrics.a != 5.", "metric.`a` != 5"},
      {"\tmetrics.a\n>\r\n1 ", "metric.`a` > 1"},
      {"min.a > 1 AND max.a < 2 AND best.a = 3", "(min.`a` > 1 AND max.`a` < 2 AND best.`a` = 3)"},
      {"params.a = 'x'", "parameter.`a` = 'x'"},
      {"param.a='x'", "parameter.`a` = 'x'"},
      {"parameters.a != \"x\"", "parameter.`a` != 'x'"},
      {"tags.a LIKE 'x%'", "tag.`a` LIKE 'x%'"},
      {"tag.a iLike 'x%'", "tag.`a` ILIKE 'x%'"},
      {"tags.a is null", "tag.`a` IS NULL"},
      {"params.a Is  Not\tNull", "parameter.`a` IS NOT NULL"},
      {"run_id = 'abc'", "run_id = 'abc'"},
      {"attributes.run_id = 'abc'", "run_id = 'abc'"},
      {"attr.status = 'FINISHED'", "status = 'FINISHED'"},
      {"run.end_time <= 1700000000000", "end_time <= 1700000000000"},
      {"created > 1.5", "start_time > 1.5"},
      {"attribute.Created > 1", "start_time > 1"},
      {"`run name` = 'x'", "run_name = 'x'"},
      {"\"Run name\" = 'x'", "run_name = 'x'"},
      {"attributes.`Run Name` LIKE 'x'", "run_name LIKE 'x'"},
      {"dataset.name IN ('x', \"y\")", "dataset.`name` IN ('x', 'y')"},
      {"datasets.digest not in ('x')", "dataset.`digest` NOT IN ('x')"},
      {"dataset.context ILIKE 'tr%'", "dataset.`context` ILIKE 'tr%'"},
      {"run_id IN ('a','b',)", "run_id IN ('a', 'b')"},
      {"run_id NOT IN ( \"a\" )", "run_id NOT IN ('a')"},
  };
  ExpectAll(kRunFields, kCases);
}

TEST(Filter, ReadsKeysAndQuotes) {
  constexpr Case kCases[] = {
      {"metrics.`a b` > 1", "metric.`a b` > 1"},
      {"metrics.\"a b\" > 1", "metric.`a b` > 1"},
      {"metrics.'a b' > 1", "metric.`a b` > 1"},
      {"`metrics`.`a.b` > 1", "metric.`a.b` > 1"},
      {"metrics.a.b.c > 1", "metric.`a.b.c` > 1"},
      {"metrics.a.`b c`.d > 1", "metric.`a.b c.d` > 1"},
      {"metrics.1a > 1", "metric.`1a` > 1"},
      {"metrics.a_1 > 1", "metric.`a_1` > 1"},
      {"metrics. > 1", "metric.`` > 1"},
      {"tags.`mlflow.source.name` = 'x'", "tag.`mlflow.source.name` = 'x'"},
      {"tags.mlflow.source.name = 'x'", "tag.`mlflow.source.name` = 'x'"},
      {"params.`a\"'b` = 'x'", "parameter.`a\"'b` = 'x'"},
      {"params.\"a`b\" = 'x'", "parameter.`a``b` = 'x'"},
      {"params.ключ = 'ü 漢字 🙂'", "parameter.`ключ` = 'ü 漢字 🙂'"},
      {"params.and = 'x' AND params.or = 'y'", "(parameter.`and` = 'x' AND parameter.`or` = 'y')"},
      {"params.in = 'x'", "parameter.`in` = 'x'"},
      {"params.like LIKE 'like'", "parameter.`like` LIKE 'like'"},
      {"params.a = ''", "parameter.`a` = ''"},
      {"params.a = \"\"", "parameter.`a` = ''"},
      {"params.a = ' x '", "parameter.`a` = ' x '"},
      {"params.a = 'it''s'", "parameter.`a` = 'it''''s'"},
      {"params.a = 'it\\'s'", "parameter.`a` = 'it\\''s'"},
      {"params.a = \"it's\"", "parameter.`a` = 'it''s'"},
      {"params.a = ''''", "parameter.`a` = ''''''"},
      {"params.a = 'say \"hi\"'", "parameter.`a` = 'say \"hi\"'"},
      {"params.a = \"say \"\"hi\"\"\"", "parameter.`a` = 'say \"\"hi\"\"'"},
      {"params.a = 'C:\\'", "parameter.`a` = 'C:\\'"},
      {"params.a = 'C:\\dir' AND params.b = 'x'",
       "(parameter.`a` = 'C:\\dir' AND parameter.`b` = 'x')"},
      {"params.a = '; -- ) OR 1=1'", "parameter.`a` = '; -- ) OR 1=1'"},
      {"params.a = '2020-01-01'", "parameter.`a` = '2020-01-01'"},
      {"params.a='x'AND params.b='y'", "(parameter.`a` = 'x' AND parameter.`b` = 'y')"},
  };
  ExpectAll(kRunFields, kCases);
}

TEST(Filter, BindsAndCloserThanOr) {
  constexpr Case kCases[] = {
      {"metrics.a>1 OR metrics.b>1 AND metrics.c>1",
       "(metric.`a` > 1 OR (metric.`b` > 1 AND metric.`c` > 1))"},
      {"(metrics.a>1 or metrics.b>1) and metrics.c>1",
       "((metric.`a` > 1 OR metric.`b` > 1) AND metric.`c` > 1)"},
      {"NOT metrics.a>1 AND metrics.b>1", "(NOT metric.`a` > 1 AND metric.`b` > 1)"},
      {"not (metrics.a>1 AND metrics.b>1)", "NOT (metric.`a` > 1 AND metric.`b` > 1)"},
      {"NOT NOT metrics.a>1", "metric.`a` > 1"},
      {"NOT(NOT(NOT metrics.a>1))", "NOT metric.`a` > 1"},
      {"((metrics.a > 1))", "metric.`a` > 1"},
      {"(metrics.a>1 AND metrics.b>1) AND (metrics.c>1 AND metrics.d>1)",
       "(metric.`a` > 1 AND metric.`b` > 1 AND metric.`c` > 1 AND metric.`d` > 1)"},
      {"metrics.a>1 OR (metrics.b>1 OR metrics.c>1)",
       "(metric.`a` > 1 OR metric.`b` > 1 OR metric.`c` > 1)"},
      {"NOT tags.a = 'x' OR tags.a NOT IN ('x')",
       "error: Expected a quoted string value for tag (e.g. 'my-value'). Got value ('x')"},
      {"NOT run_id NOT IN ('x')", "NOT run_id NOT IN ('x')"},
      // As MLflow takes them.
      {"metrics.a>1 metrics.b>1", "(metric.`a` > 1 AND metric.`b` > 1)"},
      {"AND metrics.a>1 AND AND metrics.b>1 AND", "(metric.`a` > 1 AND metric.`b` > 1)"},
  };
  ExpectAll(kRunFields, kCases);
}

TEST(Filter, SaysWhatIsWrongWithTheWords) {
  constexpr Case kCases[] = {
      {"   ", "error: Invalid filter '   '. Could not be parsed."},
      {"metrics.a", "error: Invalid clause(s) in filter string: 'metrics.a'"},
      {"metrics.a >", "error: Invalid clause(s) in filter string: 'metrics.a', '>'"},
      {"> 1", "error: Invalid clause(s) in filter string: '>', '1'"},
      {"xyz", "error: Invalid clause(s) in filter string: 'xyz'"},
      {"'xyz'", "error: Invalid clause(s) in filter string: ''xyz''"},
      {"!", "error: Invalid clause(s) in filter string: '!'"},
      {"AND", "error: Invalid clause(s) in filter string: 'AND'"},
      {"OR metrics.a > 1", "error: Invalid clause(s) in filter string: 'OR'"},
      {"metrics.a > 1 OR", "error: Invalid clause(s) in filter string: 'OR'"},
      {"NOT", "error: Invalid clause(s) in filter string: 'NOT'"},
      {"()", "error: Invalid clause(s) in filter string: ')'"},
      {"(metrics.a > 1", "error: Invalid clause(s) in filter string: '('"},
      {"metrics.a > 1)", "error: Invalid clause(s) in filter string: ')'"},
      {"metrics.a > 1, metrics.b > 1", "error: Invalid clause(s) in filter string: ','"},
      {"metrics.a > +1", "error: Invalid clause(s) in filter string: 'metrics.a', '>', '+', '1'"},
      {"metrics.a > -inf",
       "error: Invalid clause(s) in filter string: 'metrics.a', '>', '-', 'inf'"},
      {"metrics.a b > 1", "error: Invalid clause(s) in filter string: 'metrics.a'"},
      {"metrics .a > 1", "error: Invalid clause(s) in filter string: 'metrics', '.'"},
      {"metrics.a > 1 > 2", "error: Invalid clause(s) in filter string: '>', '2'"},
      {"params.a ! = 'x'",
       "error: Invalid clause(s) in filter string: 'params.a', '!', '=', ''x''"},
      {"params.a = 'x", "error: Invalid clause(s) in filter string: 'params.a', '=', ''', 'x'"},
      {"params.a = x'", "error: Invalid clause(s) in filter string: '''"},
      {"params.`a = 'x'", "error: Invalid clause(s) in filter string: 'params.', '`'"},
      {"tags.a = 'x';", "error: Invalid clause(s) in filter string: ';'"},
      {"tags.a = 'x'; tags.b = 'y'",
       "error: Search filter contained multiple expression \"tags.a = 'x'; tags.b = 'y'\". Provide "
       "AND-ed expression list."},
      {"tags.a = 'x' -- hi", "error: Invalid clause(s) in filter string: '-- hi'"},
      {"tags.a = 'x' /* hi */", "error: Invalid clause(s) in filter string: '/* hi */'"},
      {"'x' = params.a", "error: Invalid comparison clause. Expected 'Identifier' found ''x''"},
      {"1 < metrics.a", "error: Invalid comparison clause. Expected 'Identifier' found '1'"},
      {"metrics.a-b > 1",
       "error: Invalid comparison clause. Expected 'Identifier' found 'metrics.a-b'"},
      {"metrics.a/b > 1",
       "error: Invalid comparison clause. Expected 'Identifier' found 'metrics.a/b'"},
      {"run_id IN ('a'", "error: Invalid clause(s) in filter string: 'run_id', 'IN', '(', ''a''"},
      {"run_id IN 'a'", "error: Invalid clause(s) in filter string: 'run_id', 'IN', ''a''"},
      {"tags.a IS", "error: Invalid clause(s) in filter string: 'tags.a', 'IS'"},
      {"tags.a IS NOT 'x'", "error: Invalid clause(s) in filter string: 'tags.a', 'IS', ''x''"},
      {"tags.a BETWEEN 'a' AND 'z'",
       "error: Invalid clause(s) in filter string: 'tags.a', 'BETWEEN', ''a'', ''z''"},
      {"tags.a = N'red'", "error: Invalid clause(s) in filter string: ''red''"},
      {"(tags.a = 'x') AND ) tags.b = 'y'", "error: Invalid clause(s) in filter string: ')'"},
      {"metrics.a > 0x10", "error: Invalid clause(s) in filter string: 'metrics.a', '>', '0x10'"},
  };
  ExpectAll(kRunFields, kCases);
}

TEST(Filter, SaysWhatIsWrongWithTheMeaning) {
  constexpr std::string_view kKeys =
      "specified. Valid keys are '{'run_id', 'run_name', 'run name', 'Run name', 'Run Name', "
      "'status', 'artifact_uri', 'user_id', 'start_time', 'created', 'Created', 'end_time'}'";
  const std::string unknown = "error: Invalid attribute key 'foo' " + std::string(kKeys);
  const std::string unquoted =
      "error: Parameter value is either not quoted or unidentified quote types used for string "
      "value x. Use either single or double quotes.";
  const std::string list = "error: While parsing a list in the query, expected ";
  const std::string no_list = list + "a non-empty list of string values, but got ill-formed list.";
  const std::string no_text_list = list + "a non-empty list of string values, but got empty list";
  const std::string number_list =
      list + "string value, punctuation, or whitespace, but got different type in list: ('a', 1)";
  const Case cases[] = {
      {"foo = 'x'", unknown},
      {"attr.foo = 'x'", unknown},
      {"foo.bar = 'x'",
       "error: Invalid entity type 'foo'. Valid values are ['metric', "
       "'parameter', 'tag', 'attribute', 'dataset']"},
      {"METRICS.a > 1",
       "error: Invalid entity type 'METRICS'. Valid values are ['metric', "
       "'parameter', 'tag', 'attribute', 'dataset']"},
      {"dataset.foo = 'x'",
       "error: Invalid dataset key 'foo' specified. Valid keys are '{'name', "
       "'digest', 'context'}'"},
      {"metrics.a > '1'", "error: Expected numeric value type for metric. Found '1'"},
      {"metrics.a > nan", "error: Expected numeric value type for metric. Found nan"},
      {"tags.a = NULL",
       "error: Expected a quoted string value for tag (e.g. 'my-value'). Got value NULL"},
      {"metrics.a > 1.2.3", "error: Expected numeric value type for metric. Found 1.2.3"},
      {"metrics.a > (1)", "error: Expected numeric value type for metric. Found (1)"},
      {"metrics.a LIKE 1",
       "error: Invalid comparator 'LIKE' not one of '{'<', '<=', '>', '>=', "
       "'=', '!='}"},
      {"metrics.a == 1",
       "error: Invalid comparator '==' not one of '{'<', '<=', '>', '>=', '=', "
       "'!='}"},
      {"params.a > 'x'",
       "error: Invalid comparator '>' not one of '{'=', '!=', 'LIKE', 'ILIKE', "
       "'IS NULL', 'IS NOT NULL'}'"},
      {"params.a not like 'x'",
       "error: Invalid comparator 'NOT LIKE' not one of '{'=', '!=', "
       "'LIKE', 'ILIKE', 'IS NULL', 'IS NOT NULL'}'"},
      {"params.a RLIKE 'x'",
       "error: Invalid comparator 'RLIKE' not one of '{'=', '!=', 'LIKE', "
       "'ILIKE', 'IS NULL', 'IS NOT NULL'}'"},
      {"params.a = x", unquoted},
      {"status = x", unquoted},
      {"params.a = 1",
       "error: Expected a quoted string value for parameter (e.g. 'my-value'). Got "
       "value 1"},
      {"tags.a IN ('x')",
       "error: Expected a quoted string value for tag (e.g. 'my-value'). Got value ('x')"},
      {"start_time > '1'",
       "error: Expected numeric value type for numeric attribute: start_time. Found '1'"},
      {"status = 1", "error: Expected a quoted string value for attributes. Got value 1"},
      {"dataset.name = 1",
       "error: Expected a quoted string value for dataset attributes. Got value 1"},
      {"run_name IN ('a')",
       "error: Only ['run_id'] attributes support comparison with a list of "
       "quoted string values."},
      {"run_id IN ()", no_text_list},
      {"run_id IN (,)", no_list},
      {"run_id IN (a)", no_list},
      {"run_id IN (('a'))", no_list},
      {"run_id IN ('a' 'b')", no_list},
      {"run_id IN ('a', 1)", number_list},
      {"run_id = ('a')",
       "error: Only ['run_id'] attributes support comparison with a list of "
       "quoted string values."},
      {"metrics.a IS NULL",
       "error: IS NULL / IS NOT NULL is only supported for tags and params, "
       "not for 'metric' 'a'"},
      {"run_id IS NOT NULL",
       "error: IS NULL / IS NOT NULL is only supported for tags and params, "
       "not for 'attribute' 'run_id'"},
  };
  ExpectAll(kRunFields, cases);
}

TEST(Filter, NamesThePlace) {
  const auto filter = ParseFilter("metrics.a > 1 AND foo.b = 'x'", kRunFields);
  ASSERT_FALSE(filter);
  EXPECT_EQ(filter.error().where(), "filter:19");
  EXPECT_FALSE(ParseFilter("metrics.a > 1 metrics", kRunFields).error().why().empty());
}

TEST(Filter, ReadsExperiments) {
  constexpr Case kCases[] = {
      {"name ILIKE '%a' AND creation_time > 5 OR last_update_time != 7",
       "((name ILIKE '%a' AND creation_time > 5) OR last_update_time != 7)"},
      {"attribute.name = 'x' AND tags.`a b` != 'y'", "(name = 'x' AND tag.`a b` != 'y')"},
      {"experiment_id IN ('1','2')", "experiment_id IN ('1', '2')"},
      {"tag.a IS NULL", "tag.`a` IS NULL"},
      {"creation_time > 1.5", "error: Invalid value for numeric attribute 'creation_time': 1.5"},
      {"name > 'a'", "error: Invalid comparator '>' not one of '{'=', '!=', 'LIKE', 'ILIKE'}'"},
      {"tags.a > 'x'", "error: Invalid comparator for tag: >"},
      {"experiment_id LIKE '1'", "error: Invalid comparator for experiment_id: LIKE"},
      {"name IN ('a')",
       "error: Only ['experiment_id'] attributes support comparison with a list "
       "of quoted string values."},
      {"name IS NULL",
       "error: IS NULL / IS NOT NULL is only supported for tags, not for attribute 'name'"},
      {"params.a = 'x'",
       "error: Invalid entity type 'params'. Valid entity types are "
       "('attribute', 'attributes', 'tag', 'tags')"},
      {"foo = 'x'",
       "error: Invalid attribute key 'foo' specified. Valid keys are '{'name', "
       "'experiment_id', 'creation_time', 'last_update_time'}'"},
  };
  ExpectAll(kExperimentFields, kCases);
}

TEST(Filter, ReadsModels) {
  constexpr Case kCases[] = {
      {"name LIKE 'a%' AND tags.`mlflow.prompt.is_prompt` = 'true'",
       "(name LIKE 'a%' AND tag.`mlflow.prompt.is_prompt` = 'true')"},
      {"name IN ('a', 'b')", "name IN ('a', 'b')"},
      {"attribute.name = 'x'", "name = 'x'"},
      {"name > 'a'", "error: Invalid comparator for attribute: >"},
      {"tags.a > 'a'", "error: Invalid comparator for tag: >"},
      {"name = 1",
       "error: Expected a quoted string value or a list of quoted string values for "
       "attributes. Got value 1"},
      {"timestamp > 1",
       "error: Invalid attribute key 'timestamp' specified. Valid keys are '{'name'}'"},
      {"attributes.name = 'x'",
       "error: Invalid entity type 'attributes'. Valid entity types are "
       "('attribute', 'tag', 'tags')"},
  };
  ExpectAll(kModelFields, kCases);
  constexpr Case kVersionCases[] = {
      {"name='a' AND version_number >= '2' AND run_id IN ('x')",
       "(name = 'a' AND version_number >= 2 AND run_id IN ('x'))"},
      {"source_path ILIKE 's3:%'", "source_path ILIKE 's3:%'"},
      {"run_id = ''", "run_id = ''"},
      {"version_number = 1.5", "error: Invalid value for numeric attribute 'version_number': 1.5"},
      {"version_number = 'x'", "error: Invalid value for numeric attribute 'version_number': 'x'"},
      {"version_number LIKE 1", "error: Invalid comparator for attribute version_number: LIKE"},
      {"name = 1",
       "error: Only the '{'version_number', 'creation_timestamp', "
       "'last_updated_timestamp'}' attributes support comparison with numeric values."},
      {"source_path IN ('x')",
       "error: Only ['name', 'run_id'] attributes support comparison with "
       "a list of quoted string values."},
      {"current_stage = 'x'",
       "error: Invalid attribute key 'current_stage' specified. Valid keys "
       "are '{'name', 'version_number', 'run_id', 'source_path'}'"},
  };
  ExpectAll(kModelVersionFields, kVersionCases);
}

TEST(Filter, ReadsLoggedModels) {
  constexpr Case kCases[] = {
      {"name='a' AND metrics.`a b` > 1 AND params.lr = 0.01 AND tags.t IN ('x')",
       "(name = 'a' AND metrics.`a b` > 1 AND params.`lr` = '0.01' AND tags.`t` IN ('x'))"},
      {"creation_time > 1 AND attributes.model_id IN ('a','b')",
       "(creation_timestamp > 1 AND model_id IN ('a', 'b'))"},
      {"status = 1", "status = '1'"},
      {"metrics.a LIKE 1",
       "error: Invalid comparison operator for metrics.a: 'LIKE'. Expected one "
       "of ('<', '<=', '>', '>=', '=', '!=')."},
      {"status > 'x'",
       "error: Invalid comparison operator for attributes.status: '>'. Expected "
       "one of ('=', '!=', 'LIKE', 'ILIKE', 'IN', 'NOT IN')."},
      {"metric.a > 1",
       "error: Invalid entity type: 'metric'. Expected one of ['attributes', "
       "'metrics', 'params', 'tags']."},
  };
  ExpectAll(kLoggedModelFields, kCases);
}

TEST(Filter, ReadsTraces) {
  constexpr Case kCases[] = {
      {"timestamp_ms > '5' AND trace.status IN ('OK', 'ERROR')",
       "(timestamp > 5 AND status IN ('OK', 'ERROR'))"},
      {"metadata.`mlflow.user` RLIKE '^a' AND tags.a IS NOT NULL",
       "(request_metadata.`mlflow.user` RLIKE '^a' AND tag.`a` IS NOT NULL)"},
      {"span.name = 'x' AND span.attributes.`a.b` LIKE '%' AND span.content LIKE '%x%'",
       "(span.`name` = 'x' AND span.`attributes.a.b` LIKE '%' AND span.`content` LIKE '%x%')"},
      {"feedback.a = 'yes' AND expectation.`b c` >= 0.5",
       "(feedback.`a` = 'yes' AND expectation.`b c` >= 0.5)"},
      {"text LIKE '%x%'", "text LIKE '%x%'"},
      {"feedback.a = 0.5",
       "error: Expected a quoted string value for feedback (e.g. 'my-value'). Got value 0.5"},
      {"feedback.a > 'x'",
       "error: Expected a numeric value for feedback when using comparator "
       "'>'. Got value 'x'"},
      {"span.content = 'x'", "error: span.content comparator '=' not one of '{'LIKE', 'ILIKE'}'"},
      {"span.foo = 'x'",
       "error: Invalid span attribute 'foo'. Supported attributes: name, status, "
       "type, attributes.<attribute_name>."},
      {"span.attributes. = 'x'",
       "error: Invalid span attribute 'attributes.'. Supported "
       "attributes: name, status, type, attributes.<attribute_name>."},
      {"feedback.a IN ('x')",
       "error: Expected a quoted string value for feedback (e.g. 'my-value'). Got value ('x')"},
  };
  ExpectAll(kTraceFields, kCases);
}

TEST(Filter, HasLimits) {
  const auto chain = [](int length) {
    std::string text = "metrics.a>1";
    for (int i = 1; i < length; ++i) text += " OR metrics.a>1";
    return text;
  };
  EXPECT_TRUE(ParseFilter(chain(kFilterComparisonsMax), kRunFields));
  EXPECT_EQ(Read(kRunFields, chain(kFilterComparisonsMax + 1)),
            "error: The filter has too many comparisons");
  const auto nested = [](int levels) {
    const auto count = static_cast<std::size_t>(levels);
    return std::string(count, '(') + "metrics.a>1" + std::string(count, ')');
  };
  EXPECT_TRUE(ParseFilter(nested(kFilterLevelsMax), kRunFields));
  EXPECT_EQ(Read(kRunFields, nested(kFilterLevelsMax + 1)),
            "error: The filter is nested too deeply");
  EXPECT_EQ(Read(kRunFields, std::string(kFilterBytesMax + 1, ' ')),
            "error: The filter is too long: 10,001 bytes");
  EXPECT_EQ(Read(kRunFields, "params.a = '\xff'"), "error: The filter is not valid UTF-8");
  std::string list = "run_id IN ('a'";
  for (std::size_t i = 0; i < kFilterListMax; ++i) list += ",'a'";
  EXPECT_EQ(Read(kRunFields, list + ")"),
            "error: While parsing a list in the query, expected a non-empty list of string values, "
            "but got more than 1,000");
}

// Whatever the words are and how they stand: an answer, and what is read is the same read again.
TEST(Filter, BearsAnything) {
  constexpr std::string_view kWords[] = {
      "metrics.a", "params.`b`", "run_id", "status", "AND", "OR",  "NOT",   "IN",      "LIKE",
      "IS",        "NULL",       "(",      ")",      ",",   "'x'", "\"y\"", "1",       "-2.5",
      "=",         ">",          "!=",     "'",      "`",   ";",   ".",     "\xc3\xa9"};
  std::mt19937 random(7);  // NOLINT
  for (int i = 0; i < 20'000; ++i) {
    std::string text;
    for (std::size_t length = random() % 12; length > 0; --length) {
      text += kWords[random() % std::size(kWords)];
      if (random() % 4 != 0) text += ' ';
    }
    Read(kRunFields, text);
  }
}

// --- orders --------------------------------------------------------------------------------------
std::string ReadOrder(const FieldTable& fields, const std::vector<std::string>& texts) {
  const auto orders = ParseOrder(texts, fields);
  if (!orders) {
    EXPECT_EQ(orders.error().gy(), "GY3431");
    return "error: " + orders.error().message();
  }
  std::string text;
  for (const OrderBy& order : *orders) {
    text += std::to_string(static_cast<int>(order.entity)) + " " + order.key +
            (order.ascending ? " up;" : " down;");
  }
  return text;
}

TEST(Order, IsRead) {
  const std::pair<std::vector<std::string>, std::string_view> cases[] = {
      {{}, ""},
      {{"metrics.a"}, "1 a up;"},
      {{"metrics.a DESC", "metrics.b asc"}, "1 a down;1 b up;"},
      {{"metrics.`a b`  desc"}, "1 a b down;"},
      {{" metrics.a"}, "error: Invalid order_by clause ' metrics.a'. Could not be parsed."},
      {{"ASC"}, "error: Invalid order_by clause 'ASC'. Could not be parsed."},
      {{"attributes.`run name`"},
       "error: Invalid attribute key 'run name' specified. Valid keys are '{'run_id', 'run_name', "
       "'status', 'artifact_uri', 'user_id', 'start_time', 'created', 'Created', 'end_time'}'"},
      {{"metrics.1 desc"}, "1 1 down;"},
      {{"min.a", "max.a", "best.a"}, "2 a up;3 a up;4 a up;"},
      {{"params.x", "tags.\"y z\" DESC"}, "5 x up;6 y z down;"},
      {{"created DESC", "attributes.run_name"}, "0 start_time down;0 run_name up;"},
      {{""}, "error: Invalid order_by clause ''. Could not be parsed."},
      {{"metrics.a foo"}, "error: Invalid ordering key in order_by clause 'metrics.a foo'."},
      {{"metrics.a DESC x"},
       "error: Invalid order_by clause 'metrics.a DESC x'. Could not be "
       "parsed."},
      {{"metrics.a, metrics.b"},
       "error: Invalid order_by clause 'metrics.a, metrics.b'. Could not be parsed."},
      {{"foo.bar"},
       "error: Invalid entity type 'foo'. Valid values are ['metric', 'parameter', "
       "'tag', 'attribute', 'dataset']"},
      {{"dataset.name"}, "error: Invalid identifier type 'dataset'"},
      {{"start_time", "created DESC"},
       "error: `order_by` contains duplicate fields: ['start_time', 'created DESC']"},
  };
  for (const auto& [texts, reading] : cases) EXPECT_EQ(ReadOrder(kRunFields, texts), reading);
}

TEST(Order, IsThatOfTheNoun) {
  EXPECT_EQ(ReadOrder(kExperimentFields, {"last_update_time DESC", "name"}),
            "0 last_update_time down;0 name up;");
  EXPECT_EQ(ReadOrder(kExperimentFields, {"tags.a"}), "error: Invalid order_by entity: tag");
  EXPECT_EQ(ReadOrder(kModelFields, {"last_updated_timestamp DESC", "name"}),
            "0 timestamp down;0 name up;");
  EXPECT_EQ(ReadOrder(kModelFields, {"foo"}),
            "error: Invalid order by key 'foo' specified. Valid keys are '{'name', 'timestamp', "
            "'last_updated_timestamp'}'");
  EXPECT_EQ(ReadOrder(kModelVersionFields, {"version_number DESC", "creation_timestamp"}),
            "0 version_number down;0 creation_timestamp up;");
  EXPECT_EQ(ReadOrder(kModelVersionFields, {"run_id"}),
            "error: Invalid attribute key 'run_id' specified. Valid keys are '{'name', "
            "'version_number', 'creation_timestamp', 'last_updated_timestamp'}'");
  EXPECT_EQ(ReadOrder(kLoggedModelFields, {"metrics.a", "creation_time DESC"}),
            "1 a up;0 creation_timestamp down;");
  EXPECT_EQ(ReadOrder(kLoggedModelFields, {"params.a"}),
            "error: Invalid order by field name: params, only `metrics.<name>` is allowed.");
  EXPECT_EQ(ReadOrder(kTraceFields, {"timestamp_ms DESC", "experiment_id"}),
            "0 timestamp down;0 experiment_id up;");
  EXPECT_EQ(ReadOrder(kTraceFields, {"span.name"}),
            "error: Invalid order_by entity `span` with key `name`");
}

}  // namespace
}  // namespace gyre::tracking

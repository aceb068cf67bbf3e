#include "cli/apply/sql_tables.h"

#include <gtest/gtest.h>

namespace gyre::cli::apply {
namespace {

using Names = std::set<std::string>;

TEST(SqlTables, AreWhatStandsAfterFromAndJoin) {
  EXPECT_EQ(TablesOf("select a.x from Sales a left join \"two-words\" b on a.id = b.id, c"),
            (Names{"sales", "two-words"}));
  EXPECT_EQ(TablesOf("select * from a, main.b, (select x from c) d where e in (from f)"),
            (Names{"a", "b", "c", "f"}));
  EXPECT_EQ(TablesOf("from a select x union all select y from b"), (Names{"a", "b"}));
  EXPECT_EQ(TablesOf("select * from \"sales:v3\""), (Names{"sales:v3"}));
}

TEST(SqlTables, AreNoColumnsTextsCommentsFunctionsOrOwnTables) {
  EXPECT_EQ(TablesOf("select plan, 'from x', extract(year from at), trim(both from t) from a "
                     "-- from y\nwhere b is distinct from z /* from q */"),
            (Names{"a"}));
  EXPECT_EQ(TablesOf("select * from range(3), read_csv('x.csv')"), Names{});
  EXPECT_EQ(TablesOf("with m as (select * from a), n (i, j) as materialized (select * from m) "
                     "select * from n join b using (i)"),
            (Names{"a", "b"}));
  for (const char* const broken :
       {"", "from", "select * from (", ")))", "/*", "'", "\"", "--", "as ("})
    EXPECT_EQ(TablesOf(broken), Names{}) << broken;
}

TEST(SqlTables, ACircleIsTheWayBack) {
  const Reads reads = {{"a", {"a", "b", "x"}}, {"b", {"c"}}, {"c", {"b", "a"}}, {"d", {"a"}}};
  EXPECT_EQ(CircleFrom("a", reads), (std::vector<std::string>{"a", "b", "c", "a"}));
  EXPECT_TRUE(CircleFrom("d", reads).empty()) << "it only leads into one";
  EXPECT_TRUE(CircleFrom("e", {{"e", {"e"}}}).empty()) << "its own earlier rows";
}

}  // namespace
}  // namespace gyre::cli::apply

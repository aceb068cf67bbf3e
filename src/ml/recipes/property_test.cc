// What must hold whatever the data: rows and columns give the same bits, and fits do not depend on
// the order of rows.
#include <gtest/gtest.h>

#include <atomic>
#include <bit>
#include <cmath>
#include <cstdlib>
#include <new>
#include <numeric>
#include <set>

#include "ml/recipes/hostile_frame.h"
#include "ml/recipes/recipe.h"

namespace {
std::atomic<long> allocations{0};
}
// Counts allocations, to prove that the row path makes none.
void* operator new(std::size_t size) {
  allocations.fetch_add(1, std::memory_order_relaxed);
  void* memory = std::malloc(size);
  if (memory == nullptr) std::abort();
  return memory;
}
// Libraries use this one, and what they made comes back to the operators below.
void* operator new(std::size_t size, const std::nothrow_t&) noexcept {
  allocations.fetch_add(1, std::memory_order_relaxed);
  return std::malloc(size);
}
void operator delete(void* memory) noexcept { std::free(memory); }
void operator delete(void* memory, std::size_t) noexcept { std::free(memory); }

namespace gyre::recipes {
namespace {

table::Column Label(std::uint64_t seed, std::size_t rows, int classes) {
  Random random(seed);
  table::Column label{"y", table::Type::kText, {}, {}, {}, {}};
  for (std::size_t row = 0; row < rows; ++row) {
    if (random.Below(20) == 0) {
      label.PushNull();
    } else {
      label.PushText("class" + std::to_string(random.Below(static_cast<std::uint64_t>(classes))));
    }
  }
  return label;
}

Spec EverySpec() {
  auto spec = Spec::FromYaml(kEveryOperation);
  EXPECT_TRUE(spec.has_value()) << spec.error().ToString();
  return *spec;
}

// Applies row by row; says where the first bit differs from the matrix.
void ExpectSameBits(const Fitted& fitted, const table::Frame& frame, const Matrix& matrix,
                    RowScratch& scratch) {
  std::vector<const table::Column*> columns;
  for (const auto& field : fitted.input()) columns.push_back(frame.Find(field.name));
  std::vector<table::Cell> cells(columns.size());
  std::vector<double> out(fitted.width());
  for (std::size_t row = 0; row < frame.rows(); ++row) {
    for (std::size_t c = 0; c < columns.size(); ++c) cells[c] = table::CellAt(*columns[c], row);
    fitted.ApplyRow(cells, out, scratch);
    for (std::size_t i = 0; i < out.size(); ++i) {
      ASSERT_EQ(std::bit_cast<std::uint64_t>(out[i]),
                std::bit_cast<std::uint64_t>(matrix.row(row)[i]))
          << "row " << row << " output " << fitted.output_names()[i] << ": " << out[i] << " and "
          << matrix.row(row)[i];
    }
  }
}

TEST(RecipeProperty, RowsAndColumnsGiveTheSameBits) {
  const Spec spec = EverySpec();
  for (int classes : {2, 4}) {
    for (std::uint64_t seed = 1; seed <= 4; ++seed) {
      const table::Frame train = HostileFrame(seed, 700);
      const table::Column label = Label(seed, 700, classes);
      const auto fitted = Fit(spec, train, {.target = &label});
      ASSERT_TRUE(fitted.has_value()) << fitted.error().ToString();
      RowScratch scratch;
      for (std::size_t rows : {0u, 1u, 2047u, 2048u, 2049u}) {
        const table::Frame frame = HostileFrame(100 + seed, rows);  // unseen values too
        const auto matrix = fitted->Apply(frame);
        ASSERT_TRUE(matrix.has_value()) << matrix.error().ToString();
        ASSERT_EQ(matrix->rows, rows);
        ExpectSameBits(*fitted, frame, *matrix, scratch);
      }
    }
  }
}

TEST(RecipeProperty, NoNanPayloadReachesAnOutput) {
  const table::Frame frame = HostileFrame(5, 3000);
  const table::Column label = Label(5, 3000, 2);
  const auto fitted = Fit(EverySpec(), frame, {.target = &label});
  ASSERT_TRUE(fitted.has_value());
  const auto matrix = fitted->Apply(frame);
  std::set<std::uint64_t> nans;
  for (double v : matrix->values) {
    if (v != v) nans.insert(std::bit_cast<std::uint64_t>(v) & ~(1ull << 63));
  }
  EXPECT_EQ(nans, std::set<std::uint64_t>{0x7ff8000000000000});
}

TEST(RecipeProperty, AShuffledFrameGivesTheSameArtefact) {
  const Spec spec = EverySpec();
  for (int classes : {2, 3}) {
    const table::Frame frame = HostileFrame(11, 1500);
    const table::Column label = Label(11, 1500, classes);
    const auto fitted = Fit(spec, frame, {.target = &label});
    ASSERT_TRUE(fitted.has_value()) << fitted.error().ToString();
    const std::string bytes = fitted->Save();
    std::vector<std::uint32_t> order(1500);
    std::iota(order.begin(), order.end(), 0u);
    Random random(12);
    for (int repeat = 0; repeat < 3; ++repeat) {
      random.Shuffle(order);
      const table::Column shuffled_label = label.Select(order);
      const auto again = Fit(spec, frame.Select(order), {.target = &shuffled_label});
      ASSERT_TRUE(again.has_value());
      EXPECT_EQ(again->Save(), bytes);
    }
    const auto transformed = FitTransform(spec, frame, {.target = &label});
    ASSERT_TRUE(transformed.has_value()) << transformed.error().ToString();
    EXPECT_EQ(transformed->fitted.Save(), bytes);
    const auto loaded = Fitted::Load(bytes);
    ASSERT_TRUE(loaded.has_value()) << loaded.error().ToString();
    EXPECT_EQ(loaded->Save(), bytes);
    EXPECT_EQ(loaded->spec().hash(), spec.hash());
  }
}

TEST(RecipeProperty, ARegressionTargetIsSummedExactly) {
  const table::Frame frame = HostileFrame(21, 1200);
  Random random(22);
  table::Column label{"y", table::Type::kDouble, {}, {}, {}, {}};
  for (int i = 0; i < 1200; ++i)
    label.PushDouble(std::ldexp(random.Normal(), static_cast<int>(random.Below(60)) - 30));
  const auto fitted = Fit(EverySpec(), frame, {.target = &label});
  ASSERT_TRUE(fitted.has_value());
  std::vector<std::uint32_t> order(1200);
  std::iota(order.rbegin(), order.rend(), 0u);
  const table::Column reversed = label.Select(order);
  const auto again = Fit(EverySpec(), frame.Select(order), {.target = &reversed});
  ASSERT_TRUE(again.has_value());
  EXPECT_EQ(again->Save(), fitted->Save());
}

TEST(RecipeProperty, TheRowPathDoesNotAllocate) {
  const table::Frame frame = HostileFrame(31, 600);
  const table::Column label = Label(31, 600, 2);
  const auto fitted = Fit(EverySpec(), frame, {.target = &label});
  ASSERT_TRUE(fitted.has_value());
  std::vector<table::Cell> cells(fitted->input().size());
  std::vector<double> out(fitted->width());
  RowScratch scratch;
  const auto run = [&] {
    for (std::size_t row = 0; row < frame.rows(); ++row) {
      for (std::size_t c = 0; c < cells.size(); ++c)
        cells[c] = table::CellAt(*frame.Find(fitted->input()[c].name), row);
      fitted->ApplyRow(cells, out, scratch);
    }
  };
  run();
  const long before = allocations.load();
  run();
  EXPECT_EQ(allocations.load() - before, 0);
}

}  // namespace
}  // namespace gyre::recipes

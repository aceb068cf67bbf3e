#include "api/mlflow/sampled_rows.h"

namespace gyre::mlflow {

std::vector<std::size_t> SampledRows(std::size_t count, std::size_t wanted) {
  std::vector<std::size_t> rows;
  if (count == 0) return rows;
  if (wanted == 1) return {count - 1};
  const std::size_t buckets = count < wanted ? count : wanted;
  const std::size_t size = count / buckets, larger = count % buckets;
  std::size_t at = 0;
  for (std::size_t i = 0; i < buckets; ++i) {
    rows.push_back(at);
    at += size + (i < larger ? 1 : 0);
  }
  if (rows.back() == count - 1) return rows;
  if (rows.size() < wanted) {
    rows.push_back(count - 1);
  } else {
    rows.back() = count - 1;
  }
  return rows;
}

}  // namespace gyre::mlflow

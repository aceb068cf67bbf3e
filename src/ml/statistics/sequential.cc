#include "ml/statistics/sequential.h"

#include <algorithm>
#include <boost/math/special_functions/beta.hpp>
#include <cmath>

namespace gyre::statistics {

double LogEvidenceOfMore(std::int64_t mine, std::int64_t other, double share) {
  using boost::math::policies::errno_on_error;
  constexpr auto kNoThrow =
      boost::math::policies::make_policy(boost::math::policies::domain_error<errno_on_error>(),
                                         boost::math::policies::overflow_error<errno_on_error>(),
                                         boost::math::policies::evaluation_error<errno_on_error>());
  const auto a = static_cast<double>(std::max<std::int64_t>(mine, 0));
  const auto b = static_cast<double>(std::max<std::int64_t>(other, 0));
  // Integral of q^a (1-q)^b above `share`, over that of the claim.
  const double tail = boost::math::ibetac(a + 1, b + 1, share, kNoThrow);
  const double log_beta = std::lgamma(a + 1) + std::lgamma(b + 1) - std::lgamma(a + b + 2);
  return std::log(tail) + log_beta - std::log1p(-share) - a * std::log(share) -
         b * std::log1p(-share);
}

}  // namespace gyre::statistics

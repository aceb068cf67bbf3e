// Evidence that may be looked at after each observation. Pure.
#pragma once

#include <cstdint>

namespace gyre::statistics {

// Natural logarithm of the evidence against "each event falls on this side with probability
// `share`", for the alternative that the probability is greater: `mine` events on this side,
// `other` on the other; below 0 counts as 0. A betting score that starts at 1 and exceeds 1/a with
// probability at most a while the claim holds (Ville's inequality), however often it is looked at:
// the likelihood ratio averaged evenly over all probabilities above `share`. 0 < share < 1. Source:
// Ramdas, Grunwald, Vovk, Shafer, "Game-theoretic statistics and safe anytime-valid inference",
// Statistical Science 2023, section 2.
double LogEvidenceOfMore(std::int64_t mine, std::int64_t other, double share);

}  // namespace gyre::statistics

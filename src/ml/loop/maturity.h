// How far a project has come, by two published scales, computed from facts:
//
//   Google, "MLOps: Continuous delivery and automation pipelines in machine learning", levels 0-2:
//     0 manual, 1 the pipeline trains continuously, 2 the pipeline itself is delivered by CI/CD
//   Azure, "Machine Learning operations maturity model", levels 0-4:
//     0 none, 1 DevOps, 2 automated training, 3 automated deployment, 4 full MLOps
//
// A level is reached when all rows of it and of the levels below are met. Pure.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/json.h"
#include "ml/loop/facts.h"
#include "ml/loop/stages.h"

namespace gyre::loop {

enum class Scale : unsigned char { kGoogle, kAzure };
std::string_view ScaleName(Scale scale);  // "google", "azure"

struct MaturityRow {
  Scale scale = Scale::kGoogle;
  int level = 1;           // that asks for it
  std::string claim = {};  // "A trigger retrains"
  bool met = false;
  std::string evidence = {};       // what shows it, or what is missing
  std::string evidence_page = {};  // of the web UI, with what shows it
  Act act = {};                    // that would meet it
};

struct Maturity {
  int google = 0, azure = 0;
  std::vector<MaturityRow> rows = {};             // by scale, then by level
  const MaturityRow* Missing(Scale scale) const;  // the first row not met; null = the top
};
inline constexpr int kGoogleLevels = 2, kAzureLevels = 4;

Maturity MaturityOf(const Facts& facts);
Json MaturityToJson(const Maturity& maturity);

}  // namespace gyre::loop

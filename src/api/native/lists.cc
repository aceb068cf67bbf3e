#include "api/native/lists.h"

#include "base/limits.h"
#include "base/text.h"
#include "base/time.h"

namespace gyre::native {

Result<int> ReadLimit(const net::Request& request) {
  GYRE_TRY(const std::int64_t limit, request.QueryInt("limit", 100, 1, kPageSizeMax));
  return static_cast<int>(limit);
}

std::optional<std::vector<std::string>> VisibleProjects(const net::Request& request) {
  const net::Principal& caller = request.principal;
  const std::string project = request.Query("project").value_or("");
  if (!project.empty()) {
    if (!caller.AllowsProject(project)) return std::vector<std::string>{};
    return std::vector<std::string>{project};
  }
  if (caller.all_projects) return std::nullopt;
  return caller.projects;
}

Result<NamePage> ReadNamePage(const net::Request& request) {
  GYRE_TRY(const int limit, ReadLimit(request));
  return NamePage{limit, request.Query("page_token").value_or("")};
}

Result<SequencePage> ReadSequencePage(const net::Request& request) {
  GYRE_TRY(const int limit, ReadLimit(request));
  const auto token = request.Query("page_token");
  if (!token || token->empty()) return SequencePage{limit, 0};
  const auto before = ParseInt(*token);
  if (!before || *before < 1) {
    return InvalidArgument("GY4151", "`{}` is no page token of this list", *token)
        .Fix("use next_page_token of the page before");
  }
  return SequencePage{limit, *before};
}

Result<std::int64_t> ReadTime(const net::Request& request, std::string_view name) {
  const auto text = request.Query(name);
  if (!text || text->empty()) return 0;
  const auto time_us = ParseTime(*text);
  if (!time_us)
    return InvalidArgument("GY4152", "`{}` is no time: {}", name, *text)
        .Fix("as in 2026-11-21 or 2026-11-21T08:30:00Z");
  return *time_us;
}

}  // namespace gyre::native

// One call of a route, as its handler gets it. The project is found here, for every route: that of
// the path, else the caller's own. A handler compares whatever it reaches by a server-wide id
// (run, logged model, trace, number of an experiment) with it, and says 404 otherwise.
#pragma once

#include <string>
#include <string_view>

#include "api/mlflow/arguments.h"
#include "base/error.h"
#include "platform/net/http.h"

namespace gyre::projects {
class Projects;
}

namespace gyre::mlflow {

struct Call {
  net::Request& request;
  const std::string project;
  const Arguments arguments;

  bool Owns(std::string_view project_of_it) const { return project_of_it == project; }
};

// Where a request without a project belongs: `default` where the caller may do this there, else the
// only project where the caller may. Errors: kInvalidArgument GY5103 there are several, kNotFound
// GY3902 no such project.
Result<std::string> ProjectOf(projects::Projects& projects, const net::Request& request);

// What each class of handlers is made of.
class Noun {
 public:
  explicit Noun(projects::Projects& projects) : projects_(projects) {}
  projects::Projects& projects() const { return projects_; }

 private:
  projects::Projects& projects_;
};

template <auto MemberFunction>
struct ServeImpl;
// With arguments: JSON in the body, or the query.
template <class Class, Result<net::Response> (Class::*Function)(Call&)>
struct ServeImpl<Function> {
  static Result<net::Response> Run(void* self, net::Request& request) {
    auto* const noun = static_cast<Class*>(self);
    GYRE_TRY(std::string project, ProjectOf(noun->projects(), request));
    const bool raw = request.route->body == net::Body::kStream;
    GYRE_TRY(Arguments arguments, raw ? Result<Arguments>(Arguments()) : Arguments::Read(request));
    Call call{request, std::move(project), std::move(arguments)};
    return (noun->*Function)(call);
  }
};
// {.handler = Serve<&RunsApi::Get>}
template <auto MemberFunction>
inline constexpr net::HandlerFunction Serve = &ServeImpl<MemberFunction>::Run;

}  // namespace gyre::mlflow

# -ffp-contract=off everywhere: training and serving must give identical bits.
add_compile_options(-Wall -Wextra -Wpedantic -Wshadow -Wnon-virtual-dtor -Woverloaded-virtual -Wimplicit-fallthrough
  -Werror=unused-result -Werror=return-type -ffp-contract=off -fno-fast-math -fno-omit-frame-pointer)
if(CMAKE_CXX_COMPILER_ID STREQUAL "GNU")
  # g++ 12 reports these falsely through std::expected and std::variant at -O2.
  add_compile_options(-Wno-maybe-uninitialized -Wno-restrict)
else()
  add_compile_options(-Wthread-safety)
  # Debian's libfmt was built by g++, which mangles the signatures of its templates in another way.
  add_compile_definitions(FMT_HEADER_ONLY)
endif()
if(GYRE_SANITIZE)
  add_compile_options(-O1 -g -fsanitize=${GYRE_SANITIZE})
  add_link_options(-fsanitize=${GYRE_SANITIZE})
  if(GYRE_SANITIZE MATCHES "undefined")
    add_compile_options(-fno-sanitize-recover=undefined)
  endif()
endif()
if(GYRE_FUZZ)
  # Coverage in the modules guides the fuzzers; address errors stop them.
  add_compile_options(-fsanitize=fuzzer-no-link,address)
  add_link_options(-fsanitize=address)
endif()
set_property(GLOBAL PROPERTY JOB_POOLS link=1)
set(CMAKE_JOB_POOL_LINK link)

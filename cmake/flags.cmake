# -ffp-contract=off everywhere: training and serving must give identical bits.
add_compile_options(-Wall -Wextra -Wpedantic -Wshadow -Wnon-virtual-dtor -Woverloaded-virtual -Wimplicit-fallthrough
  -Werror=unused-result -Werror=return-type -ffp-contract=off -fno-fast-math -fno-omit-frame-pointer)
if(CMAKE_CXX_COMPILER_ID STREQUAL "GNU")
  # g++ 12 reports these falsely through std::expected and std::variant at -O2.
  add_compile_options(-Wno-maybe-uninitialized -Wno-restrict)
else()
  add_compile_options(-Wthread-safety)
endif()
if(GYRE_SANITIZE)
  add_compile_options(-O1 -g -fsanitize=${GYRE_SANITIZE})
  add_link_options(-fsanitize=${GYRE_SANITIZE})
  if(GYRE_SANITIZE MATCHES "undefined")
    add_compile_options(-fno-sanitize-recover=undefined)
  endif()
endif()
set_property(GLOBAL PROPERTY JOB_POOLS link=1)
set(CMAKE_JOB_POOL_LINK link)

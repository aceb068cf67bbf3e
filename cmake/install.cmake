# `cmake --install`: the program, the libraries it loads (found as <exe>/../lib/gyre), what it writes about itself, the unit, documents.
# What differs by prefix is written when installing, so that one build can be installed anywhere.
install(TARGETS gyre RUNTIME DESTINATION bin)
foreach(library libduckdb.so lib_lightgbm.so)
  install(FILES ${GYRE_DEPS_DIR}/lib/${library} DESTINATION lib/gyre)  # the file itself: the build folder has links to the cache
endforeach()
install(FILES packaging/gyre.sysusers DESTINATION lib/sysusers.d RENAME gyre.conf)
install(FILES README.md DESTINATION share/doc/gyre)
install(DIRECTORY docs/ DESTINATION share/doc/gyre/docs PATTERN decisions EXCLUDE)
install(FILES packaging/config.yaml DESTINATION share/doc/gyre/examples)
install(FILES ${GYRE_DEPS_DIR}/licences/duckdb.txt ${GYRE_DEPS_DIR}/licences/lightgbm.txt DESTINATION share/doc/gyre/licences)
if(GYRE_UI)
  install(FILES ${CMAKE_BINARY_DIR}/web/licences.txt DESTINATION share/doc/gyre/licences RENAME web.txt)
endif()
install(CODE "
  set(gyre \"$<TARGET_FILE:gyre>\")
  set(unit_template \"${PROJECT_SOURCE_DIR}/packaging/gyre.service.in\")
  set(written \"${CMAKE_BINARY_DIR}/installed\")")
install(SCRIPT cmake/install_written.cmake)

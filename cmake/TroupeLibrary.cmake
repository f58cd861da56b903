# troupe_library(NAME SOURCE...): adds a static library and an alias for it, such as troupe::raft for troupe_raft. The
# library is built with the project's flags and requires C++20 of its users. Include paths start at the project's root.
function(troupe_library name)
  add_library(${name} STATIC ${ARGN})
  string(REGEX REPLACE "^troupe_" "" short_name ${name})
  add_library(troupe::${short_name} ALIAS ${name})
  target_link_libraries(${name} PRIVATE troupe_flags)
  target_compile_features(${name} PUBLIC cxx_std_20)
  target_include_directories(${name} PUBLIC ${PROJECT_SOURCE_DIR})
endfunction()

# troupe_library(NAME SOURCE...): a static library of this project, known to others as troupe::NAME without its prefix.
# It is built with the project's flags and asks its users for C++20; headers are included from the project's root.
function(troupe_library name)
  add_library(${name} STATIC ${ARGN})
  string(REGEX REPLACE "^troupe_" "" short_name ${name})
  add_library(troupe::${short_name} ALIAS ${name})
  target_link_libraries(${name} PRIVATE troupe_flags)
  target_compile_features(${name} PUBLIC cxx_std_20)
  target_include_directories(${name} PUBLIC ${PROJECT_SOURCE_DIR})
endfunction()

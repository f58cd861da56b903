# troupe_library(NAME SOURCE...): adds a static library and an alias for it, such as troupe::raft for troupe_raft. The
# library is built with the project's flags, requires C++20 of its users, and is installed with the package. Public headers
# are included as <troupe/...>; the project's own include paths start at the project's root.
function(troupe_library name)
  add_library(${name} STATIC ${ARGN})
  string(REGEX REPLACE "^troupe_" "" short_name ${name})
  add_library(troupe::${short_name} ALIAS ${name})
  set_target_properties(${name} PROPERTIES EXPORT_NAME ${short_name})
  target_link_libraries(${name} PRIVATE $<BUILD_INTERFACE:troupe_flags>)
  target_compile_features(${name} PUBLIC cxx_std_20)
  target_include_directories(${name}
    PUBLIC $<BUILD_INTERFACE:${PROJECT_SOURCE_DIR}/include> $<INSTALL_INTERFACE:${CMAKE_INSTALL_INCLUDEDIR}>)
  set_property(GLOBAL APPEND PROPERTY troupe_libraries ${name})
endfunction()

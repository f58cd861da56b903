# Finds the C++ Actor Framework. CAF 0.18 and later have a package file of their own, which CMAKE_PREFIX_PATH or CAF_ROOT
# may point to. Debian's libcaf-dev 0.17.6 has none, so this module defines the imported targets CAF::core and CAF::io.
# Only versions that Troupe was tested with are accepted (docs/caf-versions.md).
macro(_caf_require_supported where)
  if(NOT CAF_VERSION MATCHES "^(0\\.17|1\\.1)(\\.|$)")
    message(FATAL_ERROR "Troupe supports CAF 0.17.6 and 1.1, and not CAF ${CAF_VERSION} (${where}). "
      "Set CAF_ROOT to the prefix of another installation, or remove this one from CMAKE_PREFIX_PATH.")
  endif()
endmacro()

# CAF_ROOT decides, also over what an earlier configuration has found elsewhere.
set(_caf_root "${CAF_ROOT}")
if(NOT _caf_root)
  set(_caf_root "$ENV{CAF_ROOT}")
endif()
if(_caf_root)
  file(REAL_PATH "${_caf_root}" _caf_root)
  foreach(_variable CAF_DIR CAF_INCLUDE_DIR CAF_core_LIBRARY CAF_io_LIBRARY)
    if(${_variable} AND NOT "${${_variable}}" MATCHES "^${_caf_root}/")
      unset(${_variable} CACHE)
    endif()
  endforeach()
endif()
macro(_caf_require_root where)
  if(_caf_root)
    file(REAL_PATH "${where}" _caf_place)
    if(NOT _caf_place MATCHES "^${_caf_root}/")
      message(FATAL_ERROR "There is no CAF in CAF_ROOT, ${_caf_root}: only the one in ${_caf_place} was found.")
    endif()
  endif()
endmacro()

# Without a version, CMake would ask for the one that find_package(CAF) asked this module for, and CAF's package file
# accepts only requests for its own major version.
foreach(_major 1 0 2)
  find_package(CAF ${_major} QUIET CONFIG COMPONENTS ${CAF_FIND_COMPONENTS})
  if(CAF_FOUND)
    break()
  endif()
endforeach()
if(CAF_FOUND AND TARGET CAF::core)
  _caf_require_supported("${CAF_DIR}")
  _caf_require_root("${CAF_DIR}")
  return()
endif()

find_path(CAF_INCLUDE_DIR caf/actor_system.hpp)
set(CAF_VERSION unknown) # CAF 1.x has its version in another file, and is found by its package file
if(CAF_INCLUDE_DIR AND EXISTS "${CAF_INCLUDE_DIR}/caf/config.hpp")
  file(STRINGS "${CAF_INCLUDE_DIR}/caf/config.hpp" _caf_version REGEX "#define CAF_VERSION [0-9]+")
  if(_caf_version MATCHES "CAF_VERSION ([0-9]+)")
    math(EXPR _major "${CMAKE_MATCH_1} / 10000")
    math(EXPR _minor "(${CMAKE_MATCH_1} / 100) % 100")
    math(EXPR _patch "${CMAKE_MATCH_1} % 100")
    set(CAF_VERSION "${_major}.${_minor}.${_patch}")
  endif()
  _caf_require_supported("${CAF_INCLUDE_DIR}")
  _caf_require_root("${CAF_INCLUDE_DIR}")
endif()
set(_caf_libraries)
foreach(_component IN LISTS CAF_FIND_COMPONENTS)
  find_library(CAF_${_component}_LIBRARY caf_${_component})
  list(APPEND _caf_libraries CAF_${_component}_LIBRARY)
  if(CAF_${_component}_LIBRARY AND NOT TARGET CAF::${_component})
    add_library(CAF::${_component} UNKNOWN IMPORTED)
    set_target_properties(CAF::${_component} PROPERTIES
      IMPORTED_LOCATION "${CAF_${_component}_LIBRARY}"
      INTERFACE_SYSTEM_INCLUDE_DIRECTORIES "${CAF_INCLUDE_DIR}"
      INTERFACE_INCLUDE_DIRECTORIES "${CAF_INCLUDE_DIR}")
    if(NOT _component STREQUAL "core")
      set_property(TARGET CAF::${_component} APPEND PROPERTY INTERFACE_LINK_LIBRARIES CAF::core)
    endif()
    set(CAF_${_component}_FOUND TRUE)
  endif()
endforeach()
include(FindPackageHandleStandardArgs)
find_package_handle_standard_args(CAF REQUIRED_VARS CAF_INCLUDE_DIR ${_caf_libraries}
  VERSION_VAR CAF_VERSION HANDLE_COMPONENTS)

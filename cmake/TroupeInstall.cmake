# Installs the library for find_package(troupe) and pkg-config. The libraries are static: before version 1.0 their
# interface changes too often for a shared object with a meaningful SOVERSION.
include(CMakePackageConfigHelpers)

get_property(libraries GLOBAL PROPERTY troupe_libraries)
set(package_dir ${CMAKE_INSTALL_LIBDIR}/cmake/troupe)

install(TARGETS ${libraries} EXPORT troupeTargets ARCHIVE DESTINATION ${CMAKE_INSTALL_LIBDIR} COMPONENT dev)
install(EXPORT troupeTargets NAMESPACE troupe:: DESTINATION ${package_dir} COMPONENT dev)
install(DIRECTORY ${PROJECT_SOURCE_DIR}/include/troupe DESTINATION ${CMAKE_INSTALL_INCLUDEDIR} COMPONENT dev)

string(REGEX MATCH "^[0-9]+\\.[0-9]+" TROUPE_CAF_SERIES "${CAF_VERSION}")
configure_package_config_file(${PROJECT_SOURCE_DIR}/cmake/troupeConfig.cmake.in ${PROJECT_BINARY_DIR}/troupeConfig.cmake
  INSTALL_DESTINATION ${package_dir})
write_basic_package_version_file(${PROJECT_BINARY_DIR}/troupeConfigVersion.cmake COMPATIBILITY SameMinorVersion)
install(FILES
  ${PROJECT_BINARY_DIR}/troupeConfig.cmake ${PROJECT_BINARY_DIR}/troupeConfigVersion.cmake
  ${PROJECT_SOURCE_DIR}/cmake/FindAvahi.cmake ${PROJECT_SOURCE_DIR}/cmake/FindCAF.cmake
  ${PROJECT_SOURCE_DIR}/cmake/FindMsgpackCxx.cmake ${PROJECT_SOURCE_DIR}/cmake/FindxxHash.cmake
  DESTINATION ${package_dir} COMPONENT dev)

# The archives use each other, so troupe.pc lists them in one group, in which their order does not matter.
list(TRANSFORM libraries PREPEND "-l" OUTPUT_VARIABLE archives)
list(JOIN archives " " TROUPE_PC_ARCHIVES)
file(RELATIVE_PATH TROUPE_PC_PREFIX /${CMAKE_INSTALL_LIBDIR}/pkgconfig /)
string(REGEX REPLACE "/$" "" TROUPE_PC_PREFIX "${TROUPE_PC_PREFIX}")
# CAF has no file for pkg-config. Where the compiler does not look by itself, troupe.pc says where CAF is.
set(TROUPE_PC_CAF_CFLAGS)
set(TROUPE_PC_CAF_LIBS)
if(CAF_ROOT)
  set(TROUPE_PC_CAF_CFLAGS " -I${CAF_ROOT}/include")
  set(TROUPE_PC_CAF_LIBS "-L${CAF_ROOT}/${CMAKE_INSTALL_LIBDIR} -Wl,-rpath,${CAF_ROOT}/${CMAKE_INSTALL_LIBDIR} ")
endif()
configure_file(${PROJECT_SOURCE_DIR}/cmake/troupe.pc.in ${PROJECT_BINARY_DIR}/troupe.pc @ONLY)
install(FILES ${PROJECT_BINARY_DIR}/troupe.pc DESTINATION ${CMAKE_INSTALL_LIBDIR}/pkgconfig COMPONENT dev)

install(FILES ${PROJECT_SOURCE_DIR}/LICENSE DESTINATION ${CMAKE_INSTALL_DATAROOTDIR}/doc/libtroupe-dev COMPONENT dev
  RENAME copyright)

# Installs the programs, and configures cpack to build two Debian packages: `troupe` with the programs and a systemd unit,
# and `libtroupe-dev` with the library.
install(TARGETS troupe_log troupe_backup RUNTIME DESTINATION ${CMAKE_INSTALL_BINDIR} COMPONENT runtime)
# The web server example is installed as troupe-server, without debug information.
add_custom_command(OUTPUT troupe-server
  COMMAND ${CMAKE_STRIP} -o troupe-server $<TARGET_FILE:webserver>
  DEPENDS webserver VERBATIM)
add_custom_target(troupe_server ALL DEPENDS troupe-server)
install(PROGRAMS ${CMAKE_CURRENT_BINARY_DIR}/troupe-server DESTINATION ${CMAKE_INSTALL_BINDIR} COMPONENT runtime)
install(FILES ${PROJECT_SOURCE_DIR}/LICENSE DESTINATION ${CMAKE_INSTALL_DATAROOTDIR}/doc/troupe COMPONENT runtime
  RENAME copyright)
# The service belongs to the package alone: it has fixed paths, also outside of the prefix.
install(FILES ${PROJECT_SOURCE_DIR}/packaging/troupe.service DESTINATION lib/systemd/system COMPONENT service
  EXCLUDE_FROM_ALL)
install(FILES ${PROJECT_SOURCE_DIR}/packaging/troupe.conf DESTINATION /etc/troupe COMPONENT service EXCLUDE_FROM_ALL)

if(CAF_VERSION VERSION_GREATER_EQUAL 1)
  return() # the Debian packages depend on Debian's CAF
endif()
set(CPACK_GENERATOR DEB)
set(CPACK_INSTALL_PREFIX /usr)
set(CPACK_PACKAGING_INSTALL_PREFIX /usr)
set(CPACK_SET_DESTDIR ON) # for the file in /etc
set(CPACK_PACKAGE_CONTACT "The Troupe developers <troupe@localhost>")
set(CPACK_PACKAGE_VENDOR Troupe)
set(CPACK_STRIP_FILES ON)
set(CPACK_COMPONENTS_ALL runtime service dev)
set(CPACK_COMPONENT_RUNTIME_GROUP server)
set(CPACK_COMPONENT_SERVICE_GROUP server)
set(CPACK_COMPONENT_DEV_GROUP library)
set(CPACK_COMPONENTS_GROUPING ONE_PER_GROUP)
set(CPACK_DEB_COMPONENT_INSTALL ON)
set(CPACK_DEBIAN_FILE_NAME DEB-DEFAULT)
set(CPACK_DEBIAN_PACKAGE_SECTION net)

set(CPACK_DEBIAN_SERVER_PACKAGE_NAME troupe)
set(CPACK_DEBIAN_SERVER_DESCRIPTION "Replicated key-value store over HTTP
 The server of Troupe with a systemd unit, and the tools for its backups and
 its data directories.")
set(CPACK_DEBIAN_SERVER_PACKAGE_SHLIBDEPS ON)
set(CPACK_DEBIAN_SERVER_PACKAGE_DEPENDS adduser)
set(CPACK_DEBIAN_SERVER_PACKAGE_CONTROL_EXTRA
  ${PROJECT_SOURCE_DIR}/packaging/conffiles ${PROJECT_SOURCE_DIR}/packaging/postinst
  ${PROJECT_SOURCE_DIR}/packaging/prerm)
set(CPACK_DEBIAN_SERVER_PACKAGE_CONTROL_STRICT_PERMISSION ON)

set(CPACK_DEBIAN_LIBRARY_PACKAGE_NAME libtroupe-dev)
set(CPACK_DEBIAN_LIBRARY_PACKAGE_SECTION libdevel)
set(CPACK_DEBIAN_LIBRARY_DESCRIPTION "Replicated, fault-tolerant actors for the C++ Actor Framework
 Headers and static libraries, with files for CMake and pkg-config.")
string(CONCAT CPACK_DEBIAN_LIBRARY_PACKAGE_DEPENDS
  "libcaf-dev, libmsgpack-cxx-dev, nlohmann-json3-dev, libspdlog-dev, "
  "libfmt-dev, libxxhash-dev, libboost-dev, libssl-dev, libcurl4-openssl-dev, libavahi-client-dev")
include(CPack)

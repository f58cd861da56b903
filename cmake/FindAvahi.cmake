# Finds Avahi's client library and defines the imported target Avahi::client.
find_path(Avahi_INCLUDE_DIR avahi-client/client.h)
find_library(Avahi_client_LIBRARY avahi-client)
find_library(Avahi_common_LIBRARY avahi-common)
include(FindPackageHandleStandardArgs)
find_package_handle_standard_args(Avahi REQUIRED_VARS Avahi_client_LIBRARY Avahi_common_LIBRARY Avahi_INCLUDE_DIR)
if(Avahi_FOUND AND NOT TARGET Avahi::client)
  add_library(Avahi::client UNKNOWN IMPORTED)
  set_target_properties(Avahi::client PROPERTIES
    IMPORTED_LOCATION "${Avahi_client_LIBRARY}" INTERFACE_INCLUDE_DIRECTORIES "${Avahi_INCLUDE_DIR}"
    INTERFACE_LINK_LIBRARIES "${Avahi_common_LIBRARY}")
endif()

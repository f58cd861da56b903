// Typed handles and local messages in one spelling for all supported versions of CAF.
#pragma once

#include <caf/config.hpp>

namespace troupe::compat {

/// Specialize it as true for what services exchange with their users, before its first use. CAF need not serialize it.
template <class T> inline constexpr bool is_service_message = false;

} // namespace troupe::compat

// CAF 0.17 has no CAF_VERSION_MAJOR. Its CAF_VERSION cannot be compared: CAF 1.1.0 defines it as an octal number.
#ifdef CAF_VERSION_MAJOR
#define TROUPE_CAF_1 1
#include <troupe/detail/caf_1.hpp>
#else
#define TROUPE_CAF_1 0
#include <troupe/detail/caf_0_17.hpp>
#endif

// How the CAF of this build writes payloads: for tests that play a node, and for the fuzzer of the frame guard.
#pragma once

#include "tests/unit/transport/basp_dialect.hpp"

#include <string>
#include <string_view>

namespace troupe::net::testing {

const basp_dialect& caf_dialect();
/// The type of a message that nodes exchange, by its name ("troupe.hello").
std::string caf_type(std::string_view name);

} // namespace troupe::net::testing

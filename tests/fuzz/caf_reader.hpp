// CAF's own reading of BASP frames. The only file of the fuzzers that knows CAF.
#pragma once

#include "runtime/transport/frame_guard.hpp"

#include <string>
#include <string_view>
#include <vector>

namespace troupe::net::testing {

/// Reads the payload of a frame, as long as its header says, with CAF's deserializer, as CAF's BASP does. Returns what
/// is wrong: empty if CAF can read all of it.
std::string caf_problem(std::string_view frame);

/// The messages that may pass.
message_types wire_types();

/// The payloads of messages as nodes send them, written by CAF.
std::vector<std::string> sent_payloads();

} // namespace troupe::net::testing

// Reads BASP frames with CAF's own code. The only part of the fuzzers that uses CAF.
#pragma once

#include "runtime/transport/frame_guard.hpp"

#include <string>
#include <string_view>
#include <vector>

namespace troupe::net::testing {

/// Reads the payload of a frame, which must be as long as its header says, with CAF's deserializer, as CAF's BASP does.
/// Returns what is wrong, or an empty text if CAF can read all of it.
std::string caf_problem(std::string_view frame);

/// The message types that may pass.
message_types wire_types();

/// Payloads of messages that nodes send, written by CAF.
std::vector<std::string> sent_payloads();

} // namespace troupe::net::testing

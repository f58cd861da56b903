// Reads BASP frames with the code of the CAF of this build. The only part of the fuzzers that uses CAF.
#pragma once

#include "runtime/transport/frame_guard.hpp"

#include <string>
#include <string_view>
#include <vector>

namespace troupe::net::testing {

/// Reads the payload of a frame, which must be as long as its header says, with CAF's deserializer, as CAF's BASP does.
/// Returns what is wrong, or an empty text if CAF can read all of it.
std::string caf_problem(std::string_view frame);

/// The id of a node, written by CAF.
std::string own_node_id();

/// Those of a node with the id `self`.
guard_options caf_options(std::string self);

/// Payloads of messages that nodes send, written by CAF.
std::vector<std::string> sent_payloads();

} // namespace troupe::net::testing

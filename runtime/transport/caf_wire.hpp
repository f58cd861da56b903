// How the CAF of this build writes the project's messages to the network.
#pragma once

#include "runtime/transport/frame_guard.hpp"

#include <memory>

namespace troupe {

std::shared_ptr<const net::basp_format> caf_format();
/// The messages that nodes exchange, with the checks of their content.
net::message_types caf_message_types();

} // namespace troupe

// Frames in the version of BASP that the CAF of this build speaks, for tests that play a hostile node.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace troupe::net::testing::spoken {

/// A node id.
std::string node(std::uint32_t process, char host);
/// The payload of a message of one element. `type` is the name of a message that nodes exchange ("troupe.hello").
std::string message(std::string_view type, std::string_view element);
/// The payload of a message that consists of an error without a context.
std::string error(std::uint8_t code);

} // namespace troupe::net::testing::spoken

// States of the map service for the fuzz targets.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <troupe/detail/machine.hpp>

namespace troupe::fuzz {

/// Loads a state. Null if the bytes are refused.
std::unique_ptr<detail::machine> load_map(std::string_view state);

std::string state_of(const detail::machine& of);

/// The state of two maps with this many keys each.
std::string map_state(int keys);

} // namespace troupe::fuzz

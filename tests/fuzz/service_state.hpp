// States of the map service for the fuzz targets.
#pragma once

#include "services/machine.hpp"

#include <memory>
#include <string>
#include <string_view>

namespace troupe::fuzz {

/// Loads a state. Null if the bytes are refused.
std::unique_ptr<services::machine> load_map(std::string_view state);

std::string state_of(const services::machine& of);

/// The state of two maps with this many keys each.
std::string map_state(int keys);

} // namespace troupe::fuzz

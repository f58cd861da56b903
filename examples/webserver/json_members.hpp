// Takes a JSON object apart without understanding its members.
#pragma once

#include <optional>
#include <string_view>
#include <utility>
#include <vector>

namespace troupe::webserver {

/// The members of the JSON object that `text` is: name and value, each as the JSON text it has there. Nothing if `text`
/// is not an object. The parts are only told apart, not checked: whoever parses each of them has checked the whole.
///
/// Values of a request are parsed one by one for the sake of their limits: a value may be nested 64 deep, also inside
/// of an object that carries it.
std::optional<std::vector<std::pair<std::string_view, std::string_view>>> json_members(std::string_view text);

} // namespace troupe::webserver

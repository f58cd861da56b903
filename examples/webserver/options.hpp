// The program's options: flags, environment variables, defaults.
#pragma once

#include "runtime/node_options.hpp"

#include <cstdint>
#include <optional>
#include <string>
#include <variant>

namespace troupe::webserver {

struct options {
  node_options node;
  /// Not set: as the node's.
  std::optional<std::string> http_bind;
  /// 0 picks a free port.
  std::uint16_t http_port = 8080;
  /// At the end the node leaves its cluster.
  bool leave = false;
  /// One of spdlog's words for a level.
  std::string log_level = "info";
};

/// There is nothing to run: print the text and end. To standard output if `code` is 0, else to standard error.
struct early_exit {
  int code = 0;
  std::string text;
};

/// A flag wins over its environment variable. Anything wrong gives `early_exit` with code 2, --help with 0.
std::variant<options, early_exit> parse_options(int argc, const char* const* argv);

} // namespace troupe::webserver

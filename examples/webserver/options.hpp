// The program's options: flags, environment variables, defaults.
#pragma once

#include "runtime/node_options.hpp"

#include <cstdint>
#include <optional>
#include <string>
#include <variant>
#include <vector>

namespace troupe::webserver {

struct options {
  node_options node;
  /// Not set: as the node's.
  std::optional<std::string> http_bind;
  /// 0 picks a free port.
  std::uint16_t http_port = 8080;
  /// By which names clients may call the HTTP server, besides its IP addresses and "localhost".
  std::vector<std::string> http_hosts;
  /// Bytes that clients' requests and answers may take together.
  std::uint64_t http_memory = 64 << 20;
  /// Open connections of HTTP clients.
  std::size_t http_connections = 1024;
  /// The same of one address. Not set: half of all.
  std::optional<std::size_t> http_connections_of_address;
  /// A listener of its own for /livez and /readyz; 0 picks a free port. Not set: none.
  std::optional<std::uint16_t> probe_port;
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

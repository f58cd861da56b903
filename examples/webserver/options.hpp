// The program's options: flags, environment variables, defaults.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <troupe/options.hpp>
#include <variant>
#include <vector>

namespace troupe::webserver {

struct options {
  node_options node;
  /// Address to listen on for HTTP. Not set: the node's `bind`.
  std::optional<std::string> http_bind;
  /// 0 picks a free port.
  std::uint16_t http_port = 8080;
  /// Names by which clients may call the HTTP server, besides its IP addresses and "localhost".
  std::vector<std::string> http_hosts;
  /// Limit of the memory for clients' requests and answers together, in bytes.
  std::uint64_t http_memory = 64 << 20;
  /// Limit of open connections from HTTP clients.
  std::size_t http_connections = 1024;
  /// The same limit for one address. Not set: half of all.
  std::optional<std::size_t> http_connections_of_address;
  /// Port of a separate listener for /livez and /readyz; 0 picks a free port. Not set: no such listener.
  std::optional<std::uint16_t> probe_port;
  /// The node leaves its cluster when it stops.
  bool leave = false;
  /// One of spdlog's names for a level.
  std::string log_level = "info";
};

/// The program prints `text` and exits with `code`: to standard output if `code` is 0, else to standard error.
struct early_exit {
  int code = 0;
  std::string text;
};

/// The name under which the program was started, for its messages: the web server is installed as troupe-server.
std::string program_name(int argc, const char* const* argv);

/// A flag overrides its environment variable. Wrong options give `early_exit` with code 2, --help and --version with
/// code 0.
std::variant<options, early_exit> parse_options(int argc, const char* const* argv);

} // namespace troupe::webserver

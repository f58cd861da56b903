// The HTTP/1.1 server: one I/O thread, answers from any thread.
#pragma once

#include "runtime/http/message.hpp"

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <stdexcept>
#include <string>

namespace troupe::http {

struct options {
  /// A numeric address or a name; "::" serves IPv4 too.
  std::string address = "127.0.0.1";
  /// 0 picks a free one, see `server::port`.
  std::uint16_t port = 0;
  /// Bytes; a larger body is answered with 413.
  std::size_t max_body = 2 * 1024 * 1024;
  /// Bytes of request line and headers together; more is answered with 431.
  std::size_t max_header = 16 * 1024;
  /// At this number no connection is accepted until one ends; clients wait in the kernel's queue.
  std::size_t max_connections = 1024;
  /// From a request's first byte (or from the connect, for the first request) to its last. Then 408.
  std::chrono::milliseconds read_timeout{10'000};
  /// For the client to take a whole response, or one piece of a body in pieces.
  std::chrono::milliseconds write_timeout{30'000};
  /// How long a connection may stay open between two requests.
  std::chrono::milliseconds idle_timeout{60'000};
};

/// The address cannot be listened on. The text names it and the cause.
class listen_error : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

/// Serves from construction to `stop`. One request of a connection is handled at a time; pipelined ones wait for
/// their turn. The server itself answers what is malformed (400, 408, 413, 431, 501), with `error_response` as body.
class server {
 public:
  /// Listens and starts the I/O thread. Throws `listen_error`.
  server(options settings, handler serve);
  /// Stops without grace.
  ~server();
  server(const server&) = delete;
  server& operator=(const server&) = delete;

  std::uint16_t port() const;

  /// Stops to accept, closes idle connections, and returns when every request that had begun to arrive is answered or
  /// `grace` has passed; what is left then is cut off. No handler runs afterwards. May be called again and from any
  /// thread but the I/O thread (`std::logic_error`).
  void stop(std::chrono::milliseconds grace = std::chrono::milliseconds(0));

 private:
  class core;
  std::unique_ptr<core> core_;
};

} // namespace troupe::http

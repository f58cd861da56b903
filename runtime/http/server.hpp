// The HTTP/1.1 server: one I/O thread, answers from any thread.
#pragma once

#include "runtime/http/message.hpp"
#include "runtime/http/target.hpp"

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

namespace troupe::http {

/// What the server needs to know of a request before it takes the body.
struct admission {
  /// Bytes; a larger body is answered with 413.
  std::size_t max_body = 2 * 1024 * 1024;
  /// A probe: served also while every connection is taken, from a reserve.
  bool probe = false;
};

struct options {
  /// A numeric address or a name; "::" serves IPv4 too.
  std::string address = "127.0.0.1";
  /// 0 picks a free one, see `server::port`.
  std::uint16_t port = 0;
  /// By which names clients may call this server in `Host`, besides IP addresses and "localhost"; see host_rules.hpp.
  /// The port does not matter.
  std::vector<std::string> host_names = {};
  /// Called for every request on the I/O thread, with its method and decoded target; not set: the default for all. If
  /// it throws, the request gets a 500.
  std::function<admission(const std::string& method, const target& at)> admit = {};
  /// Called on the I/O thread with the text of each exception that `admit`, the handler or a body's `next` threw. It
  /// must not throw.
  std::function<void(std::string_view)> on_error = {};
  /// Bytes of request line and headers together; more is answered with 431.
  std::size_t max_header = 16 * 1024;
  /// Bytes of all unfinished requests, of all requests that wait for their answer, and of all unsent answers together.
  /// Beyond it the request that brought nothing for longest is given up (503), and answers that do not fit are a 503.
  /// At least 1 MiB. More than `max_body` of a few requests is needed for large ones to be served at a time.
  std::size_t max_buffered = 64 * 1024 * 1024;
  /// At this number a new connection takes the place of the one that is idle for longest, or of a request that brings
  /// nothing for longest. Where all are being served, it gets an answer to a probe, or else a 503. The limit of file
  /// descriptors (RLIMIT_NOFILE) bounds it to a quarter of that.
  std::size_t max_connections = 1024;
  /// The same for those of one address (IPv6: of one /64).
  std::size_t max_connections_of_address = 512;
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
/// their turn. The server itself answers what is malformed (400, 408, 413, 414, 431, 501), sent for a stranger (403,
/// 421) or finds no room (503), with `error_response` as body.
class server {
 public:
  /// Listens and starts the I/O thread. Throws `listen_error`.
  server(options settings, handler serve);
  /// Stops without grace.
  ~server();
  server(const server&) = delete;
  server& operator=(const server&) = delete;

  std::uint16_t port() const;

  /// Stops to accept, closes idle connections, and waits until every request that had begun to arrive is answered, up
  /// to `patience`. Nothing is cut off: what is left goes on until `stop`. Returns whether all is answered. From any
  /// thread but the I/O thread.
  bool drain(std::chrono::milliseconds patience);

  /// Stops to accept, closes idle connections, and returns when every request that had begun to arrive is answered or
  /// `grace` has passed; what is left then is cut off. No handler runs afterwards. May be called again and from any
  /// thread but the I/O thread (`std::logic_error`).
  void stop(std::chrono::milliseconds grace = std::chrono::milliseconds(0));

 private:
  class core;
  std::unique_ptr<core> core_;
};

} // namespace troupe::http

// The HTTP/1.1 server: one I/O thread, answers from any thread.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <stdexcept>
#include <string>
#include <string_view>
#include <troupe/http/message.hpp>
#include <troupe/http/target.hpp>
#include <vector>

namespace troupe::http {

/// What the server must know about a request before it receives the body.
struct admission {
  /// In bytes. A larger body is answered with 413.
  std::size_t max_body = 2 * 1024 * 1024;
  /// A probe. It is served even while all connections are in use, from a reserve.
  bool probe = false;
};

struct options {
  /// A numeric address or a name; "::" serves IPv4 too.
  std::string address = "127.0.0.1";
  /// 0 selects a free port; see `server::port`.
  std::uint16_t port = 0;
  /// The names that clients may give in `Host`, in addition to IP addresses and "localhost"; other names get a 421,
  /// against DNS rebinding. The port is ignored.
  std::vector<std::string> host_names = {};
  /// Called on the I/O thread for every request, with its method and decoded target. Empty: the default admission for
  /// all. If it throws, the request gets a 500.
  std::function<admission(const std::string& method, const target& at)> admit = {};
  /// Called on the I/O thread with the text of each exception that `admit`, the handler or a body's `next` threw. It
  /// must not throw.
  std::function<void(std::string_view)> on_error = {};
  /// Bytes of request line and headers together. More are answered with 431.
  std::size_t max_header = 16 * 1024;
  /// Bytes of all unfinished requests, all requests that wait for their answer, and all unsent answers together. Beyond
  /// this limit, the request that has received nothing for longest is refused (503), and answers that do not fit are
  /// replaced by a 503. At least 1 MiB. To serve several large requests at the same time, it must be larger than their
  /// `max_body` together.
  std::size_t max_buffered = 64 * 1024 * 1024;
  /// At this number a new connection replaces the one that has been idle for longest, or a request that has received
  /// nothing for longest. If all are being served, the new connection gets only probes answered, and a 503 for anything
  /// else. A quarter of the limit of file descriptors (RLIMIT_NOFILE) is an upper bound.
  std::size_t max_connections = 1024;
  /// The same for the connections of one address (IPv6: of one /64).
  std::size_t max_connections_of_address = 512;
  /// Time limit from a request's first byte (for the first request: from the connect) to its last. A slower request
  /// gets a 408.
  std::chrono::milliseconds read_timeout{10'000};
  /// Time limit for the client to receive a whole response, or one piece of a body in pieces.
  std::chrono::milliseconds write_timeout{30'000};
  /// How long a connection may stay open between two requests.
  std::chrono::milliseconds idle_timeout{60'000};
};

/// True for a name or an IP address without a port: what options::host_names may contain.
bool is_host_name(std::string_view text);

/// The server cannot listen on the address. `what()` names the address and the cause.
class listen_error : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

/// Serves from construction to `stop`. The requests of one connection are handled one at a time; pipelined ones wait.
/// The server itself answers requests that are malformed (400, 408, 413, 414, 431, 501), come from another site (403)
/// or name another host (421), or for which there is no memory (503), with `error_response` as body.
class server {
 public:
  /// Listens and starts the I/O thread. Throws `listen_error`.
  server(options settings, handler serve);
  /// Stops without grace.
  ~server();
  server(const server&) = delete;
  server& operator=(const server&) = delete;

  std::uint16_t port() const;

  /// Stops accepting connections, closes idle ones, and waits up to `patience` until every request that has begun to
  /// arrive is answered. Does not cut off requests: the rest continue until `stop`. Returns whether all are answered.
  /// Any thread may call this except the I/O thread (`std::logic_error`).
  bool drain(std::chrono::milliseconds patience);

  /// Stops accepting connections, closes idle ones, and returns when every request that has begun to arrive is answered
  /// or `grace` has passed; the rest are cut off then. No handler runs afterwards. May be called again, and by any
  /// thread except the I/O thread (`std::logic_error`).
  void stop(std::chrono::milliseconds grace = std::chrono::milliseconds(0));

 private:
  class core;
  std::unique_ptr<core> core_;
};

} // namespace troupe::http

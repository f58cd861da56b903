// Makes outgoing connections: resolves the name, connects, and performs the opening, without a thread per connection.
// Everything but the resolving of names happens on the thread of the given io_context.
//
//   dial --> [resolving] --> [waiting] --> [connecting] --> [opening] --> taken
//              | a name only    | for a slot   | the addresses of a name in parallel, starts staggered
//              +----------------+--------------+-------------------+---> problem: too slow, refused
#pragma once

#include "runtime/os/descriptor_budget.hpp"
#include "runtime/transport/dial_policy.hpp"
#include "runtime/transport/opening.hpp"
#include "runtime/transport/resolver_pool.hpp"
#include "runtime/transport/sockets.hpp"

#include <boost/asio/io_context.hpp>

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>

namespace troupe::net {

struct dialer_options {
  /// Time limit from the first connection attempt to the end of the opening.
  std::chrono::milliseconds deadline{1000};
  /// Time limit for resolving a name. The resolver thread may take longer; a later dial to the name then gets its
  /// result.
  std::chrono::milliseconds resolving{3000};
  /// Time limit for getting one of the slots below.
  std::chrono::milliseconds waiting{3000};
  /// Connections that are made at the same time. Further dials wait; known addresses go first.
  std::size_t max_at_once = 128;
  /// The same limit for all dialers of the process together. Each dialer may always make one.
  std::size_t max_of_process = descriptor_budget::unlimited;
  /// Which addresses may be dialed. Checked after a name is resolved.
  dial_policy where = dial_policy::anywhere;
};

/// The outcome of a dial: a connection that has completed its opening, or a problem.
struct dial_result {
  socket_guard socket;
  std::unique_ptr<channel> stream;
  std::string peer;
  std::string problem;
};

class dialer {
 public:
  /// Called once, on the io_context's thread, also if memory or descriptors ran out. Must not throw.
  using taker = std::function<void(dial_result)>;

  /// The io_context must outlive the dialer. Create and destroy the dialer on the io_context's thread, or while it does
  /// not run. `mine` is called for each opening.
  dialer(boost::asio::io_context& io, dialer_options options, std::function<credentials()> mine,
         resolver_pool::resolve how = {});
  /// Cancels all pending dials. Their takers are not called.
  ~dialer();

  /// Thread-safe. `known`: an earlier dial to this address succeeded. Throws std::bad_alloc.
  void dial(std::string host, std::uint16_t port, bool known, taker done);

 private:
  class state;
  resolver_pool names_;
  boost::asio::io_context& io_;
  std::shared_ptr<state> state_;
};

} // namespace troupe::net

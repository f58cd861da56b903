// Connects to others: resolves, connects and sees a connection through its opening, without a thread for each. All but
// the resolving of names happens on the thread of the given io_context.
//
//   dial --> [resolving] --> [waiting] --> [connecting] --> [opening] --> taken
//              | a name only    | for a place  | addresses of a name a little apart, side by side
//              +----------------+--------------+-------------------+---> a problem: too slow, refused
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
  /// From the first attempt to connect to the end of the opening.
  std::chrono::milliseconds deadline{1000};
  /// For resolving a name; its thread may take longer, and the next dial finds what it found.
  std::chrono::milliseconds resolving{3000};
  /// For one of the places below.
  std::chrono::milliseconds waiting{3000};
  /// Connections that are being made at the same time. Others wait, those to where a connection was made before first.
  std::size_t max_at_once = 128;
  /// Of all dialers of the process together. One of its own a dialer makes in any case.
  std::size_t max_of_process = descriptor_budget::unlimited;
  /// Which addresses may be connected to, once a name is resolved.
  dial_policy where = dial_policy::anywhere;
};

/// What became of a dial: a connection that is through its opening, or a problem.
struct dial_result {
  socket_guard socket;
  std::unique_ptr<channel> stream;
  std::string peer;
  std::string problem;
};

class dialer {
 public:
  /// Called once, on the io_context's thread, also when memory or the like was lacking. Must not throw.
  using taker = std::function<void(dial_result)>;

  /// The io_context must outlive the dialer, which is made and destroyed on its thread, or while that does not run.
  /// `mine` is asked at each opening.
  dialer(boost::asio::io_context& io, dialer_options options, std::function<credentials()> mine,
         resolver_pool::resolve how = {});
  /// Drops what is on its way: those takers are not called.
  ~dialer();

  /// May be called by any thread. `known`: a connection there was made before. Throws std::bad_alloc.
  void dial(std::string host, std::uint16_t port, bool known, taker done);

 private:
  class state;
  resolver_pool names_;
  boost::asio::io_context& io_;
  std::shared_ptr<state> state_;
};

} // namespace troupe::net

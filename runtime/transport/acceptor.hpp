// Accepts connections, performs their opening, and passes on those that succeed. All of it runs on the thread of the
// given io_context, so that a flood of new connections does not delay established ones.
//
//   [listening] -- accepted --> [opening] -- done --> passed on
//        |                         |  too slow, refused, displaced by newer ones of the same address: closed
//        +-- no descriptor left: [paused] for a moment
#pragma once

#include "runtime/os/descriptor_budget.hpp"
#include "runtime/transport/incidents.hpp"
#include "runtime/transport/opening.hpp"
#include "runtime/transport/sockets.hpp"

#include <boost/asio/io_context.hpp>

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>

namespace troupe::net {

struct acceptor_options {
  /// Time limit from accepting to the end of the opening.
  std::chrono::milliseconds opening_timeout{5000};
  /// Limit of the connections that were passed on and are still open, plus those in their opening.
  std::size_t max_connections = 1024;
  /// The same limit per address. Addresses are compared by their network_of.
  std::size_t max_connections_per_address = 256;
  /// Limit of the connections in their opening. Beyond it, a new connection displaces the oldest one (of its address).
  std::size_t max_openings = 256;
  std::size_t max_openings_per_address = 64;
  /// The same limit for all acceptors of the process together. Each acceptor may always have one.
  std::size_t max_openings_of_process = descriptor_budget::unlimited;
};

/// What the acceptor needs from its owner. Called on the io_context's thread.
struct acceptor_owner {
  virtual ~acceptor_owner() = default;
  virtual credentials current_credentials() = 0;
  /// The connections that were passed on and are still open: all of them, and those of this network.
  virtual std::pair<std::size_t, std::size_t> open_connections(const std::string& network) = 0;
  virtual void passed(socket_guard socket, std::unique_ptr<channel> stream, const std::string& peer) = 0;
  /// A connection was refused. `peer` is an address without its port. `kind` is refused_by_limit or opening_failed.
  virtual void refused(const std::string& peer, incident kind, const std::string& why) = 0;
};

class acceptor {
 public:
  /// Takes ownership of the listening socket. The owner and the io_context must outlive the acceptor. Create and
  /// destroy the acceptor on the io_context's thread, or while it does not run.
  acceptor(boost::asio::io_context& io, acceptor_options options, acceptor_owner& owner, socket_guard listening);
  ~acceptor();

 private:
  class state;
  std::shared_ptr<state> state_;
};

} // namespace troupe::net

// Where others come in: accepts connections, sees them through their opening, and hands on those that passed. All of it
// on the thread of the given io_context, so that a crowd at the door costs no open connection its turn.
//
//   [listening] -- accepted --> [opening] -- done --> handed on
//        |                         |  too slow, refused, pushed out by newer ones of the same address: closed
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
  /// From being accepted to the end of the opening.
  std::chrono::milliseconds opening_timeout{5000};
  /// Of those that were handed on and those in their opening together.
  std::size_t max_connections = 1024;
  /// Addresses here are what network_of makes of them.
  std::size_t max_connections_per_address = 256;
  /// Connections that are not through their opening. Where there is no room for one more, a new one pushes out the
  /// oldest (of its address).
  std::size_t max_openings = 256;
  std::size_t max_openings_per_address = 64;
  /// Of all acceptors of the process together. One of its own a acceptor has in any case.
  std::size_t max_openings_of_process = descriptor_budget::unlimited;
};

/// What the acceptor needs from its owner. Called on the io_context's thread.
struct acceptor_owner {
  virtual ~acceptor_owner() = default;
  virtual credentials current_credentials() = 0;
  /// Connections that were handed on and are still open: all, and of this network.
  virtual std::pair<std::size_t, std::size_t> open_connections(const std::string& network) = 0;
  virtual void passed(socket_guard socket, std::unique_ptr<channel> stream, const std::string& peer) = 0;
  /// Somebody was turned away; `peer` is an address without its port. `kind` is refused_by_limit or opening_failed.
  virtual void refused(const std::string& peer, incident kind, const std::string& why) = 0;
};

class acceptor {
 public:
  /// Takes over the listening socket. The owner and the io_context must outlive the acceptor; it is made and destroyed
  /// on the io_context's thread, or while that does not run.
  acceptor(boost::asio::io_context& io, acceptor_options options, acceptor_owner& owner, socket_guard listening);
  ~acceptor();

 private:
  class state;
  std::shared_ptr<state> state_;
};

} // namespace troupe::net

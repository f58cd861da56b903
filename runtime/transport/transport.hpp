// The network of one node or client: opens connections, checks what arrives on them, and cuts silent ones. It has its
// own thread for openings and for the watchdog, and another one that reads renewed TLS files.
#pragma once

#include "runtime/transport/acceptor.hpp"
#include "runtime/transport/credentials_keeper.hpp"
#include "runtime/transport/dialer.hpp"
#include "runtime/transport/guarded_channel.hpp"
#include "runtime/transport/system_network.hpp"
#include "runtime/transport/transport_status.hpp"

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

namespace troupe::net {

struct transport_options {
  credentials_files files;
  acceptor_options acceptor;
  guard_options guard;
  /// Time limit of a dialed connection from its beginning, after the name is resolved, to the end of its opening.
  std::chrono::milliseconds dial_deadline{1000};
  /// Time limit for resolving the name of a dialed connection.
  std::chrono::milliseconds resolve_deadline{3000};
  /// Connections that are dialed at the same time. At most half of the share of openings (descriptor_budget.hpp) is
  /// used.
  std::size_t max_dials_at_once = 128;
  /// The same limit for all transports of the process together.
  std::size_t max_dials_of_process = descriptor_budget::unlimited;
  /// Which addresses this transport may dial, and accept connections from.
  dial_policy dials = dial_policy::anywhere;
  /// A connection on which nothing arrives for this long is cut. If several nodes and clients share a connection, the
  /// shortest of their limits applies.
  std::chrono::milliseconds silence_limit = connection_liveness::usual_silence_limit;
  /// What the nodes and clients of the actor system share. Null: this transport does not share, and uses `limits`.
  std::shared_ptr<system_network> system = {};
  network_limits limits = {};
  /// A connection with more unsent bytes than this is cut. The bytes that CAF is about to write, and its spare
  /// capacity, come on top.
  std::size_t max_unsent_bytes = 64 << 20;
  /// Receives human-readable warnings. Any thread may call it.
  std::function<void(const std::string&)> warn;
};

/// A connection after its opening, ready for CAF's broker.
struct open_connection {
  socket_guard socket;
  std::unique_ptr<channel> stream;
  std::shared_ptr<connection_liveness> liveness;
  /// Receives the events that the stream does not see.
  std::shared_ptr<channel_watcher> watch;
  std::shared_ptr<flow_meter> meter;
};

/// Thread-safe. Any thread may destroy it, including its own: a callback may hold the last reference.
class transport {
 public:
  /// Throws std::runtime_error if the files are unusable.
  explicit transport(transport_options options);
  ~transport();

  const transport_options& options() const noexcept;

  /// A connection to host:port, or why there is none.
  struct dialed_connection {
    std::optional<open_connection> made;
    std::string problem;
  };
  /// Never blocks. This transport's thread calls `done` once, within the limits of `dialer_options`, but not at all if
  /// the transport ends before. `known`: an earlier dial to this address succeeded, so this one need not wait for
  /// others.
  void dial(const std::string& host, std::uint16_t port, bool known, std::function<void(dialed_connection)> done);
  /// The same, but blocks until the outcome is known. Throws std::runtime_error if there is no connection.
  open_connection dial(const std::string& host, std::uint16_t port);

  /// Listens at the address. Connections to it wait until `accept`. Returns the port, which is chosen by the system if
  /// `port` is 0. Throws std::runtime_error.
  std::uint16_t listen(const std::string& address, std::uint16_t port);
  /// From now on this transport's thread passes each connection that completes its opening to `taker`. Call this once,
  /// after `listen`. Throws std::runtime_error.
  void accept(std::function<void(open_connection)> taker);
  /// After this returns, the taker is not called. Waits for a running call of the taker, and at most a few seconds
  /// longer. Idempotent. The taker may call it too.
  void stop_listening();

  /// Cuts the connection with this node, if there is one. `node` is CAF's encoded id; `why` is for the log.
  void disconnect(std::string_view node, const std::string& why);
  transport_status status() const;

 private:
  class core;
  std::unique_ptr<core> core_;
};

} // namespace troupe::net

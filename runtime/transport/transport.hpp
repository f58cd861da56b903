// The network of one node or client: how connections are opened, what may come through them, and when they are cut.
// Has a thread of its own, for what waits or watches: connections on their way in, and silent ones. Another one reads
// renewed TLS files.
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
  /// For a dialed connection from its beginning, once the name is resolved, to the end of its opening.
  std::chrono::milliseconds dial_deadline{1000};
  /// For resolving the name of a dialed connection.
  std::chrono::milliseconds resolve_deadline{3000};
  /// Connections that are dialed at the same time; half of the share of openings (descriptor_budget.hpp), at most.
  std::size_t max_dials_at_once = 128;
  /// Of all transports of the process together.
  std::size_t max_dials_of_process = descriptor_budget::unlimited;
  /// Where this transport may connect to, and be connected from.
  dial_policy dials = dial_policy::anywhere;
  /// A connection that brings nothing for so long is cut. Where several use one, the shortest of theirs holds.
  std::chrono::milliseconds silence_limit = connection_liveness::usual_silence_limit;
  /// What the nodes and clients of the actor system share; null: this transport is alone, with these limits.
  std::shared_ptr<system_network> system = {};
  network_limits limits = {};
  /// A connection whose unsent bytes pass this is cut (what CAF is about to write, and the room it keeps, come on top).
  std::size_t max_unsent_bytes = 64 << 20;
  /// Where messages for people go. Called by any thread.
  std::function<void(const std::string&)> warn;
};

/// An opened connection, as CAF's broker takes it over.
struct open_connection {
  socket_guard socket;
  std::unique_ptr<channel> stream;
  std::shared_ptr<connection_liveness> liveness;
  /// Told of what the stream does not see.
  std::shared_ptr<channel_watcher> watch;
  std::shared_ptr<flow_meter> meter;
};

/// Whether a thread of a transport that has ended still runs, as it hangs in a call to a disk, say. Such a thread may
/// use the log and OpenSSL: a process that ends then does so with _exit, not by returning from main.
/// Thread-safe.
bool threads_are_left() noexcept;

/// Thread-safe. May be destroyed by any thread, its own included: a callback may hold the last reference.
class transport {
 public:
  /// Throws std::runtime_error when the files are unusable.
  explicit transport(transport_options options);
  ~transport();

  const transport_options& options() const noexcept;

  /// A connection to host:port, or what went wrong.
  struct dialed_connection {
    std::optional<open_connection> made;
    std::string problem;
  };
  /// Never blocks. `done` is called once, by this transport's thread, after what `dialer_options` allow at the latest;
  /// not at all when the transport ends before. `known`: a connection there was made before, and it need not wait for
  /// others.
  void dial(const std::string& host, std::uint16_t port, bool known, std::function<void(dialed_connection)> done);
  /// Blocks for as long as that takes. Throws std::runtime_error.
  open_connection dial(const std::string& host, std::uint16_t port);

  /// Reserves the address: connections to it wait until `accept`. Returns the port, which differs from `port` if that
  /// is 0. Throws std::runtime_error.
  std::uint16_t listen(const std::string& address, std::uint16_t port);
  /// From now on every connection that passes its opening is given to `taker`, on this transport's thread. Call it once
  /// after `listen`. Throws std::runtime_error.
  void accept(std::function<void(open_connection)> taker);
  /// The taker is not called any more once this returns, which takes a few seconds at most, and the call of the taker
  /// that goes on. Idempotent. The taker may call it too.
  void stop_listening();

  /// Cuts the connection with this node, by CAF's encoded id, if there is one.
  void hang_up(std::string_view node, const std::string& why);
  transport_status status() const;

 private:
  class core;
  std::unique_ptr<core> core_;
};

} // namespace troupe::net

// Decides which connections a server keeps when there are too many, and what it ends when memory is short. Internal to
// the server. Runs on the I/O thread.
#pragma once

#include "runtime/http/connection.hpp"

#include <cstddef>
#include <functional>
#include <string>
#include <unordered_map>

namespace troupe::http {

/// Reserved connections beyond the limit. They serve probes; other requests get a 503.
inline constexpr std::size_t probe_reserve = 16;

/// Limits the number of connections by the limit of file descriptors, of which sockets between nodes may take half.
/// `places` limits the total of all servers of the process.
options within_file_limit(options settings);

/// What counts as one address for limits: an IPv4 address, or the /64 of an IPv6 address.
std::string group_of(const socket& peer);

/// Frees memory for `origin`. Ends another request: the one that has received nothing for longest. If there is none,
/// closes a client that receives its answer too slowly: one that has taken nothing for a second, or else the slowest.
/// Returns false if no other connection holds memory.
bool free_memory_for(server_state& server, const connection& origin);
/// Closes clients that receive their answers too slowly, until an eighth of the memory is free.
void end_slow_clients(server_state& server);

/// Counts connections, and ends one if the limits require it.
class places {
 public:
  enum class kind { regular, reserved, none };

  explicit places(server_state& server);
  ~places();
  places(const places&) = delete;

  /// Finds a place for a new connection of this address. May close another connection for it.
  kind take(const std::string& group);
  /// Makes a reserved connection a regular one, if there is a place.
  bool make_regular(connection& one);
  void add(const connection& one);
  void remove(const connection& one);
  /// Finds the clients that wait for an answer and are gone or have closed their side. Those that are gone are closed
  /// at once. Those that have closed their side may still read their answer: a few of them are kept, and they are
  /// closed first when places are short.
  void look_for_departed();

 private:
  using test = std::function<bool(const connection&)>;

  bool has_place(const std::string& group) const;
  /// Closes the least important connection among those that fit.
  bool end_one(const test& fits);
  bool make_place(const std::string& group);
  bool may_check();

  server_state& server_;
  /// The share of the process's descriptors for all its HTTP servers together.
  const std::size_t share_;
  std::size_t regular_ = 0;
  std::size_t reserved_ = 0;
  std::unordered_map<std::string, std::size_t> of_group_;
  time_point counted_at_{};
  double checks_ = 0;
};

} // namespace troupe::http

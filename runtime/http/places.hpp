// Which connections a server keeps when there are too many, and what it gives up when memory is short. Internal to the
// server; on the I/O thread.
#pragma once

#include "runtime/http/connection.hpp"

#include <cstddef>
#include <functional>
#include <string>
#include <unordered_map>

namespace troupe::http {

/// Connections beyond the limit that get a probe answered, and everybody else a 503.
inline constexpr std::size_t probe_reserve = 16;

/// Bounds the number of connections by the limit of file descriptors. Sockets between nodes may take half of those.
/// What the servers of a process hold together, `places` bounds.
options within_file_limit(options settings);

/// What counts as one address for limits: an IPv4 address, or the /64 of an IPv6 address.
std::string group_of(const socket& peer);

/// Gives up the request, other than that of `needy`, that brought nothing for longest; or else a client that takes its
/// answer too slowly: nothing for a second, or else the fewest bytes of all. False if there is nothing that holds
/// memory.
bool relieve(surroundings& server, const connection& needy);
/// Closes clients that take their answers too slowly, until an eighth of the memory is free.
void end_slow_clients(surroundings& server);

/// Counts connections, and ends one where the limits ask for it.
class places {
 public:
  enum class kind { regular, reserved, none };

  explicit places(surroundings& server);
  ~places();
  places(const places&) = delete;

  /// A place for a new connection of this address; one of the others may be closed for it.
  kind take(const std::string& group);
  /// A reserved connection becomes a regular one, if there is a place.
  bool settle(connection& one);
  void add(const connection& one);
  void remove(const connection& one);
  /// Finds the clients that wait for an answer and are gone, or have closed their side. The former are closed at once;
  /// of the latter, which may still read their answer, a few are kept, and those end first when places are short.
  void look_for_departed();

 private:
  using test = std::function<bool(const connection&)>;

  bool has_place(const std::string& group) const;
  /// Closes the one that can be missed most easily, among those that fit.
  bool end_one(const test& fits);
  bool make_place(const std::string& group);
  bool may_look();

  surroundings& server_;
  /// Of the process's descriptors, for all its HTTP servers together.
  const std::size_t share_;
  std::size_t regular_ = 0;
  std::size_t reserved_ = 0;
  std::unordered_map<std::string, std::size_t> of_group_;
  time_point counted_at_{};
  double looks_ = 0;
};

} // namespace troupe::http

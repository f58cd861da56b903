// The HTTP API: which request means what, and how results look. README.md in this directory is its manual.
#pragma once

#include "raft/events.hpp"
#include "raft/snapshot.hpp"
#include "runtime/http/message.hpp"
#include "runtime/http/server.hpp"
#include "services/map/messages.hpp"

#include <chrono>
#include <cstdint>
#include <string>
#include <variant>

namespace troupe::webserver {

/// A message for the map service, on whose result the response depends.
template <class M> struct call {
  M message;
  std::chrono::milliseconds timeout;
  bool stale = false;
  http::response (*render)(const typename M::result&) = nullptr;
};

struct ask_liveness {};
struct ask_readiness {};
struct ask_status {};
struct ask_snapshot {
  std::chrono::milliseconds timeout;
};
struct ask_backup {
  std::chrono::milliseconds timeout;
};
/// Bytes of a backup that is to be restored, from `offset` on.
struct put_backup {
  raft::snapshot_id backup;
  std::uint64_t offset = 0;
  std::string bytes;
  std::chrono::milliseconds timeout{};
};
struct ask_restore {
  raft::snapshot_id backup;
  std::chrono::milliseconds timeout;
};
struct ask_members {};
struct ask_change {
  raft::change_members change;
  std::chrono::milliseconds timeout;
};
struct ask_transfer {
  raft::node_id to;
  std::chrono::milliseconds timeout;
};

/// What a request comes down to: an answer that is certain already (an error), or a question.
using routed = std::variant<http::response, ask_liveness, ask_readiness, ask_status, ask_snapshot, ask_backup,
                            put_backup, ask_restore, ask_members, ask_change, ask_transfer, call<map::put>,
                            call<map::remove>, call<map::compare_and_swap>, call<map::get>, call<map::list_keys>>;

/// How long a request may take that does not say.
inline constexpr std::chrono::seconds default_timeout{5};
/// The same for a restore: how long nodes may take to get the backup.
inline constexpr std::chrono::seconds default_restore_timeout{300};
/// The same for a snapshot, which may have to wait for the one before.
inline constexpr std::chrono::seconds default_snapshot_timeout{300};
/// The same for a piece of a backup: after the last one the node reads all of them again.
inline constexpr std::chrono::seconds default_piece_timeout{540};
/// Of a backup in one request.
inline constexpr std::size_t max_backup_piece = 1 << 20;

/// Of a value as JSON: three times the 1 MiB that it may take where an encoder escapes all that is not ASCII, and room
/// for white space.
inline constexpr std::size_t max_value_text = 4 << 20;
/// Of a body that carries no value.
inline constexpr std::size_t max_small_body = 64 << 10;

/// How large a body this request may have, and whether it is a probe. Any thread.
http::admission admit(const std::string& method, const http::target& at);

/// Takes the request's parts. In proportion to its size: 64 KiB take about a millisecond. Any thread.
routed route(http::request&& asked);

} // namespace troupe::webserver

// The HTTP API: maps requests to operations, and results to responses. README.md in this directory is its manual.
#pragma once

#include <chrono>
#include <cstdint>
#include <string>
#include <troupe/http/message.hpp>
#include <troupe/http/server.hpp>
#include <troupe/requests.hpp>
#include <troupe/services/map_service.hpp>
#include <variant>

namespace troupe::webserver {

/// A message for the map service. `render` turns its result into the response.
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
/// A chunk of a backup that is to be restored, at `offset`.
struct put_backup {
  snapshot_id backup;
  std::uint64_t offset = 0;
  std::string bytes;
  std::chrono::milliseconds timeout{};
};
struct ask_restore {
  snapshot_id backup;
  std::chrono::milliseconds timeout;
};
struct ask_members {};
struct ask_transfer {
  node_id to;
  std::chrono::milliseconds timeout;
};

/// What a request is routed to: a response that is known already (an error), or an operation.
using routed = std::variant<http::response, ask_liveness, ask_readiness, ask_status, ask_snapshot, ask_backup,
                            put_backup, ask_restore, ask_members, change_membership, ask_transfer, call<map::put>,
                            call<map::remove>, call<map::compare_and_swap>, call<map::get>, call<map::list_keys>>;

/// The timeout of a request that does not give one.
inline constexpr std::chrono::seconds default_timeout{5};
/// The default timeout of a restore, during which the nodes fetch the backup.
inline constexpr std::chrono::seconds default_restore_timeout{300};
/// The default timeout of a snapshot, which may have to wait for the previous one.
inline constexpr std::chrono::seconds default_snapshot_timeout{300};
/// The default timeout for a chunk of a backup. After the last chunk the node reads all of them again.
inline constexpr std::chrono::seconds default_chunk_timeout{540};
/// The largest chunk of a backup in one request, in bytes.
inline constexpr std::size_t max_backup_chunk = 1 << 20;

/// The largest value as JSON text, in bytes. A value may take 1 MiB; an encoder that escapes all characters that are
/// not ASCII triples that, and white space needs room.
inline constexpr std::size_t max_value_text = 4 << 20;
/// The largest body of a request that carries no value, in bytes.
inline constexpr std::size_t max_small_body = 64 << 10;

/// The limit for the body of a request, and whether the request is a probe. Thread-safe.
http::admission admit(const std::string& method, const http::target& at);

/// Parses a request; moves from its parts. Takes time in proportion to its size: about a millisecond for 64 KiB.
/// Thread-safe.
routed route(http::request&& req);

} // namespace troupe::webserver

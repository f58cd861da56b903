// A node's view of itself, for /status and /readyz.
#pragma once

#include "runtime/http/message.hpp"
#include "runtime/node_requests.hpp"

namespace troupe::webserver {

/// 200 with all of it, as JSON. What is not known yet is null, "" or 0.
http::response status_response(const node_status& status);

/// 200 or 503, with a line of text per check.
http::response readiness_response(const node_status& status);

/// A snapshot that was asked for.
/// The newest configuration that this node knows of, and how the members are.
http::response members_response(const node_status& status);
http::response changed_response(const membership_changed& done);
http::response moved_response(const leadership_moved& done);
http::response snapshot_response(const raft::snapshot_id& id);
/// The offset that is due, or why the piece was not taken.
http::response staged_response(const piece_staged& done);
http::response restored_response(const restore_made& done);

} // namespace troupe::webserver

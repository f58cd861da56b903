// The responses that show a node's status and the results of requests to it.
#pragma once

#include <troupe/http/message.hpp>
#include <troupe/requests.hpp>

namespace troupe::webserver {

/// 200 with the whole status as JSON. Values that are not known yet are null, "" or 0.
http::response status_response(const node_status& status);

/// 200 or 503, with one line of text per check.
http::response readiness_response(const node_status& status);

/// The newest configuration that this node knows, and the health of the members.
http::response members_response(const node_status& status);
http::response changed_response(const membership_changed& done);
http::response moved_response(const leadership_moved& done);
/// The snapshot that was taken.
http::response snapshot_response(const snapshot_id& id);
/// The offset that is due next.
http::response staged_response(const backup_staged& done);
http::response restored_response(const restore_made& done);

} // namespace troupe::webserver

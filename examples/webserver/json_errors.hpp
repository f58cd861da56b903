// Maps errors of the node to HTTP responses.
#pragma once

#include <troupe/errors.hpp>
#include <troupe/http/message.hpp>

namespace troupe::webserver {

/// 400 if the request itself is wrong, 429 if the node is overloaded, 503 if the request was surely not done, 504 if
/// the outcome is unknown, 507 if the disk or the state is full, 500 otherwise.
unsigned http_status(errc code);

/// A response with the body {"error", "outcome", "retryable", "leader": {"id", "address"} or null, "message"}.
http::response error_response(const error_info& info);

} // namespace troupe::webserver

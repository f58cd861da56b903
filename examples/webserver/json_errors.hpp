// How a failed request looks to an HTTP client.
#pragma once

#include "actors/errors.hpp"
#include "runtime/http/message.hpp"

namespace troupe::webserver {

/// 400 for what is wrong with the request itself, 429 overloaded, 503 surely not done, 504 outcome unknown.
unsigned http_status(errc code);

/// {"error", "outcome", "retryable", "leader": {"id", "address"} or null, "message"}
http::response error_response(const error_info& info);

} // namespace troupe::webserver

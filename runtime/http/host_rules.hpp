// Who a request is meant for, and on whose behalf a browser sends it.
//
// A server without passwords trusts every client, and a browser on its machine runs the code of strangers. A web
// page reaches a loopback server in two ways: directly, where the browser adds `Origin` and `Sec-Fetch-Site`; or under
// a name of the page's own that is made to resolve to 127.0.0.1 (DNS rebinding), where `Host` is that name.
#pragma once

#include "runtime/http/head.hpp"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace troupe::http {

struct authority {
  /// A name in lower case without a dot at its end, or an IP address without brackets.
  std::string host;
  bool is_address = false;
  std::optional<std::uint16_t> port;
};

/// host, host:port, [v6]:port. Nothing for anything else.
std::optional<authority> parse_authority(std::string_view text);

/// Refuses (421) a `Host` that is neither an IP address nor "localhost" nor one of `names`, and (403) a request with
/// another method than GET, HEAD or OPTIONS that a page of another origin causes. Nothing: it may pass.
std::optional<problem> check_caller(const head& asked, const std::vector<std::string>& names);

} // namespace troupe::http

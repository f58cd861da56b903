// Checks which host a request is for, and which site made a browser send it.
//
// A server without passwords trusts every client, and a browser on the same machine runs untrusted code. A web page can
// reach a loopback server in two ways: directly, where the browser adds `Origin` and `Sec-Fetch-Site`; or under one of
// the page's own names that resolves to 127.0.0.1 (DNS rebinding), where `Host` is that name.
#pragma once

#include "runtime/http/head.hpp"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace troupe::http {

struct authority {
  /// A name in lower case without a trailing dot, or an IP address without brackets.
  std::string host;
  bool is_address = false;
  std::optional<std::uint16_t> port;
};

/// Parses host, host:port or [v6]:port. Returns nothing for any other text.
std::optional<authority> parse_authority(std::string_view text);

/// Refuses (421) a `Host` that is neither an IP address nor "localhost" nor one of `names`, and (403) a request with a
/// method other than GET, HEAD or OPTIONS that a page of another origin caused. Returns nothing if the request may
/// pass.
std::optional<problem> check_caller(const head& asked, const std::vector<std::string>& names);

} // namespace troupe::http

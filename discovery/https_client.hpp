// HTTPS requests that can be stopped, with libcurl. Not thread-safe.
#pragma once

#include "raft/base/types.hpp"

#include <filesystem>
#include <functional>
#include <memory>
#include <stop_token>
#include <string>
#include <string_view>

namespace troupe {

struct https_request {
  /// https only; redirects and proxies are not used.
  std::string url;
  /// Sent in the header Authorization: Bearer.
  std::string token;
  /// CA certificates that must have signed the server's certificate, PEM; read again for each connection.
  std::filesystem::path authority;
  /// Time limits for connecting and for the whole request.
  raft::duration connect_within{};
  raft::duration end_within{};
};

struct https_reply {
  /// 0 if there was no answer.
  long status = 0;
  /// Body of an answer other than 200, at most 16 KiB.
  std::string body;
  /// Why there was no answer or no complete answer; printable.
  std::string problem;
  raft::duration took{};
};

class https_client {
 public:
  https_client();
  ~https_client();
  https_client(const https_client&) = delete;

  /// Receives the body of a 200 as it arrives; returning false ends the request.
  using receiver = std::function<bool(std::string_view)>;
  /// Blocks until the request is over or `stop` is requested. `on_answer`, if set, is called with the status as soon as
  /// it arrives. Connections are reused for later requests.
  https_reply get(const https_request& request, const receiver& receive, const std::stop_token& stop,
                  const std::function<void(long)>& on_answer = {});

 private:
  struct handles;
  std::unique_ptr<handles> curl_;
};

} // namespace troupe

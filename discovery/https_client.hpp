// HTTPS requests that can be stopped: libcurl, for one thread.
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
  /// https only; redirects and proxies are not followed.
  std::string url;
  /// Goes into the header Authorization: Bearer.
  std::string token;
  /// Who must have signed the server's certificate, PEM; read anew for each connection.
  std::filesystem::path authority;
  /// For connecting, and for everything.
  raft::duration connect_within{};
  raft::duration end_within{};
};

struct https_reply {
  /// 0 if there was no answer.
  long status = 0;
  /// Of an answer other than 200, at most 16 KiB.
  std::string body;
  /// Why it was not answered, or not to its end; printable.
  std::string problem;
  raft::duration took{};
};

class https_client {
 public:
  https_client();
  ~https_client();
  https_client(const https_client&) = delete;

  /// Takes the body of a 200 as it comes; false ends the request.
  using receiver = std::function<bool(std::string_view)>;
  /// Blocks until the request is over or `stop` is requested. `on_answer`, if there is one, hears of the status as soon
  /// as it is there. Connections are kept for the next request.
  https_reply get(const https_request& request, const receiver& receive, const std::stop_token& stop,
                  const std::function<void(long)>& on_answer = {});

 private:
  struct handles;
  std::unique_ptr<handles> curl_;
};

} // namespace troupe

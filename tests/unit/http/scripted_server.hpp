// A server that answers with given bytes, for tests of the client.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <mutex>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

namespace troupe::http::testing {

/// Serves connections one after another on 127.0.0.1, on its own thread.
class scripted_server {
 public:
  /// What happens after the last answer of a connection.
  enum class at_end { close, wait };

  /// The answers of each connection. Each is sent when a whole request has arrived; an empty one closes the connection.
  /// No more connections than these are accepted.
  explicit scripted_server(std::vector<std::vector<std::string>> answers, at_end then = at_end::close);
  ~scripted_server();
  scripted_server(const scripted_server&) = delete;

  std::uint16_t port() const { return port_; }
  /// The number of accepted connections.
  std::size_t connections() const { return connections_; }
  /// The targets of all requests that have arrived completely.
  std::vector<std::string> targets() const;
  /// Sends something on the newest connection.
  void send(std::string_view bytes);

 private:
  void serve(const std::vector<std::string>& answers, at_end then);
  /// Returns false if the client closes before.
  bool receive_request(int fd);

  int listening_;
  std::uint16_t port_ = 0;
  std::atomic<std::size_t> connections_ = 0;
  mutable std::mutex mutex_;
  std::vector<std::string> targets_;
  int newest_ = -1;
  std::string received_;
  std::thread thread_;
};

} // namespace troupe::http::testing

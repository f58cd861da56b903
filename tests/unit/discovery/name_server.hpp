// A name server on this machine with programmed answers, over UDP and TCP on one port.
#pragma once

#include "discovery/dns_answer.hpp"

#include <atomic>
#include <cstdint>
#include <functional>
#include <map>
#include <mutex>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

namespace troupe::test {

/// A record of the answer section.
struct dns_record {
  dns_type type;
  std::string data;
};
/// The data of address records and SRV records.
std::string dns_address(const std::string& text);
std::string dns_service(std::uint16_t port, const std::string& target);

/// The answer for one name and type.
struct dns_reply {
  std::vector<dns_record> records;
  /// The code of RFC 1035: 0 success, 2 server failure, 3 no such name, 5 refused.
  unsigned rcode = 0;
  /// Whether the answer over UDP is truncated and marked so.
  bool truncated = false;
  bool silent = false;
  /// Changes the finished message.
  std::function<void(std::string&)> mangle = {};
};

class name_server {
 public:
  name_server();
  ~name_server();
  name_server(const name_server&) = delete;
  std::uint16_t port() const { return port_; }

  /// Sets the answer for a name and type. Names are in lower case, without a dot at the end. Unknown names get code 3.
  void say(const std::string& name, dns_type type, dns_reply reply);
  /// Number of queries for this name and type.
  int asked(const std::string& name, dns_type type);
  /// Number of TCP connections.
  int streams() const { return streams_; }

 private:
  using question = std::pair<std::string, dns_type>;
  void serve();
  void serve_packet();
  void serve_stream();
  std::string answer(std::string_view query, bool stream);

  int udp_ = -1;
  int tcp_ = -1;
  int wake_[2] = {-1, -1};
  std::uint16_t port_ = 0;
  std::mutex mutex_;
  std::map<question, dns_reply> replies_;
  std::map<question, int> asked_;
  std::atomic<int> streams_ = 0;
  std::thread thread_;
};

/// A whole message that answers `query`.
std::string dns_message(std::string_view query, const dns_reply& reply, bool truncated);

} // namespace troupe::test

// The cluster keeps serving despite hostile or broken clients.
#include "tests/process/cluster.hpp"
#include "tests/unit/http/wire.hpp"

#include <catch2/catch.hpp>

#include <string>
#include <vector>

using namespace troupe::testing;
using troupe::http::testing::wire;
using namespace std::chrono_literals;

namespace {

class serving_cluster : public ready_cluster {
 public:
  serving_cluster() : ready_cluster(3), leader_(wait_ready()), term_((*this)[leader_].status()["term"]) {}

  /// Checks that every node accepts a write at once, that all nodes run, and that the leader has not changed.
  void check_serves() {
    for (std::size_t i = 0; i < size(); ++i) {
      CHECK((*this)[i].running());
      (*this)[i].put("k", ++value_);
      CHECK((*this)[i].get("k") == value_);
    }
    CHECK(leader() == leader_);
    CHECK((*this)[leader_].status()["term"] == term_);
  }

 private:
  std::size_t leader_;
  json term_;
  int value_ = 0;
};

} // namespace

TEST_CASE("1,000 connections to the HTTP port that close at once") {
  serving_cluster nodes;
  for (std::size_t i = 0; i < 1000; ++i) {
    wire one{nodes[i % 3].http_port()};
    if (i % 2) one.reset();
  }
  nodes.check_serves();
}

TEST_CASE("1,000 connections to the Raft port that close at once") {
  serving_cluster nodes;
  for (std::size_t i = 0; i < 1000; ++i) {
    wire one{nodes[i % 3].raft_port()};
    if (i % 2) one.reset();
  }
  nodes.check_serves();
}

TEST_CASE("half-open connections") {
  serving_cluster nodes;
  std::vector<wire> open;
  for (std::size_t i = 0; i < 600; ++i) {
    open.emplace_back(nodes[i % 3].http_port());
    if (i % 3 == 0)
      CHECK(open.back().send("PUT /v1/maps/m/k HTTP/1.1\r\nHost: localhost\r\nContent-Length: 100\r\n\r\n1"));
    if (i % 3 == 1) CHECK(open.back().send("GET /v1/maps/m/k HT"));
  }
  for (std::size_t i = 0; i < 60; ++i) open.emplace_back(nodes[i % 3].raft_port());
  nodes.check_serves();
  open.clear();
  nodes.check_serves();
}

TEST_CASE("clients that disconnect before the answer") {
  serving_cluster nodes;
  for (std::size_t i = 0; i < 300; ++i) {
    wire one{nodes[i % 3].http_port()};
    CHECK(one.send("PUT /v1/maps/m/left HTTP/1.1\r\nHost: localhost\r\nContent-Length: 1\r\n\r\n1"));
    if (i % 2) one.reset();
  }
  nodes.check_serves();
}

TEST_CASE("malformed HTTP") {
  serving_cluster nodes;
  const std::vector<std::string> garbage{
      std::string(100, '\0'),
      "\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03",
      "GET\r\n\r\n",
      "GET /get?map=m&key=%zz HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n",
      "GET / HTTP/9.9\r\n\r\n",
      "PUT /v1/maps/m/k HTTP/1.1\r\nHost: localhost\r\nContent-Length: -1\r\n\r\n",
      "PUT /v1/maps/m/k HTTP/1.1\r\nHost: localhost\r\nContent-Length: 99999999999999999999\r\n\r\n",
      "PUT /v1/maps/m/k HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\nZZ\r\n",
      "GET /" + std::string(100'000, 'a') + " HTTP/1.1\r\nHost: localhost\r\n\r\n",
      "GET /livez HTTP/1.1\r\nHost: localhost\r\n" + std::string(70'000, 'h') + ": 1\r\n\r\n",
  };
  for (const auto& bytes : garbage) {
    for (std::size_t i = 0; i < nodes.size(); ++i) {
      CAPTURE(bytes.substr(0, 60), i);
      wire one{nodes[i].http_port()};
      one.send(bytes);
      one.half_close();
      const auto answer = one.read_all();
      const bool error_or_end = answer.empty() || answer.starts_with("HTTP/1.1 4") || answer.starts_with("HTTP/1.1 5");
      CHECK(error_or_end);
    }
  }
  nodes.check_serves();
}

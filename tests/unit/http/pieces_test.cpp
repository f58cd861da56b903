// Bodies that are produced while they are sent.
#include "runtime/http/client/client.hpp"
#include "tests/unit/http/wire.hpp"

#include <catch2/catch.hpp>

#include <algorithm>
#include <atomic>
#include <memory>
#include <stdexcept>
#include <string>
#include <thread>
#include <troupe/http/server.hpp>
#include <vector>

using namespace troupe::http;
using namespace troupe::http::testing;
using namespace std::chrono_literals;
using Catch::Contains;
using Catch::EndsWith;

namespace {

const std::string get_a = "GET /a HTTP/1.1\r\nHost: localhost\r\n\r\n";

/// A source of pieces, which records the requests for them.
struct book {
  std::string text;
  std::size_t piece_size = 1;
  std::size_t given = 0;
  std::atomic<std::size_t> asked = 0;
};

std::string next_of(book& from) {
  ++from.asked;
  auto piece = from.text.substr(from.given, from.piece_size);
  from.given += piece.size();
  return piece;
}

response in_pieces(std::uint64_t length, std::function<void(piece_receiver)> next) {
  response answer{200, "text/plain", {}};
  answer.headers = {{"X-Kind", "pieces"}};
  answer.pieces = body_in_pieces{length, std::move(next)};
  return answer;
}

response read_from(const std::shared_ptr<book>& from) {
  return in_pieces(from->text.size(), [from](const piece_receiver& to) { to.send(next_of(*from)); });
}

std::shared_ptr<book> long_book() {
  auto made = std::make_shared<book>();
  for (int i = 0; i < 200'000; ++i) made->text += std::to_string(i) + ' ';
  made->piece_size = 70'001;
  return made;
}

/// What a client receives of a body of six bytes whose second piece comes from `second`.
std::string cut_short(const std::function<void(const piece_receiver&)>& second) {
  auto first = std::make_shared<std::atomic<bool>>(true);
  server serving({}, [&](const request&, const responder& answer) {
    answer.send(in_pieces(6, [&second, first](const piece_receiver& to) {
      if (first->exchange(false)) return to.send("abc");
      second(to);
    }));
  });
  wire client(serving.port());
  client.send("GET /a HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n");
  return client.read_all();
}

} // namespace

TEST_CASE("a body in pieces arrives completely, and the connection stays open") {
  const auto text = long_book();
  server serving({}, [&](const request& asked, const responder& answer) {
    if (asked.segments[0] == "plain") return answer.send({200, "text/plain", "plain"});
    text->given = 0;
    answer.send(read_from(text));
  });
  client asking("127.0.0.1", serving.port(), 10s);
  for (int i = 0; i < 3; ++i) {
    CHECK(asking.request("GET", "/pieces").body == text->text);
    CHECK(asking.request("GET", "/plain").body == "plain");
  }
  CHECK(text->asked == 3 * (text->text.size() / text->piece_size + 1));
}

TEST_CASE("pieces may come from another thread, much later") {
  std::vector<std::thread> makers;
  const auto text = std::make_shared<book>();
  text->text = "abcdef";
  text->piece_size = 2;
  server serving({}, [&](const request&, const responder& answer) {
    answer.send(in_pieces(6, [&, text](const piece_receiver& to) {
      makers.emplace_back([to, text] {
        std::this_thread::sleep_for(10ms); // nap: the next piece is slow
        to.send(next_of(*text));
      });
    }));
  });
  CHECK(client("127.0.0.1", serving.port(), 10s).request("GET", "/a").body == "abcdef");
  serving.stop();
  for (auto& one : makers) one.join();
}

TEST_CASE("sends the length in advance and further headers; a HEAD requests no piece") {
  const auto text = std::make_shared<book>();
  text->text = "abc";
  server serving({}, [&](const request&, const responder& answer) { answer.send(read_from(text)); });
  wire client(serving.port());
  client.send("HEAD /a HTTP/1.1\r\nHost: localhost\r\n\r\n");
  const auto head = client.read_until("\r\n\r\n");
  CHECK_THAT(head, Contains("Content-Length: 3\r\n") && Contains("X-Kind: pieces\r\n"));
  CHECK(text->asked == 0);
  client.send(get_a);
  CHECK_THAT(read_answer(client), EndsWith("\r\n\r\nabc"));
  CHECK(text->asked == 3);
}

TEST_CASE("an empty body in pieces requests no piece") {
  const auto text = std::make_shared<book>();
  server serving({}, [&](const request&, const responder& answer) { answer.send(read_from(text)); });
  CHECK(client("127.0.0.1", serving.port(), 10s).request("GET", "/a").body.empty());
  CHECK(text->asked == 0);
}

TEST_CASE("cuts the connection when a body fails in the middle") {
  CHECK_THAT(cut_short([](const piece_receiver& to) { to.fail(); }), EndsWith("\r\n\r\nabc"));
  CHECK_THAT(cut_short([](const piece_receiver&) {}), EndsWith("\r\n\r\nabc"));
  CHECK_THAT(cut_short([](const piece_receiver& to) { to.send(""); }), EndsWith("\r\n\r\nabc"));
  CHECK_THAT(cut_short([](const piece_receiver& to) { to.send("more than is missing"); }), EndsWith("\r\n\r\nabc"));
  CHECK_THAT(cut_short([](const piece_receiver&) { throw std::runtime_error("the disk failed"); }),
             EndsWith("\r\n\r\nabc"));
  // The first call counts.
  CHECK_THAT(cut_short([](const piece_receiver& to) {
               to.send("def");
               to.fail();
             }),
             EndsWith("\r\n\r\nabcdef"));
}

TEST_CASE("a client that stops reading is cut off, and few pieces are produced for it") {
  const auto endless = std::make_shared<book>();
  options settings;
  settings.write_timeout = 300ms;
  server serving(settings, [&](const request&, const responder& answer) {
    answer.send(in_pieces(std::uint64_t{1} << 40, [endless](const piece_receiver& to) {
      ++endless->asked;
      to.send(std::string(1 << 20, 'x'));
    }));
  });
  wire lazy(serving.port());
  lazy.send(get_a);
  const auto began = std::chrono::steady_clock::now();
  std::size_t seen = 0;
  // Wait until no further piece is requested: the sockets are full then.
  while (seen == 0 || seen != endless->asked) {
    seen = endless->asked;
    std::this_thread::sleep_for(600ms); // nap: twice the write timeout
  }
  CHECK(std::chrono::steady_clock::now() - began < 8s);
  CHECK(endless->asked < 64);
  CHECK(lazy.read_all().size() < 64 << 20);
}

TEST_CASE("the write timeout applies to a piece, not to the body") {
  const auto text = std::make_shared<book>();
  text->text = std::string(40, 'x');
  text->piece_size = 4;
  std::vector<std::thread> makers;
  options settings;
  settings.write_timeout = 100ms;
  server serving(settings, [&](const request&, const responder& answer) {
    answer.send(in_pieces(text->text.size(), [&, text](const piece_receiver& to) {
      makers.emplace_back([to, text] {
        std::this_thread::sleep_for(30ms); // nap: all pieces together take longer than the timeout
        to.send(next_of(*text));
      });
    }));
  });
  CHECK(client("127.0.0.1", serving.port(), 10s).request("GET", "/a").body == text->text);
  serving.stop();
  for (auto& one : makers) one.join();
}

// Where a request ends, byte by byte: refuses what two programs could read differently.
#include "runtime/http/body_reader.hpp"
#include "tests/unit/http/echo.hpp"
#include "tests/unit/http/wire.hpp"

#include <catch2/catch.hpp>

#include <string>
#include <string_view>
#include <troupe/http/server.hpp>
#include <vector>

using namespace troupe::http;
using namespace troupe::http::testing;
using namespace std::string_literals;
using Catch::Contains;
using Catch::EndsWith;
using Catch::StartsWith;

namespace {

/// The status of the only answer, after which the server must close. A smuggled request would get another answer.
std::string only_answer(const server& at, const std::string& bytes) {
  wire one(at.port());
  one.send(bytes);
  one.half_close();
  const auto all = one.read_all();
  CHECK(all.find("}HTTP/1.1 ") == std::string::npos);
  CHECK_THAT(all, Contains("Connection: close\r\n"));
  return all.substr(9, 3);
}

const std::string next = "GET /smuggled HTTP/1.1\r\nHost: localhost\r\n\r\n";

std::string chunked(const std::string& body) {
  return "PUT /a HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n" + body + next;
}

std::string with_fields(const std::string& fields) {
  return "GET /a HTTP/1.1\r\nHost: localhost\r\n" + fields + "\r\n" + next;
}

} // namespace

TEST_CASE("refuses a request whose end is ambiguous, and reads nothing after it as a request", "[framing]") {
  server echoing({}, echo);
  const std::string body = "\r\n5\r\nhello\r\n0\r\n\r\n" + next;
  const std::vector<std::string> all{
      // transfer encodings
      with_fields("Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n"),
      with_fields("Transfer-Encoding: chunked\r\nTransfer-Encoding: identity\r\n"),
      with_fields("Transfer-Encoding: chunked\r\nContent-Length: 5\r\n"),
      with_fields("Content-Length: 5\r\nTransfer-Encoding: chunked\r\n"),
      "PUT /a HTTP/1.0\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n" + body,
      "PUT /a HTTP/1.0\r\nTransfer-Encoding: chunked\r\nConnection: keep-alive\r\n" + body,
      // lengths
      with_fields("Content-Length: 0\r\nContent-Length: 0\r\n"),
      with_fields("Content-Length: 0, 0\r\n"),
      with_fields("Content-Length: +0\r\n"),
      with_fields("Content-Length: 0x0\r\n"),
      with_fields("Content-Length:\r\n"),
      with_fields("Content-Length: 1 1\r\n"),
      // lines
      with_fields("Content-Length : 0\r\n"),
      with_fields(" folded: 1\r\n"),
      with_fields("X: 1\r\n folded\r\n"),
      with_fields("X: 1\r\n\tfolded\r\n"),
      with_fields("X: 1\nY: 2\r\n"),
      with_fields("X: 1\rY: 2\r\n"),
      with_fields("X: a\0b\r\n"s),
      with_fields("X: a\x01z\r\n"),
      with_fields("X: a\x7f\r\n"),
      with_fields(": no name\r\n"),
      with_fields("X\xc3\xa9: 1\r\n"),
      "GET /a HTTP/1.1\nHost: localhost\n\n" + next,
      "GET  /a HTTP/1.1\r\nHost: localhost\r\n\r\n" + next,
      "GET\t/a HTTP/1.1\r\nHost: localhost\r\n\r\n" + next,
      "GET /a HTTP/1.1 \r\nHost: localhost\r\n\r\n" + next,
      " GET /a HTTP/1.1\r\nHost: localhost\r\n\r\n" + next,
      "GET /a\xff HTTP/1.1\r\nHost: localhost\r\n\r\n" + next,
      "GET /a HTTP/1.2\r\nHost: localhost\r\n\r\n" + next,
      "GET /a http/1.1\r\nHost: localhost\r\n\r\n" + next,
      "GET /a HTTP/01.1\r\nHost: localhost\r\n\r\n" + next,
      "GET /a\r\n\r\n" + next,
      // chunks
      chunked("5;a=\nb\r\nhello\r\n0\r\n\r\n"),
      chunked("5;a=\0b\r\nhello\r\n0\r\n\r\n"s),
      chunked("5;a\rb\r\nhello\r\n0\r\n\r\n"),
      chunked("5;\x7f\r\nhello\r\n0\r\n\r\n"),
      chunked("5\nhello\r\n0\r\n\r\n"),
      chunked("5 \r\nhello\r\n0\r\n\r\n"),
      chunked(" 5\r\nhello\r\n0\r\n\r\n"),
      chunked("0x5\r\nhello\r\n0\r\n\r\n"),
      chunked("+5\r\nhello\r\n0\r\n\r\n"),
      chunked("-5\r\nhello\r\n0\r\n\r\n"),
      chunked("\r\n"),
      chunked(";a\r\n\r\n"),
      chunked("5\r\nhello0\r\n\r\n"),
      chunked("5\r\nhello\n0\r\n\r\n"),
      chunked("5\r\nhello\rX0\r\n\r\n"),
      chunked("0;a=\nb\r\n\r\n"),
      chunked("0\r\n folded: 1\r\n\r\n"),
      chunked("0\r\nA: 1\r\n\tfolded\r\n\r\n"),
      chunked("0\r\nA : 1\r\n\r\n"),
      chunked("0\r\nA\r\n\r\n"),
      chunked("0\r\nA: \0\r\n\r\n"s),
      chunked("0\r\nA: 1\n\r\n"),
      chunked("0\r\n\n"),
      // authorities
      "GET /a HTTP/1.1\r\n\r\n" + next,
      "GET /a HTTP/1.1\r\nHost:\r\n\r\n" + next,
      "GET /a HTTP/1.1\r\nHost: a b\r\n\r\n" + next,
      "GET /a HTTP/1.1\r\nHost: localhost, other\r\n\r\n" + next,
      "GET /a HTTP/1.1\r\nHost: user@localhost\r\n\r\n" + next,
      "GET /a HTTP/1.1\r\nHost: localhost/a\r\n\r\n" + next,
      "GET /a HTTP/1.1\r\nHost: localhost:99999\r\n\r\n" + next,
      "GET /a HTTP/1.1\r\nHost: localhost:8x\r\n\r\n" + next,
      "GET /a HTTP/1.1\r\nHost: [::1\r\n\r\n" + next,
      "GET /a HTTP/1.1\r\nHost: [localhost]\r\n\r\n" + next,
      "GET /a HTTP/1.1\r\nHost: [::1]8080\r\n\r\n" + next,
      "GET http://other/a HTTP/1.1\r\nHost: localhost\r\n\r\n" + next,
      "GET http://localhost:81/a HTTP/1.1\r\nHost: localhost\r\n\r\n" + next,
      "GET http://localhost@other/a HTTP/1.1\r\nHost: localhost\r\n\r\n" + next,
  };
  for (const auto& bytes : all) {
    INFO(bytes);
    CHECK(only_answer(echoing, bytes) == "400");
  }
  for (const auto* coding :
       {"gzip", "gzip, chunked", "chunked, chunked", "x-chunked", "chunked;a=1", "\"chunked\"", ""}) {
    INFO(coding);
    CHECK(only_answer(echoing, with_fields("Transfer-Encoding: "s + coding + "\r\n")) == "501");
  }
}

TEST_CASE("reads unusual but valid requests to their end", "[framing]") {
  server echoing({}, echo);
  wire one(echoing.port());
  for (const auto& [bytes, answer] : std::vector<std::pair<std::string, std::string>>{
           {"PUT /a HTTP/1.1\r\nHOST:localhost\r\ntransfer-encoding:\t CHUNKED \r\n\r\n000000005;a=\"b "
            "c\";\xc3\xa9\r\nhello\r\n"
            "00;last\r\nTrailer: 1\r\nHost: other\r\n\r\n",
            "PUT [a]; hello"},
           {"GET http://LOCALHOST/a HTTP/1.1\r\nHost: localhost\r\n\r\n", "GET [a]; "},
           {"GET /a HTTP/1.1\r\nHost: [::1]:80\r\nX: \xff\xfe\ty\r\n\r\n", "GET [a]; "},
           {"GET /a HTTP/1.1\r\nHost: localhost:\r\nX:\r\n\r\n", "GET [a]; "},
           {"PUT /a HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: 00002\r\n\r\nhi", "PUT [a]; hi"}}) {
    INFO(bytes);
    one.send(bytes);
    CHECK_THAT(read_answer(one), StartsWith("HTTP/1.1 200 ") && EndsWith(answer));
  }
}

TEST_CASE("a body does not depend on how its bytes are split, and uses memory only for what has arrived", "[framing]") {
  head of;
  of.chunked = true;
  const std::string bytes = "A;x=y\r\n0123456789\r\n1\r\n!\r\n000\r\nT: 1\r\n\r\n" + next;
  const auto end = bytes.size() - next.size();
  for (std::size_t cut = 0; cut <= bytes.size(); ++cut) {
    body_reader reader(of, 11, 100);
    const auto first = reader.feed(std::string_view(bytes).substr(0, cut));
    CHECK(first == std::min(cut, end));
    if (!reader.done()) CHECK(reader.feed(std::string_view(bytes).substr(first)) == end - first);
    REQUIRE(reader.done());
    CHECK(reader.take() == "0123456789!");
  }
  body_reader small(of, 10, 100);
  small.feed(bytes);
  REQUIRE(small.failed());
  CHECK(small.failed()->status == 413);

  head large;
  large.length = 8'000'000;
  body_reader announced(large, 8'000'000, 100);
  CHECK(announced.wanted_capacity(100) <= 1024);
  announced.reserve(announced.wanted_capacity(100));
  announced.feed(std::string(100, 'x'));
  CHECK(announced.capacity() <= 1024);
  body_reader refused(large, 7'999'999, 100);
  REQUIRE(refused.failed());
  CHECK(refused.failed()->status == 413);
}

TEST_CASE("a body allocates exactly the requested memory", "[framing]") {
  head of;
  of.length = 1'500; // less than twice the first capacity
  body_reader reader(of, 8'000, 100);
  for (int fed = 0; fed < 1'500; fed += 100) {
    const auto wanted = reader.wanted_capacity(100);
    if (wanted > 0) {
      reader.reserve(wanted);
      CHECK(reader.capacity() == wanted);
    }
    CHECK(reader.feed(std::string(100, static_cast<char>('a' + fed / 100))) == 100);
  }
  REQUIRE(reader.done());
  const auto body = reader.take();
  CHECK(body.size() == 1'500);
  CHECK(body.capacity() == 1'500);
  CHECK(body.substr(900, 200) == std::string(100, 'j') + std::string(100, 'k'));
}

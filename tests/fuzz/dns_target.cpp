// Fuzzes the answers of a name server.
#include "discovery/dns_answer.hpp"
#include "tests/fuzz/target.hpp"

#include <troupe/address.hpp>

using namespace troupe;

namespace {

std::string number(unsigned value) { return {static_cast<char>(value >> 8), static_cast<char>(value & 0xff)}; }

/// A reply to one question. The names of the answers point to the name of the question.
std::string reply(unsigned type, const std::vector<std::string>& answers) {
  std::string out = number(1) + number(0x8180) + number(1) + number(static_cast<unsigned>(answers.size())) + number(0) +
                    number(0) + "\4node\7example" + std::string(1, '\0') + number(type) + number(1);
  for (const auto& data : answers)
    out += "\xc0\x0c" + number(type) + number(1) + std::string("\0\0\0\x1e", 4) +
           number(static_cast<unsigned>(data.size())) + data;
  return out;
}

} // namespace

void troupe::fuzz::try_input(std::string_view bytes) {
  for (const auto type : {dns_type::a, dns_type::aaaa, dns_type::srv}) {
    try {
      const auto peers = read_dns_answer(bytes, type, 5000);
      check(peers.size() <= 1024, "more peers than dns_answer.hpp allows");
      for (const auto& peer : peers) static_cast<void>(parse_host_port(peer));
    } catch (const bad_dns_answer&) { // the error says what is wrong
    }
  }
}

std::vector<std::string> troupe::fuzz::seeds() {
  const std::string srv = number(1) + number(2) + number(5000);
  return {reply(1, {std::string("\x0a\0\0\1", 4), std::string("\x0a\0\0\2", 4)}),
          reply(28, {std::string("\xfd\0\0\0\0\0\0\0\0\0\0\0\0\0\0\1", 16)}),
          reply(33, {srv + "\2n1\7example" + std::string(1, '\0'), srv + "\2n2\xc0\x0c"}),
          reply(33, {srv + "\xc0\x0c", srv + std::string(1, '\0')}),
          reply(5, {"\2n2\xc0\x0c"}),
          reply(1, {})};
}

std::vector<std::string> troupe::fuzz::words() {
  return {
      "\xc0\x0c", "\xc0\xff",  std::string("\0\1\0\1", 4), std::string("\0\x1c\0\1", 4), std::string("\0\x21\0\1", 4),
      "\x3f",     "\7example", std::string("\0\4", 2),     std::string("\0\x10", 2),     "\x81\x83"};
}

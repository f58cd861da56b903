#include "tests/process/attacker.hpp"

#include "tests/actor/caf_dialect.hpp"
#include "tests/unit/transport/basp_frames.hpp"
#include "tests/unit/transport/loopback.hpp"

#include <cerrno>
#include <sys/socket.h>

#include <stdexcept>

namespace troupe::testing {
namespace {

using namespace std::chrono_literals;
namespace basp = net::testing::basp;
using std::chrono::steady_clock;

constexpr auto stays_open = 4s;
/// Returns false if the other end has closed the connection.
bool send_all(int fd, std::string_view bytes) {
  const auto until = steady_clock::now() + 2s;
  while (!bytes.empty()) {
    const auto sent = ::send(fd, bytes.data(), bytes.size(), MSG_NOSIGNAL);
    if (sent > 0)
      bytes.remove_prefix(static_cast<std::size_t>(sent));
    else if (errno != EAGAIN || !net::wait_writable(fd, until))
      return false;
  }
  return true;
}

std::string node_id(std::uint64_t node) {
  return net::testing::caf_dialect().node(static_cast<std::uint32_t>(node), 'x');
}

std::string client_handshake(std::uint64_t node) { return basp::client_hello(node_id(node)); }

/// A header that announces `payload` bytes, independent of what follows.
std::string announce(basp::operation what, std::uint32_t payload, std::uint64_t data = 0, std::uint64_t from = 0,
                     std::uint64_t to = 0) {
  return basp::frame({.operation = what, .payload = payload, .data = data, .from = from, .to = to});
}

/// A message to an actor. It is not a response to a request.
std::string message(std::uint64_t to, const std::string& payload) {
  constexpr std::uint64_t not_a_response = std::uint64_t{1} << 60;
  return basp::frame({.operation = basp::direct_message, .data = not_a_response, .from = 1, .to = to}, payload);
}

/// A message to each of the first actors of a process.
std::string messages_to_all(const std::string& payload) {
  std::string frames;
  for (std::uint64_t actor = 1; actor <= 64; ++actor) frames += message(actor, payload);
  return frames;
}

} // namespace

attacker::attacker(targets at, std::uint64_t seed) : at_(std::move(at)), random_(seed) {}

net::socket_guard attacker::connect(std::uint16_t port) { return net::testing::connect_to(port, 2s); }

std::string attacker::random_bytes(std::size_t most) {
  std::string bytes(1 + random_() % most, '\0');
  for (auto& b : bytes) b = static_cast<char>(random_());
  return bytes;
}

void attacker::keep(net::socket_guard socket) {
  open_.emplace_back(steady_clock::now() + stays_open, std::move(socket));
}

std::string attacker::strike() {
  while (!open_.empty() && open_.front().first < steady_clock::now()) open_.pop_front();
  ++strikes_;
  try {
    return random_() % 4 == 0 ? at_http_port() : at_raft_port();
  } catch (const net::socket_error&) {
    return "found the queue full";
  } catch (const net::opening_error&) {
    return "was rejected";
  }
}

std::string attacker::at_http_port() {
  auto one = connect(any(at_.http_ports));
  switch (random_() % 4) {
  case 0:
    return "HTTP: connects and closes";
  case 1:
    send_all(one.get(), random_bytes(2000));
    return "HTTP: random bytes";
  case 2:
    send_all(one.get(), "PUT /v1/maps/m/k HTTP/1.1\r\nHost: localhost\r\nContent-Length: 99999999999\r\n\r\n");
    return "HTTP: announces an endless body";
  default:
    send_all(one.get(), "GET /v1/maps/m/k HT");
    keep(std::move(one));
    return "HTTP: half a request";
  }
}

void attacker::greet_and_send(const std::string& frames) {
  auto one = connect(any(at_.raft_ports));
  net::opening talk{net::side::dialed, one.get(), at_.stolen};
  talk.finish(steady_clock::now() + 2s);
  const auto stream = talk.take_channel();
  // Sends in two parts, as a slow network would.
  const auto cut = random_() % (frames.size() + 1);
  for (const auto chunk : {std::string_view{frames}.substr(0, cut), std::string_view{frames}.substr(cut)})
    if (!chunk.empty()) stream->write(chunk.data(), chunk.size());
  keep(std::move(one));
}

void attacker::show(const false_identity& who) {
  auto one = connect(any(at_.raft_ports));
  net::testing::tls_peer talk{net::side::dialed, one.get(), who.shows};
  const auto until = steady_clock::now() + 2s;
  for (char end = 0; steady_clock::now() < until;) {
    talk.step();
    if (!talk.heard().empty()) throw std::logic_error("accepted with " + who.name);
    if (::recv(one.get(), &end, 1, MSG_PEEK | MSG_DONTWAIT) == 0) return;
    if (!net::wait_readable(one.get(), until)) break;
  }
  throw std::logic_error("not rejected with " + who.name);
}

/// Passes the opening, and then sends what no node sends. `known` is the handshake of a node.
std::string attacker::after_greeting(unsigned kind, const std::string& known) {
  const auto& dialect = net::testing::caf_dialect();
  constexpr std::uint32_t gigabyte = 1u << 30;
  switch (kind) {
  case 7:
    greet_and_send(announce(basp::server_handshake, 0, 4));
    return "the 32-byte packet";
  case 8:
    greet_and_send(known + announce(basp::direct_message, gigabyte, 0, 1, 1));
    return "announces 1 GiB";
  case 9:
    greet_and_send(known + announce(basp::direct_message, 16u << 20, 0, 1, 1));
    return "announces a frame just below the limit and never sends it";
  case 10:
    greet_and_send(known + announce(basp::monitor_message, 64, 0, 0, 1) + random_bytes(64));
    return "a malformed monitor message";
  case 11:
    greet_and_send(known + announce(basp::direct_message, 500, 0, 1, 1) + random_bytes(600));
    return "a malformed message";
  case 12:
    greet_and_send(known + basp::beat() + announce(basp::routed_message, 100, 0, 1, 1) + random_bytes(200));
    return "a routed message";
  case 13:
    greet_and_send(random_bytes(3000));
    return "random bytes after the greeting";
  case 14:
    // CAF terminates an actor that receives an error without having sent a request.
    greet_and_send(known + messages_to_all(dialect.message({dialect.error_type()}, dialect.error(1))));
    return "unsolicited errors to every actor";
  case 15: {
    // Claims to be the second connection, which makes CAF prefer it.
    greet_and_send(basp::client_hello(node_id(1), basp::select_connection));
    return "a handshake that starts with its last step";
  }
  case 16: {
    std::string frames = known;
    for (std::uint64_t other = 100; other < 200; ++other) frames += basp::monitor(node_id(other), node_id(1));
    greet_and_send(frames);
    return "monitor messages from invented nodes";
  }
  case 17:
    greet_and_send(known + messages_to_all(dialect.message({net::testing::caf_type("troupe.outcome_batch")},
                                                           basp::text(std::string(7, '\xff')))));
    return "undecodable messages to every actor";
  default:
    throw std::logic_error("no attack of this kind");
  }
}

std::string attacker::at_raft_port() {
  // Draws from 1000 ids. They are few enough that what CAF keeps of foreign nodes does not grow with every attempt, and
  // enough that two open connections rarely have the same id, which would stop the second one.
  const auto known = client_handshake(1 + random_() % 1000);
  constexpr unsigned usual = 18;
  const auto kinds = usual + static_cast<unsigned>(2 * at_.identities.size());
  switch (const auto kind = random_() % kinds) {
  case 0:
    connect(any(at_.raft_ports));
    return "connects and closes";
  case 1:
    keep(connect(any(at_.raft_ports)));
    return "half-open";
  case 2: {
    auto one = connect(any(at_.raft_ports));
    send_all(one.get(), random_bytes(5000));
    return "random bytes";
  }
  case 3: {
    auto one = connect(any(at_.raft_ports));
    send_all(one.get(), "TROUPE"); // slow loris: the rest never arrives
    keep(std::move(one));
    return "half a greeting";
  }
  case 4: {
    auto one = connect(any(at_.raft_ports));
    send_all(one.get(), announce(basp::server_handshake, 0, 4)); // crashes plain CAF
    keep(std::move(one));
    return "the 32-byte packet, ungreeted";
  }
  case 5: {
    auto one = connect(any(at_.raft_ports));
    send_all(one.get(), {"\x15\x03\x03\x00\x02\x02\x28", 7});
    return "a TLS alert";
  }
  case 6: {
    // A recorded greeting: its proof does not match the nonce of this connection.
    auto one = connect(any(at_.raft_ports));
    std::string replayed{"TROUPE\x02\x00", 8};
    replayed += std::string(32, 'n') + std::string{"TROUPE\x02\x00", 8} + std::string(32, 'p') + known;
    send_all(one.get(), replayed);
    keep(std::move(one));
    return "a replayed handshake";
  }
  default: {
    if (kind < usual) return after_greeting(static_cast<unsigned>(kind), known);
    const auto& who = at_.identities[(kind - usual) / 2];
    show(who);
    return "TLS: " + who.name;
  }
  }
}

void attacker::flood(std::chrono::milliseconds time) {
  const auto until = steady_clock::now() + time;
  const auto bytes = random_bytes(1000);
  for (; steady_clock::now() < until; ++strikes_) {
    try {
      auto one = connect(any(random_() % 4 == 0 ? at_.http_ports : at_.raft_ports));
      if (random_() % 2) send_all(one.get(), bytes);
      if (random_() % 8 == 0) keep(std::move(one));
    } catch (const net::socket_error&) {
      // Expected: the port's queue is full.
    }
    while (open_.size() > 500) open_.pop_front();
  }
}

} // namespace troupe::testing

#include "runtime/transport/transport.hpp"
#include "tests/unit/transport/basp_frames.hpp"
#include "tests/unit/transport/certificates.hpp"
#include "tests/unit/transport/loopback.hpp"
#include "tests/unit/transport/message_types.hpp"

#include <catch2/catch.hpp>

#include <condition_variable>
#include <deque>
#include <mutex>
#include <thread>
#include <vector>

using namespace troupe::net;
using namespace troupe::net::testing;
using namespace std::chrono_literals;
using Catch::Contains;
using steady = std::chrono::steady_clock;

namespace {

/// What another thread passes on, in order.
template <class T> class mailbox {
 public:
  void put(T one) {
    const std::lock_guard lock(mutex_);
    all_.push_back(std::move(one));
    changed_.notify_all();
  }
  /// Waits at most ten seconds.
  T take() {
    std::unique_lock lock(mutex_);
    if (!changed_.wait_for(lock, 10s, [&] { return !all_.empty(); })) throw std::runtime_error("nothing comes");
    auto one = std::move(all_.front());
    all_.pop_front();
    return one;
  }
  bool empty() const {
    const std::lock_guard lock(mutex_);
    return all_.empty();
  }

 private:
  mutable std::mutex mutex_;
  std::condition_variable changed_;
  std::deque<T> all_;
};

transport_options patient() {
  transport_options options;
  options.silence_limit = 60s;
  options.dial_deadline = 10s;
  options.guard.types = types_of_anything({"troupe.hello"});
  return options;
}

/// A transport and what it passes on.
struct station {
  explicit station(transport_options options = patient()) {
    options.warn = [this](const std::string& text) { said.put(text); };
    net = std::make_unique<transport>(std::move(options));
  }
  void open() {
    port = net->listen("127.0.0.1", port);
    net->accept([this](open_connection c) { arrived.put(std::move(c)); });
  }
  std::uint16_t port = 0;
  mailbox<std::string> said;
  mailbox<open_connection> arrived;
  std::unique_ptr<transport> net;
};

void write_all(const open_connection& to, std::string_view bytes) {
  REQUIRE(to.stream->write(bytes.data(), bytes.size()).bytes == bytes.size());
}

/// Reads exactly this many bytes, or what arrives before the end.
std::string read_some(const open_connection& from, std::size_t size) {
  std::string bytes;
  while (bytes.size() < size) {
    char block[4096];
    const auto got = from.stream->read(block, std::min(sizeof block, size - bytes.size()));
    if (got.state == flow::closed) break;
    bytes.append(block, got.bytes);
    if (got.state == flow::again && !wait_readable(from.socket.get(), steady::now() + 10s))
      throw std::runtime_error("nothing comes in ten seconds");
  }
  return bytes;
}

bool ends(const open_connection& one) { return read_some(one, 1).empty(); }

std::string failure_of_dialing(station& from, std::uint16_t port) {
  try {
    from.net->dial("127.0.0.1", port);
  } catch (const std::runtime_error& e) {
    return e.what();
  }
  return "none";
}

const auto node_a = basp::node(100, 'a');
const auto node_b = basp::node(200, 'b');

/// A peer that has completed its opening and then sends arbitrary bytes.
struct insider {
  explicit insider(std::uint16_t port) : insider(knock(port)) {}
  explicit insider(socket_guard connected) : socket(std::move(connected)) {
    opening talk{side::dialed, socket.get(), {}};
    for (auto w = talk.step(); w != opening::wants::nothing; w = talk.step())
      REQUIRE(wait_readable(socket.get(), steady::now() + 10s));
  }
  socket_guard socket;
};

} // namespace

TEST_CASE("a dial arrives, and frames pass the guards in both directions") {
  station accepting;
  accepting.open();
  station dialing;
  const auto there = dialing.net->dial("127.0.0.1", accepting.port);
  const auto here = accepting.arrived.take();
  CHECK(there.liveness->peer() == "127.0.0.1");
  CHECK(here.liveness->peer() == "127.0.0.1");
  const auto to_accepting = basp::client_hello(node_b) + basp::wire("troupe.hello", "hello");
  const auto to_dialing = basp::server_hello(node_a) + basp::wire("troupe.hello", "welcome");
  write_all(there, to_accepting);
  write_all(here, basp::server_hello(node_a) + basp::wire("troupe.unknown", "dropped") + basp::beat() +
                      basp::wire("troupe.hello", "welcome"));
  CHECK(read_some(here, to_accepting.size()) == to_accepting);
  CHECK(read_some(there, to_dialing.size()) == to_dialing);
  CHECK(dialing.said.take() == "dropped a message from 127.0.0.1: no actor here expects it");
}

TEST_CASE("transports of one actor system share the state of connections, and each sees the other's") {
  station accepting;
  accepting.open();
  auto options = patient();
  options.system = std::make_shared<system_network>(network_limits{}, [](const std::string&) {});
  station first{options}, second{options};
  CHECK(first.net->options().guard.receivers == second.net->options().guard.receivers);
  auto dialed = first.net->dial("127.0.0.1", accepting.port);
  auto here = accepting.arrived.take();
  CHECK(second.net->status().open_connections == 1);
  write_all(here, basp::server_hello(node_a));
  CHECK_FALSE(read_some(dialed, 1).empty());
  // The transport that dialed is gone. The other one can still cut its connection.
  first.net.reset();
  second.net->disconnect(node_a, "it does not answer");
  CHECK(ends(here));
}

TEST_CASE("does not dial a process that is connected in another realm") {
  const temporary_folder folder;
  for (const auto* name : {"secret", "copy"}) write_private(folder / name, "a secret of the cluster\n");
  auto options = patient();
  options.files.secret = folder / "secret";
  station accepting{options};
  accepting.open();
  options.system = std::make_shared<system_network>(network_limits{}, [](const std::string&) {});
  station first{options};
  options.files.secret = folder / "copy";
  station second{options};
  CHECK(first.net->options().guard.receivers != second.net->options().guard.receivers);
  const auto one = first.net->dial("127.0.0.1", accepting.port);
  const auto at_one = accepting.arrived.take();
  write_all(at_one, basp::server_hello(node_a));
  CHECK_FALSE(read_some(one, 1).empty());
  const auto other = second.net->dial("127.0.0.1", accepting.port);
  const auto at_other = accepting.arrived.take();
  write_all(at_other, basp::server_hello(node_a));
  CHECK(ends(other));
}

TEST_CASE("works with certificates and a secret") {
  const temporary_folder folder;
  const authority ca{folder, "ca"};
  write_private(folder / "secret", "a secret of the cluster\n");
  auto options = patient();
  options.files = {.tls = options_for(ca.issue("accepting")), .secret = folder / "secret"};
  station accepting{options};
  accepting.open();
  options.files.tls = options_for(ca.issue("dialing"));
  station dialing{options};
  const auto there = dialing.net->dial("127.0.0.1", accepting.port);
  const auto here = accepting.arrived.take();
  const auto large = basp::client_hello(node_b) + basp::wire("troupe.hello", std::string(1'000'000, 'x'));
  std::thread writer([&] {
    std::size_t sent = 0;
    while (sent < large.size() && wait_writable(there.socket.get(), steady::now() + 10s)) {
      const auto moved = there.stream->write(large.data() + sent, large.size() - sent);
      if (moved.state == flow::closed) break;
      sent += moved.bytes;
    }
  });
  const auto arrived = read_some(here, large.size());
  writer.join();
  CHECK(arrived == large);
}

TEST_CASE("the transport loads renewed files by itself, for new connections") {
  const temporary_folder folder;
  const authority ca{folder, "ca"};
  const authority next{folder, "next"};
  auto mine = ca.issue("accepting");
  mine.ca = folder / "trusted.pem";
  std::filesystem::copy_file(ca.certificate(), mine.ca);
  auto options = patient();
  options.files.tls = options_for(mine);
  station accepting{options};
  accepting.open();
  options.files.tls = options_for(ca.issue("dialing"));
  station dialing{options};
  options.files.tls = options_for(next.issue("renewed"));
  station renewed{options};
  const auto before = dialing.net->dial("127.0.0.1", accepting.port);
  const auto here = accepting.arrived.take();
  CHECK_THAT(failure_of_dialing(renewed, accepting.port), Contains("certificate"));
  CHECK_THAT(accepting.said.take(), Contains("refused a connection"));

  const auto files = next.issue("of the new CA", {.ends = 100h});
  std::filesystem::rename(files.key, mine.key);
  std::filesystem::rename(files.cert, mine.cert);
  std::filesystem::copy_file(next.certificate(), mine.ca, std::filesystem::copy_options::overwrite_existing);
  const auto said = accepting.said.take();
  // It may have polled between the writes of two files.
  CHECK_THAT(said.find("unusable") != std::string::npos ? accepting.said.take() : said, Contains("took over"));
  CHECK_NOTHROW(renewed.net->dial("127.0.0.1", accepting.port));
  CHECK_THAT(failure_of_dialing(dialing, accepting.port), Contains("certificate"));
  write_all(before, basp::client_hello(node_b));
  CHECK(read_some(here, 64).size() == 64); // an open connection stays open
  CHECK(accepting.net->status().certificate_end > std::chrono::system_clock::now() + 99h);
}

TEST_CASE("unusable files are an error at once") {
  const temporary_folder folder;
  auto options = patient();
  options.files.secret = folder / "none";
  CHECK_THROWS_WITH(transport(options), Contains((folder / "none").string()));
}

TEST_CASE("takes connections once it listens, and passes them on once it accepts") {
  station accepting;
  accepting.port = accepting.net->listen("127.0.0.1", 0);
  auto early = knock(accepting.port);
  CHECK(accepting.arrived.empty());
  accepting.net->accept([&](open_connection c) { accepting.arrived.put(std::move(c)); });
  const insider one{std::move(early)};
  CHECK_NOTHROW(accepting.arrived.take());
}

TEST_CASE("a dialer learns why it gets no connection") {
  station accepting;
  accepting.open();
  SECTION("nothing listens") {
    station dialing;
    accepting.net->stop_listening();
    CHECK(failure_of_dialing(dialing, accepting.port) == "Connection refused");
  }
  SECTION("another secret") {
    const temporary_folder folder;
    write_private(folder / "secret", "a secret of the cluster\n");
    auto options = patient();
    options.files.secret = folder / "secret";
    station dialing{options};
    CHECK(failure_of_dialing(dialing, accepting.port) == "the other end has another cluster secret, or none");
    CHECK_THAT(accepting.said.take(), Contains("refused a connection from 127.0.0.1") && Contains("secret"));
  }
  SECTION("silence") {
    auto hasty = patient();
    hasty.dial_deadline = 200ms;
    station dialing{hasty};
    const auto silent = listen_at("127.0.0.1", 0);
    const auto begin = steady::now();
    CHECK(failure_of_dialing(dialing, port_of(silent.get())) == "connected, but the other end does not answer in time");
    CHECK(steady::now() - begin >= 200ms);
  }
}

TEST_CASE("refuses connections of one address beyond the limit, and accepts again when one ends") {
  auto narrow = patient();
  narrow.acceptor.max_connections_per_address = 2;
  station accepting{narrow};
  accepting.open();
  station dialing;
  const auto first = dialing.net->dial("127.0.0.1", accepting.port);
  const auto second = dialing.net->dial("127.0.0.1", accepting.port);
  auto one = std::make_unique<open_connection>(accepting.arrived.take());
  const auto other = accepting.arrived.take();
  CHECK(failure_of_dialing(dialing, accepting.port) == "the other end has too many connections");
  CHECK_THAT(accepting.said.take(), Contains("127.0.0.1: too many connections are open"));
  one.reset();
  const auto third = dialing.net->dial("127.0.0.1", accepting.port);
  CHECK_NOTHROW(accepting.arrived.take());
}

TEST_CASE("closes a half-open connection at its time limit") {
  auto hasty = patient();
  hasty.acceptor.opening_timeout = 100ms;
  station accepting{hasty};
  accepting.open();
  const auto half = knock(accepting.port);
  REQUIRE(send_all(half.get(), "TROUPE"));
  CHECK(await_bytes(half.get()).empty());
  CHECK_THAT(accepting.said.take(), Contains("its opening took too long"));
}

TEST_CASE("closes a connection with frames that no node sends, and logs why") {
  station accepting;
  accepting.open();
  const insider bad{accepting.port};
  const auto here = accepting.arrived.take();
  REQUIRE(send_all(bad.socket.get(), std::string(32, '\xff')));
  CHECK(ends(here));
  CHECK_THAT(accepting.said.take(), Contains("closed the connection with 127.0.0.1: no such operation: 255"));
}

TEST_CASE("no peer replaces a connected node, and its id is free as soon as it is gone") {
  station accepting;
  accepting.open();
  const auto hello = basp::client_hello(node_b);
  const auto select = basp::client_hello(node_b, basp::select_connection);
  const insider first{accepting.port};
  auto of_first = std::make_unique<open_connection>(accepting.arrived.take());
  REQUIRE(send_all(first.socket.get(), hello + select));
  CHECK(read_some(*of_first, 128) == hello + select);

  // The same node would disconnect by itself. Nothing of it passes, and nothing is logged.
  {
    const insider same{accepting.port};
    const auto of_same = accepting.arrived.take();
    REQUIRE(send_all(same.socket.get(), hello));
    CHECK(::shutdown(same.socket.get(), SHUT_WR) == 0);
    CHECK(ends(of_same));
  }
  CHECK(accepting.said.empty());

  const insider second{accepting.port};
  const auto of_second = accepting.arrived.take();
  REQUIRE(send_all(second.socket.get(), hello + select));
  CHECK(ends(of_second));
  CHECK_THAT(accepting.said.take(), Contains("127.0.0.1: it claims to be a node that is already connected"));
  CHECK(accepting.net->status().incidents.at(static_cast<std::size_t>(incident::identity_refused)) == 1);
  CHECK(is_quiet(first.socket.get()));

  // The end may still be unnoticed when the next one introduces itself, but not when that one continues.
  const insider third{accepting.port};
  const auto of_third = accepting.arrived.take();
  REQUIRE(send_all(third.socket.get(), hello));
  char byte;
  REQUIRE(wait_readable(of_third.socket.get(), steady::now() + 10s));
  CHECK(of_third.stream->read(&byte, 1).state == flow::again);
  of_first.reset();
  REQUIRE(send_all(third.socket.get(), select));
  CHECK(read_some(of_third, 64) == select);
}

TEST_CASE("a restarted node waits at most the silence limit for the end of its old connection") {
  auto strict = patient();
  strict.silence_limit = 900ms;
  station accepting{strict};
  accepting.open();
  const auto both = basp::client_hello(node_b) + basp::client_hello(node_b, basp::select_connection);
  const insider stopped{accepting.port};
  auto of_stopped = std::make_unique<open_connection>(accepting.arrived.take());
  REQUIRE(send_all(stopped.socket.get(), both));
  CHECK(read_some(*of_stopped, 128) == both);
  const auto began = steady::now();
  for (bool let_in = false; !let_in;) {
    REQUIRE(steady::now() - began < 3s);
    const insider anew{accepting.port};
    const auto of_anew = accepting.arrived.take();
    REQUIRE(send_all(anew.socket.get(), both));
    let_in = read_some(of_anew, 128) == both;
    // As CAF would notice.
    if (of_stopped && wait_readable(of_stopped->socket.get(), steady::now()) && ends(*of_stopped)) of_stopped.reset();
    std::this_thread::sleep_for(20ms); // nap: the pace of a node that dials
  }
  CHECK(steady::now() - began < 1500ms);
}

TEST_CASE("counts what happens to connections") {
  auto narrow = patient();
  narrow.acceptor.max_connections_per_address = 1;
  station accepting{narrow};
  accepting.open();
  station dialing;
  const auto of = [](const station& one, incident what) {
    return one.net->status().incidents.at(static_cast<std::size_t>(what));
  };
  {
    const auto junk = knock(accepting.port);
    REQUIRE(send_all(junk.get(), std::string(40, 'x')));
    CHECK(await_bytes(junk.get()).empty());
  }
  CHECK(of(accepting, incident::opening_failed) == 1);
  const auto there = dialing.net->dial("127.0.0.1", accepting.port);
  const auto here = accepting.arrived.take();
  CHECK(of(dialing, incident::dialed) == 1);
  CHECK(of(accepting, incident::accepted) == 1);
  CHECK(accepting.net->status().open_connections == 1);
  CHECK_FALSE(accepting.net->status().certificate_end);
  failure_of_dialing(dialing, accepting.port);
  CHECK(of(accepting, incident::refused_by_limit) == 1);
  write_all(there, basp::client_hello(node_b) + basp::wire("troupe.unknown", "x") + std::string(32, '\xff'));
  CHECK(read_some(here, 100).size() == 64);
  CHECK(of(accepting, incident::message_dropped) == 1);
  CHECK(of(accepting, incident::violation) == 1);
  CHECK(of(accepting, incident::cut_silent) == 0);
}

TEST_CASE("either end cuts a silent connection, and keeps one on which bytes arrive") {
  auto strict = patient();
  strict.silence_limit = 1s; // long enough that a busy machine does not make the other one silent as well
  station accepting{strict};
  accepting.open();
  const insider silent{accepting.port};
  const auto of_silent = accepting.arrived.take();
  const insider heard{accepting.port};
  const auto of_heard = accepting.arrived.take();
  const auto cut = silent.socket.get();
  REQUIRE(send_all(heard.socket.get(), basp::client_hello(node_b)));
  CHECK(read_some(of_heard, basp::client_hello(node_b).size()).size() == basp::client_hello(node_b).size());
  int beats = 0;
  const auto begin = steady::now();
  while (is_quiet(cut) || steady::now() - begin < 1600ms) {
    REQUIRE(steady::now() - begin < 10s);
    REQUIRE(send_all(heard.socket.get(), basp::beat()));
    char nothing;
    while (wait_readable(of_heard.socket.get(), steady::now()))
      REQUIRE(of_heard.stream->read(&nothing, 1).state == flow::again);
    ++beats;
    std::this_thread::sleep_for(20ms); // nap: the pace of a peer that is alive
  }
  CHECK(await_bytes(cut).empty());
  CHECK(ends(of_silent));
  CHECK(accepting.said.take() == "cut the connection with 127.0.0.1: it was silent for too long");
  CHECK(is_quiet(heard.socket.get()));
  CHECK(beats > 5);
}

TEST_CASE("limits the unfinished frames of all connections together") {
  auto narrow = patient();
  narrow.limits.max_collected_bytes = 300'000; // buffers grow by doubling: enough for one of 200,000 bytes, not for two
  station accepting{narrow};
  accepting.open();
  auto unfinished = basp::client_hello(node_b) + basp::wire("troupe.hello", std::string(1'000'000, 'x'));
  unfinished.resize(200'000);
  // True if the connection continues although everything has arrived.
  const auto takes = [&](const insider& from, const open_connection& to) {
    std::size_t sent = 0;
    char block[1000];
    for (auto state = flow::again; state != flow::closed; state = to.stream->read(block, sizeof block).state) {
      const auto moved = ::send(from.socket.get(), &unfinished[sent], unfinished.size() - sent, MSG_NOSIGNAL);
      if (moved > 0) sent += static_cast<std::size_t>(moved);
      if (sent == unfinished.size() && !wait_readable(to.socket.get(), steady::now() + 100ms)) return true;
    }
    return false;
  };
  const insider first{accepting.port};
  auto of_first = std::make_unique<open_connection>(accepting.arrived.take());
  CHECK(takes(first, *of_first));
  unfinished.replace(0, 64, basp::client_hello(node_a)); // another node
  const insider second{accepting.port};
  const auto of_second = accepting.arrived.take();
  CHECK_FALSE(takes(second, of_second));
  CHECK_THAT(accepting.said.take(), Contains("closed the connection with 127.0.0.1: the unfinished frames"));
  of_first.reset();
  const insider third{accepting.port};
  CHECK(takes(third, accepting.arrived.take()));
}

TEST_CASE("can stop listening repeatedly, and listen again") {
  station accepting;
  station dialing;
  accepting.net->stop_listening();
  accepting.port = accepting.net->listen("127.0.0.1", 0);
  accepting.net->stop_listening(); // before a connection was accepted
  CHECK(failure_of_dialing(dialing, accepting.port) == "Connection refused");
  accepting.open();
  const auto before = dialing.net->dial("127.0.0.1", accepting.port);
  const auto kept = accepting.arrived.take();
  accepting.net->stop_listening();
  accepting.net->stop_listening();
  CHECK(failure_of_dialing(dialing, accepting.port) == "Connection refused");
  write_all(before, basp::client_hello(node_b));
  CHECK(read_some(kept, 10).size() == 10); // an open connection stays open
  accepting.open();
  const auto after = dialing.net->dial("127.0.0.1", accepting.port);
  CHECK_NOTHROW(accepting.arrived.take());
}

TEST_CASE("connections outlive their transport") {
  station accepting;
  accepting.open();
  auto dialing = std::make_unique<station>();
  auto there = dialing->net->dial("127.0.0.1", accepting.port);
  const auto here = accepting.arrived.take();
  accepting.net.reset();
  write_all(there, basp::client_hello(node_b));
  CHECK(read_some(here, 64).size() == 64);
  dialing->net.reset();
  write_all(here, basp::server_hello(node_a));
  CHECK(read_some(there, 64).size() == 64);
}

TEST_CASE("an unused transport ends at once") {
  const auto begin = steady::now();
  for (int i = 0; i < 20; ++i) {
    station idle;
    idle.open();
  }
  CHECK(steady::now() - begin < 5s);
}

TEST_CASE("a flood of strangers does not fill the log, and is counted") {
  station accepting;
  accepting.open();
  const auto turn_one_away = [&] {
    const auto one = knock(accepting.port);
    REQUIRE(send_all(one.get(), std::string(40, 'x')));
    CHECK(await_bytes(one.get()).empty());
  };
  turn_one_away();
  const auto first = steady::now();
  CHECK(accepting.said.take() == "refused a connection from 127.0.0.1: the other end does not speak this protocol");
  int more = 0;
  for (; accepting.said.empty(); ++more) {
    REQUIRE(steady::now() - first < 10s);
    turn_one_away();
    std::this_thread::sleep_for(10ms); // nap: enough of them within the second without log lines
  }
  CHECK(steady::now() - first > 900ms);
  CHECK_THAT(accepting.said.take(), Contains("(and " + std::to_string(more - 1) + " more like this)"));
}

TEST_CASE("a transport ends at once, even if its timer is just due") {
  // Only the watchdog's tick runs. The end meets it earlier or later in each round.
  std::vector<std::thread> all;
  std::vector<steady::duration> took(40);
  for (std::size_t round = 0; round < took.size(); ++round)
    all.emplace_back([&slot = took[round], round] {
      const auto began = steady::now();
      {
        const transport one{patient()};
        std::this_thread::sleep_until(began + watchdog::pace - 1ms + round * 50us); // nap: until about the tick
      }
      slot = steady::now() - began;
    });
  for (auto& one : all) one.join();
  for (const auto& one : took) CHECK(one < 5s);
}

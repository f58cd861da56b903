// A service of your own: a replicated counter. Start three processes with the same list of addresses, each with its own
// port and directory:
//
//   counter 5001 c1 static:127.0.0.1:5001,127.0.0.1:5002,127.0.0.1:5003
//
// Each process adds 1 every second and prints the total, which they all share. Kill any one of them, then restart it.
#include "examples/port_of.hpp"

#include <caf/scoped_actor.hpp>
#include <caf/send.hpp>

#include <atomic>
#include <chrono>
#include <cstdint>
#include <iostream>
#include <memory>
#include <string>
#include <string_view>
#include <troupe/node.hpp>
#include <troupe/process.hpp>
#include <troupe/service.hpp>

namespace {

using namespace std::chrono_literals;

struct add {
  static constexpr std::string_view tag = "add";
  using result = std::int64_t;
  std::int64_t amount = 0;
  TROUPE_FIELDS(amount)
};
struct total {
  static constexpr std::string_view tag = "total";
  using result = std::int64_t;
  TROUPE_FIELDS()
};

class counter {
 public:
  static constexpr std::string_view name = "counter";
  using commands = troupe::types<add>;
  using queries = troupe::types<total>;

  std::int64_t apply(const add& command, const troupe::apply_context&) {
    if (command.amount < 0) throw troupe::refused("it only counts up");
    return total_ += command.amount;
  }
  std::int64_t query(const total&) const { return total_; }

  // Writes the state into a snapshot, after the number of its format.
  void save(troupe::state_writer& to) const {
    to.put(1);
    to.put(total_);
  }
  void load(troupe::state_reader& from) {
    from.get_format(1);
    total_ = from.get<std::int64_t>();
  }

 private:
  std::int64_t total_ = 0;
};

int count(const troupe::node_options& options, const troupe::stop_signals& signals) {
  troupe::config config;
  caf::actor_system system{config};
  auto node = troupe::spawn_node(system, options, counter{});
  const auto replicated = node.service<counter>();
  const auto stop_requested = std::make_shared<std::atomic<bool>>(false);
  signals.then([stop_requested, handle = node.handle()] {
    *stop_requested = true;
    caf::anon_send(handle, troupe::stop_node{});
  });
  caf::scoped_actor self{system};
  self->monitor(node.handle());
  for (bool ended = false; !ended;) {
    // A request can carry its own timeout. The default is node_options::request_timeout.
    self->request(replicated, caf::infinite, troupe::with<add>{{1}, 3s})
        .receive([](std::int64_t now) { std::cout << now << std::endl; },
                 [](const caf::error& e) {
                   const auto why = troupe::describe(e);
                   std::cout << to_string(why.code) << ": " << why.message << std::endl;
                 });
    self->receive([&](const caf::down_msg&) { ended = true; }, caf::after(1s) >> [] {});
  }
  if (*stop_requested) return 0;
  std::cerr << "counter: the node stopped unexpectedly; its log gives the reason\n";
  return 1;
}

} // namespace

int main(int argc, char** argv) {
  const troupe::stop_signals signals;
  troupe::end_process_without_memory("counter");
  const auto port = argc == 4 ? examples::port_of(argv[1]) : std::uint16_t{0};
  if (port == 0) {
    std::cerr << "usage: counter RAFT_PORT DATA_DIR DISCOVERY\n";
    return 2;
  }
  try {
    troupe::node_options options;
    options.raft_port = port;
    options.data_dir = argv[2];
    options.discovery = argv[3];
    return count(options, signals);
  } catch (const troupe::startup_error& error) {
    std::cerr << "counter: " << error.what() << '\n';
    return 1;
  }
}

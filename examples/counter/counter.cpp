// A service of one's own: a counter, replicated. Start three of these with the same list of addresses:
//
//   counter 5001 c1 static:127.0.0.1:5001,127.0.0.1:5002,127.0.0.1:5003
//
// Each adds 1 a second and prints the total, which all of them share. Kill any one of them, and start it again.
#include "runtime/node.hpp"
#include "services/service.hpp"

#include <caf/scoped_actor.hpp>

#include <chrono>
#include <cstdlib>
#include <iostream>
#include <string>

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

  std::int64_t apply(const add& command, const troupe::services::apply_context&) {
    if (command.amount < 0) throw troupe::services::refused("it only counts up");
    return total_ += command.amount;
  }
  std::int64_t query(const total&) const { return total_; }

  // The state goes into snapshots, behind the number of its format.
  void save(troupe::services::state_writer& to) const {
    to.put(1);
    to.put(total_);
  }
  void load(troupe::services::state_reader& from) {
    from.get_format(1);
    total_ = from.get<std::int64_t>();
  }

 private:
  std::int64_t total_ = 0;
};

int count(const troupe::node_options& options) {
  troupe::config config;
  caf::actor_system system{config};
  auto node = troupe::spawn_node(system, options, counter{});
  const auto replicated = node.service<counter>();
  caf::scoped_actor self{system};
  self->monitor(node.handle());
  for (bool ended = false; !ended;) {
    // A request may say how long it may take; without that, node_options::request_timeout holds.
    self->request(replicated, caf::infinite, troupe::with<add>{{1}, 3s})
        .receive([](std::int64_t now) { std::cout << now << std::endl; },
                 [](const caf::error& e) {
                   const auto why = troupe::describe(e);
                   std::cout << to_string(why.code) << ": " << why.message << std::endl;
                 });
    self->receive([&](const caf::down_msg&) { ended = true; }, caf::after(1s) >> [] {});
  }
  std::cerr << "counter: the node ended, its log says why\n";
  return 1;
}

} // namespace

int main(int argc, char** argv) {
  if (argc != 4) {
    std::cerr << "usage: counter RAFT_PORT DATA_DIR DISCOVERY\n";
    return 2;
  }
  try {
    troupe::node_options options;
    options.raft_port = static_cast<std::uint16_t>(std::atoi(argv[1]));
    options.data_dir = argv[2];
    options.discovery = argv[3];
    return count(options);
  } catch (const troupe::startup_error& error) {
    std::cerr << "counter: " << error.what() << '\n';
    return 1;
  }
}

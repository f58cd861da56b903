// A replicated map in a few lines, on a cluster of one node. Run it twice: the second run finds what the first one
// wrote.
#include "examples/port_of.hpp"

#include <caf/scoped_actor.hpp>

#include <csignal>
#include <cstdint>
#include <iostream>
#include <unistd.h>

#include <troupe/node.hpp>
#include <troupe/process.hpp>
#include <troupe/services/map.hpp>

namespace {

void run(const char* data_dir, std::uint16_t port) {
  troupe::config config;
  caf::actor_system system{config};
  auto node = troupe::spawn_node(system, {.data_dir = data_dir, .raft_port = port}, troupe::map_service{});
  auto map = node.service<troupe::map_service>();

  using namespace troupe::map;
  const auto failed = [](const caf::error& e) { std::cout << "failed: " << troupe::describe(e).message << '\n'; };
  caf::scoped_actor self{system};
  self->request(map, caf::infinite, get{"users", "ada"})
      .receive([](const get_result& found) { std::cout << "found revision " << found.revision << '\n'; }, failed);
  self->request(map, caf::infinite, put{"users", "ada", troupe::value::of("Countess of Lovelace")})
      .receive([](const put_result& done) { std::cout << "wrote revision " << done.revision << '\n'; }, failed);
  self->request(map, caf::infinite, get{"users", "ada"})
      .receive([](const get_result& found) { std::cout << "ada is " << *found.value->as<std::string>() << '\n'; },
               failed);
}

/// Exits on `signal`, also as process 1 of a container. A node needs no orderly stop, since everything that it
/// acknowledged is on disk. Long-running programs should stop their node, as examples/counter does.
void exit_on(int signal) {
  std::signal(signal, [](int number) { ::_exit(128 + number); });
}

} // namespace

int main(int argc, char** argv) {
  exit_on(SIGINT);
  exit_on(SIGTERM);
  troupe::end_process_without_memory("quickstart");
  const auto port = argc > 2 ? examples::port_of(argv[2]) : std::uint16_t{5000};
  if (argc > 3 || port == 0 || (argc > 1 && argv[1][0] == '-')) {
    std::cerr << "usage: quickstart [DATA_DIR [PORT]]\n";
    return 2;
  }
  try {
    run(argc > 1 ? argv[1] : "quickstart-data", port);
  } catch (const troupe::startup_error& error) {
    std::cerr << "quickstart: " << error.what() << '\n';
    return 1;
  }
}

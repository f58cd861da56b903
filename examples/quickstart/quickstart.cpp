// A replicated map in a few lines, here on a cluster of one. Run it twice: the second run finds what the first one
// wrote.
#include "runtime/node.hpp"
#include "services/map/map_service.hpp"

#include <caf/scoped_actor.hpp>

#include <cstdlib>
#include <iostream>

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
  self->request(map, caf::infinite, put{"users", "ada", troupe::services::value::of("Countess of Lovelace")})
      .receive([](const put_result& done) { std::cout << "wrote revision " << done.revision << '\n'; }, failed);
  self->request(map, caf::infinite, get{"users", "ada"})
      .receive([](const get_result& found) { std::cout << "ada is " << *found.value->as<std::string>() << '\n'; },
               failed);
}

} // namespace

int main(int argc, char** argv) {
  if (argc > 3 || (argc > 1 && argv[1][0] == '-')) {
    std::cerr << "usage: quickstart [DATA_DIR [PORT]]\n";
    return 2;
  }
  try {
    run(argc > 1 ? argv[1] : "quickstart-data", static_cast<std::uint16_t>(argc > 2 ? std::atoi(argv[2]) : 5000));
  } catch (const troupe::startup_error& error) {
    std::cerr << "quickstart: " << error.what() << '\n';
    return 1;
  }
}

// The load generator of tools/bench.
//
//   troupe_load client --endpoints host:port,...     callers that share one troupe::client, in a process of their own
//   troupe_load member --raft-port P --data-dir D --discovery static:...      a member with the callers inside
//
// Both accept --tls-cert, --tls-key, --tls-ca, --tls-cluster-name, --tls-allow and --cluster-secret-file, as the
// webserver does.
//
// The program reads jobs from standard input, one per line: "put CALLERS MILLISECONDS BYTES [MAP]" or "get CALLERS
// MILLISECONDS [MAP]". "leader" asks a member whether it leads. The program answers each with one line of JSON, and
// exits at the end of the input.
#include "tools/load/callers.hpp"

#include <caf/scoped_actor.hpp>

#include <CLI/CLI.hpp>

#include <iostream>
#include <sstream>
#include <troupe/client.hpp>
#include <troupe/node.hpp>

namespace {

template <class Leads>
void serve(caf::actor_system& system, const troupe::service_actor<troupe::map_service>& map, Leads leads) {
  std::cout << "ready" << std::endl;
  for (std::string line; std::getline(std::cin, line);) {
    std::istringstream words{line};
    std::string what;
    troupe::load::job job;
    long lasts = 0;
    if (words >> what && what == "leader") {
      std::cout << (leads() ? "true" : "false") << std::endl;
    } else if ((what == "put" || what == "get") && words >> job.callers >> lasts &&
               (what == "get" || words >> job.bytes)) {
      if (std::string name; words >> name) job.map = name;
      job.write = what == "put";
      job.lasts = std::chrono::milliseconds{lasts};
      std::cout << troupe::load::run(system, map, job) << std::endl;
    } else {
      std::cout << "{\"error\": \"unknown job\"}" << std::endl;
    }
  }
}

bool leads(caf::actor_system& system, const troupe::node& node) {
  caf::scoped_actor self{system};
  bool leading = false;
  self->request(node.handle(), caf::infinite, troupe::get_status{})
      .receive([&](const troupe::node_status& s) { leading = s.role && s.role->kind == troupe::role_kind::leader; },
               [](const caf::error&) {});
  return leading;
}

void add_transport_options(CLI::App& command, troupe::tls_settings& tls, troupe::transport_settings& transport) {
  auto* cert = command.add_option("--tls-cert", tls.cert);
  auto* key = command.add_option("--tls-key", tls.key)->needs(cert);
  auto* ca = command.add_option("--tls-ca", tls.ca)->needs(cert);
  cert->needs(key)->needs(ca);
  command.add_option("--tls-cluster-name", tls.cluster_name)->needs(cert);
  command.add_option("--tls-allow", tls.allowed_names)->delimiter(',')->needs(cert);
  command.add_option("--cluster-secret-file", transport.cluster_secret_file);
}

} // namespace

int main(int argc, char** argv) try {
  CLI::App app{"Load generator of tools/bench"};
  app.require_subcommand(1);
  troupe::client_options remote;
  auto* client = app.add_subcommand("client", "Callers that share one client");
  client->add_option("--endpoints", remote.endpoints, "Nodes to contact first")->delimiter(',')->required();
  troupe::tls_settings tls;
  add_transport_options(*client, tls, remote.transport);
  troupe::node_options inside;
  auto* member = app.add_subcommand("member", "A member of the cluster with the callers inside");
  member->add_option("--raft-port", inside.raft_port)->required();
  member->add_option("--data-dir", inside.data_dir)->required();
  member->add_option("--discovery", inside.discovery);
  add_transport_options(*member, tls, inside.transport);
  CLI11_PARSE(app, argc, argv);
  // Either all TLS files were given or none.
  if (!tls.cert.empty()) remote.transport.tls = inside.transport.tls = tls;

  troupe::config config;
  caf::actor_system system{config};
  if (client->parsed()) {
    auto cluster = troupe::spawn_client(system, remote);
    serve(system, cluster.service<troupe::map_service>(), [] { return false; });
    cluster.stop();
  } else {
    auto node = troupe::spawn_node(system, inside, troupe::map_service{});
    serve(system, node.service<troupe::map_service>(), [&] { return leads(system, node); });
    node.stop();
  }
} catch (const std::exception& e) {
  std::cerr << "troupe_load: " << e.what() << '\n';
  return 1;
}

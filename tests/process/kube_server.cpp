#include "tests/process/kube_server.hpp"

#include <fstream>
#include <sstream>

namespace troupe::testing {

using namespace std::chrono_literals;
namespace fs = std::filesystem;

kube_server::kube_server(const std::string& authority) : authority_(folder_, authority) {
  const auto files = authority_.issue("api", {.names = {"localhost"}, .allowed = net::testing::usage::server});
  fs::copy_file(authority_.certificate(), folder_ / "ca.crt");
  std::ofstream{folder_ / "namespace"} << "default";
  write_token("first");
  const auto ports = folder_ / "ports";
  process_ =
      std::make_unique<program>(std::vector<std::string>{"/usr/bin/env", "python3", TROUPE_KUBE_API,
                                                         files.cert.string(), files.key.string(), ports.string()},
                                make_folder() / "kube_api.log");
  wait_for("start of the API server", 20s, [&] { return fs::exists(ports); });
  std::ifstream{ports} >> api_port_ >> order_port_;
}

std::string kube_server::url() const { return "https://localhost:" + std::to_string(api_port_); }

void kube_server::write_token(const std::string& token) const {
  std::ofstream{folder_ / "token.new"} << token << '\n';
  fs::rename(folder_ / "token.new", folder_ / "token"); // atomic, as by the kubelet
}

json kube_server::order(const json& what) {
  const auto answer = http::client{"127.0.0.1", order_port_, 8000ms}.request("POST", "/", what.dump());
  return json::parse(answer.body);
}

int kube_server::put(const std::vector<json>& objects) {
  json what;
  what["put"] = objects;
  return order(what)["version"];
}
void kube_server::remove(const std::string& kind, const std::string& name) {
  json what;
  what["delete"] = json::array({json::array({kind, name})});
  order(what);
}

int kube_server::count(bool watches) {
  int found = 0;
  const auto known = order(json::object());
  for (const auto& request : known["requests"]) found += request["query"].contains("watch") == watches;
  return found;
}
int kube_server::lists() { return count(false); }
int kube_server::watches() { return count(true); }

void kube_server::wait_watched() {
  wait_for("a watch", 10s, [&] { return order(json::object())["watches"] == 1; });
}

json endpoint_slice(const std::string& name, const std::string& type, std::uint16_t port,
                    const std::vector<endpoint_state>& endpoints) {
  auto list = json::array();
  for (const auto& each : endpoints)
    list.push_back(
        {{"addresses", json::array({each.address})},
         {"conditions",
          {{"ready", each.ready && !each.terminating}, {"serving", each.ready}, {"terminating", each.terminating}}}});
  return {{"kind", "EndpointSlice"},
          {"apiVersion", "discovery.k8s.io/v1"},
          {"metadata", {{"name", name}, {"labels", {{"kubernetes.io/service-name", "troupe"}}}}},
          {"addressType", type},
          {"endpoints", list},
          {"ports", json::array({{{"name", "raft"}, {"port", port}, {"protocol", "TCP"}}})}};
}

json running_pod(const std::string& name, const std::string& ip, std::uint16_t port) {
  const auto ports = json::array({{{"name", "raft"}, {"containerPort", port}}});
  return {{"kind", "Pod"},
          {"apiVersion", "v1"},
          {"metadata", {{"name", name}, {"labels", {{"app", "troupe"}}}}},
          {"spec", {{"containers", json::array({{{"name", "troupe"}, {"ports", ports}}})}}},
          {"status", {{"phase", "Running"}, {"podIP", ip}, {"podIPs", json::array({{{"ip", ip}}})}}}};
}

} // namespace troupe::testing

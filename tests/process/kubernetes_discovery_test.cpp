// Tests discovery by the Kubernetes API against a fake API server with TLS and tokens, and the fake server against the
// real kubectl.
#include "discovery/kubernetes_method.hpp"
#include "tests/process/kube_server.hpp"
#include "tests/process/kubectl.hpp"
#include "tests/unit/discovery/method_run.hpp"

#include <catch2/catch.hpp>

#include <csignal>
#include <cstdlib>
#include <fstream>
#include <list>

using namespace troupe;
using namespace troupe::testing;
using namespace std::chrono_literals;
using test::addresses;
using test::method_run;

namespace {

kubernetes_timing quick() { return {2s, 60s, 200ms, 50ms, 400ms}; }

struct watched_api {
  kube_server server;
  kubernetes_query query;
  std::unique_ptr<kubernetes_method> method;

  explicit watched_api(bool pods = false) {
    (pods ? query.selector : query.service) = pods ? "app=troupe" : "troupe";
    query.server = server.url();
    query.secrets = server.secrets();
  }
  kubernetes_method& start(kubernetes_timing timing = quick()) {
    const auto access = find_kubernetes(query, [](const char*) -> const char* { return nullptr; });
    method = std::make_unique<kubernetes_method>(query, access, 1, timing);
    return *method;
  }
  void put(const std::vector<endpoint_state>& endpoints, const std::string& name = "troupe-a",
           const std::string& type = "IPv4") {
    server.put({endpoint_slice(name, type, 5000, endpoints)});
  }
};

} // namespace

TEST_CASE("endpoints of IPv4 and IPv6 are listed and watched, including unready but not terminating ones") {
  watched_api api;
  api.put({{"10.0.0.1"}, {"10.0.0.2", false}, {"10.0.0.3", true, true}});
  api.server.put({running_pod("noise", "10.9.9.9", 1)});
  method_run run{api.start()};
  CHECK(run.sees({"10.0.0.1:5000", "10.0.0.2:5000"}));
  CHECK(run.complains(""));
  api.put({{"fd00::1"}}, "troupe-b", "IPv6");
  CHECK(run.sees({"10.0.0.1:5000", "10.0.0.2:5000", "[fd00::1]:5000"}));
  api.put({{"10.0.0.1", true, true}});
  CHECK(run.sees({"[fd00::1]:5000"}));
  api.server.remove("endpointslices", "troupe-b");
  CHECK(run.sees({}));
  CHECK(api.server.lists() == 1);
  CHECK(api.server.watches() == 1);
}

TEST_CASE("pods are found by their labels, on all pages") {
  watched_api api{true};
  std::vector<json> pods;
  addresses wanted;
  for (int i = 0; i < 120; ++i) {
    const auto ip = "10.0.1." + std::to_string(i + 1);
    pods.push_back(running_pod("troupe-" + std::to_string(i), ip, 5000));
    wanted.push_back(ip + ":5000");
  }
  auto other = running_pod("other", "10.9.9.9", 5000);
  other["metadata"]["labels"]["app"] = "other";
  pods.push_back(other);
  api.server.put(pods);
  method_run run{api.start()};
  CHECK(run.sees(wanted));
  CHECK(api.server.lists() == 3);
  api.server.wait_watched();
  auto leaving = pods[0];
  leaving["metadata"]["deletionTimestamp"] = "2024-01-01T00:00:00Z";
  api.server.put({leaving});
  wanted.erase(wanted.begin());
  CHECK(run.sees(wanted));
}

TEST_CASE("a watch that breaks resumes at the last version, also after bookmarks") {
  watched_api api;
  api.put({{"10.0.0.1"}});
  method_run run{api.start()};
  CHECK(run.sees({"10.0.0.1:5000"}));
  for (int i = 2; i < 6; ++i) {
    api.server.wait_watched();
    const auto bookmark = api.server.order({{"bookmark", true}})["version"].get<int>();
    // Only a client that has received the bookmark knows a recent version.
    api.put({{"10.0.0." + std::to_string(i)}});
    CHECK(run.sees({"10.0.0." + std::to_string(i) + ":5000"}));
    const int watches = api.server.watches();
    api.server.order({{"drop", true}});
    wait_for("another watch", 10s, [&] { return api.server.watches() > watches; });
    const auto last = api.server.order(json::object())["requests"].back();
    CHECK(std::stoi(last["query"]["resourceVersion"].get<std::string>()) == bookmark + 1);
  }
  CHECK(api.server.lists() == 1);
}

TEST_CASE("an expired watch leads to a new list, whether reported by status or in the stream") {
  const bool in_stream = GENERATE(false, true);
  CAPTURE(in_stream);
  watched_api api;
  api.put({{"10.0.0.1"}});
  method_run run{api.start()};
  CHECK(run.sees({"10.0.0.1:5000"}));
  api.server.wait_watched();
  // Cuts the watch and forgets the events in between.
  json lost{{"watch", {{"in_stream", in_stream}}}, {"forget", true}, {"drop", true}};
  lost["put"] = std::vector<json>{endpoint_slice("troupe-a", "IPv4", 5000, {{"10.0.0.2"}})};
  api.server.order(lost);
  CHECK(run.sees({"10.0.0.2:5000"}));
  CHECK(api.server.lists() == 2);
  api.server.wait_watched();
  api.put({{"10.0.0.3"}});
  CHECK(run.sees({"10.0.0.3:5000"}));
}

TEST_CASE("if watching is not allowed, the API is polled") {
  watched_api api;
  api.server.order({{"watch", {{"status", 403}, {"message", "no watching here"}}}});
  api.put({{"10.0.0.1"}});
  method_run run{api.start()};
  CHECK(run.sees({"10.0.0.1:5000"}));
  CHECK(run.complains("watching is not possible: the API answers 403: no watching here"));
  api.put({{"10.0.0.2"}});
  CHECK(run.sees({"10.0.0.2:5000"}));
  api.server.order({{"watch", json::object()}});
  api.server.wait_watched();
  CHECK(run.complains(""));
}

TEST_CASE("a replaced token is used, and an invalid one is reported") {
  watched_api api;
  api.put({{"10.0.0.1"}});
  api.server.order({{"token", "second"}});
  method_run run{api.start()};
  CHECK(run.complains("the API answers 401: Unauthorized"));
  CHECK(run.view() == std::nullopt);
  api.server.write_token("second");
  CHECK(run.sees({"10.0.0.1:5000"}));
  api.server.wait_watched();
  api.server.write_token("third");
  api.server.order({{"token", "third"}, {"drop", true}});
  api.server.wait_watched();
  api.put({{"10.0.0.2"}});
  CHECK(run.sees({"10.0.0.2:5000"}));
  std::filesystem::remove(api.server.secrets() / "token");
  api.server.order({{"drop", true}});
  CHECK(run.complains("token cannot be read"));
  api.server.write_token("third");
  CHECK(run.complains(""));
}

TEST_CASE("broken, cut, slow and oversized answers neither empty the view nor cause immediate retries") {
  watched_api api;
  method_run run{api.start()};
  CHECK(run.sees({}));
  api.server.wait_watched();
  api.put({{"10.0.0.1"}});
  CHECK(run.sees({"10.0.0.1:5000"}));
  const auto whole = R"({"kind": "EndpointSliceList", "metadata": {"resourceVersion": "1"}, "items": []})";
  struct row {
    json list;
    std::string complaint;
  };
  for (const auto& [trouble, complaint] :
       {row{{{"status", 500}}, "the API answers 500: as ordered"}, row{{{"body", "{\"kind\": \"Endpo"}}, "not a JSON"},
        row{{{"body", "[]"}}, "not a JSON object"}, row{{{"body", "{}"}}, "not a list"},
        row{{{"body", whole}, {"cut", true}}, ""}, row{{{"body", whole}, {"slowly", true}}, ""},
        row{{{"body", std::string(9 << 20, ' ')}}, "the answer has more than"}}) {
    CAPTURE(complaint);
    const int before = api.server.lists();
    api.server.order({{"list", trouble}, {"watch", {{"status", 403}}}, {"drop", true}});
    if (!complaint.empty()) CHECK(run.complains(complaint));
    wait_for("more lists", 20s, [&] { return api.server.lists() >= before + 2; });
    CHECK(run.view() == addresses{"10.0.0.1:5000"});
  }
  api.server.order({{"list", json::object()}, {"watch", json::object()}});
  api.server.wait_watched();
  for (const auto* body : {"{\n", "{\"type\": \"RENAMED\"}\n", "[1]\n"}) {
    CAPTURE(body);
    const int before = api.server.lists();
    api.server.order({{"watch", {{"body", body}}}, {"drop", true}});
    wait_for("another list", 20s, [&] { return api.server.lists() > before; });
    CHECK(run.view() == addresses{"10.0.0.1:5000"});
  }
  api.server.order({{"watch", {{"body", std::string(3 << 20, 'x')}}}, {"drop", true}});
  CHECK(run.complains("a line is too long"));
  api.server.order({{"watch", json::object()}});
  api.put({{"10.0.0.2"}});
  CHECK(run.sees({"10.0.0.2:5000"}));
}

TEST_CASE("no answer causes requests in a hot loop") {
  watched_api api;
  api.put({{"10.0.0.1"}});
  const json trouble = GENERATE(json{{"watches_end", true}}, json{{"watch", {{"status", 410}}}},
                                json{{"watch", {{"body", "x\n"}}}}, json{{"list", {{"status", 500}}}});
  CAPTURE(trouble.dump());
  api.server.order(trouble);
  method_run run{api.start()};
  std::this_thread::sleep_for(3s); // nap: the absence of requests has no event
  const auto asked = api.server.lists() + api.server.watches();
  CHECK(asked >= 4);
  CHECK(asked < 40); // pauses rise from at least 200 ms to 400 ms; one list and one watch each time
}

TEST_CASE("a server with an untrusted certificate receives no request and no token") {
  watched_api api;
  const kube_server other{"another authority"};
  std::filesystem::copy_file(other.secrets() / "ca.crt", api.server.secrets() / "ca.crt",
                             std::filesystem::copy_options::overwrite_existing);
  method_run run{api.start()};
  CHECK(run.complains("certificate"));
  CHECK(api.server.order(json::object())["requests"].empty());
}

TEST_CASE("the method stops at once, also while it watches or waits for an answer") {
  watched_api api;
  api.put({{"10.0.0.1"}});
  const auto begin = std::chrono::steady_clock::now();
  {
    method_run run{api.start()};
    CHECK(run.sees({"10.0.0.1:5000"}));
    api.server.wait_watched();
  }
  api.server.order({{"list", {{"body", std::string(100, ' ')}, {"slowly", true}}}});
  {
    const int before = api.server.lists();
    method_run run{api.start()};
    wait_for("a list request", 10s, [&] { return api.server.lists() > before; });
  }
  CHECK(std::chrono::steady_clock::now() - begin < 5s);
}

TEST_CASE("kubectl works with the fake API server") {
  const auto program_name = find_kubectl();
  if (program_name.empty()) return;
  const auto folder = make_folder();
  kube_server server;
  server.put({endpoint_slice("troupe-a", "IPv4", 5000, {{"10.0.0.1"}, {"10.0.0.2", false}}),
              running_pod("troupe-0", "10.0.0.1", 5000), running_pod("troupe-1", "10.0.0.2", 5000)});
  const auto command = [&](const std::vector<std::string>& more) {
    std::vector<std::string> words{"/usr/bin/env",
                                   program_name,
                                   "--kubeconfig=/dev/null",
                                   "--server=" + server.url(),
                                   "--certificate-authority=" + (server.secrets() / "ca.crt").string(),
                                   "--token=first",
                                   "--cache-dir=" + (folder / "cache").string(),
                                   "--namespace=default"};
    words.insert(words.end(), more.begin(), more.end());
    return words;
  };
  const auto printed = [&](const std::vector<std::string>& more) {
    const auto file = folder / (std::to_string(std::rand()) + ".txt");
    const int code = run(command(more), file);
    INFO(read_text(file));
    CHECK(code == 0);
    return read_text(file);
  };
  CHECK(printed({"get", "endpointslices.discovery.k8s.io", "-l", "kubernetes.io/service-name=troupe", "-o",
                 "jsonpath={.items[*].endpoints[*].addresses[0]} {.items[0].ports[0].port}"}) ==
        "10.0.0.1 10.0.0.2 5000");
  CHECK(printed({"get", "pods", "-l", "app=troupe", "--chunk-size=1", "-o",
                 "jsonpath={range .items[*]}{.metadata.name}={.status.podIP} {end}"}) ==
        "troupe-0=10.0.0.1 troupe-1=10.0.0.2 ");
  CHECK(printed({"get", "pods", "-l", "app=other", "-o", "name"}).empty());
  // kubectl prints the events of a watch.
  program watch{
      command({"get", "pods", "--watch", "--output-watch-events", "-o", "jsonpath={.type}:{.object.metadata.name} "}),
      folder / "watch.txt"};
  server.wait_watched();
  server.put({running_pod("troupe-2", "10.0.0.3", 5000)});
  server.put({running_pod("troupe-2", "10.0.0.4", 5000)});
  server.remove("pods", "troupe-0");
  const std::string events = "ADDED:troupe-0 ADDED:troupe-1 ADDED:troupe-2 MODIFIED:troupe-2 DELETED:troupe-0 ";
  wait_for("the events", 10s, [&] { return read_text(folder / "watch.txt").find(events) != std::string::npos; });
  // kubectl reports an expired watch.
  CHECK(run(command({"get", "--raw", "/api/v1/namespaces/default/pods?watch=1&resourceVersion=1&timeoutSeconds=1"}),
            folder / "raw.txt") == 0);
  server.order({{"forget", true}});
  CHECK(run(command({"get", "--raw", "/api/v1/namespaces/default/pods?watch=1&resourceVersion=1&timeoutSeconds=1"}),
            folder / "gone.txt") != 0);
  CHECK_THAT(read_text(folder / "gone.txt"), Catch::Contains("too old resource version"));
}

TEST_CASE("three nodes find each other by the API") {
  kube_server api;
  const auto folder = make_folder();
  const auto ports = free_ports(6);
  std::list<server> nodes;
  for (std::size_t i = 0; i < 3; ++i)
    nodes.emplace_back("node" + std::to_string(i + 1), folder, ports[i], ports[i + 3],
                       "k8s:selector=app=troupe,server=" + api.url() + ",secrets=" + api.secrets().string(),
                       std::vector<std::string>{"--bootstrap-expect", "3"});
  for (auto& node : nodes) node.start();
  for (std::size_t i = 0; i < 3; ++i) api.put({running_pod("troupe-" + std::to_string(i), "127.0.0.1", ports[i])});
  wait_for("formation", 20s,
           [&] { return std::all_of(nodes.begin(), nodes.end(), [](const auto& n) { return n.ready(); }); });
  nodes.front().put("a", 1);
  CHECK(nodes.back().get("a") == 1);
  for (auto& node : nodes) {
    node.process().signal(SIGTERM);
    CHECK(node.process().wait(10s) == 0);
  }
}

TEST_CASE("outside a pod and without server=, a node reports what is missing and exits") {
  const auto data = make_folder() / "d";
  const auto ended = run_webserver({"--data-dir", data.string(), "--raft-port", std::to_string(free_ports(1).front()),
                                    "--http-port", "0", "--discovery", "k8s:service=troupe"});
  CHECK(ended.code == 1);
  CHECK_THAT(ended.text, Catch::Contains("KUBERNETES_SERVICE_HOST") && Catch::Contains("server="));
  CHECK_FALSE(std::filesystem::exists(data));
}

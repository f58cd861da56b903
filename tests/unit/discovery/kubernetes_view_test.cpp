// Lists and watch events in the format of the Kubernetes API.
#include "discovery/kubernetes_access.hpp"
#include "discovery/kubernetes_view.hpp"
#include "raft/base/line_reader.hpp"
#include "raft/base/random.hpp"
#include "tests/unit/temporary_folder.hpp"

#include <catch2/catch.hpp>

#include <fstream>
#include <map>
#include <string>
#include <vector>

using namespace troupe;
using Catch::Matchers::Contains;
using told = kubernetes_view::told;
using addresses = std::vector<std::string>;

namespace {

/// A slice of a headless service, with one endpoint of each kind.
const std::string slice = R"({"metadata": {"name": "troupe-abc", "namespace": "default", "resourceVersion": "7",
    "labels": {"kubernetes.io/service-name": "troupe"}},
  "addressType": "IPv4",
  "endpoints": [
    {"addresses": ["10.1.0.1"], "conditions": {"ready": true, "serving": true, "terminating": false},
     "hostname": "troupe-0", "targetRef": {"kind": "Pod", "name": "troupe-0"}},
    {"addresses": ["10.1.0.2"], "conditions": {"ready": false, "serving": false, "terminating": false}},
    {"addresses": ["10.1.0.3"], "conditions": {"ready": false, "serving": true, "terminating": true}},
    {"addresses": ["10.1.0.4"], "conditions": {}},
    {"addresses": ["10.1.0.5"]}],
  "ports": [{"name": "http", "port": 8080, "protocol": "TCP"}, {"name": "raft", "port": 5000, "protocol": "TCP"}]})";
const std::string slice6 = R"({"metadata": {"name": "troupe-def"}, "addressType": "IPv6",
  "endpoints": [{"addresses": ["fd00::1"], "conditions": {"ready": true, "terminating": null}}],
  "ports": [{"name": "raft", "port": 5000}]})";

std::string pod(const std::string& name, const std::string& status, const std::string& more = "") {
  return R"({"metadata": {"name": ")" + name + R"(", "resourceVersion": "8")" + more + R"(},
    "spec": {"containers": [{"name": "sidecar"}, {"name": "troupe", "ports": [
      {"name": "http", "containerPort": 8080}, {"name": "raft", "containerPort": 5000, "protocol": "TCP"}]}]},
    "status": )" +
         status + "}";
}

std::string list(const std::string& items, const std::string& more = "") {
  return R"({"kind": "AnyList", "apiVersion": "v1", "metadata": {"resourceVersion": "10")" + more + R"(}, "items": [)" +
         items + "]}";
}

std::string event(const std::string& type, const std::string& object) {
  return R"({"type": ")" + type + R"(", "object": )" + object + "}";
}

addresses seen(kubernetes_kind kind, const std::string& items, const std::string& port = "raft") {
  kubernetes_view view{kind, port};
  CHECK(view.add_page(list(items)).empty());
  CHECK(view.version() == "10");
  return view.addresses();
}
addresses in_slices(const std::string& items, const std::string& port = "raft") {
  return seen(kubernetes_kind::endpoint_slices, items, port);
}
addresses in_pods(const std::string& items, const std::string& port = "raft") {
  return seen(kubernetes_kind::pods, items, port);
}

} // namespace

TEST_CASE("endpoints count unless they terminate, with the named port", "[kubernetes]") {
  CHECK(in_slices(slice + "," + slice6) ==
        addresses{"10.1.0.1:5000", "10.1.0.2:5000", "10.1.0.4:5000", "10.1.0.5:5000", "[fd00::1]:5000"});
  CHECK(in_slices(slice6, "7000") == addresses{"[fd00::1]:7000"});
  CHECK(in_slices(slice6, "http").empty());
  CHECK(in_slices("").empty());
}

TEST_CASE("a single port may be unnamed", "[kubernetes]") {
  const auto with = [](const std::string& ports) {
    return R"({"metadata": {"name": "a"}, "endpoints": [{"addresses": ["10.0.0.1"]}], "ports": )" + ports + "}";
  };
  CHECK(in_slices(with(R"([{"name": "", "port": 5000}])")) == addresses{"10.0.0.1:5000"});
  CHECK(in_slices(with(R"([{"port": 5000}])")) == addresses{"10.0.0.1:5000"});
  CHECK(in_slices(with(R"([{"name": "other", "port": 5000}])")).empty());
  for (const auto* nothing : {"null", "[]", R"([{"name": "raft", "port": null}])", R"([{"name": "raft", "port": 0}])",
                              R"([{"name": "raft", "port": 65536}])", R"([{"name": "raft", "port": "5000"}])"})
    CHECK(in_slices(with(nothing)).empty());
}

TEST_CASE("pods count from when they have an address until they end", "[kubernetes]") {
  CHECK(in_pods(pod(
            "a", R"({"phase": "Running", "podIP": "10.0.0.1", "podIPs": [{"ip": "10.0.0.1"}, {"ip": "fd00::1"}]})")) ==
        addresses{"10.0.0.1:5000", "[fd00::1]:5000"});
  CHECK(in_pods(pod("a", R"({"phase": "Pending", "podIP": "10.0.0.1"})")) == addresses{"10.0.0.1:5000"});
  CHECK(in_pods(pod("a", R"({"phase": "Pending"})")).empty());
  CHECK(in_pods(pod("a", R"({"phase": "Failed", "podIP": "10.0.0.1"})")).empty());
  CHECK(in_pods(pod("a", R"({"phase": "Succeeded", "podIP": "10.0.0.1"})")).empty());
  CHECK(in_pods(pod("a", R"({"phase": "Running", "podIP": "10.0.0.1"})",
                    R"(, "deletionTimestamp": "2024-01-01T00:00:00Z")"))
            .empty());
  CHECK(in_pods(pod("a", R"({"phase": "Running", "podIP": "10.0.0.1"})"), "grpc").empty());
  CHECK(in_pods(pod("a", R"({"phase": "Running", "podIP": "10.0.0.1"})"), "7000") == addresses{"10.0.0.1:7000"});
}

TEST_CASE("a list becomes the view with its last page", "[kubernetes]") {
  kubernetes_view view{kubernetes_kind::pods, "raft"};
  const auto running = [](const std::string& name, const std::string& ip) {
    return pod(name, R"({"phase": "Running", "podIP": ")" + ip + "\"}");
  };
  CHECK(view.add_page(list(running("a", "10.0.0.1"))).empty());
  CHECK(view.add_page(list(running("b", "10.0.0.2"), R"(, "continue": "on")")) == "on");
  CHECK(view.addresses() == addresses{"10.0.0.1:5000"});
  CHECK(view.add_page(list(running("c", "10.0.0.3"))).empty());
  CHECK(view.addresses() == addresses{"10.0.0.2:5000", "10.0.0.3:5000"});
  CHECK(view.add_page(list(running("d", "10.0.0.4"), R"(, "continue": "on")")) == "on");
  view.begin_list();
  CHECK(view.add_page(list(running("e", "10.0.0.5"))).empty());
  CHECK(view.addresses() == addresses{"10.0.0.5:5000"});
}

TEST_CASE("watch events change the view", "[kubernetes]") {
  kubernetes_view view{kubernetes_kind::pods, "raft"};
  view.add_page(list(""));
  const auto a = pod("a", R"({"phase": "Running", "podIP": "10.0.0.1"})");
  CHECK(view.apply(event("ADDED", pod("a", R"({"phase": "Pending"})"))) == told::nothing_new); // no address yet
  CHECK(view.version() == "8");
  CHECK(view.apply(event("MODIFIED", a)) == told::change);
  CHECK(view.apply(event("MODIFIED", a)) == told::nothing_new);
  CHECK(view.addresses() == addresses{"10.0.0.1:5000"});
  CHECK(view.apply(event("BOOKMARK", R"({"kind": "Pod", "metadata": {"resourceVersion": "99"}})")) ==
        told::nothing_new);
  CHECK(view.version() == "99");
  CHECK(view.apply(event("DELETED", a)) == told::change);
  CHECK(view.apply(event("DELETED", a)) == told::nothing_new);
  CHECK(view.addresses().empty());
  CHECK(view.apply(event("ERROR", R"({"kind": "Status", "code": 410, "reason": "Expired"})")) == told::expired);
}

TEST_CASE("rejects invalid answers, and they change nothing", "[kubernetes]") {
  kubernetes_view view{kubernetes_kind::pods, "raft"};
  view.add_page(list(pod("a", R"({"phase": "Running", "podIP": "10.0.0.1"})")));
  for (const auto* text :
       {"", "x", "[]", "null", "{", R"({"kind": "List"})", R"({"metadata": {"resourceVersion": "1"}})",
        R"({"kind": "List", "metadata": {"resourceVersion": 5}})",
        R"({"kind": "L", "metadata": {"resourceVersion": "1"}, "items": [{}]})",
        R"({"kind": "L", "metadata": {"resourceVersion": "1"}, "items": [7]})"}) {
    CAPTURE(text);
    view.begin_list();
    CHECK_THROWS_AS(view.add_page(text), bad_kubernetes_answer);
  }
  for (const auto* text :
       {"", "x", "{}", R"({"type": "RENAMED", "object": {}})", R"({"type": "ADDED"})",
        R"({"type": "ADDED", "object": {"metadata": {"name": 7}}})", R"({"type": "DELETED", "object": []})",
        R"({"type": "ERROR", "object": {"code": 500, "message": "no"}})", R"({"type": "ERROR"})"}) {
    CAPTURE(text);
    CHECK_THROWS_AS(view.apply(text), bad_kubernetes_answer);
  }
  CHECK(view.addresses() == addresses{"10.0.0.1:5000"});
  CHECK(view.version() == "10");
  // Invalid addresses.
  for (const auto* ip : {"", "10.0.0.1 ", "a\\nb", "[::1]", "-"}) {
    CAPTURE(ip);
    const auto kept = in_pods(pod("a", R"({"podIP": ")" + std::string{ip} + "\"}"));
    CHECK(kept == (std::string{ip} == "-" ? addresses{"-:5000"} : addresses{}));
  }
}

TEST_CASE("rejects too many objects", "[kubernetes]") {
  kubernetes_view view{kubernetes_kind::pods, "raft"};
  std::string items = "{\"metadata\": {\"name\": \"first\"}}";
  for (int i = 0; i < 4096; ++i) items += ", {\"metadata\": {\"name\": \"" + std::to_string(i) + "\"}}";
  CHECK_THROWS_AS(view.add_page(list(items)), bad_kubernetes_answer);
}

TEST_CASE("damaged answers are either read or rejected", "[kubernetes]") {
  raft::prng random{3};
  const auto whole = list(slice + "," + slice6);
  const auto changed = event("ADDED", slice);
  int rejected = 0;
  for (int i = 0; i < 3'000; ++i) {
    auto damaged = i % 2 ? whole : changed;
    for (auto n = random.next() % 4 + 1; n > 0; --n)
      damaged[random.next() % damaged.size()] = static_cast<char>(random.next() % 128);
    kubernetes_view view{kubernetes_kind::endpoint_slices, "raft"};
    try {
      if (i % 2)
        view.add_page(damaged);
      else
        view.apply(damaged);
      for (const auto& address : view.addresses()) CHECK_NOTHROW(parse_host_port(address));
    } catch (const bad_kubernetes_answer&) {
      ++rejected;
    }
  }
  CHECK(rejected > 300);
  CHECK(rejected < 3'000);
}

TEST_CASE("shows a reason without control characters", "[kubernetes]") {
  CHECK(kubernetes_reason(R"({"kind": "Status", "message": "pods is forbidden"})") == "pods is forbidden");
  CHECK(kubernetes_reason(R"({"message": "a\u001b[31mb\n"})") == "a?[31mb?");
  CHECK(kubernetes_reason(R"({"message": ")" + std::string(5000, 'x') + "\"}").size() == 200);
  CHECK(kubernetes_reason("<html>").empty());
  // Quotes and other languages stay readable, also where a character is cut off.
  CHECK(kubernetes_reason(R"({"message": "User \"u\" cannot list pods"})") == "User \"u\" cannot list pods");
  CHECK(kubernetes_reason(R"({"message": ")" + std::string(197, 'x') + "\u00e9\u00e9\"}") ==
        std::string(197, 'x') + "\u00e9?");
}

TEST_CASE("takes the API's address from the specification or from a pod's environment", "[kubernetes]") {
  std::map<std::string, std::string> environment;
  const auto variable = [&](const char* name) {
    const auto found = environment.find(name);
    return found == environment.end() ? nullptr : found->second.c_str();
  };
  kubernetes_query query;
  CHECK_THROWS_WITH(find_kubernetes(query, variable), Contains("not running in a pod"));
  environment["KUBERNETES_SERVICE_HOST"] = "10.96.0.1";
  CHECK(find_kubernetes(query, variable).server == "https://10.96.0.1:443");
  environment["KUBERNETES_SERVICE_HOST"] = "fd00::1";
  environment["KUBERNETES_SERVICE_PORT"] = "6443";
  CHECK(find_kubernetes(query, variable).server == "https://[fd00::1]:6443");
  CHECK(find_kubernetes(query, variable).secrets == "/var/run/secrets/kubernetes.io/serviceaccount");
  query.server = "https://api.example.org";
  query.secrets = "/elsewhere";
  CHECK(find_kubernetes(query, variable).server == "https://api.example.org");
  CHECK(find_kubernetes(query, variable).secrets == "/elsewhere");
}

TEST_CASE("builds request paths", "[kubernetes]") {
  kubernetes_query query;
  query.service = "troupe";
  CHECK(kubernetes_path(query, "prod") == "/apis/discovery.k8s.io/v1/namespaces/prod/endpointslices?labelSelector="
                                          "kubernetes.io%2Fservice-name%3Dtroupe");
  query.service = "";
  query.selector = "app=troupe,tier in (a,b)";
  CHECK(kubernetes_path(query, "../x") ==
        "/api/v1/namespaces/..%2Fx/pods?labelSelector=app%3Dtroupe%2Ctier%20in%20%28a%2Cb%29");
}

TEST_CASE("reads secrets without surrounding white space", "[kubernetes]") {
  test::temporary_folder folder;
  const auto file = folder / "token";
  CHECK_THROWS_AS(read_secret(file), bad_kubernetes_answer);
  const auto with = [&](const std::string& text) {
    std::ofstream{file} << text;
    return read_secret(file);
  };
  CHECK(with(" abc.def-_ \n") == "abc.def-_");
  for (const auto* bad : {"", " \n", "two words", "a\nInjected: header"})
    CHECK_THROWS_AS(with(bad), bad_kubernetes_answer);
}

TEST_CASE("reads lines from a stream in pieces of any size", "[kubernetes]") {
  const std::string stream = "one\n\n two \r\n\nthree\nrest";
  for (std::size_t piece = 1; piece <= stream.size(); ++piece) {
    CAPTURE(piece);
    line_reader reader{6};
    addresses lines;
    for (std::size_t at = 0; at < stream.size(); at += piece) {
      reader.add(std::string_view{stream}.substr(at, piece));
      while (const auto line = reader.next()) lines.emplace_back(*line);
    }
    CHECK(lines == addresses{"one", " two \r", "three"});
  }
  line_reader reader{6};
  reader.add("1234567");
  CHECK_THROWS(reader.next());
}

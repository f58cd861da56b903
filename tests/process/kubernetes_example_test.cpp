// Checks examples/kubernetes without a cluster: kubectl accepts the manifests, and they agree with each other, with the
// program and with the image. kubernetes_pods_test.cpp runs them.
#include "tests/process/kubectl.hpp"
#include "tests/process/kubernetes_pod.hpp"

#include <catch2/catch.hpp>

#include <algorithm>
#include <fstream>
#include <iostream>
#include <iterator>
#include <set>
#include <sstream>

using namespace troupe::testing;
using namespace std::chrono_literals;
using Catch::Contains;
namespace fs = std::filesystem;

namespace {

/// The paths of all values in `wanted` that are missing or different in `found`.
std::vector<std::string> lost(const json& wanted, const json& found, const std::string& path = {}) {
  std::vector<std::string> all;
  const auto look = [&](const std::string& key, const json& inner, const json* there) {
    if (!there) return all.push_back(path + "/" + key);
    for (auto& each : lost(inner, *there, path + "/" + key)) all.push_back(std::move(each));
  };
  if (wanted.is_object() && found.is_object()) {
    for (const auto& [key, inner] : wanted.items()) look(key, inner, found.contains(key) ? &found[key] : nullptr);
  } else if (wanted.is_array() && found.is_array()) {
    for (std::size_t i = 0; i < wanted.size(); ++i)
      look(std::to_string(i), wanted[i], i < found.size() ? &found[i] : nullptr);
  } else if (wanted != found) {
    all.push_back(path);
  }
  return all;
}

std::string to_file(const json& object) {
  const auto file = make_folder() / "object.json";
  std::ofstream{file} << object.dump();
  return file.string();
}

std::string label_of(const json& labels) {
  return labels.begin().key() + "=" + labels.begin().value().get<std::string>();
}

/// The fields of an object that kubectl does not know. To change an object of these kinds, kubectl parses it into its
/// own types and writes those, so unknown fields get lost. Throws if a field has the wrong type.
std::vector<std::string> unknown_fields(const json& object) {
  const std::string kind = object["kind"];
  const auto file = to_file(object);
  auto wanted = object;
  std::vector<std::string> words;
  if (kind == "StatefulSet" || kind == "Pod") {
    auto& container =
        wanted.at(json::json_pointer{std::string{kind == "Pod" ? "" : "/spec/template"} + "/spec/containers/0"});
    container["image"] = "other";
    words = {"image", container["name"].get<std::string>() + "=other"};
  } else if (kind == "Service") {
    wanted["spec"]["selector"] = {{"a", "b"}};
    words = {"selector", "a=b"};
  } else {
    wanted["subjects"].push_back({{"kind", "ServiceAccount"}, {"name", "b"}, {"namespace", "a"}});
    words = {"subject", "--serviceaccount=a:b"};
  }
  words.insert(words.begin(), "set");
  words.insert(words.end(), {"--local", "-o", "json", "-f", file});
  return lost(wanted, kubectl_json(words).at(0));
}

/// The object that `kubectl create` makes from these arguments.
json created(std::vector<std::string> words) {
  words.insert(words.begin(), "create");
  words.insert(words.end(), {"--dry-run=client", "-o", "json"});
  return kubectl_json(words).at(0);
}

std::vector<std::string> asking(const kube_server& api) {
  return {"--server=" + api.url(), "--certificate-authority=" + (api.secrets() / "ca.crt").string(), "--token=first",
          "--cache-dir=" + (make_folder() / "cache").string()};
}

} // namespace

TEST_CASE("kubectl knows every field of the example and creates the same objects by itself") {
  if (find_kubectl().empty()) return;
  const manifests example;
  const auto set = example.get("StatefulSet", "troupe");
  const auto binding = example.get("RoleBinding", "troupe-discovery");
  CHECK(unknown_fields(set).empty());
  CHECK(unknown_fields(manifest_in("maintenance.yaml")).empty());
  CHECK(unknown_fields(example.get("Service", "troupe")).empty());
  CHECK(unknown_fields(example.get("Service", "troupe-nodes")).empty());
  CHECK(unknown_fields(binding).empty());
  // The check notices a misspelt field and a wrong type.
  auto wrong = set;
  wrong["/spec/template/spec/containers/0/livenessProbe/periodSecond"_json_pointer] = 1;
  CHECK(unknown_fields(wrong) ==
        std::vector<std::string>{"/spec/template/spec/containers/0/livenessProbe/periodSecond"});
  wrong = set;
  wrong["/spec/replicas"_json_pointer] = "three";
  CHECK_THROWS_WITH(unknown_fields(wrong), Contains("replicas") || Contains("Replicas"));

  const auto pods = label_of(set["spec"]["template"]["metadata"]["labels"]);
  const kube_server api;
  auto role = asking(api);
  role.insert(role.begin(),
              {"role", "troupe-discovery", "--verb=list,watch", "--resource=endpointslices.discovery.k8s.io"});
  const auto own = [](const json& object, const char* part) { return object.at(part); };
  CHECK(own(created(role), "rules") == own(example.get("Role", "troupe-discovery"), "rules"));
  CHECK(own(created({"poddisruptionbudget", "troupe", "--max-unavailable=1", "--selector=" + pods}), "spec") ==
        own(example.get("PodDisruptionBudget", "troupe"), "spec"));
  CHECK(own(created({"configmap", "troupe-formation", "--from-literal=expect=3"}), "data") ==
        own(manifest_in("formation.yaml"), "data"));
  for (const auto* part : {"subjects", "roleRef"})
    CHECK(own(created({"rolebinding", "troupe-discovery", "--role=troupe-discovery", "--serviceaccount=troupe:troupe"}),
              part) == binding[part]);
  // To merge an object into itself, kubectl looks up those of its fields that are lists or objects.
  auto policy = example.get("NetworkPolicy", "troupe");
  const auto merged = [&] {
    const auto text = policy.dump();
    return kubectl_json({"patch", "--local", "-o", "json", "-f", to_file(policy), "-p", text}).at(0);
  };
  CHECK(merged()["spec"] == policy["spec"]);
  policy["spec"]["ingres"] = policy["spec"]["ingress"];
  CHECK_THROWS_WITH(merged(), Contains("ingres"));
}

TEST_CASE("the manifests agree with each other") {
  if (find_kubectl().empty()) return;
  const manifests example;
  const auto& set = example.get("StatefulSet", "troupe");
  const auto& pod = set["spec"]["template"];
  const auto& container = pod["spec"]["containers"].at(0);
  CHECK(pod["spec"]["containers"].size() == 1);
  for (const auto& object : example.all()) {
    CAPTURE(object["kind"], object["metadata"]["name"]);
    if (object["kind"] == "Namespace")
      CHECK(object["metadata"]["name"] == "troupe");
    else
      CHECK(object["metadata"]["namespace"] == "troupe");
  }

  SECTION("selectors") {
    CHECK(selects(set["spec"]["selector"]["matchLabels"], pod));
    CHECK(selects(example.get("PodDisruptionBudget", "troupe")["spec"]["selector"]["matchLabels"], pod));
    for (const auto& spread : pod["spec"]["topologySpreadConstraints"])
      CHECK(selects(spread["labelSelector"]["matchLabels"], pod));
    for (const auto* name : {"troupe", "troupe-nodes"}) {
      const auto& service = example.get("Service", name)["spec"];
      CHECK(selects(service["selector"], pod));
      CHECK_FALSE(selects(service["selector"], manifest_in("maintenance.yaml")));
      for (const auto& port : service["ports"])
        CHECK(named(container["ports"], port["targetPort"])["containerPort"] == port["port"]);
    }
    const auto& nodes = example.get("Service", "troupe-nodes")["spec"];
    CHECK(set["spec"]["serviceName"] == "troupe-nodes");
    CHECK(nodes["clusterIP"] == "None");
    CHECK(nodes["publishNotReadyAddresses"] == true);
  }
  SECTION("network policy") {
    const auto& policy = example.get("NetworkPolicy", "troupe")["spec"];
    CHECK(selects(policy["podSelector"]["matchLabels"], pod));
    std::set<std::string> open;
    for (const auto& rule : policy["ingress"])
      for (const auto& port : rule["ports"]) {
        open.insert(port["port"]);
        const bool nodes = selects(rule["from"].at(0)["podSelector"]["matchLabels"], pod);
        CHECK(nodes == (port["port"] == "raft"));
      }
    // An empty selector would select all namespaces.
    const std::string key = "kubernetes.io/metadata.name";
    for (const auto& rule : policy["ingress"])
      for (const auto& from : rule["from"]) {
        CAPTURE(from.dump());
        const auto& spaces = from.at("namespaceSelector");
        const bool by_name = spaces.value("/matchLabels/kubernetes.io~1metadata.name"_json_pointer, "") == "troupe";
        const bool listed = spaces.contains("matchExpressions") && spaces["matchExpressions"].at(0)["key"] == key &&
                            spaces["matchExpressions"].at(0)["operator"] == "In" &&
                            !spaces["matchExpressions"].at(0)["values"].empty();
        CHECK((by_name || listed));
      }
    CHECK(pod["spec"]["enableServiceLinks"] == false);
    CHECK(manifest_in("maintenance.yaml")["spec"]["enableServiceLinks"] == false);
    CHECK(open == std::set<std::string>{"http", "raft"});
  }
  SECTION("user and rights") {
    CHECK(pod["spec"]["serviceAccountName"] == example.get("ServiceAccount", "troupe")["metadata"]["name"]);
    const auto& as = pod["spec"]["securityContext"];
    CHECK_THAT(project_text("examples/kubernetes/Dockerfile"),
               Contains("\nUSER " + as["runAsUser"].dump() + ":" + as["runAsGroup"].dump() + "\n"));
    const auto maintenance = manifest_in("maintenance.yaml");
    CHECK(maintenance["spec"]["securityContext"] == as);
    const auto& tools = maintenance["spec"]["containers"].at(0);
    CHECK(tools["securityContext"] == container["securityContext"]);
    CHECK(tools["image"] == container["image"]);
    // The maintenance pod mounts a claim of the set, at the same path as the node.
    const auto& claim = set["spec"]["volumeClaimTemplates"].at(0)["metadata"]["name"];
    CHECK_THAT(maintenance["spec"]["volumes"].at(0)["persistentVolumeClaim"]["claimName"].get<std::string>(),
               Contains(claim.get<std::string>() + "-troupe-"));
    CHECK(tools["volumeMounts"].at(0) == named(container["volumeMounts"], claim));
  }
  SECTION("time to stop") {
    const int grace = pod["spec"]["terminationGracePeriodSeconds"];
    CHECK(grace >= pre_stop_seconds(container) + 2 * 10); // twice the program's own limit of ten seconds
  }
  SECTION("the program knows the variables, and their references exist") {
    const auto help = run_webserver({"--help"}).text;
    for (const auto& variable : container["env"]) {
      const std::string name = variable["name"];
      CAPTURE(name);
      if (name.starts_with("TROUPE_")) CHECK_THAT(help, Contains("(Env:" + name + ")"));
      if (const auto* map = "/valueFrom/configMapKeyRef"; variable.contains(json::json_pointer{map})) {
        const auto& reference = variable[json::json_pointer{map}];
        const auto formation = manifest_in("formation.yaml");
        CHECK(reference["optional"] == true);
        CHECK(formation["metadata"]["name"] == reference["name"]);
        CHECK(formation["metadata"]["namespace"] == set["metadata"]["namespace"]);
        CHECK(formation["data"].contains(reference["key"].get<std::string>()));
      }
    }
  }
}

TEST_CASE("the image has the libraries that its programs need, and the manifests use its tag") {
  const auto dockerfile = project_text("examples/kubernetes/Dockerfile");
  const auto version = run_webserver({"--version"}).text; // "troupe webserver 0.1.0"
  const auto tag =
      "troupe-webserver:" + version.substr(version.rfind(' ') + 1, version.find('\n') - version.rfind(' ') - 1);
  CHECK_THAT(dockerfile, Contains(" -t " + tag + " "));
  CHECK_THAT(project_text("docs/kubernetes.md"), Contains(" -t " + tag + " "));
  if (!find_kubectl().empty())
    CHECK(manifests{}.get("StatefulSet", "troupe")["spec"]["template"]["spec"]["containers"].at(0)["image"] == tag);

#ifdef __SANITIZE_ADDRESS__
  std::cout << "skipped: programs with sanitizers link more libraries\n";
#else
  const auto folder = make_folder();
  // Prints the Debian packages of the libraries that the programs link directly.
  const std::string list =
      R"sh(for program; do readelf -d "$program" | sed -n 's/.*NEEDED.*\[\(.*\)\]/\1/p'; done | sort -u | while read -r name; do
           file=$(for program; do ldd "$program"; done | awk -v name="$name" '$1 == name { print $3; exit }')
           path=$(readlink -f "$file")
           case $path in /usr/lib/* | /lib/*) ;; *) continue ;; esac # not of a package: another CAF than the image's
           dpkg-query --search "*${path#/usr}" | cut -d: -f1 # packages list either path if /lib is a link to /usr/lib
         done | grep -vx libc6 | sort -u)sh";
  if (run({"/usr/bin/env", "dpkg-query", "--version"}, folder / "dpkg.txt") != 0) return;
  REQUIRE(run({"/bin/sh", "-c", list, "sh", TROUPE_WEBSERVER, TROUPE_LOG, TROUPE_BACKUP}, folder / "packages.txt") ==
          0);
  std::istringstream linked{read_text(folder / "packages.txt")};
  const std::set<std::string> needed{std::istream_iterator<std::string>{linked}, {}};
  const auto is_caf = [](const std::string& package) { return package.starts_with("libcaf-"); };
  const bool own_caf = std::none_of(needed.begin(), needed.end(), is_caf);
  // The last stage of the Dockerfile installs these packages.
  auto stage = dockerfile.substr(dockerfile.rfind("\nFROM "));
  stage = stage.substr(stage.find("--no-install-recommends") + 23);
  stage = stage.substr(0, stage.find("&&"));
  std::erase(stage, '\\');
  std::istringstream named_there{stage};
  std::set<std::string> installed{std::istream_iterator<std::string>{named_there}, {}};
  if (own_caf) std::erase_if(installed, is_caf);
  CHECK(installed == needed);
#endif
  for (const auto* program : {TROUPE_WEBSERVER, TROUPE_LOG, TROUPE_BACKUP}) {
    const auto folder_and_name = fs::path{program}.parent_path().filename() / fs::path{program}.filename();
    CHECK_THAT(dockerfile, Contains("/src/build/release/") && Contains(folder_and_name.string() + " "));
  }
}

// Runs the pods of examples/kubernetes as processes, through the procedures of docs/kubernetes.md: first start,
// restarts, scaling, lost volumes, a lost majority.
#include "tests/process/kubectl.hpp"
#include "tests/process/kubernetes_pod.hpp"

#include <catch2/catch.hpp>

#include <algorithm>
#include <array>
#include <fstream>
#include <set>
#include <sstream>
#include <thread>

using namespace troupe::testing;
using namespace std::chrono_literals;
using Catch::Contains;
namespace fs = std::filesystem;

namespace {

/// The Secret that the commands of docs/kubernetes.md make.
json documented_secret() {
  const auto text = project_text("docs/kubernetes.md");
  const auto begin = text.rfind("```\n", text.find("create secret")) + 4;
  const auto folder = make_folder();
  std::ofstream{folder / "commands.sh"} << "set -e\ncd '" << folder.string()
                                        << "'\nln -s '" TROUPE_PROJECT "/tools' tools\n"
                                        << "kubectl() { /usr/bin/env \"$TROUPE_KUBECTL\" --kubeconfig=/dev/null \"$@\" "
                                           "--dry-run=client -o json >secret.json; }\n"
                                        << text.substr(begin, text.find("```", begin) - begin);
  const int code =
      run({"/usr/bin/env", "TROUPE_KUBECTL=" + find_kubectl(), "/bin/sh", (folder / "commands.sh").string()},
          folder / "commands.log");
  if (code != 0) throw std::runtime_error("the documented commands fail: " + read_text(folder / "commands.log"));
  return json::parse(read_text(folder / "secret.json"));
}

/// The stateful set, its pods, and the cluster that runs them.
class example_cluster {
 public:
  example_cluster() {
    const auto secret = documented_secret();
    around_.secrets[secret["metadata"]["name"]] = secret;
  }

  pod_cluster& around() { return around_; }
  example_pod& operator[](std::size_t ordinal) { return *pods_.at(ordinal); }

  void apply_formation() {
    const auto map = manifest_in("formation.yaml");
    around_.config_maps[map["metadata"]["name"]] = map;
  }
  void delete_formation() { around_.config_maps.clear(); }

  /// Scales like the controller of a set with `Parallel`: all pods at once. Pods keep the volumes of earlier ones.
  void scale(std::size_t replicas) {
    for (std::size_t i = replicas; i < replicas_; ++i) CHECK(pods_[i]->stop());
    for (std::size_t i = replicas_; i < replicas; ++i) {
      if (i == pods_.size()) pods_.push_back(std::make_unique<example_pod>(set(), i, around_));
      pods_[i]->start();
    }
    replicas_ = replicas;
    publish();
  }
  /// Replaces the process; keeps the volumes.
  void restart(std::size_t ordinal) {
    CHECK(pods_[ordinal]->stop());
    pods_[ordinal]->start();
  }
  void lose_volume(std::size_t ordinal) {
    for (const auto& claim : set()["spec"]["volumeClaimTemplates"])
      for (const auto& file : fs::directory_iterator{pods_[ordinal]->volume(claim["metadata"]["name"])})
        fs::remove_all(file);
  }

  void wait_ready(std::size_t count) {
    wait_for(std::to_string(count) + " ready pods", 30s, [&] {
      return std::all_of(pods_.begin(), pods_.begin() + static_cast<std::ptrdiff_t>(count),
                         [](const auto& pod) { return pod->probe("readinessProbe") == 200; });
    });
  }
  json members(std::size_t seen_by = 0) { return body_of((*this)[seen_by].call("GET", "/v1/members"), "/v1/members"); }
  std::size_t voters(std::size_t seen_by = 0) { return voters_of(members(seen_by)).size(); }
  void wait_voters(std::size_t count, std::size_t seen_by = 0) {
    wait_for(std::to_string(count) + " voters", 30s, [&] {
      const auto now = members(seen_by);
      return voters_of(now).size() == count && !now["changing"].get<bool>();
    });
  }
  void remove(const std::string& id) {
    // 429: another change is in progress, or the leader was just elected.
    wait_for("a removal", 20s, [&] {
      const auto answer = (*this)[0].call("DELETE", "/v1/members/" + id);
      INFO(answer.body);
      CHECK((answer.status == 200 || answer.status == 429));
      return answer.status == 200;
    });
  }

 private:
  const json& set() const { return example_.get("StatefulSet", "troupe"); }

  /// Publishes the endpoints of the headless service: the pods that its selector matches, with the port that it names.
  /// Each pod has a slice of its own, because each has a different port on this machine.
  void publish() {
    const auto& service = example_.get("Service", set()["spec"]["serviceName"]);
    REQUIRE(selects(service["spec"]["selector"], set()["spec"]["template"]));
    const auto& port = service["spec"]["ports"].at(0);
    for (std::size_t i = 0; i < pods_.size(); ++i) {
      const auto& pod = *pods_[i];
      auto slice = endpoint_slice(pod.name(), "IPv4", pod.port(port["targetPort"]), {{"127.0.0.1", false}});
      if (i >= replicas_) slice["endpoints"] = json::array();
      slice["ports"][0]["name"] = port["name"];
      slice["metadata"]["labels"]["kubernetes.io/service-name"] = service["metadata"]["name"];
      around_.api.put({slice});
    }
  }

  manifests example_;
  pod_cluster around_;
  std::vector<std::unique_ptr<example_pod>> pods_;
  std::size_t replicas_ = 0;
};

/// A cluster of three pods that has formed and has one value.
struct formed_cluster : example_cluster {
  formed_cluster() {
    apply_formation();
    scale(3);
    wait_ready(3);
    delete_formation();
    (*this)[0].put("kept", 1);
  }
};

/// API group, resource, verb.
using right = std::array<std::string, 3>;

} // namespace

TEST_CASE("pods live without a cluster, form one with formation.yaml, and use exactly the rights of their role") {
  if (find_kubectl().empty()) return;
  example_cluster cluster;
  cluster.scale(3);
  for (std::size_t i = 0; i < 3; ++i) {
    auto& pod = cluster[i];
    const auto words = pod.arguments();
    CHECK(std::count(words.begin(), words.end(), "--advertise=" + pod.name() + ".troupe-nodes.troupe.svc:5000") == 1);
    CHECK(std::none_of(words.begin(), words.end(), [](const auto& w) { return w.find("$(") != std::string::npos; }));
    wait_for("liveness of a pod", 10s, [&] { return pod.probe("startupProbe") == 200; });
    CHECK(pod.probe("livenessProbe") == 200);
    CHECK(pod.probe("readinessProbe") == 503);
    wait_for("the reason in its log", 10s,
             [&] { return pod.log().find("waiting to be added to a cluster") != std::string::npos; });
  }
  cluster.apply_formation();
  for (std::size_t i = 0; i < 3; ++i) cluster.restart(i);
  cluster.wait_ready(3);
  CHECK(cluster.voters() == 3);
  cluster[0].put("a", 1);

  // Watches of stopped processes may still be counted.
  wait_for("watches", 10s, [&] { return cluster.around().api.order(json::object())["watches"] >= 3; });
  const json rules = manifests{}.get("Role", "troupe-discovery")["rules"];
  std::set<right> allowed;
  for (const auto& rule : rules)
    for (const auto& group : rule["apiGroups"])
      for (const auto& resource : rule["resources"])
        for (const auto& verb : rule["verbs"]) allowed.insert(right{group, resource, verb});
  std::set<right> asked;
  const auto known = cluster.around().api.order(json::object());
  for (const auto& request : known["requests"]) {
    // /apis/GROUP/VERSION/namespaces/NAMESPACE/RESOURCE
    std::istringstream path{request["path"].get<std::string>()};
    std::vector<std::string> parts;
    for (std::string part; std::getline(path, part, '/');) parts.push_back(part);
    REQUIRE(parts.size() == 7);
    asked.insert(right{parts[2], parts[6], request["query"].contains("watch") ? "watch" : "list"});
  }
  CHECK(asked == allowed);
}

TEST_CASE("all pods may restart at once without formation.yaml, and new pods join") {
  if (find_kubectl().empty()) return;
  formed_cluster cluster;
  cluster.scale(0);
  cluster.scale(3);
  cluster.wait_ready(3);
  CHECK(cluster[2].get("kept") == 1);
  cluster.scale(5);
  cluster.wait_ready(5);
  cluster.wait_voters(5);
  CHECK(cluster[4].get("kept") == 1);
}

TEST_CASE("with formation.yaml still applied, a new pod does not join and logs the reason") {
  if (find_kubectl().empty()) return;
  formed_cluster cluster;
  cluster.apply_formation();
  cluster.scale(4);
  wait_for("the reason in its log", 20s,
           [&] { return cluster[3].log().find("belongs to cluster") != std::string::npos; });
  CHECK(cluster[3].probe("livenessProbe") == 200);
  CHECK(cluster[3].probe("readinessProbe") == 503);
  CHECK(cluster.members()["members"].size() == 3);
  cluster.delete_formation();
  cluster.restart(3);
  cluster.wait_ready(4);
  cluster.wait_voters(4);
}

TEST_CASE("members that were removed before their pods return with their volumes") {
  if (find_kubectl().empty()) return;
  formed_cluster cluster;
  cluster.scale(5);
  cluster.wait_ready(5);
  cluster.wait_voters(5);
  const std::string third = cluster[3].status()["id"];
  for (const auto& id : {cluster[4].status()["id"].get<std::string>(), third}) cluster.remove(id);
  cluster.wait_voters(3);
  // The removed nodes may not have learned of their removal yet.
  cluster.scale(3);
  cluster[0].put("meanwhile", 2);
  cluster.scale(4);
  cluster.wait_ready(4);
  cluster.wait_voters(4);
  CHECK(cluster[3].status()["id"] == third);
  CHECK(cluster[3].get("meanwhile") == 2);
}

TEST_CASE("a cluster that lost two of three pods stops, and continues when they return") {
  if (find_kubectl().empty()) return;
  formed_cluster cluster;
  cluster.scale(1);
  wait_for("loss of the leader", 20s, [&] { return cluster[0].probe("readinessProbe") == 503; });
  CHECK(cluster[0].probe("livenessProbe") == 200);
  cluster.scale(3);
  cluster.wait_ready(3);
  CHECK(cluster[1].get("kept") == 1);
}

TEST_CASE("a pod that lost its volume joins as a new node") {
  if (find_kubectl().empty()) return;
  formed_cluster cluster;
  const std::string old = cluster[1].status()["id"];
  CHECK(cluster[1].stop());
  cluster.lose_volume(1);
  cluster[1].start();
  const auto is_among = [](const json& members, const std::string& id) {
    return std::any_of(members.begin(), members.end(), [&](const json& each) { return each["id"] == id; });
  };
  std::string fresh;
  wait_for("addition of the new node", 20s, [&] {
    fresh = cluster[1].status()["id"];
    return is_among(cluster.members()["members"], fresh);
  });
  CHECK(fresh != old);
  // The new node stays a learner until the old one is removed, because with four voters the loss of two would stop the
  // cluster. A promotion would take a second or two.
  const auto watched_until = std::chrono::steady_clock::now() + 5s;
  bool old_is_there = true;
  while (old_is_there && std::chrono::steady_clock::now() < watched_until) {
    const auto now = cluster.members();
    old_is_there = is_among(now["members"], old);
    if (old_is_there) REQUIRE_FALSE(voters_of(now).contains(fresh));
    std::this_thread::sleep_for(20ms); // nap: polls, because it must not be a voter at any time
  }
  if (old_is_there) cluster.remove(old);
  cluster.wait_ready(3);
  cluster.wait_voters(3);
  CHECK(cluster[1].get("kept") == 1);
}

TEST_CASE("after the loss of a majority the survivor is recovered, and empty pods join it") {
  if (find_kubectl().empty()) return;
  formed_cluster cluster;
  wait_for("the value on the survivor", 10s, [&] { return cluster[2].get("kept") == 1; });
  cluster.scale(0);
  const auto maintenance = manifest_in("maintenance.yaml");
  const auto text = project_text("docs/kubernetes.md");
  const std::string mounted = maintenance["spec"]["containers"][0]["volumeMounts"][0]["mountPath"];
  CHECK_THAT(text, Contains("troupe-log recover " + mounted + "/node\n"));
  CHECK(run({TROUPE_LOG, "recover", "--yes", (cluster[2].volume("data") / "node").string()},
            make_folder() / "recover.log") == 0);
  cluster.lose_volume(0);
  cluster.lose_volume(1);
  cluster.scale(3);
  cluster.wait_ready(3);
  cluster.wait_voters(3);
  CHECK(cluster[0].get("kept") == 1);
}

TEST_CASE("a new cluster starts with a backup in its volumes") {
  if (find_kubectl().empty()) return;
  const auto backup = formed_cluster{}[1].call("GET", "/v1/backup");
  REQUIRE(backup.status == 200);
  example_cluster cluster;
  cluster.scale(3);
  for (std::size_t i = 0; i < 3; ++i)
    wait_for("liveness of a pod", 10s, [&] { return cluster[i].probe("startupProbe") == 200; });
  cluster.scale(0);
  for (std::size_t i = 0; i < 3; ++i) {
    std::ofstream{cluster[i].volume("data") / "my.backup"} << backup.body;
    cluster[i].set_variable("TROUPE_RESTORE", "/var/lib/troupe/my.backup");
  }
  CHECK_THAT(project_text("docs/kubernetes.md"), Contains(" TROUPE_RESTORE=/var/lib/troupe/my.backup`"));
  cluster.apply_formation();
  cluster.scale(3);
  cluster.wait_ready(3);
  cluster.delete_formation();
  CHECK(cluster[2].get("kept") == 1);
}

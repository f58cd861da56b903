// Runs pods of examples/kubernetes as processes on this machine, in the role of the kubelet. kube_server is the API.
#pragma once

#include "tests/process/cluster.hpp"
#include "tests/process/kube_server.hpp"

#include <filesystem>
#include <map>
#include <memory>
#include <string>
#include <vector>

namespace troupe::testing {

/// The objects of the example's kustomization, as kubectl renders them.
class manifests {
 public:
  manifests();
  const std::vector<json>& all() const { return objects_; }
  /// Throws if there is none.
  const json& get(const std::string& kind, const std::string& name) const;

 private:
  std::vector<json> objects_;
};

/// The one object in a file of examples/kubernetes.
json manifest_in(const std::string& file);
/// The text of a file of the project.
std::string project_text(const std::string& file);
/// The entry with this name in a list of containers, ports, volumes and the like. Throws if there is none.
const json& named(const json& list, const std::string& name);
/// Whether the object has all labels of a selector.
bool selects(const json& labels, const json& object);

/// The parts of a Kubernetes cluster that the pods use.
struct pod_cluster {
  kube_server api;
  std::map<std::string, json> config_maps;
  std::map<std::string, json> secrets;
};

/// A pod of a stateful set with one container. Ports, volumes, the advertised name and the API's address are translated
/// to this machine. Everything else is as in the manifest.
class example_pod {
 public:
  example_pod(const json& stateful_set, std::size_t ordinal, pod_cluster& around);

  const std::string& name() const { return name_; }
  /// The environment and the arguments of the container, before their translation to this machine. Throws if a
  /// referenced object is missing.
  std::map<std::string, std::string> environment() const;
  std::vector<std::string> arguments() const;

  /// Sets a variable for the next start, like `kubectl set env`.
  void set_variable(const std::string& variable, const std::string& value);

  /// Starts the process with the current secrets and ConfigMaps. The volumes are kept.
  void start();
  /// Sends SIGTERM. True if the process exits with code 0 within the manifest's grace period minus the time of preStop.
  bool stop();
  program& process() { return *process_; }
  bool running() { return process_ && process_->running(); }
  std::string log() const;
  /// The folder of the volume for this claim or secret.
  std::filesystem::path volume(const std::string& volume_name) const { return folder_ / volume_name; }
  std::uint16_t port(const std::string& port_name) const;

  /// Sends a probe like the kubelet and returns the status. `which` is the probe's name in the manifest.
  unsigned probe(const std::string& which) const;
  http::result call(std::string_view method, std::string_view target, std::string_view body = {}) const;
  /// PUT and GET of a small number in map "m".
  void put(const std::string& key, int value) const;
  int get(const std::string& key) const;
  json status() const;

 private:
  void fill_secrets() const;
  std::string local(std::string word) const;

  json pod_;
  json container_;
  std::string name_;
  pod_cluster& around_;
  std::filesystem::path folder_;
  /// Ports on this machine, by the port in the manifest.
  std::map<std::uint16_t, std::uint16_t> ports_;
  std::unique_ptr<program> process_;
};

/// Seconds from a pod's preStop hook to SIGTERM.
int pre_stop_seconds(const json& container);

} // namespace troupe::testing

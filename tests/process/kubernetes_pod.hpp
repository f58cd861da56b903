// Pods of examples/kubernetes as processes of this machine: this plays the kubelet, kube_server the API.
#pragma once

#include "tests/process/cluster.hpp"
#include "tests/process/kube_server.hpp"

#include <filesystem>
#include <map>
#include <memory>
#include <string>
#include <vector>

namespace troupe::testing {

/// The objects of the example: those of its kustomization, as kubectl renders them.
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
/// A file of the project.
std::string project_text(const std::string& file);
/// The entry with this name in a list of containers, ports, volumes and the like. Throws if there is none.
const json& named(const json& list, const std::string& name);
/// Whether a selector's labels are all on what it is to select.
bool selects(const json& labels, const json& object);

/// What pods find in their cluster.
struct pod_surroundings {
  kube_server api;
  std::map<std::string, json> config_maps;
  std::map<std::string, json> secrets;
};

/// A pod of a stateful set with one container. What names a place in the cluster is led to this machine: ports,
/// volumes, the advertised name and the API's address. All else is as it stands in the manifest.
class example_pod {
 public:
  example_pod(const json& stateful_set, std::size_t ordinal, pod_surroundings& around);

  const std::string& name() const { return name_; }
  /// What the container is started with, as the cluster would have it. Throws where something that is referred to is
  /// missing.
  std::map<std::string, std::string> environment() const;
  std::vector<std::string> arguments() const;

  /// As `kubectl set env` does it, for the next start.
  void set_variable(const std::string& variable, const std::string& value);

  /// With the surroundings of now; its volumes are kept.
  void start();
  /// SIGTERM; true if it ends well within the manifest's time, less what preStop takes.
  bool stop();
  program& process() { return *process_; }
  bool running() { return process_ && process_->running(); }
  std::string log() const;
  /// The volume of this claim, or of this secret.
  std::filesystem::path volume(const std::string& volume_name) const { return folder_ / volume_name; }
  std::uint16_t port(const std::string& port_name) const;

  /// As the kubelet asks; `which` is the probe's name in the manifest.
  unsigned probe(const std::string& which) const;
  http::result call(std::string_view method, std::string_view target, std::string_view body = {}) const;
  /// In map "m".
  void put(const std::string& key, int value) const;
  int get(const std::string& key) const;
  json status() const;

 private:
  void fill_secrets() const;
  std::string local(std::string word) const;

  json pod_;
  json container_;
  std::string name_;
  pod_surroundings& around_;
  std::filesystem::path folder_;
  /// Of this machine, by the number in the manifest.
  std::map<std::uint16_t, std::uint16_t> ports_;
  std::unique_ptr<program> process_;
};

/// Seconds from a pod's preStop hook to SIGTERM.
int pre_stop_seconds(const json& container);

} // namespace troupe::testing

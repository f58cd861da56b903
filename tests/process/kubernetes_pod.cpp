#include "tests/process/kubernetes_pod.hpp"

#include "raft/base/base64.hpp"
#include "tests/process/kubectl.hpp"

#include <csignal>
#include <cstdlib>
#include <fstream>
#include <stdexcept>

namespace troupe::testing {

using namespace std::chrono_literals;
namespace fs = std::filesystem;

namespace {

fs::path example(const std::string& file = {}) { return fs::path{TROUPE_PROJECT} / "examples/kubernetes" / file; }

/// Converts YAML to JSON, with a kubectl command that changes nothing.
std::vector<json> to_json(const fs::path& yaml) {
  return kubectl_json({"patch", "--local", "--type=merge", "-p", "{}", "-o", "json", "-f", yaml.string()});
}

/// Replaces $(NAME) by the value of the variable, if it exists.
std::string expanded(std::string word, const std::map<std::string, std::string>& variables) {
  for (const auto& [name, value] : variables) {
    const auto reference = "$(" + name + ")";
    for (std::size_t at = 0; (at = word.find(reference, at)) != std::string::npos; at += value.size())
      word.replace(at, reference.size(), value);
  }
  return word;
}

} // namespace

manifests::manifests() {
  const auto file = make_folder() / "rendered.yaml";
  std::ofstream{file} << kubectl({"kustomize", example().string()});
  objects_ = to_json(file);
}

const json& manifests::get(const std::string& kind, const std::string& name) const {
  for (const auto& object : objects_)
    if (object["kind"] == kind && object["metadata"]["name"] == name) return object;
  throw std::runtime_error("the example has no " + kind + " " + name);
}

json manifest_in(const std::string& file) { return to_json(example(file)).at(0); }

std::string project_text(const std::string& file) { return read_text(fs::path{TROUPE_PROJECT} / file); }

const json& named(const json& list, const std::string& name) {
  for (const auto& each : list)
    if (each.at("name") == name) return each;
  throw std::runtime_error("no entry " + name + " in " + list.dump());
}

bool selects(const json& labels, const json& object) {
  const auto found = object["metadata"].value("labels", json::object());
  for (const auto& [key, value] : labels.items())
    if (found.value(key, "") != value) return false;
  return !labels.empty();
}

int pre_stop_seconds(const json& container) {
  const auto& command = container.at("/lifecycle/preStop/exec/command"_json_pointer);
  if (command.size() != 2 || command[0] != "sleep") throw std::runtime_error("preStop does not sleep");
  return std::stoi(command[1].get<std::string>());
}

example_pod::example_pod(const json& stateful_set, std::size_t ordinal, pod_cluster& around)
    : pod_(stateful_set["spec"]["template"]), container_(pod_["spec"]["containers"].at(0)),
      name_(stateful_set["metadata"]["name"].get<std::string>() + "-" + std::to_string(ordinal)), around_(around),
      folder_(make_folder()) {
  pod_["metadata"]["name"] = name_;
  pod_["metadata"]["namespace"] = stateful_set["metadata"]["namespace"];
  const auto& declared = container_["ports"];
  const auto free = free_ports(declared.size());
  for (std::size_t i = 0; i < declared.size(); ++i) ports_[declared[i]["containerPort"]] = free[i];
  for (const auto& claim : stateful_set["spec"]["volumeClaimTemplates"])
    fs::create_directory(volume(claim["metadata"]["name"]));
}

std::map<std::string, std::string> example_pod::environment() const {
  std::map<std::string, std::string> variables;
  for (const auto& entry : container_["env"]) {
    const std::string variable = entry["name"];
    if (entry.contains("value")) {
      variables[variable] = entry["value"];
      continue;
    }
    const auto& from = entry.at("valueFrom");
    if (from.contains("fieldRef")) {
      auto path = "/" + from["fieldRef"]["fieldPath"].get<std::string>();
      path.replace(path.find('.'), 1, "/");
      variables[variable] = pod_.at(json::json_pointer{path});
      continue;
    }
    const auto& reference = from.at("configMapKeyRef");
    const auto map = around_.config_maps.find(reference["name"]);
    if (map != around_.config_maps.end())
      variables[variable] = map->second["data"].at(reference["key"].get<std::string>());
    else if (!reference.value("optional", false))
      throw std::runtime_error("no ConfigMap " + reference.dump());
  }
  return variables;
}

std::vector<std::string> example_pod::arguments() const {
  std::vector<std::string> words;
  for (const auto& word : container_["args"]) words.push_back(expanded(word, environment()));
  return words;
}

void example_pod::set_variable(const std::string& variable, const std::string& value) {
  container_["env"].push_back({{"name", variable}, {"value", value}});
}

void example_pod::fill_secrets() const {
  for (const auto& each : pod_["spec"]["volumes"]) {
    const auto& source = each.at("secret");
    const auto& secret = around_.secrets.at(source["secretName"]);
    const auto folder = volume(each["name"]);
    fs::create_directory(folder);
    for (const auto& [key, value] : secret["data"].items()) {
      // The fsGroup makes the pod's group the owner.
      fs::remove(folder / key); // a file from an earlier start is read-only
      std::ofstream{folder / key} << base::from_base64(value.get<std::string>()).value();
      fs::permissions(folder / key, static_cast<fs::perms>(source["defaultMode"].get<unsigned>()));
    }
  }
}

/// Translates an argument or a value from the cluster to this machine.
std::string example_pod::local(std::string word) const {
  const auto value = word.find('=') + 1; // 0 if `word` is only a value
  if (word.starts_with("--advertise=")) word.replace(value, word.rfind(':') - value, "127.0.0.1");
  if (word.starts_with("--discovery="))
    return word + ",server=" + around_.api.url() + ",secrets=" + around_.api.secrets().string();
  for (const auto& [declared, real] : ports_)
    for (const auto* before : {"=", ":"})
      if (const auto end = before + std::to_string(declared); word.ends_with(end))
        return word.replace(word.size() - end.size() + 1, end.size() - 1, std::to_string(real));
  for (const auto& mount : container_["volumeMounts"]) {
    const std::string path = mount["mountPath"];
    if (word.compare(value, path.size() + 1, path + "/") == 0)
      return word.replace(value, path.size(), volume(mount["name"]).string());
  }
  return word;
}

void example_pod::start() {
  fill_secrets();
  // Clears the environment of this test, but for what the sanitizers read.
  std::vector<std::string> command{"/usr/bin/env", "-i"};
  for (const auto* variable : {"ASAN_OPTIONS", "UBSAN_OPTIONS"})
    if (const char* value = std::getenv(variable)) command.push_back(std::string{variable} + "=" + value);
  for (const auto& [variable, value] : environment()) command.push_back(variable + "=" + local(value));
  command.emplace_back(TROUPE_WEBSERVER);
  for (const auto& word : arguments()) command.push_back(local(word));
  process_ = std::make_unique<program>(std::move(command), folder_ / (name_ + ".log"));
}

bool example_pod::stop() {
  const int grace = pod_["spec"]["terminationGracePeriodSeconds"];
  process_->signal(SIGTERM);
  return process_->wait(std::chrono::seconds{grace - pre_stop_seconds(container_)}) == 0;
}

std::string example_pod::log() const { return read_text(folder_ / (name_ + ".log")); }

std::uint16_t example_pod::port(const std::string& port_name) const {
  return ports_.at(named(container_["ports"], port_name)["containerPort"]);
}

unsigned example_pod::probe(const std::string& which) const {
  const auto& probe = container_.at(which);
  const auto& get = probe.at("httpGet");
  const auto patience = std::chrono::seconds{probe.value("timeoutSeconds", 1)};
  return http::client{"127.0.0.1", port(get["port"]), patience}.request("GET", get["path"].get<std::string>()).status;
}

http::result example_pod::call(std::string_view method, std::string_view target, std::string_view body) const {
  return http::client{"127.0.0.1", port("http"), 8000ms}.request(method, target, body);
}

void example_pod::put(const std::string& key, int value) const {
  body_of(call("PUT", "/v1/maps/m/" + key, std::to_string(value)), name_ + " PUT " + key);
}

int example_pod::get(const std::string& key) const {
  return body_of(call("GET", "/v1/maps/m/" + key), name_ + " GET " + key).at("value");
}

json example_pod::status() const { return body_of(call("GET", "/status"), name_ + " /status"); }

} // namespace troupe::testing

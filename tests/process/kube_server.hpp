// Runs the API server of kube_api.py as a process, and provides the secrets of a pod that has access to it.
#pragma once

#include "tests/process/cluster.hpp"
#include "tests/process/program.hpp"
#include "tests/unit/temporary_folder.hpp"
#include "tests/unit/transport/certificates.hpp"

#include <cstdint>
#include <filesystem>
#include <memory>
#include <string>
#include <vector>

namespace troupe::testing {

class kube_server {
 public:
  /// `authority` signs its certificate.
  explicit kube_server(const std::string& authority = "kube");

  /// https://localhost:port
  std::string url() const;
  /// The folder with token, ca.crt and namespace.
  std::filesystem::path secrets() const { return folder_.path(); }
  void write_token(const std::string& token) const;

  /// Sends an order (see kube_api.py). Returns the state that the server reports.
  json order(const json& what);
  /// Adds or changes objects. Returns the last version.
  int put(const std::vector<json>& objects);
  /// `kind` is "pods" or "endpointslices".
  void remove(const std::string& kind, const std::string& name);
  /// The number of list requests so far, and of watch requests.
  int lists();
  int watches();
  /// Waits until a watch is open.
  void wait_watched();

 private:
  int count(bool watches);

  test::temporary_folder folder_;
  net::testing::authority authority_;
  std::unique_ptr<program> process_;
  std::uint16_t api_port_ = 0;
  std::uint16_t order_port_ = 0;
};

/// An endpoint of service "troupe": its address and its conditions in the API.
struct endpoint_state {
  std::string address;
  bool ready = true;
  bool terminating = false;
};
json endpoint_slice(const std::string& name, const std::string& type, std::uint16_t port,
                    const std::vector<endpoint_state>& endpoints);
/// A running pod with the label app=troupe.
json running_pod(const std::string& name, const std::string& ip, std::uint16_t port);

} // namespace troupe::testing

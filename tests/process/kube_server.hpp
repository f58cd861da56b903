// The API server of kube_api.py as a process, with the secrets of a pod that may ask it.
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
  /// With token, ca.crt and namespace.
  std::filesystem::path secrets() const { return folder_.path(); }
  void write_token(const std::string& token) const;

  /// Gives an order, as kube_api.py describes them; returns what the server knows of itself.
  json order(const json& what);
  /// Adds or changes objects; the last version is returned.
  int put(const std::vector<json>& objects);
  /// `kind` is "pods" or "endpointslices".
  void remove(const std::string& kind, const std::string& name);
  /// The lists that were asked for so far, and the watches.
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

/// Of service "troupe": an address and whether it is ready, serving and terminating, as the API has it.
struct endpoint_state {
  std::string address;
  bool ready = true;
  bool terminating = false;
};
json endpoint_slice(const std::string& name, const std::string& type, std::uint16_t port,
                    const std::vector<endpoint_state>& endpoints);
/// With label app=troupe.
json running_pod(const std::string& name, const std::string& ip, std::uint16_t port);

} // namespace troupe::testing

// Peers according to the Kubernetes API: lists and watch events of EndpointSlices or pods, as JSON. Pure.
#pragma once

#include <cstdint>
#include <map>
#include <set>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

namespace troupe {

/// The status and the code of an error that say that a watch must begin again with a list.
inline constexpr int status_gone = 410;

/// An answer that is malformed or too large; the text is printable.
class bad_kubernetes_answer : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

/// EndpointSlices are discovery.k8s.io/v1.
enum class kubernetes_kind { endpoint_slices, pods };

/// Combines a list and the events of the watch after it. Peers that are not ready yet are included, or a cluster would
/// never form; those that terminate are not.
class kubernetes_view {
 public:
  enum class told { nothing_new, change, expired };

  /// `port` is the name of a port, or its number.
  kubernetes_view(kubernetes_kind kind, std::string port) : kind_(kind), port_(std::move(port)) {}

  /// Drops the pages of an unfinished list.
  void begin_list() { listing_.clear(); }
  /// Adds one page of a list and returns the token for the next page. The last page has none, and replaces the view.
  /// Throws bad_kubernetes_answer.
  std::string add_page(std::string_view json);
  /// Applies one event of a watch. `expired`: the watch cannot continue, and a new list is needed. Throws
  /// bad_kubernetes_answer.
  told apply(std::string_view json);

  /// The resource version from which a watch continues.
  const std::string& version() const noexcept { return version_; }
  /// The addresses of all peers as host:port.
  std::vector<std::string> addresses() const;

 private:
  kubernetes_kind kind_;
  std::string port_;
  std::string version_;
  /// Addresses by the name of the object.
  using objects = std::map<std::string, std::set<std::string>>;
  objects known_;
  objects listing_;
};

/// Why the API refused a request, from the Status object in its answer; printable.
std::string kubernetes_reason(std::string_view json);

} // namespace troupe

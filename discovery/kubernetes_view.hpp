// What the Kubernetes API says about peers: lists and watch events of EndpointSlices or pods, as JSON. Pure.
#pragma once

#include <cstdint>
#include <map>
#include <set>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

namespace troupe {

/// An answer that is not what the API says, or too much of it; the text is printable.
class bad_kubernetes_answer : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

/// EndpointSlices are discovery.k8s.io/v1.
enum class kubernetes_kind { endpoint_slices, pods };

/// Folds what a list and the watch after it said. Peers that are not ready yet count, or a cluster would never form;
/// those that terminate do not.
class kubernetes_view {
 public:
  enum class told { nothing_new, change, expired };

  /// `port` is the name of a port, or its number.
  kubernetes_view(kubernetes_kind kind, std::string port) : kind_(kind), port_(std::move(port)) {}

  /// Forgets the pages of a list that was not finished.
  void begin_list() { listing_.clear(); }
  /// One page of a list. Gives the token that continues it; the last page, which has none, replaces the view. Throws
  /// bad_kubernetes_answer.
  std::string add_page(std::string_view json);
  /// One event of a watch. `expired`: the watch cannot go on, and a new list is due. Throws bad_kubernetes_answer.
  told apply(std::string_view json);

  /// Where a watch goes on from.
  const std::string& version() const noexcept { return version_; }
  /// host:port of all peers.
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

/// Why the API refused something, from the Status object that it sends; printable.
std::string kubernetes_reason(std::string_view json);

} // namespace troupe

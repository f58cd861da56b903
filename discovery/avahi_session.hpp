// One connection to avahi-daemon, with all objects that depend on it.
#pragma once

#include "discovery/mdns_view.hpp"

#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <troupe/blocking_method.hpp>

struct AvahiClient;
struct AvahiEntryGroup;
struct AvahiServiceBrowser;
struct AvahiServiceResolver;
struct AvahiThreadedPoll;

namespace troupe {

/// Created, used and destroyed by one thread, beside Avahi's own. Calls to the daemon wait for its answer, up to 25 s
/// (D-Bus timeout).
class avahi_session {
 public:
  /// `on_failure` is called, on any thread, when the session is no longer usable. Throws std::runtime_error.
  avahi_session(std::string type, method_listener& listener, std::function<void()> on_failure);
  ~avahi_session();
  avahi_session(const avahi_session&) = delete;

  /// Announces this identity instead of the previous one.
  void announce(const mdns_identity& identity);
  /// Resolves again the instances whose address is still unknown.
  void resolve_again();

 private:
  // Called by Avahi on its thread, or on this thread while it holds Avahi's lock.
  void client_changed(AvahiClient* client, int state);
  void group_changed(AvahiEntryGroup* group, int state);
  void browsed(int interface, int protocol, int event, const char* name, const char* domain);
  void resolved(AvahiServiceResolver* from, const char* address, std::uint16_t port, bool own);

  struct callbacks;
  void fail(const std::string& why);
  void begin_browsing();
  void publish();
  bool add_service(AvahiEntryGroup* group);
  bool resolve(const mdns_key& key);
  void forget(const mdns_key& key);
  void report();

  std::string type_;
  method_listener& listener_;
  std::function<void()> on_failure_;
  AvahiThreadedPoll* poll_ = nullptr;
  // Avahi's thread uses these members; other threads must hold its lock.
  AvahiClient* client_ = nullptr;
  AvahiEntryGroup* group_ = nullptr;
  AvahiServiceBrowser* browser_ = nullptr;
  std::map<mdns_key, AvahiServiceResolver*> resolvers_;
  mdns_view view_;
  std::optional<mdns_identity> identity_;
  /// The instance name; it changes if another instance has the same one.
  std::string instance_;
  bool running_ = false;
  bool failed_ = false;
};

} // namespace troupe

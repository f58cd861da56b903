// One connection to avahi-daemon, with everything that hangs on it.
#pragma once

#include "discovery/blocking_method.hpp"
#include "discovery/mdns_view.hpp"

#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>

struct AvahiClient;
struct AvahiEntryGroup;
struct AvahiServiceBrowser;
struct AvahiServiceResolver;
struct AvahiThreadedPoll;

namespace troupe {

/// Made, used and ended by one thread, beside Avahi's own. Calls to the daemon wait for its answer, up to D-Bus's 25 s.
class avahi_session {
 public:
  /// `on_failure` is called, in whichever thread, once the session is of no more use. Throws std::runtime_error.
  avahi_session(std::string type, method_listener& listener, std::function<void()> on_failure);
  ~avahi_session();
  avahi_session(const avahi_session&) = delete;

  /// Announces this, instead of what was announced before.
  void announce(const mdns_identity& who);
  /// Asks anew where those are that did not say.
  void resolve_again();

 private:
  // Called by Avahi, in its thread, or in this one while it holds Avahi's lock.
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
  void tell();

  std::string type_;
  method_listener& listener_;
  std::function<void()> on_failure_;
  AvahiThreadedPoll* poll_ = nullptr;
  // All of this is Avahi's thread's, or belongs to who holds its lock.
  AvahiClient* client_ = nullptr;
  AvahiEntryGroup* group_ = nullptr;
  AvahiServiceBrowser* browser_ = nullptr;
  std::map<mdns_key, AvahiServiceResolver*> resolvers_;
  mdns_view view_;
  std::optional<mdns_identity> who_;
  /// As long as nobody else has this name.
  std::string instance_;
  bool running_ = false;
  bool failed_ = false;
};

} // namespace troupe

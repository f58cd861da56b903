#include "discovery/avahi_session.hpp"

#include <avahi-client/client.h>
#include <avahi-client/lookup.h>
#include <avahi-client/publish.h>
#include <avahi-common/alternative.h>
#include <avahi-common/error.h>
#include <avahi-common/malloc.h>
#include <avahi-common/thread-watch.h>

#include <algorithm>
#include <stdexcept>
#include <utility>

namespace troupe {
namespace {

/// Holds Avahi's lock.
class poll_lock {
 public:
  explicit poll_lock(AvahiThreadedPoll* poll) : poll_(poll) { ::avahi_threaded_poll_lock(poll_); }
  ~poll_lock() { ::avahi_threaded_poll_unlock(poll_); }
  poll_lock(const poll_lock&) = delete;

 private:
  AvahiThreadedPoll* poll_;
};

using txt_list = std::unique_ptr<AvahiStringList, void (*)(AvahiStringList*)>;

txt_list as_list(const std::vector<std::string>& lines) {
  AvahiStringList* list = nullptr;
  // The list is built from its end.
  for (auto line = lines.rbegin(); line != lines.rend(); ++line) list = ::avahi_string_list_add(list, line->c_str());
  return {list, ::avahi_string_list_free};
}

/// Name collisions normally end soon; this limit bounds them in any case.
constexpr int max_renames = 20;

} // namespace

/// C callbacks that forward to the members.
struct avahi_session::callbacks {
  static avahi_session& of(void* context) { return *static_cast<avahi_session*>(context); }
  static void client(AvahiClient* client, AvahiClientState state, void* context) {
    of(context).client_changed(client, state);
  }
  static void group(AvahiEntryGroup* group, AvahiEntryGroupState state, void* context) {
    of(context).group_changed(group, state);
  }
  static void browser(AvahiServiceBrowser*, AvahiIfIndex interface, AvahiProtocol protocol, AvahiBrowserEvent event,
                      const char* name, const char*, const char* domain, AvahiLookupResultFlags, void* context) {
    of(context).browsed(interface, protocol, event, name, domain);
  }
  static void resolver(AvahiServiceResolver* resolver, AvahiIfIndex, AvahiProtocol, AvahiResolverEvent event,
                       const char*, const char*, const char*, const char*, const AvahiAddress* address,
                       std::uint16_t port, AvahiStringList*, AvahiLookupResultFlags flags, void* context) {
    char text[AVAHI_ADDRESS_STR_MAX] = {};
    const bool found = event == AVAHI_RESOLVER_FOUND && address;
    if (found) ::avahi_address_snprint(text, sizeof text, address);
    of(context).resolved(resolver, found ? text : nullptr, port, (flags & AVAHI_LOOKUP_RESULT_OUR_OWN) != 0);
  }
};

avahi_session::avahi_session(std::string type, method_listener& listener, std::function<void()> on_failure)
    : type_(std::move(type)), listener_(listener), on_failure_(std::move(on_failure)),
      poll_(::avahi_threaded_poll_new()) {
  if (!poll_) throw std::runtime_error("cannot create Avahi's event loop");
  int error = 0;
  // The thread does not exist yet, so no lock is needed. The daemon may start later, but the bus must be running.
  client_ = ::avahi_client_new(::avahi_threaded_poll_get(poll_), AVAHI_CLIENT_NO_FAIL, callbacks::client, this, &error);
  if (client_ && ::avahi_threaded_poll_start(poll_) == 0) return;
  if (client_) ::avahi_client_free(client_);
  ::avahi_threaded_poll_free(poll_);
  throw std::runtime_error(client_ ? "cannot start Avahi's thread"
                                   : std::string{"cannot reach avahi-daemon: "} + ::avahi_strerror(error));
}

avahi_session::~avahi_session() {
  ::avahi_threaded_poll_stop(poll_);
  ::avahi_client_free(client_); // with all objects created from it
  ::avahi_threaded_poll_free(poll_);
}

void avahi_session::announce(const mdns_identity& identity) {
  const poll_lock lock{poll_};
  const bool same_node = identity_ && identity_->node == identity.node && identity_->port == identity.port;
  identity_ = identity;
  if (!same_node) instance_ = instance_of(identity);
  if (!running_ || failed_) return;
  if (!same_node || !group_ || ::avahi_entry_group_is_empty(group_) != 0) return publish();
  const auto txt = as_list(txt_of(identity));
  if (::avahi_entry_group_update_service_txt_strlst(group_, AVAHI_IF_UNSPEC, AVAHI_PROTO_UNSPEC, AvahiPublishFlags{},
                                                    instance_.c_str(), type_.c_str(), nullptr, txt.get()) != 0)
    publish();
}

void avahi_session::resolve_again() {
  const poll_lock lock{poll_};
  if (!running_ || failed_) return;
  for (auto& [key, resolver] : resolvers_)
    if (!resolver) resolve(key);
}

void avahi_session::client_changed(AvahiClient* client, int state) {
  client_ = client; // the first call comes before the client is returned
  running_ = state == AVAHI_CLIENT_S_RUNNING;
  switch (static_cast<AvahiClientState>(state)) {
  case AVAHI_CLIENT_S_RUNNING:
    listener_.problem({});
    begin_browsing();
    publish();
    break;
  case AVAHI_CLIENT_S_REGISTERING:
  case AVAHI_CLIENT_S_COLLISION: // the host name changes, and our records point to it
    if (group_) ::avahi_entry_group_reset(group_);
    break;
  case AVAHI_CLIENT_FAILURE:
    fail(::avahi_strerror(::avahi_client_errno(client)));
    break;
  case AVAHI_CLIENT_CONNECTING:
    listener_.problem("avahi-daemon is not running");
    break;
  }
}

void avahi_session::group_changed(AvahiEntryGroup* group, int state) {
  group_ = group;
  switch (static_cast<AvahiEntryGroupState>(state)) {
  case AVAHI_ENTRY_GROUP_COLLISION: {
    auto* other = ::avahi_alternative_service_name(instance_.c_str());
    instance_ = other;
    ::avahi_free(other);
    ::avahi_entry_group_reset(group);
    publish();
    break;
  }
  case AVAHI_ENTRY_GROUP_FAILURE:
    fail(::avahi_strerror(::avahi_client_errno(client_)));
    break;
  case AVAHI_ENTRY_GROUP_UNCOMMITED:
  case AVAHI_ENTRY_GROUP_REGISTERING:
  case AVAHI_ENTRY_GROUP_ESTABLISHED:
    break;
  }
}

void avahi_session::fail(const std::string& why) {
  if (std::exchange(failed_, true)) return;
  running_ = false;
  listener_.problem("avahi-daemon: " + why);
  on_failure_();
}

void avahi_session::begin_browsing() {
  if (browser_) return;
  browser_ = ::avahi_service_browser_new(client_, AVAHI_IF_UNSPEC, AVAHI_PROTO_UNSPEC, type_.c_str(), nullptr,
                                         AvahiLookupFlags{}, callbacks::browser, this);
  if (!browser_) fail(::avahi_strerror(::avahi_client_errno(client_)));
}

void avahi_session::publish() {
  if (!identity_ || failed_) return;
  if (!group_) group_ = ::avahi_entry_group_new(client_, callbacks::group, this);
  if (!group_ || !add_service(group_)) fail(::avahi_strerror(::avahi_client_errno(client_)));
}

/// Uses another name if an instance on this machine has it already. Names on other machines are reported later, as a
/// collision.
bool avahi_session::add_service(AvahiEntryGroup* group) {
  const auto txt = as_list(txt_of(*identity_));
  for (int renames = 0; renames < max_renames; ++renames) {
    ::avahi_entry_group_reset(group);
    const int error = ::avahi_entry_group_add_service_strlst(group, AVAHI_IF_UNSPEC, AVAHI_PROTO_UNSPEC,
                                                             AvahiPublishFlags{}, instance_.c_str(), type_.c_str(),
                                                             nullptr, nullptr, identity_->port, txt.get());
    if (error == 0) return ::avahi_entry_group_commit(group) == 0;
    if (error != AVAHI_ERR_COLLISION) return false;
    auto* other = ::avahi_alternative_service_name(instance_.c_str());
    instance_ = other;
    ::avahi_free(other);
  }
  return false;
}

void avahi_session::browsed(int interface, int protocol, int event, const char* name, const char* domain) {
  const auto key = [&] { return mdns_key{interface, protocol, name ? name : "", domain ? domain : ""}; };
  switch (static_cast<AvahiBrowserEvent>(event)) {
  case AVAHI_BROWSER_NEW:
    if (const auto evicted = view_.to_evict_for(key())) forget(*evicted);
    if (view_.appeared(key()) && !resolve(key())) view_.resolved(key(), std::nullopt);
    break;
  case AVAHI_BROWSER_REMOVE:
    forget(key());
    break;
  case AVAHI_BROWSER_ALL_FOR_NOW:
    view_.listed_all();
    break;
  case AVAHI_BROWSER_FAILURE:
    return fail(::avahi_strerror(::avahi_client_errno(client_)));
  case AVAHI_BROWSER_CACHE_EXHAUSTED:
    return;
  }
  report();
}

void avahi_session::forget(const mdns_key& key) {
  if (const auto known = resolvers_.find(key); known != resolvers_.end()) {
    if (known->second) ::avahi_service_resolver_free(known->second);
    resolvers_.erase(known);
  }
  view_.vanished(key);
}

/// Creates a resolver, which remains and reports when the instance moves. It asks for an address of the same family,
/// because the other family has its own announcement.
bool avahi_session::resolve(const mdns_key& key) {
  auto* made =
      ::avahi_service_resolver_new(client_, key.interface, key.protocol, key.name.c_str(), type_.c_str(),
                                   key.domain.c_str(), key.protocol, AvahiLookupFlags{}, callbacks::resolver, this);
  resolvers_[key] = made;
  return made != nullptr;
}

void avahi_session::resolved(AvahiServiceResolver* from, const char* address, std::uint16_t port, bool own) {
  const auto known =
      std::find_if(resolvers_.begin(), resolvers_.end(), [from](const auto& item) { return item.second == from; });
  if (known == resolvers_.end()) return;
  if (!address) { // resolving failed: resolve_again() creates another resolver
    ::avahi_service_resolver_free(from);
    known->second = nullptr;
  }
  view_.resolved(known->first, address && !own ? mdns_address(address, port, known->first.interface) : std::nullopt);
  report();
}

void avahi_session::report() {
  if (auto addresses = view_.addresses()) listener_.found(std::move(*addresses));
}

} // namespace troupe

// What a role actor needs to know of its surroundings, handed from role to role.
#pragma once

#include "actors/protocol/observer.hpp"

namespace troupe {

struct role_context {
  /// Of the role that owns this context.
  epoch_t epoch = 0;
  links_handle links;
  endpoint_handle endpoint;
  proxy_handle proxy;
  log_store_handle log;
  dispatcher_handle dispatcher;
  snapshot_store_handle snapshots;
  observer_handle observer;
  /// The last index handed to the dispatcher.
  index_t dispatched = 0;
  /// The commit index at the first contact with a leader in this run.
  std::optional<index_t> ready_at;
};

/// How many actors answer a role_changed with `drained`: endpoint, proxy, log store, dispatcher, snapshot store.
inline constexpr int role_senders = 5;

} // namespace troupe

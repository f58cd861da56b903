// The actors around a role, and what one role hands on to the next.
#pragma once

#include "actors/protocol/observer.hpp"

namespace troupe {

struct role_context {
  /// Epoch of the role that owns this context.
  epoch_t epoch = 0;
  links_handle links;
  endpoint_handle endpoint;
  proxy_handle proxy;
  log_store_handle log;
  dispatcher_handle dispatcher;
  snapshot_store_handle snapshots;
  observer_handle observer;
  /// The last index sent to the dispatcher.
  index_t dispatched = 0;
  /// The commit index at the first contact with a leader in this run.
  std::optional<index_t> ready_at;

  /// Calls `use` for each actor that sends to the role. Each of them answers a new role's `role_changed` with
  /// `drained`.
  template <class Use> void for_each_sender(Use use) const {
    use(endpoint);
    use(proxy);
    use(log);
    use(dispatcher);
    use(snapshots);
  }
};

} // namespace troupe

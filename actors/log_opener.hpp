// Opens the log on a thread of its own: reading gigabytes must not hold up an actor that others wait for.
//
//   (spawned detached) -- opens, writes the first configuration if the log is empty --> log_opened to the owner, gone
#pragma once

#include "actors/interfaces.hpp"
#include "raft/storage.hpp"

#include <functional>
#include <memory>
#include <string>

namespace troupe {

/// Opens the storage and tells what it held. Called on the opener's thread, anew at every start of the core.
using storage_factory = std::function<std::unique_ptr<raft::storage>(raft::recovered&)>;

/// What became of opening: a storage, or the error's text.
struct opened_log {
  std::unique_ptr<raft::storage> storage;
  raft::recovered disk;
  std::string error;
};
struct log_opened {
  std::shared_ptr<opened_log> log;
};
using log_owner_handle = compat::handle<void(log_opened)>;

class log_opener : public caf::event_based_actor {
 public:
  /// `initial` is written as the first entry of an empty log, unless it is empty itself.
  log_opener(caf::actor_config& config, storage_factory open, raft::configuration initial, log_owner_handle owner);
  caf::behavior make_behavior() override;
  const char* name() const override { return "log_opener"; }

 private:
  storage_factory open_;
  raft::configuration initial_;
  log_owner_handle owner_;
};

} // namespace troupe

TROUPE_LOCAL_MESSAGE(troupe::log_opened);

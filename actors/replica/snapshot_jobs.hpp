// What takes minutes with a snapshot, each on a thread of its own: writing one, and reading one to see if it is whole.
//
//   (spawned by the snapshot store) -- works --> its result to the store, gone
#pragma once

#include "actors/protocol/interfaces.hpp"

#include <atomic>
#include <memory>

namespace troupe {

/// What a job shares with the store that spawned it. A job that finds `stop` set ends with an error soon.
struct snapshot_job_context {
  std::shared_ptr<snapshot_files> files;
  std::shared_ptr<const std::atomic<bool>> stop;
  snapshot_store_handle store;
};

/// Answers with snapshot_written.
class snapshot_write_job : public caf::event_based_actor {
 public:
  snapshot_write_job(caf::actor_config& config, snapshot_job_context context, write_snapshot what);
  caf::behavior make_behavior() override;
  const char* name() const override { return "snapshot_write_job"; }

 private:
  snapshot_job_context context_;
  write_snapshot what_;
};

/// Answers with snapshot_checked.
class snapshot_check_job : public caf::event_based_actor {
 public:
  snapshot_check_job(caf::actor_config& config, snapshot_job_context context, raft::snapshot_id what);
  caf::behavior make_behavior() override;
  const char* name() const override { return "snapshot_check_job"; }

 private:
  snapshot_job_context context_;
  raft::snapshot_id what_;
};

} // namespace troupe

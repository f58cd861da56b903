// Work on a snapshot that may take minutes, each job on its own thread: writing one, and checking one for damage.
//
//   (spawned by the snapshot store) -- works --> sends its result to the store --> (gone)
#pragma once

#include "actors/protocol/interfaces.hpp"

#include <atomic>
#include <memory>

namespace troupe {

/// Shared by a job and the store that spawned it. A job ends with an error soon after `stop` is set.
struct snapshot_job_context {
  std::shared_ptr<snapshot_files> files;
  std::shared_ptr<const std::atomic<bool>> stop;
  snapshot_store_handle store;
};

/// Answers with snapshot_written.
class snapshot_write_job : public compat::untyped_base {
 public:
  snapshot_write_job(caf::actor_config& config, snapshot_job_context context, write_snapshot what);
  caf::behavior make_behavior() override;
  const char* name() const override { return "snapshot_write_job"; }

 private:
  snapshot_job_context context_;
  write_snapshot what_;
};

/// Answers with snapshot_checked.
class snapshot_check_job : public compat::untyped_base {
 public:
  snapshot_check_job(caf::actor_config& config, snapshot_job_context context, raft::snapshot_id what);
  caf::behavior make_behavior() override;
  const char* name() const override { return "snapshot_check_job"; }

 private:
  snapshot_job_context context_;
  raft::snapshot_id what_;
};

} // namespace troupe

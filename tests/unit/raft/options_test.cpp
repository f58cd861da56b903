// Options that cannot work are refused by name.
#include "raft/options.hpp"

#include <catch2/catch.hpp>

namespace troupe::raft {

TEST_CASE("options that cannot work are refused, and the error names the field") {
  CHECK(objection({}).empty());
  const auto refused_for = [](const std::string& field, auto change) {
    options o;
    change(o);
    return objection(o).find("raft." + field + " must") == 0;
  };
  CHECK(refused_for("heartbeat", [](options& o) { o.heartbeat = {}; }));
  CHECK(refused_for("election_min", [](options& o) { o.election_min = 199ms; }));
  CHECK(refused_for("election_max", [](options& o) { o.election_max = 499ms; }));
  CHECK(refused_for("commit_lag", [](options& o) { o.commit_lag = -1ms; }));
  CHECK(refused_for("max_append_bytes", [](options& o) { o.max_append_bytes = 0; }));
  CHECK(refused_for("max_append_bytes", [](options& o) { o.max_append_bytes = 9 << 20; }));
  CHECK(refused_for("max_inflight_messages", [](options& o) { o.max_inflight_messages = 0; }));
  CHECK(refused_for("max_inflight_bytes", [](options& o) { o.max_inflight_bytes = 0; }));
  CHECK(refused_for("max_uncommitted_bytes", [](options& o) { o.max_uncommitted_bytes = 0; }));
  CHECK(refused_for("snapshot_chunk_bytes", [](options& o) { o.snapshot_chunk_bytes = 0; }));
  CHECK(refused_for("snapshot_chunk_bytes", [](options& o) { o.snapshot_chunk_bytes = 9 << 20; }));
  CHECK(refused_for("catch_up_log_time", [](options& o) { o.catch_up_log_time = -1ms; }));
  CHECK(refused_for("disk_stall_limit", [](options& o) { o.disk_stall_limit = -1ms; }));
  CHECK(refused_for("disk_stall_limit", [](options& o) { o.disk_stall_limit = o.election_max - 1ms; }));
  options patient;
  patient.disk_stall_limit = patient.election_max;
  CHECK(objection(patient).empty());
  options small;
  small.log_tail = small.log_tail_bytes = small.cache_bytes = small.catch_up_log_bytes = 0;
  small.commit_lag = small.catch_up_log_time = {};
  CHECK(objection(small).empty());
}

} // namespace troupe::raft

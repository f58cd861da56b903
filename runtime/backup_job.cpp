#include "runtime/backup_job.hpp"

#include "runtime/proxy_question.hpp"

#include <string>
#include <utility>

namespace troupe {
namespace {

constexpr int max_attempts = 3;

} // namespace

backup_job::backup_job(caf::actor_config& config, backup_setup setup)
    : compat::typed_base<backup_handle>(config), setup_(std::move(setup)) {}

backup_handle::behavior_type backup_job::make_behavior() {
  compat::end_on_exceptions(this);
  return {[this](const make_backup& m) { return begin(m); }};
}

void backup_job::on_end() {
  promise_ = {};
  setup_ = {};
}

caf::result<backup_made> backup_job::begin(const make_backup& question) {
  promise_ = make_response_promise<backup_made>();
  patience_ = question.timeout + question.write_timeout;
  deadline_ = clock().now() + patience_;
  request(spawn<proxy_question>(setup_.proxy), caf::infinite,
          ask_proxy{access::linearizable_read, {}, question.timeout})
      .then([this](const proxy_answer&) { go_on(); }, [this](const caf::error& why) { fail(why); });
  return promise_;
}

void backup_job::go_on() {
  if (is_late()) return fail_late();
  request(setup_.dispatcher, deadline_ - clock().now(), take_snapshot{})
      .then([this](const snapshot_result& taken) { open(taken.id); },
            [this](const caf::error& why) { why == caf::sec::request_timeout ? fail_late() : fail(why); });
}

void backup_job::open(const raft::snapshot_id& taken) {
  if (is_late()) return fail_late();
  // Wait for the answer without a timeout: if the file was opened, it must be closed, however late.
  request(setup_.snapshots, caf::infinite, open_backup{taken})
      .then(
          [this, taken](const backup_opened& opened) {
            if (is_late()) {
              send(setup_.snapshots, close_backup{opened.download});
              return fail_late();
            }
            promise_.deliver(backup_made{setup_.cluster, taken, opened.download});
            quit();
          },
          [this](const caf::error& why) {
            // Two newer snapshots may have replaced it in between.
            const bool gone = describe(why).code == errc::refused;
            if (gone && ++attempts_ < max_attempts) return go_on();
            fail(why);
          });
}

void backup_job::fail_late() {
  const auto time = std::to_string(patience_.count());
  fail(make_error({errc::deadline, "the backup was not on this node's disk within " + time + " ms", {}, {}}));
}

void backup_job::fail(const caf::error& why) {
  promise_.deliver(why);
  quit();
}

} // namespace troupe

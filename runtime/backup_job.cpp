#include "runtime/backup_job.hpp"

#include <algorithm>
#include <limits>
#include <utility>

namespace troupe {

backup_job::backup_job(caf::actor_config& config, backup_setup setup)
    : backup_handle::base(config), setup_(std::move(setup)) {
  set_down_handler([this](const caf::down_msg&) { fail(make_error({errc::stopping, "the node stops", {}, {}})); });
}

backup_handle::behavior_type backup_job::make_behavior() {
  compat::end_on_exceptions(this);
  monitor(setup_.proxy);
  return {
      [this](const make_backup& m) { return begin(m); }, [this](outcome_batch& m) { go_on(m); },
      [](const read_index_answer&) {}, // never asked for
  };
}

void backup_job::on_exit() {
  promise_ = {};
  setup_ = {};
}

caf::result<backup_made> backup_job::begin(const make_backup& question) {
  promise_ = make_response_promise<backup_made>();
  const auto ms = std::clamp<std::chrono::milliseconds::rep>(question.timeout.count(), 1,
                                                             std::numeric_limits<std::uint32_t>::max());
  command nothing;
  nothing.number = 1;
  nothing.how = access::linearizable_read;
  nothing.timeout_ms = static_cast<std::uint32_t>(ms);
  send(setup_.proxy, command_batch{false, {std::move(nothing)}});
  return promise_;
}

void backup_job::go_on(outcome_batch& answers) {
  if (answers.outcomes.empty()) return;
  if (auto& outcome = answers.outcomes.front(); outcome.code != errc::none)
    return fail(make_error({outcome.code, std::move(outcome.payload),
                            answers.leader ? to_string(answers.leader) : std::string{}, answers.leader_address}));
  request(setup_.dispatcher, caf::infinite, take_snapshot{})
      .then(
          [this](const snapshot_result& taken) {
            promise_.deliver(backup_made{setup_.cluster, taken.id, setup_.snapshots});
            quit();
          },
          [this](const caf::error& why) { fail(why); });
}

void backup_job::fail(const caf::error& why) {
  promise_.deliver(why);
  quit();
}

} // namespace troupe

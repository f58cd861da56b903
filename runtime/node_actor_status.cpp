// The part of a node's supervisor that gathers its status.
#include "runtime/node_actor.hpp"

#include <memory>
#include <utility>

namespace troupe {
namespace {

/// Formation answers from memory. It is late only if it hangs in a disk call.
constexpr auto formation_patience = std::chrono::seconds{1};

} // namespace

caf::result<node_status> node_actor::status() {
  node_status now;
  now.id = setup_.id;
  now.cluster = membership_.cluster;
  now.address = setup_.address;
  now.phase = phase_;
  now.max_state_bytes = setup_.max_state_bytes;
  if (!disk_error_.empty()) {
    now.disk = disk_state::failed;
    now.disk_error = disk_error_;
  }
  if (phase_ == phase::no_room) {
    now.disk = disk_state::full;
    now.disk_error = full_error_;
  }
  if (setup_.network) now.network = setup_.network();
  if (!serves() || !role_.role) {
    now.not_ready = !disk_error_.empty()       ? "the disk failed: " + disk_error_
                    : phase_ == phase::no_room ? "the disk is full: " + full_error_
                    : phase_ == phase::forming ? "not part of a cluster yet"
                    : phase_ == phase::opening && opening_put_off_
                        ? "the data directory cannot be opened now: " + full_error_
                    : phase_ == phase::opening
                        ? "reading the log and the state from the disk for " + in_ms(clock().now() - opening_since_)
                        : "starting or stopping";
    return phase_ == phase::forming && around_.formation ? explained(std::move(now)) : caf::result<node_status>{now};
  }
  struct gathering {
    node_status now;
    caf::typed_response_promise<node_status> promise;
    status_reports reports;
    int missing = 4;
  };
  auto all = std::make_shared<gathering>();
  all->now = std::move(now);
  all->promise = make_response_promise<node_status>();
  const auto gather = [this, all]<class Answer>(const auto& from, auto question, Answer status_reports::*place) {
    request(from, caf::infinite, question)
        .then(
            [this, all, place](const Answer& answer) {
              all->reports.*place = answer;
              if (--all->missing > 0) return;
              complete_status(all->now, all->reports, setup_, losses_, removed_at_, clock().now());
              all->promise.deliver(std::move(all->now));
            },
            [all](const caf::error& e) { all->promise.deliver(e); });
  };
  gather(role_.role, get_role_report{}, &status_reports::role);
  gather(parts_.dispatcher, get_applied{}, &status_reports::applied);
  gather(around_.links, get_peers{}, &status_reports::peers);
  gather(around_.health, get_health{}, &status_reports::health);
  return all->promise;
}

/// Completes the status of a node without a cluster: what its formation waits for, and why other nodes do not answer.
caf::result<node_status> node_actor::explained(node_status now) {
  auto promise = make_response_promise<node_status>();
  const auto add_problems = [this, promise](node_status known) {
    request(around_.links, caf::infinite, get_peers{})
        .then(
            [promise, known](const peer_list& peers) mutable {
              known.not_ready += problems_of(peers);
              promise.deliver(std::move(known));
            },
            [promise, known](const caf::error&) mutable { promise.deliver(std::move(known)); });
  };
  request(around_.formation, formation_patience, get_formation{})
      .then(
          [add_problems, now](const formation_status& forming) mutable {
            if (!forming.note.empty()) now.not_ready += ": " + forming.note;
            add_problems(std::move(now));
          },
          [promise, now](const caf::error&) mutable {
            // Formation did not answer: it hangs in a disk call for the identity file.
            now.disk = disk_state::stalled;
            now.disk_error = "the data directory does not answer";
            now.not_ready += ": " + now.disk_error;
            promise.deliver(std::move(now));
          });
  return promise;
}

} // namespace troupe

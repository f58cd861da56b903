// A proxy with fakes around it. The fakes only record what they get; the test answers for them.
#pragma once

#include "actors/frontend/proxy.hpp"
#include "tests/actor/send_as.hpp"
#include "tests/actor/virtual_system.hpp"

#include <catch2/catch.hpp>
#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

namespace troupe::test {

using namespace std::chrono_literals;

inline constexpr node_id me{1};
inline constexpr node_id peer{2};
inline constexpr node_id other_peer{3};

// The fakes are untyped, so that they need to handle only the messages that a proxy sends.

struct role_record {
  std::vector<raft::proposal> proposals;
  std::size_t batches = 0;
  std::vector<raft::tag_t> reads;
  std::vector<raft::change_members> changes;
  std::vector<raft::transfer_leadership> transfers;
  std::vector<epoch_t> drained;
};
class fake_role : public compat::untyped_base {
 public:
  fake_role(caf::actor_config& config, std::shared_ptr<role_record> record)
      : compat::untyped_base(config), record_(std::move(record)) {}
  caf::behavior make_behavior() override {
    return {
        [this](const propose_batch& m) {
          ++record_->batches;
          record_->proposals.insert(record_->proposals.end(), m.proposals.begin(), m.proposals.end());
        },
        [this](const read_index& m) { record_->reads.push_back(m.tag); },
        [this](const raft::change_members& m) { record_->changes.push_back(m); },
        [this](const raft::transfer_leadership& m) { record_->transfers.push_back(m); },
        [this](const troupe::drained& m) { record_->drained.push_back(m.epoch); },
    };
  }

 private:
  std::shared_ptr<role_record> record_;
};

struct peer_record {
  std::vector<command_batch> batches;
  std::vector<std::uint64_t> index_requests;
};
class fake_endpoint : public compat::untyped_base {
 public:
  fake_endpoint(caf::actor_config& config, std::shared_ptr<peer_record> record)
      : compat::untyped_base(config), record_(std::move(record)) {}
  caf::behavior make_behavior() override {
    return {
        [this](const command_batch& m) { record_->batches.push_back(m); },
        [this](const read_index_request& m) { record_->index_requests.push_back(m.number); },
    };
  }

 private:
  std::shared_ptr<peer_record> record_;
};

class fake_dispatcher : public compat::untyped_base {
 public:
  fake_dispatcher(caf::actor_config& config, std::shared_ptr<std::vector<query_batch>> record)
      : compat::untyped_base(config), record_(std::move(record)) {}
  caf::behavior make_behavior() override {
    return {[this](const query_batch& m) { record_->push_back(m); }};
  }

 private:
  std::shared_ptr<std::vector<query_batch>> record_;
};

template <class Handle, class Actor, class Record>
Handle spawn_fake(caf::actor_system& system, const std::shared_ptr<Record>& record) {
  return caf::actor_cast<Handle>(system.spawn<Actor>(record));
}

struct answer {
  command_outcome outcome;
  node_id leader;
  std::string leader_address;
  caf::actor_clock::time_point when;
};
struct asker_record {
  std::multimap<std::uint64_t, answer> answers;
  std::size_t batches = 0;
  std::vector<read_index_answer> indexes;
};
class fake_asker : public requester_handle::base {
 public:
  fake_asker(caf::actor_config& config, std::shared_ptr<asker_record> record)
      : requester_handle::base(config), record_(std::move(record)) {}
  behavior_type make_behavior() override {
    return {
        [this](const outcome_batch& m) {
          ++record_->batches;
          for (const auto& o : m.outcomes)
            record_->answers.emplace(o.number, answer{o, m.leader, m.leader_address, clock().now()});
        },
        [this](const read_index_answer& m) { record_->indexes.push_back(m); },
    };
  }

 private:
  std::shared_ptr<asker_record> record_;
};

/// The proxy of node 1, or of a client if `self` is 0.
struct proxy_world : virtual_system {
  explicit proxy_world(node_id self = me, proxy_options options = {}) {
    options.self = self;
    options.address = "me:1";
    subject = system.spawn<proxy>(options);
    role = spawn_fake<role_handle, fake_role>(system, log);
    origin = system.spawn<fake_asker>(asked);
    second_asker = system.spawn<fake_asker>(second_asked);
    dispatcher = spawn_fake<dispatcher_handle, fake_dispatcher>(system, queries);
    if (self) tell(replica_up{dispatcher, {}});
  }
  ~proxy_world() {
    caf::anon_send_exit(subject, caf::exit_reason::kill);
    advance(20ms);
  }
  proxy_world(const proxy_world&) = delete;
  proxy_world& operator=(const proxy_world&) = delete;

  /// Sends a message to the proxy without running it.
  template <class Message> void post(Message message) { compat::anon_send(subject, std::move(message)); }
  template <class Message> void tell(Message message) {
    post(std::move(message));
    settle();
  }

  command make(std::uint64_t number, access how = access::write, std::uint32_t timeout_ms = 1000) {
    return {number, how, timeout_ms, raft::bytes{"c" + std::to_string(number)}};
  }
  void post_command(command c, bool forwarded = false) {
    test::send_as(origin, subject, command_batch{forwarded, {std::move(c)}});
  }
  /// Sends a change as this node's own actors do.
  void ask_for_change(std::uint64_t number, cluster_change what, std::uint32_t timeout_ms = 1000) {
    test::send_as(origin, subject, command_batch{false, {}, {{number, timeout_ms, std::move(what)}}});
    settle();
  }
  void ask(std::uint64_t number, access how = access::write, std::uint32_t timeout_ms = 1000) {
    post_command(make(number, how, timeout_ms));
    settle();
  }
  /// Sends a command as another node's proxy does.
  void ask_as_proxy(std::uint64_t number) {
    post_command(make(number), true);
    settle();
  }

  /// Sends a message as a peer does. Here all actors are in one process.
  template <class Message> void answer_from_peer(Message message) {
    test::send_as(origin, subject, std::move(message));
    settle();
  }

  void lead(term_t term = 1) { tell(role_changed{++epoch, raft::role_kind::leader, term, role, 0, {}}); }
  void follow(term_t term, node_id leader) {
    tell(role_changed{++epoch, raft::role_kind::follower, term, role, 0, {}});
    tell(leader_known{term, leader});
  }
  std::shared_ptr<peer_record> link(node_id id) {
    auto record = std::make_shared<peer_record>();
    hello from;
    from.node = id;
    from.address = "node" + std::to_string(id.value) + ":1";
    tell(link_up{from, spawn_fake<endpoint_handle, fake_endpoint>(system, record)});
    return record;
  }

  raft::tag_t last_proposed() const { return log->proposals.back().tag; }
  void accept(raft::tag_t tag, index_t index, term_t term = 1) { tell(proposals_settled{{{tag, index, term}}, {}}); }
  void fail(raft::tag_t tag, raft::reject_reason why, node_id leader = {}) {
    tell(proposals_settled{{}, {{tag, why, leader}}});
  }
  void apply(index_t index, term_t term = 1, errc code = errc::none, std::string payload = "done") {
    tell(applied_batch{{{index, term, code, std::move(payload)}}});
  }
  void outcome(std::uint64_t number, errc code, node_id leader = {}, std::string payload = {}) {
    answer_from_peer(outcome_batch{leader, {}, {{number, code, 0, std::move(payload)}}});
  }

  std::size_t answers(std::uint64_t number) const { return asked->answers.count(number); }
  /// The answer to a command. The test fails unless there is exactly one.
  const answer& only_answer(std::uint64_t number) const {
    REQUIRE(answers(number) == 1);
    return asked->answers.find(number)->second;
  }
  errc code(std::uint64_t number) const { return only_answer(number).outcome.code; }

  std::shared_ptr<role_record> log = std::make_shared<role_record>();
  std::shared_ptr<std::vector<query_batch>> queries = std::make_shared<std::vector<query_batch>>();
  std::shared_ptr<asker_record> asked = std::make_shared<asker_record>();
  std::shared_ptr<asker_record> second_asked = std::make_shared<asker_record>();
  proxy_handle subject;
  role_handle role;
  dispatcher_handle dispatcher;
  requester_handle origin;
  requester_handle second_asker;
  epoch_t epoch = 0;
};

} // namespace troupe::test

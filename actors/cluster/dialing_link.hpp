// What the actors that keep a link to one address have in common (peer_link, client_link): the connector to the
// address, the endpoint that was found there, and the messages that link_state.hpp calls for.
#pragma once

#include "actors/cluster/link_factory.hpp"
#include "actors/cluster/link_state.hpp"
#include "actors/protocol/interfaces.hpp"

#include <string>
#include <utility>

namespace troupe {

/// What the owner of a link makes of an answer: `up` accepts it, `self` ends the link, anything else refuses it.
struct link_judgement {
  link_report::status status = link_report::status::up;
  std::string problem = {};
};

/// A part of its owner, an actor that receives `timer` and has:
///   using answer = ...;              the endpoint's answer to the hello
///   auto question() const;           the hello
///   link_judgement judge(answer);    keeps the answer
///   void report(status, problem);    called after every change, and after every accepted answer
template <class Owner> class dialing_link {
 public:
  dialing_link(Owner* owner, std::string address, link_factory_ptr factory, const link_options& options,
               std::uint64_t seed)
      : owner_(owner), address_(std::move(address)), factory_(std::move(factory)), state_(options, seed) {
    owner_->set_down_handler([this](const caf::down_msg& m) {
      if (endpoint_ && m.source == endpoint_.address()) lost("the connection broke");
    });
  }
  dialing_link(const dialing_link&) = delete;
  dialing_link& operator=(const dialing_link&) = delete;

  const std::string& address() const noexcept { return address_; }
  /// Empty while there is no connection.
  const endpoint_handle& endpoint() const noexcept { return endpoint_; }
  bool up() const noexcept { return state_.up(); }

  /// Connects, monitors the endpoint that it finds, and sends it the first hello.
  void dial() {
    if (!connector_) connector_ = factory_->make_connector(owner_->system(), address_);
    const auto attempt = state_.begin_dialing(owner_->clock().now());
    owner_->request(connector_, dial_timeout, troupe::dial{})
        .then(
            [this, attempt](const dialed& found) {
              if (!state_.is_current(attempt)) return;
              endpoint_ = found.endpoint;
              // Sends a down message at once if the connection is already lost.
              owner_->monitor(endpoint_);
              state_.dialed();
              greet();
            },
            [this, attempt](const caf::error& e) {
              // A connector that has ended or hangs is useless: make a new one for the next attempt.
              if (e == caf::sec::request_receiver_down || e == caf::sec::request_timeout) release_connector();
              if (state_.is_current(attempt)) lost("cannot connect: " + text_of(e));
            });
  }
  void on_timer(const timer& m) { perform(state_.fired(m.generation)); }
  /// A node at this address has dialed this node, so it is probably reachable now.
  void redial() { perform(state_.redial(owner_->clock().now())); }
  /// The owner's `question` has another value now.
  void question_changed() { perform(state_.hello_changed()); }

  /// Call this when the owner ends.
  void close() {
    release_connector();
    endpoint_ = nullptr;
  }

 private:
  /// A call to a connector should end by itself earlier. This timeout only guards against one that does not.
  static constexpr std::chrono::seconds dial_timeout{12};

  void perform(link_state::action what) {
    switch (what) {
    case link_state::action::none:
      return;
    case link_state::action::dial:
      return dial();
    case link_state::action::greet:
      return greet();
    }
  }

  void greet() {
    using answer = typename Owner::answer;
    const auto timeout = state_.begin_hello();
    owner_->request(endpoint_, timeout, owner_->question())
        .then(
            [this, attempt = state_.attempt()](const answer& given) {
              if (state_.is_current(attempt)) on_answer(given);
            },
            [this, attempt = state_.attempt()](const caf::error& e) {
              if (state_.is_current(attempt)) on_silence("no answer: " + text_of(e));
            });
  }

  template <class Answer> void on_answer(const Answer& given) {
    state_.answered();
    const link_judgement found = owner_->judge(given);
    switch (found.status) {
    case link_report::status::up:
      state_.accepted();
      owner_->report(found.status, {});
      if (const auto wait = state_.next_hello()) return arm(*wait);
      return greet();
    case link_report::status::self:
      state_.end();
      drop();
      return owner_->report(found.status, {});
    case link_report::status::down:
    case link_report::status::refused:
      return lost(found.problem, found.status);
    }
  }

  void on_silence(const std::string& problem) {
    if (state_.unanswered()) return greet();
    // The connection may be the fault, so the connector makes a new one for the next attempt.
    if (state_.up() && connector_ && endpoint_) owner_->send(connector_, troupe::disconnect{endpoint_});
    lost(problem);
  }

  void lost(const std::string& problem, link_report::status status = link_report::status::down) {
    const auto pause = state_.lost();
    drop();
    owner_->report(status, problem);
    arm(pause);
  }

  void arm(raft::duration wait) { owner_->delayed_send(owner_, caf::timespan{wait}, timer{state_.arm()}); }

  void drop() {
    if (!endpoint_) return;
    owner_->demonitor(endpoint_.address());
    endpoint_ = nullptr;
  }
  void release_connector() {
    if (connector_) compat::anon_send_exit(connector_, caf::exit_reason::user_shutdown);
    connector_ = nullptr;
  }
  std::string text_of(const caf::error& e) const { return to_text(owner_->system(), e); }

  Owner* owner_;
  std::string address_;
  link_factory_ptr factory_;
  link_state state_;
  connector_handle connector_;
  endpoint_handle endpoint_;
};

} // namespace troupe

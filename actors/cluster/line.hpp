// The common part of peer_link and client_link: the connector to one address, the endpoint that was found there, and
// the pauses between attempts. It belongs to one actor and is used by that actor only.
#pragma once

#include "actors/cluster/link_factory.hpp"
#include "actors/protocol/interfaces.hpp"
#include "raft/base/backoff.hpp"

#include <string>
#include <utility>

namespace troupe {

class line {
 public:
  /// A call to a connector should end by itself earlier. This timeout only guards against one that does not.
  static constexpr std::chrono::seconds dial_timeout{12};
  static constexpr raft::duration backoff_min = std::chrono::milliseconds{50};
  static constexpr raft::duration backoff_max = std::chrono::seconds{1};

  /// Until the first `succeeded`, pauses grow up to `longest_unanswered`.
  line(std::string address, link_factory_ptr factory, std::uint64_t seed,
       raft::duration longest_unanswered = backoff_max)
      : address_(std::move(address)), factory_(std::move(factory)), pauses_(backoff_min, backoff_max, seed),
        pauses_unanswered_(backoff_min, longest_unanswered, seed) {}

  const std::string& address() const noexcept { return address_; }
  /// Empty while there is no connection.
  const endpoint_handle& endpoint() const noexcept { return endpoint_; }

  /// Connects and monitors the endpoint that it finds. Then calls `found` or `failed`, unless `drop` was called before.
  template <class Self, class Found, class Failed> void dial(Self* self, Found found, Failed failed) {
    if (!connector_) connector_ = factory_->make_connector(self->system(), address_);
    const auto attempt = ++attempt_;
    self->request(connector_, dial_timeout, troupe::dial{})
        .then(
            [this, self, attempt, found](const dialed& answer) {
              if (attempt != attempt_) return;
              endpoint_ = answer.endpoint;
              // Sends a down message at once if the connection is already lost.
              self->monitor(endpoint_);
              found();
            },
            [this, self, attempt, failed](const caf::error& e) {
              // A connector that has ended or hangs is useless: make a new one for the next attempt.
              if (e == caf::sec::request_receiver_down || e == caf::sec::request_timeout) release_connector();
              if (attempt == attempt_) failed("cannot connect: " + compat::to_text(self->system(), e));
            });
  }

  /// Sends a request to the endpoint. Then calls `answered` or `failed`, unless `drop` was called before.
  template <class Answer, class Self, class Question, class Answered, class Failed>
  void ask(Self* self, std::chrono::milliseconds timeout, const Question& question, Answered answered, Failed failed) {
    self->request(endpoint_, timeout, question)
        .then(
            [this, attempt = attempt_, answered](const Answer& answer) {
              if (attempt == attempt_) answered(answer);
            },
            [this, self, attempt = attempt_, failed](const caf::error& e) {
              if (attempt == attempt_) failed("no answer: " + compat::to_text(self->system(), e));
            });
  }

  /// The endpoint does not answer: cuts the connection. Call it before `drop`.
  template <class Self> void disconnect(Self* self) {
    if (connector_ && endpoint_) self->send(connector_, troupe::disconnect{endpoint_});
  }
  /// Releases the connection and ignores the answers to all earlier requests.
  template <class Self> void drop(Self* self) {
    ++attempt_;
    if (!endpoint_) return;
    self->demonitor(endpoint_.address());
    endpoint_ = nullptr;
  }

  /// The connection works: the next pause is short.
  void succeeded() noexcept {
    answered_ = true;
    pauses_.succeeded();
  }
  /// Arms the timer with a pause that grows with every failure.
  template <class Self> void pause(Self* self) { arm(self, (answered_ ? pauses_ : pauses_unanswered_).failed()); }
  template <class Self> void arm(Self* self, raft::duration wait) {
    self->delayed_send(self, caf::timespan{wait}, timer{++generation_});
  }
  /// True for the newest armed timer's message.
  bool fired(const timer& message) const noexcept { return message.generation == generation_; }
  bool broken_by(const caf::down_msg& m) const { return endpoint_ && m.source == endpoint_.address(); }

  /// To be called when the owner ends.
  void close() {
    release_connector();
    endpoint_ = nullptr;
  }

 private:
  void release_connector() {
    if (connector_) compat::anon_send_exit(connector_, caf::exit_reason::user_shutdown);
    connector_ = nullptr;
  }

  std::string address_;
  link_factory_ptr factory_;
  raft::backoff pauses_;
  raft::backoff pauses_unanswered_;
  bool answered_ = false;
  connector_handle connector_;
  endpoint_handle endpoint_;
  /// Distinguishes answers of the current connection from those of earlier ones.
  std::uint64_t attempt_ = 0;
  std::uint64_t generation_ = 0;
};

} // namespace troupe

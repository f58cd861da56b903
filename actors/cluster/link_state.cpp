#include "actors/cluster/link_state.hpp"

namespace troupe {
namespace {

constexpr raft::duration shortest_link_pause = std::chrono::milliseconds{50};
constexpr raft::duration longest_link_pause = std::chrono::seconds{1};

} // namespace

link_state::link_state(const link_options& options, std::uint64_t seed)
    : options_(options), pauses_(shortest_link_pause, longest_link_pause, seed),
      pauses_unanswered_(shortest_link_pause, options.longest_pause_unanswered, seed) {}

std::uint64_t link_state::begin_dialing(raft::time_point now) {
  phase_ = phase::dialing;
  dialed_at_ = now;
  return ++attempt_;
}

std::chrono::milliseconds link_state::begin_hello() noexcept {
  asking_ = true;
  ask_again_ = false;
  return up() ? options_.repeated_hello_timeout : options_.first_hello_timeout;
}

void link_state::answered() noexcept {
  asking_ = false;
  silences_ = 0;
}

void link_state::accepted() noexcept {
  phase_ = phase::up;
  accepted_ = true;
  pauses_.succeeded();
}

std::optional<raft::duration> link_state::next_hello() const noexcept {
  return ask_again_ ? std::nullopt : std::optional{options_.hello_interval};
}

bool link_state::unanswered() noexcept {
  asking_ = false;
  return up() && ++silences_ < options_.max_silences;
}

raft::duration link_state::lost() {
  leave_attempt();
  phase_ = phase::waiting;
  return (accepted_ ? pauses_ : pauses_unanswered_).failed();
}

void link_state::end() noexcept {
  leave_attempt();
  phase_ = phase::ended;
}

void link_state::leave_attempt() noexcept {
  ++attempt_;
  asking_ = false;
}

link_state::action link_state::fired(std::uint64_t generation) const noexcept {
  if (generation != generation_) return action::none;
  if (phase_ == phase::waiting) return action::dial;
  return up() && !asking_ ? action::greet : action::none;
}

link_state::action link_state::redial(raft::time_point now) const noexcept {
  return phase_ == phase::waiting && now - dialed_at_ >= options_.min_redial_interval ? action::dial : action::none;
}

link_state::action link_state::hello_changed() noexcept {
  if (!up()) return action::none;
  ask_again_ = asking_;
  return asking_ ? action::none : action::greet;
}

} // namespace troupe

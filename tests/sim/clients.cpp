#include "tests/sim/clients.hpp"

namespace troupe::sim {
namespace {

constexpr std::uint32_t registers_at_once = 4;
/// Clients move on to new registers: an operation with an unknown outcome stays open for ever, and many of them on one
/// register make the search for an order slow.
constexpr duration register_life = 10s;

} // namespace

void clients::start() {
  for (std::size_t i = 0; i < world_.what.clients; ++i) run(i);
}

command clients::draw() {
  const auto generation = static_cast<std::uint32_t>(world_.time.now() / register_life);
  command c;
  c.key = generation * registers_at_once + static_cast<std::uint32_t>(world_.random.next() % registers_at_once);
  c.what = static_cast<action>(world_.random.next() % 4);
  c.value = ++last_value_;
  if (c.what == action::cas) c.expected = seen_[c.key];
  return c;
}

void clients::submit(node& at, const command& what, node::reply done) {
  const auto slot = history_.size();
  history_.push_back({what, world_.time.now(), {}, {}});
  void_.push_back(false);
  at.submit(what, [this, slot, done = std::move(done)](outcome how, answer with) {
    auto& op = history_[slot];
    op.end = world_.time.now();
    if (how != outcome::rejected) ++world_.seen.operations;
    switch (how) {
    case outcome::done:
      op.result = with;
      seen_[op.what.key] = with.value;
      break;
    case outcome::rejected:
      void_[slot] = true;
      break;
    case outcome::unknown:
      ++world_.seen.unknown;
      break;
    }
    done(how, with);
  });
}

void clients::run(std::size_t client) {
  world_.time.after(world_.between(duration{0}, world_.what.think_max), [this, client] {
    if (stopped_) return;
    auto& at = any_node();
    submit(at, draw(), [this, client](outcome, answer) { run(client); });
  });
}

void clients::write_once(node& at, std::uint32_t key, std::function<void(bool)> done) {
  submit(at, {action::put, key, ++last_value_, 0},
         [done = std::move(done)](outcome how, answer) { done(how == outcome::done); });
}

std::vector<operation> clients::history() const {
  std::vector<operation> happened;
  for (std::size_t i = 0; i < history_.size(); ++i)
    if (!void_[i]) happened.push_back(history_[i]);
  return happened;
}

} // namespace troupe::sim

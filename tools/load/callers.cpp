#include "tools/load/callers.hpp"

#include <caf/event_based_actor.hpp>
#include <caf/scoped_actor.hpp>
#include <nlohmann/json.hpp>

#include <algorithm>
#include <random>
#include <utility>
#include <vector>

namespace troupe::load {

/// The results of one caller.
struct tally {
  std::vector<float> latencies_us;
  std::size_t failed = 0;
};

} // namespace troupe::load

TROUPE_LOCAL_MESSAGE(troupe::load::tally);

namespace troupe::load {
namespace {

using std::chrono::steady_clock;

class caller : public caf::event_based_actor {
 public:
  caller(caf::actor_config& config, service_actor<map_service> map, const job& work, std::uint64_t seed,
         caf::actor collector)
      : caf::event_based_actor(config), map_(std::move(map)), work_(work), random_(seed),
        value_(value::of(std::string(work.bytes, 'v'))), collector_(std::move(collector)) {}

  caf::behavior make_behavior() override {
    end_ = steady_clock::now() + work_.lasts;
    ask();
    return {[](const tally&) {}};
  }

 private:
  void ask() {
    asked_ = steady_clock::now();
    if (asked_ >= end_) {
      send(collector_, std::move(seen_));
      quit();
      return;
    }
    const auto key = "key" + std::to_string(random_() % 100'000);
    if (work_.write)
      await(map::put{work_.map, key, value_});
    else
      await(map::get{work_.map, key});
  }

  template <class Message> void await(Message message) {
    request(map_, caf::infinite, std::move(message))
        .then(
            [this](const typename Message::result&) {
              seen_.latencies_us.push_back(
                  std::chrono::duration<float, std::micro>(steady_clock::now() - asked_).count());
              ask();
            },
            [this](const caf::error&) {
              ++seen_.failed;
              ask();
            });
  }

  service_actor<map_service> map_;
  job work_;
  std::mt19937_64 random_;
  value value_;
  caf::actor collector_;
  steady_clock::time_point end_;
  steady_clock::time_point asked_;
  tally seen_;
};

} // namespace

std::string run(caf::actor_system& system, const service_actor<map_service>& map, const job& work) {
  caf::scoped_actor self{system};
  const auto collector = caf::actor_cast<caf::actor>(self);
  const auto started = steady_clock::now();
  // Each job draws different keys than the one before. They are the same in every run of the program.
  static std::uint64_t seed = 0;
  for (std::size_t i = 0; i < work.callers; ++i) system.spawn<caller>(map, work, ++seed, collector);
  tally all;
  for (std::size_t i = 0; i < work.callers; ++i)
    self->receive([&](const tally& one) {
      all.latencies_us.insert(all.latencies_us.end(), one.latencies_us.begin(), one.latencies_us.end());
      all.failed += one.failed;
    });
  const std::chrono::duration<double> took = steady_clock::now() - started;
  std::sort(all.latencies_us.begin(), all.latencies_us.end());
  const auto at = [&](double share) {
    const auto& l = all.latencies_us;
    return l.empty() ? 0.0F : l[static_cast<std::size_t>(share * static_cast<double>(l.size() - 1))];
  };
  return nlohmann::json{{"operations", all.latencies_us.size()},
                        {"failed", all.failed},
                        {"seconds", took.count()},
                        {"p50_us", at(0.5)},
                        {"p99_us", at(0.99)},
                        {"max_us", at(1)}}
      .dump();
}

} // namespace troupe::load

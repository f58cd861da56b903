#include "runtime/transport/credentials_watch.hpp"

#include <catch2/catch.hpp>

#include <atomic>
#include <semaphore>
#include <stdexcept>

using namespace troupe::net;
using namespace std::chrono_literals;

TEST_CASE("polls repeatedly and reports what it finds") {
  // A poll may outlive the watch, and thus this test.
  struct state {
    std::binary_semaphore heard{0};
    std::atomic<int> looks = 0;
  };
  const auto shared = std::make_shared<state>();
  const credentials_watch watch{[shared](const credentials_watch::listener& say) {
                                  const auto look = ++shared->looks;
                                  if (look == 1) throw std::runtime_error("not this time");
                                  if (look == 3) say("renewed");
                                },
                                [shared](const std::string& what) {
                                  if (what == "renewed") shared->heard.release();
                                },
                                1ms};
  CHECK(shared->heard.try_acquire_for(10s));
}

TEST_CASE("a poll that hangs delays nothing, and reports nothing after the end of the watch") {
  struct state {
    std::binary_semaphore begun{0}, goes_on{0}, over{0};
    std::atomic<int> said = 0;
  };
  const auto shared = std::make_shared<state>();
  {
    const credentials_watch watch{[shared](const credentials_watch::listener& say) {
                                    shared->begun.release();
                                    shared->goes_on.acquire();
                                    say("too late");
                                    shared->over.release();
                                  },
                                  [shared](const std::string&) { ++shared->said; }, 1ms};
    shared->begun.acquire();
  }
  CHECK(credentials_watch::running_polls() > 0);
  shared->goes_on.release();
  CHECK(shared->over.try_acquire_for(10s));
  CHECK(shared->said == 0);
}

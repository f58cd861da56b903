// Threads that cannot be started.
#include "actors/threads.hpp"

#include <catch2/catch.hpp>

#include <sys/resource.h>

#include <fstream>

using namespace troupe;

namespace {

/// What the process may take of its address space, as long as it lives: so little that no stack fits in.
class no_room_for_stacks {
 public:
  no_room_for_stacks() {
    REQUIRE(::getrlimit(RLIMIT_AS, &usual_) == 0);
    std::size_t pages = 0;
    std::ifstream{"/proc/self/statm"} >> pages;
    auto lower = usual_;
    lower.rlim_cur = pages * 4096 + (1 << 20);
    REQUIRE(::setrlimit(RLIMIT_AS, &lower) == 0);
  }
  no_room_for_stacks(const no_room_for_stacks&) = delete;
  no_room_for_stacks& operator=(const no_room_for_stacks&) = delete;
  ~no_room_for_stacks() { ::setrlimit(RLIMIT_AS, &usual_); }

 private:
  rlimit usual_{};
};

} // namespace

TEST_CASE("whether threads can be started is known beforehand, and may change") {
  std::string why;
  {
    const no_room_for_stacks limit;
    why = why_no_threads(20);
  }
  CHECK_THAT(why, Catch::StartsWith("no thread can be started: "));
  CHECK(why_no_threads(20).empty());
}

// The shares of the parts of a process in its limit of open files.
#include "runtime/os/descriptor_budget.hpp"

#include <catch2/catch.hpp>

#include <initializer_list>

using namespace troupe;

TEST_CASE("the shares leave a quarter of the limit to the log and the rest of the process") {
  for (const std::size_t limit : {8U, 64U, 256U, 1024U, 20'000U, 1'048'576U}) {
    CAPTURE(limit);
    const auto shares = share_descriptors(limit);
    CHECK(shares.transport_connections > 0);
    CHECK(shares.transport_openings > 0);
    CHECK(shares.http_connections > 0);
    CHECK(shares.transport_openings <= shares.transport_connections);
    CHECK(shares.transport_connections + shares.http_connections <= limit - limit / 4);
  }
}

TEST_CASE("without a limit the shares are unlimited, and a changed limit is read again") {
  CHECK(share_descriptors(descriptor_budget::unlimited).http_connections == descriptor_budget::unlimited);
  rlimit usual{};
  REQUIRE(::getrlimit(RLIMIT_NOFILE, &usual) == 0);
  auto lower = usual;
  lower.rlim_cur = 200;
  REQUIRE(::setrlimit(RLIMIT_NOFILE, &lower) == 0);
  const auto shares = descriptor_shares();
  REQUIRE(::setrlimit(RLIMIT_NOFILE, &usual) == 0);
  CHECK(shares.transport_connections == 100);
  CHECK(shares.http_connections == 50);
}

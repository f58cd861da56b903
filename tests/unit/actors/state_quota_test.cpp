// Which commands may exceed the state quota.
#include "actors/frontend/state_quota.hpp"

#include <catch2/catch.hpp>

namespace troupe {
namespace {

services::command_view command(std::string_view service, std::string_view tag, std::string_view payload) {
  services::command_view what;
  what.service = service;
  what.tag = tag;
  what.payload = payload;
  return what;
}

TEST_CASE("a command counts by its payload, beside the state and the proposed commands") {
  state_quota quota{100};
  quota.set_size(80);
  CHECK(!quota.may_exceed(command("map", "put", "0123456789"), 10));
  CHECK(quota.may_exceed(command("map", "put", "0123456789"), 11));
  CHECK(quota.objection() == "the state has 80 bytes, and its quota is 100: remove something first");
}

TEST_CASE("commands that never make the state larger pass") {
  state_quota quota{100};
  quota.set_size(1000);
  quota.set_non_growing({{"map", {"remove"}}});
  CHECK(!quota.may_exceed(command("map", "remove", "key"), 0));
  CHECK(quota.may_exceed(command("map", "put", "key"), 0));
  CHECK(quota.may_exceed(command("other", "remove", "key"), 0));
}

TEST_CASE("without a quota everything passes") {
  state_quota quota{0};
  quota.set_size(1'000'000);
  CHECK(!quota.may_exceed(command("map", "put", "key"), 1'000'000));
}

} // namespace
} // namespace troupe

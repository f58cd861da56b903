#include "services/restore_command.hpp"

#include "services/command.hpp"

#include <catch2/catch.hpp>

#include <troupe/service.hpp>

using namespace troupe;
using namespace troupe::services;

namespace {

const snapshot_id backup{{41, 3}, 1000, 0xabcdef};

} // namespace

TEST_CASE("a restore command names its backup if its entry is after all entries of the backup") {
  const auto data = encode_restore(backup);
  CHECK(data.size() < 64);
  CHECK(is_for_cluster(data));
  CHECK(restored_by(data, 42) == backup);
  CHECK(restored_by(data, 1'000'000) == backup);
  CHECK_FALSE(restored_by(data, 41));
  CHECK_FALSE(restored_by(data, 1));
  CHECK(why_no_restore(data).find("backwards") != std::string::npos);
}

TEST_CASE("rejects a restore command that is truncated, too long, of size 0, or of another tag") {
  const auto data = encode_restore(backup);
  for (std::size_t size = 0; size < data.size(); ++size)
    CHECK_FALSE(restored_by(std::string_view{data}.substr(0, size), 100));
  CHECK_FALSE(restored_by(data + "x", 100));
  CHECK_FALSE(restored_by(encode_restore({{41, 3}, 0, 1}), 100));
  const auto payload = data.substr(data.size() - 32);
  CHECK(restored_by(encode_command(cluster_service, "restore", payload), 100) == backup);
  const auto unknown = encode_command(cluster_service, "forget", payload);
  CHECK_FALSE(restored_by(unknown, 100));
  CHECK(is_for_cluster(unknown));
  CHECK(why_no_restore(unknown) == "this program does not know this command to the cluster");
}

TEST_CASE("no service can have the name of the cluster itself") {
  CHECK_FALSE(detail::is_service_name(cluster_service));
  CHECK_FALSE(detail::is_service_name("$map"));
  CHECK(detail::is_service_name("map$"));
  const auto put = encode_command("map", "restore", std::string(32, '\x01'));
  CHECK_FALSE(is_for_cluster(put));
  CHECK_FALSE(restored_by(put, 1'000'000));
  CHECK_FALSE(is_for_cluster("$cluster"));
}

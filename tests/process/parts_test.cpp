// The failure of an actor between the webserver's HTTP server and its node is noticed.
#include "actors/caf.hpp"
#include "examples/webserver/entrance.hpp"
#include "runtime/http/client/client.hpp"
#include "runtime/http/mailbox.hpp"
#include "tests/process/cluster.hpp"
#include "tests/unit/temporary_folder.hpp"

#include <catch2/catch.hpp>

#include <atomic>
#include <future>
#include <memory>
#include <mutex>
#include <string>
#include <troupe/http/server.hpp>
#include <vector>

using namespace troupe;
using namespace std::chrono_literals;
using Catch::Contains;
using Catch::StartsWith;

namespace {

/// The components of the webserver in this process, with a cluster of one node.
struct parts_world {
  test::temporary_folder folder;
  std::uint16_t raft_port = testing::free_ports(1).front();
  std::shared_ptr<webserver::entrance> entry = std::make_shared<webserver::entrance>();
  http::server listener{{}, [entry = entry](http::request req, http::responder responder) {
                          entry->pass(std::move(req), std::move(responder));
                        }};
  config settings;
  caf::actor_system system{settings};
  node member =
      spawn_node(system, {.data_dir = folder / "n", .raft_port = raft_port, .bootstrap_expect = 1}, map_service{});
  std::shared_ptr<std::promise<std::string>> failed = std::make_shared<std::promise<std::string>>();
  std::unique_ptr<webserver::workers> workers = std::make_unique<webserver::workers>(
      system, member.handle(), member.service<map_service>(), entry,
      [failed = failed, first = std::make_shared<std::once_flag>()](const std::string& why) {
        std::call_once(*first, [&] { failed->set_value(why); });
      });
  http::client caller{"127.0.0.1", listener.port(), 10s};

  parts_world() {
    testing::wait_for("readiness of the node", 20s, [&] { return caller.request("GET", "/readyz").status == 200; });
  }
  /// The message with which the process would exit.
  std::string failure() {
    auto reason = failed->get_future();
    REQUIRE(reason.wait_for(10s) == std::future_status::ready);
    return reason.get();
  }
};

/// A node that is short of descriptors at first, and whose disk fails after the first chunk.
class short_node : public compat::untyped_base {
 public:
  short_node(caf::actor_config& config, std::shared_ptr<std::atomic<int>> asked)
      : compat::untyped_base(config), asked_(std::move(asked)) {}
  caf::behavior make_behavior() override {
    return {[this](const read_backup& what) -> caf::result<backup_chunk> {
      if (++*asked_ <= 2) return make_error({errc::overloaded, "Too many open files", {}, {}});
      if (what.offset > 0) return make_error({errc::refused, "Input/output error", {}, {}});
      return backup_chunk{"abc"};
    }};
  }

 private:
  std::shared_ptr<std::atomic<int>> asked_;
};

} // namespace

TEST_CASE("when the gateway fails, the webserver is not ready and says why") {
  parts_world w;
  caf::anon_send_exit(w.workers->gateway(), caf::exit_reason::kill);
  const auto why = w.failure();
  CHECK_THAT(why, StartsWith("the gateway between HTTP and the node failed: "));
  CHECK_THAT(why, !Contains("\n"));
  const auto answer = w.caller.request("GET", "/readyz");
  CHECK(answer.status == 503);
  CHECK_THAT(answer.body, Contains(why));
}

TEST_CASE("when the worker for large bodies fails, the webserver is not ready and says why") {
  parts_world w;
  const auto large = '"' + std::string(100'000, 'x') + '"';
  CHECK(w.caller.request("PUT", "/v1/maps/m/k", large).status == 200);
  caf::anon_send_exit(w.workers->large(), caf::exit_reason::kill);
  CHECK_THAT(w.failure(), StartsWith("the worker that parses large bodies failed: "));
  CHECK(w.caller.request("GET", "/readyz").status == 503);
  CHECK(w.caller.request("PUT", "/v1/maps/m/k", large).status == 503);
}

TEST_CASE("when the front of a service fails, the node stops") {
  parts_world w;
  caf::anon_send_exit(w.member.service<map_service>(), caf::exit_reason::kill);
  const auto why = w.failure();
  CHECK_THAT(why, StartsWith("the node stopped: "));
  CHECK_THAT(why, !Contains("\n"));
  CHECK(w.caller.request("GET", "/readyz").status == 503);
}

TEST_CASE("reading a chunk of a backup is retried while the node is short of descriptors") {
  parts_world w;
  const auto asked = std::make_shared<std::atomic<int>>(0);
  const auto node = w.system.spawn<short_node>(asked);
  const auto gateway = w.system.spawn<webserver::gateway>(caf::actor_cast<node_handle>(node),
                                                          w.member.service<map_service>(), [](const std::string&) {});
  const auto read = [&](std::uint64_t offset) {
    const auto arrived = std::make_shared<std::promise<void>>();
    const auto answers = std::make_shared<http::mailbox>([arrived] { arrived->set_value(); });
    compat::anon_send(gateway, webserver::piece_wanted{{1, offset, 10}, {answers, 1}});
    REQUIRE(arrived->get_future().wait_for(10s) == std::future_status::ready);
    std::vector<http::answer> taken;
    answers->take(taken);
    return std::get<http::piece>(taken.at(0).content).bytes;
  };
  CHECK(read(0) == "abc");
  CHECK(*asked == 3);
  CHECK(read(3).empty()); // any other error ends the download
  CHECK(*asked == 4);
  caf::anon_send_exit(gateway, caf::exit_reason::user_shutdown);
  caf::anon_send_exit(node, caf::exit_reason::user_shutdown);
}

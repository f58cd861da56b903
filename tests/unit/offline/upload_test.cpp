// Tests `troupe-backup restore` against a fake node with programmed answers.
#include "runtime/offline/upload.hpp"

#include "runtime/offline/directory.hpp"
#include "runtime/storage/snapshot_dir.hpp"
#include "runtime/storage/snapshot_format.hpp"
#include "tests/unit/offline/offline_node.hpp"
#include "tests/unit/storage/snapshot_model.hpp"

#include <catch2/catch.hpp>

#include <deque>
#include <optional>
#include <string>
#include <troupe/http/server.hpp>
#include <vector>

using namespace troupe;
using namespace troupe::test;
using namespace std::chrono_literals;

namespace {

constexpr offline::upload_options at_once{.yes = true};
constexpr offline::upload_options impatient{.yes = true, .patience = 300ms, .retry_interval = 10ms};

/// Answers like a node that receives a backup: with the next offset, and in the end with the outcome.
class fake_node {
 public:
  /// Answers for the next requests, instead of the normal ones.
  std::deque<http::response> instead;
  http::response outcome{200, "application/json", R"({"index":77})"};
  http::response status{200, "application/json", of_cluster(old_cluster)};
  /// The restore is answered after this many more status requests.
  int statuses_before_outcome = 0;
  std::string received;
  std::vector<std::string> targets;

  std::string url() const { return "http://127.0.0.1:" + std::to_string(server_.port()); }
  /// The last request.
  std::string last() const { return targets.empty() ? std::string{} : targets.back(); }

  static std::string of_cluster(raft::cluster_id id) {
    return R"({"cluster_id":")" + to_string(id) + R"(","last_index":50,"not_ready":"no leader is known"})";
  }

 private:
  void serve(const http::request& asked, const http::responder& answer) {
    if (asked.target == "/status") {
      answer.send(status);
      if (waiting_ && --statuses_before_outcome == 0) waiting_->send(outcome);
      return;
    }
    targets.push_back(asked.method + " " + asked.target);
    if (!instead.empty()) {
      answer.send(instead.front());
      return instead.pop_front();
    }
    if (asked.method == "POST" && statuses_before_outcome > 0) {
      waiting_ = answer;
      return;
    }
    if (asked.method == "POST") return answer.send(outcome);
    if (asked.parameter("offset") == std::to_string(received.size())) received += asked.body;
    answer.send({200, "application/json", "{\"next\":" + std::to_string(received.size()) + "}"});
  }

  std::optional<http::responder> waiting_;
  http::server server_{{}, [this](const http::request& asked, const http::responder& answer) { serve(asked, answer); }};
};

struct backup_file {
  memory_file_system fs;
  std::filesystem::path path;
  std::string bytes;
  std::string target;

  explicit backup_file(std::size_t size = 3 << 20) {
    snapshot_dir files{fs, "/backups", old_cluster};
    const auto id = write_snapshot(files, make_point(9, 2), {{"map", some_bytes(size, 1)}});
    path = "/backups/" + snapshot_format::file_name(id);
    bytes = fs.content(path);
    target = "/v1/restore/" + to_string(id);
  }
};

http::response refusal(unsigned status, const std::string& outcome, bool retryable = true) {
  return http::error_response(status, "code", "for a reason", outcome, retryable);
}

} // namespace

TEST_CASE("sends a backup completely and in order, then restores it") {
  backup_file file;
  fake_node node;
  captured said;
  CHECK(offline::upload(file.fs, file.path, node.url() + "/", at_once, said.to) == offline::all_good);
  CHECK((node.received == file.bytes));
  CHECK(node.last() == "POST " + file.target + "?timeout=300s");
  CHECK(node.targets.size() == 6); // a question, four chunks, and the restore
  CHECK_THAT(said.out.str(), Catch::Contains("good") && Catch::Contains("restored at index 77"));
  CHECK_THAT(said.err.str(),
             Catch::Contains("sent " + std::to_string(file.bytes.size()) + " of " + std::to_string(file.bytes.size())));
}

TEST_CASE("does not send again what the node already has") {
  backup_file file;
  fake_node node;
  node.received = file.bytes.substr(0, 1'500'000);
  captured said;
  CHECK(offline::upload(file.fs, file.path, node.url(), at_once, said.to) == offline::all_good);
  CHECK((node.received == file.bytes));
  CHECK(node.targets[1] == "PUT " + file.target + "?offset=1500000");
  node.targets.clear();
  CHECK(offline::upload(file.fs, file.path, node.url(), at_once, said.to) == offline::all_good);
  CHECK(node.targets.size() == 2);
}

TEST_CASE("asks a node that is busy or lost its data for the offset again") {
  backup_file file;
  fake_node node;
  node.instead = {refusal(503, "rejected"),
                  refusal(429, "rejected"),
                  {200, "application/json", R"({"next":2097152})"},
                  {200, "application/json", R"({"next":0})"}};
  captured said;
  CHECK(offline::upload(file.fs, file.path, node.url(), impatient, said.to) == offline::all_good);
  CHECK((node.received == file.bytes));
  // Reported once, not for each attempt.
  const auto text = said.err.str();
  CHECK(text.find("for a reason, trying again") == text.rfind("for a reason, trying again"));
  CHECK_THAT(text, Catch::Contains("for a reason, trying again"));
}

TEST_CASE("does not retry a permanent error, and the last line has the reason") {
  backup_file file;
  captured said;
  fake_node node;
  node.instead = {refusal(429, "rejected", false)};
  CHECK_THROWS_WITH(offline::upload(file.fs, file.path, node.url(), at_once, said.to),
                    "the node rejects the backup: for a reason");
  CHECK(node.targets.size() == 1);
  node.instead.assign(100'000, refusal(503, "rejected"));
  CHECK_THROWS_WITH(offline::upload(file.fs, file.path, node.url(), impatient, said.to),
                    "the backup could not be sent: for a reason");
}

TEST_CASE("shows the operator what is restored where, and sends nothing before the answer") {
  backup_file file;
  fake_node node;
  captured said;
  const offline::upload_options ask{};
  CHECK(offline::upload(file.fs, file.path, node.url(), ask, said.to) == offline::bad_usage);
  CHECK(said.asked == 1);
  CHECK(node.targets.empty());
  CHECK_THAT(said.err.str(),
             Catch::Contains("the backup is of cluster " + to_string(old_cluster) + ", up to entry 9") &&
                 Catch::Contains("is of cluster " + to_string(old_cluster) + ", and its log reaches entry 50") &&
                 Catch::Contains("nothing was changed"));
  said.answer = true;
  CHECK(offline::upload(file.fs, file.path, node.url(), ask, said.to) == offline::all_good);
}

TEST_CASE("restores a backup of another cluster only with --other-cluster") {
  backup_file file;
  fake_node node;
  node.status.body = fake_node::of_cluster({0xdd});
  captured said;
  CHECK_THROWS_WITH(offline::upload(file.fs, file.path, node.url(), at_once, said.to),
                    Catch::Contains(to_string(old_cluster)) && Catch::Contains("00000000000000dd") &&
                        Catch::Contains("--other-cluster"));
  CHECK(node.targets.empty());
  auto meant = at_once;
  meant.other_cluster = true;
  CHECK(offline::upload(file.fs, file.path, node.url(), meant, said.to) == offline::all_good);
  node.status.body = R"({"cluster_id":null,"not_ready":"it forms"})";
  CHECK_THROWS_WITH(offline::upload(file.fs, file.path, node.url(), meant, said.to),
                    Catch::Contains("does not belong to a cluster yet: it forms") && Catch::Contains("--restore"));
}

TEST_CASE("gives up at once if the server is not a node") {
  backup_file file;
  captured said;
  const auto fails = [&](const std::string& url, const char* why) {
    CHECK_THROWS_WITH(offline::upload(file.fs, file.path, url, at_once, said.to), Catch::Contains(why));
  };
  fails("http://127.0.0.1:1", "cannot reach a node's HTTP API at 127.0.0.1:1: cannot connect");
  fails("http://no-such-host.invalid:80", "Could not resolve host: no-such-host.invalid");
  fake_node node;
  node.status = {404, "text/plain", "nothing here"};
  fails(node.url(), "is not a node's HTTP API: status 404");
  node.status = {200, "text/html", "<html>"};
  fails(node.url(), "is not a node's HTTP API");
  CHECK(node.targets.empty());
}

TEST_CASE("reports what the cluster waits for, and for how long") {
  backup_file file{10};
  fake_node node;
  captured said;
  auto options = at_once;
  options.timeout = 20s;
  options.report_every = 5ms;
  node.statuses_before_outcome = 3;
  CHECK(offline::upload(file.fs, file.path, node.url(), options, said.to) == offline::all_good);
  CHECK(node.last() == "POST " + file.target + "?timeout=20s");
  CHECK_THAT(said.err.str(), Catch::Contains("waiting, 0 s of 20 s: no leader is known"));
  CHECK_THAT(said.out.str(), Catch::Contains("restored at index 77"));
}

TEST_CASE("gives up if the node rejects the backup or stops accepting data, and restores nothing") {
  backup_file file;
  captured said;
  {
    fake_node refusing;
    refusing.instead = {{200, "application/json", R"({"next":0})"}, refusal(400, "rejected")};
    CHECK_THROWS_WITH(offline::upload(file.fs, file.path, refusing.url(), impatient, said.to),
                      "the node rejects the backup: for a reason");
    CHECK(refusing.targets.size() == 2);
  }
  {
    fake_node deaf;
    deaf.instead.assign(100'000, {200, "application/json", R"({"next":5})"});
    CHECK_THROWS_WITH(offline::upload(file.fs, file.path, deaf.url(), impatient, said.to),
                      Catch::Contains("accepts no more data"));
  }
  {
    fake_node strange;
    strange.instead = {{200, "text/html", "<html>"}};
    CHECK_THROWS_AS(offline::upload(file.fs, file.path, strange.url(), impatient, said.to), offline::usage_error);
  }
  for (const auto* url : {"127.0.0.1:1", "http://", "http://host", "https://host:1", "http://host:99999"})
    CHECK_THROWS_AS(offline::upload(file.fs, file.path, url, impatient, said.to), offline::usage_error);
}

TEST_CASE("distinguishes the outcomes of a restore") {
  backup_file file{10};
  fake_node node;
  captured said;
  node.outcome = refusal(400, "rejected");
  CHECK(offline::upload(file.fs, file.path, node.url(), at_once, said.to) == offline::bad_usage);
  CHECK_THAT(said.out.str(), Catch::Contains("not restored: for a reason"));
  node.outcome = refusal(504, "unknown");
  CHECK(offline::upload(file.fs, file.path, node.url(), at_once, said.to) == offline::outcome_unknown);
}

TEST_CASE("sends nothing if the file is damaged or missing") {
  backup_file file;
  fake_node node;
  captured said;
  file.fs.flip_byte(file.path, file.bytes.size() / 2);
  CHECK(offline::upload(file.fs, file.path, node.url(), at_once, said.to) == offline::damage_found);
  CHECK_THROWS_AS(offline::upload(file.fs, "/nowhere", node.url(), at_once, said.to), offline::usage_error);
  CHECK(node.targets.empty());
}

TEST_CASE("a node's answer is bounded, and its text cannot control the terminal") {
  backup_file file;
  fake_node node;
  captured said;
  SECTION("control characters") {
    node.outcome = http::error_response(409, "code", "for \x1b[2J a\nreason", "rejected", false);
    CHECK(offline::upload(file.fs, file.path, node.url(), at_once, said.to) == offline::bad_usage);
    CHECK_THAT(said.out.str(), Catch::Contains("not restored: for ?[2J a?reason"));
  }
  SECTION("a status without an end") {
    node.status = {200, "application/json", std::string(2 << 20, ' ') + node.status.body};
    CHECK_THROWS_WITH(offline::upload(file.fs, file.path, node.url(), at_once, said.to),
                      Catch::Contains("a node's HTTP API"));
    CHECK(node.received.empty());
  }
}

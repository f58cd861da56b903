// `troupe-backup restore` against a node that answers as it is told.
#include "runtime/offline/upload.hpp"

#include "runtime/http/server.hpp"
#include "runtime/offline/directory.hpp"
#include "runtime/storage/snapshot_dir.hpp"
#include "runtime/storage/snapshot_format.hpp"
#include "tests/unit/offline/offline_node.hpp"
#include "tests/unit/storage/snapshot_model.hpp"

#include <catch2/catch.hpp>

#include <deque>
#include <string>
#include <vector>

using namespace troupe;
using namespace troupe::test;
using namespace std::chrono_literals;

namespace {

constexpr offline::upload_patience short_patience{300ms, 10ms};

/// What a node makes of a backup: the offset that is due, and in the end an answer.
class fake_node {
 public:
  /// Given for the next requests, before any is taken.
  std::deque<http::response> instead;
  http::response outcome{200, "application/json", R"({"index":77})"};
  std::string received;
  std::vector<std::string> targets;

  std::string url() const { return "http://127.0.0.1:" + std::to_string(server_.port()); }
  /// Of what it was asked for last.
  std::string last() const { return targets.empty() ? std::string{} : targets.back(); }

 private:
  void serve(const http::request& asked, const http::responder& answer) {
    targets.push_back(asked.method + " " + asked.target);
    if (!instead.empty()) {
      answer.send(instead.front());
      return instead.pop_front();
    }
    if (asked.method == "POST") return answer.send(outcome);
    if (asked.parameter("offset") == std::to_string(received.size())) received += asked.body;
    answer.send({200, "application/json", "{\"next\":" + std::to_string(received.size()) + "}"});
  }

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
    target = "/v1/restore/" + snapshot_format::name_of(id);
  }
};

http::response refusal(unsigned status, const std::string& outcome) {
  return http::error_response(status, "code", "for a reason", outcome);
}

} // namespace

TEST_CASE("a backup is sent whole, in order, and then restored") {
  backup_file file;
  fake_node node;
  captured said;
  CHECK(offline::upload(file.fs, file.path, node.url() + "/", said.to) == offline::all_good);
  CHECK((node.received == file.bytes));
  CHECK(node.last() == "POST " + file.target);
  CHECK(node.targets.size() == 6); // a question, four pieces, and the restore
  CHECK_THAT(said.out.str(), Catch::Contains("good") && Catch::Contains("restored at index 77"));
  CHECK_THAT(said.err.str(),
             Catch::Contains("sent " + std::to_string(file.bytes.size()) + " of " + std::to_string(file.bytes.size())));
}

TEST_CASE("what is there already is not sent again") {
  backup_file file;
  fake_node node;
  node.received = file.bytes.substr(0, 1'500'000);
  captured said;
  CHECK(offline::upload(file.fs, file.path, node.url(), said.to) == offline::all_good);
  CHECK((node.received == file.bytes));
  CHECK(node.targets[1] == "PUT " + file.target + "?offset=1500000");
  node.targets.clear();
  CHECK(offline::upload(file.fs, file.path, node.url(), said.to) == offline::all_good);
  CHECK(node.targets.size() == 2);
}

TEST_CASE("a node that is busy or lost what it had is asked again where it stands") {
  backup_file file;
  fake_node node;
  node.instead = {refusal(503, "rejected"),
                  refusal(429, "rejected"),
                  {200, "application/json", R"({"next":2097152})"},
                  {200, "application/json", R"({"next":0})"}};
  captured said;
  CHECK(offline::upload(file.fs, file.path, node.url(), said.to, short_patience) == offline::all_good);
  CHECK((node.received == file.bytes));
  CHECK_THAT(said.err.str(), Catch::Contains("for a reason, trying again"));
}

TEST_CASE("a node that does not take it, or takes no more, is given up, and nothing is restored") {
  backup_file file;
  captured said;
  {
    fake_node refusing;
    refusing.instead = {{200, "application/json", R"({"next":0})"}, refusal(400, "rejected")};
    CHECK_THROWS_WITH(offline::upload(file.fs, file.path, refusing.url(), said.to, short_patience),
                      "the backup is refused: for a reason");
    CHECK(refusing.targets.size() == 2);
  }
  {
    fake_node deaf;
    deaf.instead.assign(100'000, {200, "application/json", R"({"next":5})"});
    CHECK_THROWS_WITH(offline::upload(file.fs, file.path, deaf.url(), said.to, short_patience),
                      Catch::Contains("takes no more"));
  }
  {
    fake_node strange;
    strange.instead = {{200, "text/html", "<html>"}};
    CHECK_THROWS_AS(offline::upload(file.fs, file.path, strange.url(), said.to, short_patience), offline::usage_error);
  }
  CHECK_THROWS_WITH(offline::upload(file.fs, file.path, "http://127.0.0.1:1", said.to, short_patience),
                    Catch::Contains("could not be sent"));
  for (const auto* url : {"127.0.0.1:1", "http://", "http://host", "https://host:1", "http://host:99999"})
    CHECK_THROWS_AS(offline::upload(file.fs, file.path, url, said.to, short_patience), offline::usage_error);
}

TEST_CASE("how a restore ended is told apart") {
  backup_file file{10};
  fake_node node;
  captured said;
  node.outcome = refusal(400, "rejected");
  CHECK(offline::upload(file.fs, file.path, node.url(), said.to) == offline::bad_usage);
  CHECK_THAT(said.out.str(), Catch::Contains("not restored: for a reason"));
  node.outcome = refusal(504, "unknown");
  CHECK(offline::upload(file.fs, file.path, node.url(), said.to) == offline::outcome_unknown);
}

TEST_CASE("nothing is sent of a damaged file, nor of one that is not there") {
  backup_file file;
  fake_node node;
  captured said;
  file.fs.flip_byte(file.path, file.bytes.size() / 2);
  CHECK(offline::upload(file.fs, file.path, node.url(), said.to) == offline::damage_found);
  CHECK_THROWS_AS(offline::upload(file.fs, "/nowhere", node.url(), said.to), offline::usage_error);
  CHECK(node.targets.empty());
}

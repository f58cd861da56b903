#include "runtime/http/mailbox.hpp"

#include <catch2/catch.hpp>
#include <nlohmann/json.hpp>

#include <troupe/http/message.hpp>

using namespace troupe::http;

TEST_CASE("an error has the project's format") {
  const auto error = error_response(429, "overloaded", "too much \xFF", "rejected", true);
  CHECK(error.status == 429);
  CHECK(error.content_type == "application/json");
  CHECK(nlohmann::json::parse(error.body) == nlohmann::json{{"error", "overloaded"},
                                                            {"outcome", "rejected"},
                                                            {"retryable", true},
                                                            {"leader", nullptr},
                                                            {"message", "too much \xEF\xBF\xBD"}});
}

TEST_CASE("finds headers in any case, but parameters only in their own") {
  request asked;
  asked.headers = {{"Content-Type", "a"}, {"X", "b"}};
  asked.query = {{"k", "1"}, {"k", "2"}};
  CHECK(asked.header("content-TYPE") == "a");
  CHECK_FALSE(asked.header("Content"));
  CHECK(asked.parameter("k") == "1");
  CHECK_FALSE(asked.parameter("K"));
}

TEST_CASE("a burst of answers wakes the I/O thread once") {
  int wakes = 0;
  const auto answers = std::make_shared<mailbox>([&] { ++wakes; });
  std::vector<answer> taken;
  for (std::uint64_t id = 1; id <= 100; ++id) responder(answers, id).send({});
  CHECK(wakes == 1);
  answers->take(taken);
  CHECK(taken.size() == 100);
  taken.clear();
  responder(answers, 7).send({});
  CHECK(wakes == 2);
}

TEST_CASE("a responder answers exactly once") {
  const auto answers = std::make_shared<mailbox>([] {});
  std::vector<answer> taken;
  SECTION("the first answer counts") {
    {
      const responder one(answers, 5);
      const auto copy = one;
      copy.send({201, "text/plain", "first"});
      one.send({202, "text/plain", "second"});
    }
    answers->take(taken);
    REQUIRE(taken.size() == 1);
    CHECK(taken[0].connection == 5);
    CHECK(std::get<response>(taken[0].content).status == 201);
  }
  SECTION("a dropped request gets a 500 once the last copy is gone") {
    {
      auto one = std::make_unique<responder>(answers, 5);
      const auto copy = *one;
      one.reset();
      answers->take(taken);
      CHECK(taken.empty());
    }
    answers->take(taken);
    REQUIRE(taken.size() == 1);
    CHECK(std::get<response>(taken[0].content).status == 500);
  }
  SECTION("nothing happens after the server is gone") {
    const responder one(answers, 5);
    answers->close();
    one.send({});
    answers->take(taken);
    CHECK(taken.empty());
  }
}

// A log without a reader blocks no thread, and reports the missing lines when it is read again.
#include "actors/log_writer.hpp"

#include <catch2/catch.hpp>

#include <array>
#include <csignal>
#include <fcntl.h>
#include <string>
#include <thread>
#include <unistd.h>
#include <vector>

using troupe::log_writer;
using namespace std::chrono_literals;

namespace {

struct pipe_ends {
  pipe_ends() { REQUIRE(::pipe2(ends.data(), O_CLOEXEC) == 0); }
  ~pipe_ends() {
    if (ends[0] >= 0) ::close(ends[0]);
    // The writing end stays open, since the writer's thread is never joined.
  }
  std::array<int, 2> ends{-1, -1};
};

std::string line_of(int number) { return std::to_string(number) + std::string(990, '.') + "\n"; }

} // namespace

TEST_CASE("without a reader, lines are dropped and counted, and no thread waits") {
  pipe_ends pipe;
  auto& writer = *new log_writer(pipe.ends[1], 100'000);
  constexpr int lines = 2000; // 2 MB: the pipe holds 64 KiB, the queue 100 KB
  for (int i = 0; i < lines; ++i) writer.write(line_of(i));
  const auto missing = writer.dropped();
  CHECK(missing > 1500);
  CHECK(missing < lines);
  CHECK_FALSE(writer.flush(50ms));

  // The log is read again: the kept lines arrive complete and in order, and the gap is reported.
  std::string text;
  std::thread reader([&] {
    std::array<char, 65536> block;
    while (text.find("last line\n") == std::string::npos) {
      const auto size = ::read(pipe.ends[0], block.data(), block.size());
      if (size <= 0) break;
      text.append(block.data(), static_cast<std::size_t>(size));
    }
  });
  CHECK(writer.flush(10s));
  writer.write("last line\n");
  CHECK(writer.flush(10s));
  reader.join();
  const auto kept = lines - static_cast<int>(missing);
  std::string expected;
  for (int i = 0; i < kept; ++i) expected += line_of(i);
  expected += "(" + std::to_string(missing) + " lines are missing: the log was not read in time)\nlast line\n";
  // If the thread took lines from the queue while others were dropped, the gap is at another place.
  if (text != expected) {
    CHECK(text.ends_with("last line\n"));
    CHECK_THAT(text, Catch::Contains(" lines are missing: the log was not read in time)\n"));
  }
  CHECK(writer.dropped() == missing);
}

TEST_CASE("waits for a full non-blocking descriptor") {
  pipe_ends pipe;
  REQUIRE(::fcntl(pipe.ends[1], F_SETFL, O_NONBLOCK) == 0);
  auto& writer = *new log_writer(pipe.ends[1], 1'000'000);
  constexpr int lines = 300; // 300 KB: the pipe holds 64 KiB
  std::string expected;
  for (int i = 0; i < lines; ++i) {
    writer.write(line_of(i));
    expected += line_of(i);
  }
  CHECK_FALSE(writer.flush(50ms));
  CHECK(writer.dropped() == 0);
  std::string text;
  std::array<char, 65536> block;
  while (text.size() < expected.size()) {
    const auto size = ::read(pipe.ends[0], block.data(), block.size());
    REQUIRE(size > 0);
    text.append(block.data(), static_cast<std::size_t>(size));
  }
  CHECK(text == expected);
  CHECK(writer.flush(10s));
  CHECK(writer.dropped() == 0);
}

TEST_CASE("a broken pipe causes neither a signal nor a wait") {
  pipe_ends pipe;
  ::close(std::exchange(pipe.ends[0], -1));
  const auto before = std::signal(SIGPIPE, SIG_DFL); // it would end this process
  auto& writer = *new log_writer(pipe.ends[1]);
  writer.write("one\n");
  writer.write("two\n");
  CHECK(writer.flush(10s));
  CHECK(writer.dropped() == 2);
  std::signal(SIGPIPE, before);
}

TEST_CASE("lines of several threads stay whole") {
  pipe_ends pipe;
  auto& writer = *new log_writer(pipe.ends[1]);
  constexpr int each = 200;
  std::vector<std::thread> threads;
  for (char name = 'a'; name < 'e'; ++name)
    threads.emplace_back([&writer, name] {
      for (int i = 0; i < each; ++i) writer.write(std::string(50, name) + "\n");
    });
  for (auto& thread : threads) thread.join();
  CHECK(writer.flush(10s));
  std::string text(4 * each * 51, ' ');
  for (std::size_t at = 0; at < text.size();) {
    const auto size = ::read(pipe.ends[0], text.data() + at, text.size() - at);
    REQUIRE(size > 0);
    at += static_cast<std::size_t>(size);
  }
  for (std::size_t at = 0; at < text.size(); at += 51) {
    REQUIRE(text.substr(at, 50) == std::string(50, text[at]));
    REQUIRE(text[at + 50] == '\n');
  }
}

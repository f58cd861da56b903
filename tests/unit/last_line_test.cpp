// The last line of a process whose standard error is a file, a pipe that is read, or a full pipe.
#include "runtime/os/last_line.hpp"
#include "tests/unit/temporary_folder.hpp"

#include <catch2/catch.hpp>

#include <csignal>
#include <fcntl.h>
#include <fstream>
#include <new>
#include <poll.h>
#include <string>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <troupe/process.hpp>

using namespace troupe;
using namespace std::chrono_literals;

namespace {

/// Runs `what` in a child process with this standard error. Returns its exit code, or -1 if it has not ended after ten
/// seconds.
template <class F> int exit_code(int standard_error, F what) {
  const auto child = ::fork();
  if (child == 0) {
    ::dup2(standard_error, STDERR_FILENO);
    what();
    ::_exit(77);
  }
  const auto end = static_cast<int>(::syscall(SYS_pidfd_open, child, 0));
  pollfd one{end, POLLIN, 0};
  const bool ended = ::poll(&one, 1, 10'000) == 1;
  ::kill(child, SIGKILL);
  int status = 0;
  REQUIRE(::waitpid(child, &status, 0) == child);
  ::close(end);
  return ended && WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

void run_out_of_memory() {
  end_process_without_memory("test");
  std::get_new_handler()();
}

void end_by_limit() {
  const stop_signals signals;
  termination ending{signals, "test", 10ms};
  ending.request();
  while (true) ::pause();
}

bool writes_hang = false;

/// A full pipe.
struct full_pipe {
  full_pipe() {
    REQUIRE(::pipe(ends) == 0);
    REQUIRE(::fcntl(ends[1], F_SETFL, O_NONBLOCK) == 0);
    const std::string page(4096, 'x');
    while (::write(ends[1], page.data(), page.size()) > 0) continue;
    REQUIRE(::fcntl(ends[1], F_SETFL, 0) == 0);
  }
  ~full_pipe() {
    ::close(ends[0]);
    ::close(ends[1]);
  }
  int ends[2];
};

} // namespace

/// Replaces the C library's function by one that hangs like a write to a stalled disk.
extern "C" ssize_t write(int to, const void* from, std::size_t size) {
  while (writes_hang) ::pause();
  return ::syscall(SYS_write, to, from, size);
}

TEST_CASE("a process ends even if the disk for its last line is stalled") {
  const test::temporary_folder folder;
  const auto file = ::open((folder / "log").c_str(), O_WRONLY | O_CREAT | O_APPEND, 0600);
  const auto with_hung_disk = [](auto what) {
    return [what] {
      writes_hang = true;
      what();
    };
  };
  CHECK(exit_code(file, with_hung_disk(run_out_of_memory)) == 1);
  CHECK(exit_code(file, with_hung_disk(end_by_limit)) == 1);
  ::close(file);
}

TEST_CASE("a process ends even if its last line is not read") {
  const full_pipe full;
  CHECK(exit_code(full.ends[1], run_out_of_memory) == 1);
  CHECK(exit_code(full.ends[1], end_by_limit) == 1);
}

TEST_CASE("writes the last line to a file and to a pipe with space") {
  const test::temporary_folder folder;
  const auto file = ::open((folder / "log").c_str(), O_WRONLY | O_CREAT | O_APPEND, 0600);
  CHECK(exit_code(file, run_out_of_memory) == 1);
  ::close(file);
  std::string line;
  std::getline(std::ifstream{folder / "log"}, line);
  CHECK(line == "test: out of memory, the process ends");

  int ends[2];
  REQUIRE(::pipe(ends) == 0);
  CHECK(exit_code(ends[1], end_by_limit) == 1);
  char text[256] = {};
  REQUIRE(::read(ends[0], text, sizeof text - 1) > 0);
  CHECK_THAT(std::string{text},
             Catch::StartsWith("test: the process has not ended within 10 ms") && Catch::EndsWith("\n"));
  ::close(ends[0]);
  ::close(ends[1]);
}

TEST_CASE("cuts a line that is longer than an atomic write to a pipe") {
  int ends[2];
  REQUIRE(::pipe(ends) == 0);
  CHECK(exit_code(ends[1], [] {
          const std::string line(2 * longest_last_line, 'x');
          write_last_line(line.data(), line.size());
          ::_exit(0);
        }) == 0);
  char text[2 * longest_last_line];
  CHECK(::read(ends[0], text, sizeof text) == longest_last_line);
  ::close(ends[0]);
  ::close(ends[1]);
}

#include <troupe/process.hpp>

#include <catch2/catch.hpp>

#include <cstdlib>
#include <memory>
#include <new>
#include <string>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>
#include <vector>

// AddressSanitizer needs more address space than the limit of this test.
#ifndef __SANITIZE_ADDRESS__
namespace {

struct ending {
  int code = -1;
  std::string said;
};

/// Runs `what` in a child process with a small memory limit.
template <class F> ending run_with_little_memory(F what) {
  int ends[2];
  REQUIRE(::pipe(ends) == 0);
  const auto child = ::fork();
  if (child == 0) {
    ::dup2(ends[1], STDERR_FILENO);
    const rlimit little{512 << 20, 512 << 20};
    ::setrlimit(RLIMIT_AS, &little);
    what();
    std::_Exit(77);
  }
  ::close(ends[1]);
  ending found;
  char block[256];
  for (ssize_t got = 0; (got = ::read(ends[0], block, sizeof block)) > 0;)
    found.said.append(block, static_cast<std::size_t>(got));
  ::close(ends[0]);
  int status = 0;
  REQUIRE(::waitpid(child, &status, 0) == child);
  if (WIFEXITED(status)) found.code = WEXITSTATUS(status);
  return found;
}

void use_all_memory() {
  std::vector<std::unique_ptr<char[]>> all;
  try {
    while (true) all.push_back(std::make_unique<char[]>(1 << 20));
  } catch (const std::exception&) { // as a caller might do
  }
}

} // namespace

TEST_CASE("a program with the handler ends with one line when out of memory, whatever its code catches") {
  const auto found = run_with_little_memory([] {
    troupe::end_process_without_memory("test");
    use_all_memory();
  });
  CHECK(found.code == 1);
  CHECK(found.said == "test: out of memory, the process ends\n");
}
#endif

TEST_CASE("without the handler a program keeps the default behavior") { CHECK(std::get_new_handler() == nullptr); }

#include "tests/process/program.hpp"

#include <cerrno>
#include <csignal>
#include <fcntl.h>
#include <fstream>
#include <poll.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <system_error>
#include <unistd.h>

namespace troupe::testing {
namespace {

[[noreturn]] void fail(const char* what) { throw std::system_error(errno, std::generic_category(), what); }

/// Runs between fork and exec, so it makes only calls that are safe there.
[[noreturn]] void become(char* const* arguments, int log, pid_t parent) {
  prctl(PR_SET_PDEATHSIG, SIGKILL);
  if (getppid() != parent) _exit(127);
  setsid();
  const int nothing = open("/dev/null", O_RDONLY | O_CLOEXEC);
  dup2(nothing, STDIN_FILENO);
  dup2(log, STDOUT_FILENO);
  dup2(log, STDERR_FILENO);
  close_range(STDERR_FILENO + 1, ~0u, CLOSE_RANGE_CLOEXEC); // libcurl has descriptors that a child would inherit
  execv(arguments[0], arguments);
  _exit(127);
}

} // namespace

program::program(std::vector<std::string> command, const std::filesystem::path& log) {
  std::vector<char*> arguments;
  for (auto& word : command) arguments.push_back(word.data());
  arguments.push_back(nullptr);
  const int out = open(log.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0644);
  if (out < 0) fail("opening a log");
  const auto parent = getpid();
  pid_ = fork();
  if (pid_ == 0) become(arguments.data(), out, parent);
  close(out);
  if (pid_ < 0) fail("fork");
  ended_ = static_cast<int>(syscall(SYS_pidfd_open, pid_, 0));
  if (ended_ < 0) fail("pidfd_open");
}

program::~program() {
  kill();
  close(ended_);
}

std::size_t program::resident_bytes() const {
  std::size_t pages = 0;
  std::ifstream statm{"/proc/" + std::to_string(pid_) + "/statm"};
  statm >> pages >> pages; // the first number is the virtual size
  return pages * static_cast<std::size_t>(sysconf(_SC_PAGESIZE));
}

void program::signal(int number) {
  if (running()) ::kill(pid_, number);
}

void program::kill() {
  signal(SIGKILL);
  wait(std::chrono::hours{1});
}

std::optional<int> program::wait(std::chrono::milliseconds patience) {
  if (code_) return code_;
  pollfd one{ended_, POLLIN, 0};
  if (poll(&one, 1, static_cast<int>(patience.count())) != 1) return std::nullopt;
  int status = 0;
  if (waitpid(pid_, &status, 0) != pid_) fail("waitpid");
  code_ = WIFEXITED(status) ? WEXITSTATUS(status) : -WTERMSIG(status);
  return code_;
}

int run(std::vector<std::string> command, const std::filesystem::path& log) {
  program one{std::move(command), log};
  if (!one.wait(std::chrono::seconds{30})) one.kill();
  return *one.wait(std::chrono::milliseconds{0});
}

} // namespace troupe::testing

#include "runtime/out_of_memory.hpp"

#include <cstdlib>
#include <cstring>
#include <new>
#include <unistd.h>

namespace troupe {
namespace {

const char* whose = "";

/// Allocates nothing. What cannot be written is lost.
void say(const char* text) { static_cast<void>(::write(STDERR_FILENO, text, std::strlen(text)) < 0); }

[[noreturn]] void end_now() {
  say(whose);
  say(": out of memory, the process ends\n");
  std::_Exit(EXIT_FAILURE);
}

} // namespace

void end_process_without_memory(const char* program) {
  whose = program;
  std::set_new_handler(end_now);
}

} // namespace troupe

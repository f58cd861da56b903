#include <troupe/process.hpp>

#include "runtime/os/last_line.hpp"

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <new>

namespace troupe {
namespace {

/// Prepared in advance, because no memory is left when it is needed.
char last_words[256];
std::size_t last_words_size = 0;

[[noreturn]] void end_now() {
  write_last_line(last_words, last_words_size);
  std::_Exit(EXIT_FAILURE);
}

} // namespace

void end_process_without_memory(const char* program) {
  const int size = std::snprintf(last_words, sizeof last_words, "%.200s: out of memory, the process ends\n", program);
  last_words_size = static_cast<std::size_t>(std::max(size, 0));
  std::set_new_handler(end_now);
}

} // namespace troupe

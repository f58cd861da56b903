#include "runtime/offline/terminal.hpp"

#include <iostream>
#include <unistd.h>

namespace troupe::offline {

bool ask_at_terminal(const std::string& question) {
  if (::isatty(STDIN_FILENO) == 0) {
    std::cerr << question << " There is no terminal for the question; --yes answers it\n";
    return false;
  }
  std::cerr << question << " Type yes: " << std::flush;
  std::string answer;
  return std::getline(std::cin, answer) && answer == "yes";
}

} // namespace troupe::offline

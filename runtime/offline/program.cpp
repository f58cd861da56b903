#include "runtime/offline/program.hpp"

#include "runtime/offline/console.hpp"
#include "runtime/offline/printable_output.hpp"

#include <exception>
#include <iostream>

namespace troupe::offline {

int run_program(const std::string& name, const std::function<int()>& command) {
  const printable_output out{std::cout};
  const printable_output err{std::cerr};
  try {
    return command();
  } catch (const std::exception& error) {
    std::cerr << name << ": " << error.what() << '\n';
    return exit_code_of(error);
  }
}

int shown(int code) {
  check_written(std::cout);
  return code;
}

} // namespace troupe::offline

// Runs a fuzz target without libFuzzer: its seeds, the files of a corpus, and deterministic mutations of both. The exit
// code is 0 if nothing was found.
#include "tests/fuzz/mutator.hpp"
#include "tests/fuzz/target.hpp"

#include <sys/time.h>

#include <algorithm>
#include <charconv>
#include <chrono>
#include <csignal>
#include <cstdlib>
#include <fcntl.h>
#include <filesystem>
#include <fstream>
#include <iostream>
#include <iterator>
#include <new>
#include <stdexcept>
#include <unistd.h>

#ifdef TROUPE_SANITIZED
#include <sanitizer/common_interface_defs.h>
#endif

namespace {

using std::filesystem::path;
using std::string_view_literals::operator""sv;

constexpr auto usage = R"(Usage: fuzz_TARGET [--runs N] [--seconds S] [--seed N] [FILE|DIRECTORY...]
       fuzz_TARGET --write-seeds DIRECTORY | --write-words FILE

Tries the target's own seeds, the files named, and then N mutations of them (default 20000), for at most S seconds
(default 3). With files alone, and --runs 0, it shows again what a run has found: the input that ends the process is
written to found-TARGET in the working directory.

)"sv;

constexpr std::size_t max_size = 16 * 1024;
/// Limit of the CPU time for one input.
constexpr int max_seconds = 20;

std::string_view current;        // the current input
std::string found_file{"found"}; // the file for an input that ends the process

void keep_current() {
  const int fd = ::open(found_file.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, S_IRUSR | S_IWUSR);
  if (fd >= 0 && ::write(fd, current.data(), current.size()) >= 0) {
    constexpr auto message = "the input was written to "sv;
    [[maybe_unused]] auto done = ::write(STDERR_FILENO, message.data(), message.size());
    done = ::write(STDERR_FILENO, found_file.data(), found_file.size());
    done = ::write(STDERR_FILENO, "\n", 1);
  }
}

void on_signal(int signal) {
  keep_current();
  std::signal(signal, SIG_DFL);
  ::raise(signal);
}

void prepare_for_the_worst() {
#ifdef TROUPE_SANITIZED
  __sanitizer_set_death_callback(keep_current);
#else
  for (const int signal : {SIGSEGV, SIGBUS, SIGFPE, SIGILL}) std::signal(signal, on_signal);
#endif
  for (const int signal : {SIGABRT, SIGPROF}) std::signal(signal, on_signal);
}

void limit_time() {
  itimerval limit{};
  limit.it_value.tv_sec = max_seconds;
  ::setitimer(ITIMER_PROF, &limit, nullptr);
}

void try_one(std::string_view bytes) {
  current = bytes;
  limit_time();
  try {
    troupe::fuzz::try_input(bytes);
  } catch (const std::exception& error) {
    troupe::fuzz::found(std::string{"the code under test threw an exception: "} + error.what());
  }
}

std::string read(const path& file) {
  std::ifstream in(file, std::ios::binary);
  if (!in) throw std::runtime_error("cannot read " + file.string());
  return {std::istreambuf_iterator<char>(in), {}};
}

void write(const path& file, std::string_view content) {
  std::ofstream out(file, std::ios::binary);
  out << content;
  if (!out.flush()) throw std::runtime_error("cannot write " + file.string());
}

/// Sorted by name, so that every run is the same.
std::vector<path> files_in(const path& given) {
  if (!std::filesystem::is_directory(given)) return {given};
  std::vector<path> found;
  for (const auto& entry : std::filesystem::directory_iterator(given))
    if (entry.is_regular_file()) found.push_back(entry.path());
  std::sort(found.begin(), found.end());
  return found;
}

/// Reads a dictionary in libFuzzer's format.
std::string dictionary() {
  constexpr char digits[] = "0123456789abcdef";
  std::string out;
  for (const auto& word : troupe::fuzz::words()) {
    out += '"';
    for (const char c : word) {
      const auto byte = static_cast<unsigned char>(c);
      if (byte >= 0x20 && byte < 0x7f && c != '"' && c != '\\')
        out += c;
      else
        out.append({'\\', 'x', digits[byte >> 4], digits[byte & 15]});
    }
    out += "\"\n";
  }
  return out;
}

struct options {
  std::uint64_t runs = 20'000;
  std::uint64_t seconds = 3;
  std::uint64_t seed = 1;
  std::vector<path> given;
};

std::uint64_t number(std::string_view text) {
  std::uint64_t value = 0;
  const auto [end, failed] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (failed != std::errc{} || end != text.data() + text.size())
    throw std::invalid_argument("'" + std::string{text} + "' is not a number");
  return value;
}

int run(const options& chosen) {
  auto pool = troupe::fuzz::seeds();
  for (const auto& each : chosen.given)
    for (const auto& file : files_in(each)) pool.push_back(read(file));
  if (pool.empty()) pool.emplace_back();
  for (const auto& bytes : pool) try_one(bytes);
  const auto kept = pool.size();
  troupe::fuzz::mutator mutations{chosen.seed, std::move(pool), troupe::fuzz::words(), max_size};
  const auto end = std::chrono::steady_clock::now() + std::chrono::seconds{chosen.seconds};
  std::uint64_t done = 0;
  for (; done < chosen.runs && std::chrono::steady_clock::now() < end; ++done) try_one(mutations.next());
  std::cout << kept << " inputs and " << done << " mutations of them: nothing found\n";
  return 0;
}

int act_on(int argc, char** argv) {
  options chosen;
  for (int i = 1; i < argc; ++i) {
    const std::string_view word = argv[i];
    const bool takes_value = word.starts_with("--") && word != "--help";
    if (takes_value && i + 1 == argc) throw std::invalid_argument(std::string{word} + " needs a value");
    if (word == "--help") {
      std::cout << usage;
      return 0;
    } else if (word == "--runs") {
      chosen.runs = number(argv[++i]);
    } else if (word == "--seconds") {
      chosen.seconds = number(argv[++i]);
    } else if (word == "--seed") {
      chosen.seed = number(argv[++i]);
    } else if (word == "--write-words") {
      write(argv[++i], dictionary());
      return 0;
    } else if (word == "--write-seeds") {
      const path folder = argv[++i];
      std::filesystem::create_directories(folder);
      std::size_t count = 0;
      for (const auto& bytes : troupe::fuzz::seeds()) write(folder / ("seed-" + std::to_string(count++)), bytes);
      return 0;
    } else if (takes_value) {
      throw std::invalid_argument("unknown option " + std::string{word});
    } else {
      chosen.given.emplace_back(word);
    }
  }
  prepare_for_the_worst();
  return run(chosen);
}

} // namespace

#ifndef TROUPE_SANITIZED // the sanitizers' own operator new checks more
/// No input is longer than max_size, so no input needs a block of this size.
constexpr std::size_t max_block = std::size_t{64} << 20;

void* operator new(std::size_t size) {
  if (size > max_block) troupe::fuzz::found("an allocation of more than 64 MiB");
  if (auto* block = std::malloc(std::max<std::size_t>(size, 1))) return block;
  throw std::bad_alloc{};
}
void operator delete(void* block) noexcept { std::free(block); }
void operator delete(void* block, std::size_t) noexcept { std::free(block); }
#endif

int main(int argc, char** argv) try {
  found_file = "found-" + path{argv[0]}.filename().string();
  return act_on(argc, argv);
} catch (const std::invalid_argument& error) {
  std::cerr << argv[0] << ": " << error.what() << '\n' << usage;
  return 2;
} catch (const std::exception& error) {
  std::cerr << argv[0] << ": " << error.what() << '\n';
  return 1;
}

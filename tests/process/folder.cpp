#define CATCH_CONFIG_EXTERNAL_INTERFACES
#include "tests/process/folder.hpp"

#include <catch2/catch.hpp>

#include <cstdlib>
#include <fstream>
#include <iostream>
#include <iterator>
#include <stdexcept>
#include <utility>
#include <vector>

namespace troupe::testing {
namespace {

namespace fs = std::filesystem;

constexpr std::size_t shown_tail = 6000; // bytes

void show_tails(const fs::path& folder) {
  for (const auto& entry : fs::directory_iterator(folder)) {
    if (entry.path().extension() != ".log") continue;
    const auto text = read_text(entry.path());
    std::cerr << "--- the end of " << entry.path().string() << '\n'
              << text.substr(text.size() > shown_tail ? text.size() - shown_tail : 0) << '\n';
  }
}

class folder_set {
 public:
  folder_set() = default;
  folder_set(const folder_set&) = delete;
  ~folder_set() { clear(); }

  fs::path add(fs::path folder) { return folders_.emplace_back(std::move(folder)); }
  void show_logs() const {
    for (const auto& folder : folders_) show_tails(folder);
  }
  void keep() { folders_.clear(); }
  void clear() {
    std::error_code ignored;
    for (const auto& folder : folders_) fs::remove_all(folder, ignored);
    folders_.clear();
  }

 private:
  std::vector<fs::path> folders_;
};

/// The folders of a lifetime. The sets are static: everything that uses a folder of the program was constructed after
/// its set, and is destroyed before it.
folder_set& folders_of(lifetime use) {
  static folder_set test_case, program;
  return use == lifetime::test_case ? test_case : program;
}

bool failed_before = false;

class folder_keeper : public Catch::TestEventListenerBase {
 public:
  using TestEventListenerBase::TestEventListenerBase;
  void testCaseEnded(const Catch::TestCaseStats& stats) override {
    auto& own = folders_of(lifetime::test_case);
    auto& shared = folders_of(lifetime::program);
    if (stats.totals.assertions.failed > 0) {
      own.show_logs();
      shared.show_logs();
      own.keep();
      failed_before = true;
    }
    own.clear();
  }
  void testRunEnded(const Catch::TestRunStats&) override {
    if (failed_before) folders_of(lifetime::program).keep();
  }
};
CATCH_REGISTER_LISTENER(folder_keeper)

} // namespace

fs::path make_folder(lifetime use) {
  auto name = (fs::temp_directory_path() / "troupe-process-XXXXXX").string();
  if (!mkdtemp(name.data())) throw std::runtime_error("cannot make a temporary folder at " + name);
  return folders_of(use).add(name);
}

std::string read_text(const fs::path& file) {
  std::ifstream in{file, std::ios::binary};
  return {std::istreambuf_iterator<char>{in}, {}};
}

} // namespace troupe::testing

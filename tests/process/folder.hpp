// A place for the data and the logs of a test's processes.
#pragma once

#include <filesystem>
#include <string>

namespace troupe::testing {

/// Whether a folder belongs to one test case, or to several.
enum class lifetime { test_case, program };

/// A new, empty folder. It goes at the end of its lifetime if all went well; else it stays, and the ends of the *.log
/// files in it are printed after each test case that failed.
std::filesystem::path make_folder(lifetime use = lifetime::test_case);

std::string read_text(const std::filesystem::path& file);

} // namespace troupe::testing

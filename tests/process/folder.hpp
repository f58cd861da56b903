// Temporary folders for the data and the logs of a test's processes.
#pragma once

#include <filesystem>
#include <string>

namespace troupe::testing {

/// Whether a folder belongs to one test case, or to several.
enum class lifetime { test_case, program };

/// Makes an empty folder. It is deleted at the end of its lifetime, unless a test case failed. After each failed test
/// case, the ends of the *.log files in it are printed.
std::filesystem::path make_folder(lifetime use = lifetime::test_case);

std::string read_text(const std::filesystem::path& file);

} // namespace troupe::testing

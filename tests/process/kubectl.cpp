#include "tests/process/kubectl.hpp"

#include "tests/process/folder.hpp"
#include "tests/process/program.hpp"

#include <cstdlib>
#include <iostream>
#include <stdexcept>

namespace troupe::testing {
namespace {

std::string named_kubectl() {
  const char* named = std::getenv("TROUPE_KUBECTL");
  return named ? named : "kubectl";
}

} // namespace

std::string find_kubectl() {
  if (run({"/usr/bin/env", named_kubectl(), "version", "--client"}, make_folder() / "version.txt") == 0)
    return named_kubectl();
  std::cout << "skipped: needs kubectl (Debian's kubernetes-client)\n";
  return {};
}

std::string kubectl(const std::vector<std::string>& words) {
  const auto folder = make_folder();
  // Separates standard error, because warnings are not part of the output.
  std::vector<std::string> command{"/bin/sh", "-c", "exec \"$@\" 2>'" + (folder / "errors.txt").string() + "'", "sh"};
  command.insert(command.end(), {"/usr/bin/env", named_kubectl(), "--kubeconfig=/dev/null"});
  command.insert(command.end(), words.begin(), words.end());
  const int code = run(std::move(command), folder / "output.txt");
  if (code != 0) {
    std::string all = "kubectl";
    for (const auto& word : words) all += " " + word;
    throw std::runtime_error(all + " exited with code " + std::to_string(code) + ": " +
                             read_text(folder / "errors.txt"));
  }
  return read_text(folder / "output.txt");
}

std::vector<nlohmann::json> kubectl_json(const std::vector<std::string>& words) {
  const auto text = kubectl(words);
  std::vector<nlohmann::json> documents;
  // kubectl writes several documents one after another. Each one ends at the next line that begins with a brace.
  for (std::size_t begin = 0; (begin = text.find('{', begin)) != std::string::npos;) {
    const auto end = text.find("\n}", begin);
    if (end == std::string::npos)
      throw std::runtime_error("kubectl wrote an incomplete document: " + text.substr(begin));
    documents.push_back(nlohmann::json::parse(text.substr(begin, end + 2 - begin)));
    begin = end + 2;
  }
  return documents;
}

} // namespace troupe::testing

#include "tests/process/maintenance.hpp"

#include <algorithm>
#include <catch2/catch.hpp>
#include <utility>

namespace troupe::testing {

program_end run_program(std::vector<std::string> command) {
  const auto log = make_folder() / "run.log";
  const int code = run(std::move(command), log);
  return {code, read_text(log)};
}

std::string url_of(const server& node) { return "http://127.0.0.1:" + std::to_string(node.http_port()); }

std::filesystem::path backup_of(const server& node, const std::string& name) {
  const auto file = make_folder() / name;
  const auto ended =
      run_program({"/bin/sh", "-c",
                   "curl -fsS -D " + file.string() + ".head -o " + file.string() + " " + url_of(node) + "/v1/backup"});
  INFO(ended.text);
  REQUIRE(ended.code == 0);
  return file;
}

program_end restore_into(const server& node, const std::filesystem::path& file, const std::vector<std::string>& more) {
  std::vector<std::string> command{TROUPE_BACKUP, "restore", file.string(), "--to", url_of(node)};
  command.insert(command.end(), more.begin(), more.end());
  return run_program(std::move(command));
}

void fill(cluster& nodes, std::size_t through, int count) {
  auto connection = nodes[through].connect();
  for (int i = 0; i < count; ++i)
    REQUIRE(connection.request("PUT", "/v1/maps/kept/k" + std::to_string(i), std::to_string(i)).status == 200);
}

std::vector<std::string> content(const server& node, const char* level, int count) {
  std::vector<std::string> all;
  auto connection = node.connect();
  for (int i = 0; i < count; ++i)
    all.push_back(connection.request("GET", "/v1/maps/kept/k" + std::to_string(i) + "?level=" + level).body);
  return all;
}

cluster::options_of_node restoring(const std::filesystem::path& file, const std::vector<std::size_t>& at) {
  return [file, at](std::size_t i) {
    const bool given = std::find(at.begin(), at.end(), i) != at.end();
    return given ? std::vector<std::string>{"--restore", file.string()} : std::vector<std::string>{};
  };
}

} // namespace troupe::testing

// troupe-backup: inspects and verifies backups, and restores them into a running cluster. A running node makes them.
#include "runtime/offline/directory.hpp"
#include "runtime/offline/inspect.hpp"
#include "runtime/offline/program.hpp"
#include "runtime/offline/terminal.hpp"
#include "runtime/offline/upload.hpp"
#include "runtime/storage/posix_file_system.hpp"

#include <CLI/CLI.hpp>

#include <iostream>
#include <string>

namespace {

using namespace troupe::offline;
using troupe::file_role;

int run(int argc, char** argv) {
  CLI::App app{"Inspects, verifies and restores backups (docs/operations.md).\n"
               "Exit code: 0 success, 1 the file is damaged or not a backup, 2 the command failed and has changed "
               "nothing, 3 it is unknown whether the backup was restored."};
  app.set_version_flag("--version", std::string{"troupe-backup "} + TROUPE_VERSION);
  app.require_subcommand(0, 1); // a missing subcommand is reported below
  std::string path;
  auto* verify_command = app.add_subcommand("verify", "Check every byte of a backup and show its content");
  verify_command->add_option("FILE", path, "A backup")->required();
  auto* inspect_command = app.add_subcommand("inspect", "Show the origin of a backup without reading all of it");
  inspect_command->add_option("FILE", path, "A backup")->required();
  std::string url;
  upload_options options;
  auto* restore_command = app.add_subcommand(
      "restore", "Replace the state of a running cluster by that of a backup; all writes since the backup are lost");
  restore_command->add_option("FILE", path, "A backup")->required();
  restore_command->add_option("--to", url, "The HTTP API of any node of the cluster: http://host:port")->required();
  restore_command->add_flag("--yes", options.yes, "Do not ask for confirmation");
  restore_command->add_flag("--other-cluster", options.other_cluster, "Also accept a backup of another cluster");
  auto* stage_command = app.add_subcommand(
      "stage", "Send a backup to one node without restoring it: for a node that lost its copy of a restored backup");
  stage_command->add_option("FILE", path, "A backup")->required();
  stage_command->add_option("--to", url, "The HTTP API of the node: http://host:port")->required();
  auto seconds = options.timeout.count();
  restore_command->add_option("--timeout", seconds, "Seconds until a majority of the nodes must have the backup")
      ->check(CLI::Range(1, 3600))
      ->capture_default_str();
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    return app.exit(error) == 0 ? all_good : bad_usage;
  }
  options.timeout = std::chrono::seconds{seconds};
  troupe::posix_file_system fs;
  console to{std::cout, std::cerr, ask_at_terminal};
  options.stage_only = stage_command->parsed();
  if (*restore_command || *stage_command) return upload(fs, path, url, options, to);
  if (*verify_command) return shown(verify_snapshot_file(fs, path, file_role::backup, to));
  if (*inspect_command) return shown(inspect_snapshot_file(fs, path, file_role::backup, to));
  throw usage_error("missing command: verify, inspect, restore or stage; see --help");
}

} // namespace

int main(int argc, char** argv) {
  return run_program("troupe-backup", [&] { return run(argc, argv); });
}

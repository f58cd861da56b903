// troupe-backup: looks at backups, and restores them into a running cluster. They are made by a running node.
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
  CLI::App app{"Looks at backups and restores them (docs/operations.md).\n"
               "Exit code: 0 good, 1 the file is damaged or no backup, 2 the command cannot be carried out and has "
               "changed nothing, 3 whether the backup was restored is not known."};
  app.set_version_flag("--version", std::string{"troupe-backup "} + TROUPE_VERSION);
  app.require_subcommand(0, 1); // that none is there is said below
  std::string path;
  auto* verify_command = app.add_subcommand("verify", "Check every byte of a backup and show what it holds");
  verify_command->add_option("FILE", path, "A backup")->required();
  auto* inspect_command = app.add_subcommand("inspect", "Show where a backup comes from, without reading all of it");
  inspect_command->add_option("FILE", path, "A backup")->required();
  std::string url;
  upload_options options;
  auto* restore_command = app.add_subcommand(
      "restore", "Replace the state of a running cluster by a backup's: what was written since then is gone");
  restore_command->add_option("FILE", path, "A backup")->required();
  restore_command->add_option("--to", url, "The HTTP API of any of its nodes: http://host:port")->required();
  restore_command->add_flag("--yes", options.yes, "Do not ask");
  restore_command->add_flag("--other-cluster", options.other_cluster, "Take a backup of another cluster, too");
  auto* stage_command = app.add_subcommand(
      "stage", "Send a backup to one node and restore nothing: for a node that lost the copy of a restored backup");
  stage_command->add_option("FILE", path, "A backup")->required();
  stage_command->add_option("--to", url, "The HTTP API of the node: http://host:port")->required();
  auto seconds = options.timeout.count();
  restore_command->add_option("--timeout", seconds, "Seconds for a majority of the nodes to hold the backup")
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
  throw usage_error("a command is needed: verify, inspect, restore or stage; --help says more");
}

} // namespace

int main(int argc, char** argv) {
  return run_program("troupe-backup", [&] { return run(argc, argv); });
}

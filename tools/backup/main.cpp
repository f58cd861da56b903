// troupe-backup: looks at backups, and restores them into a running cluster. They are made by a running node.
#include "runtime/offline/directory.hpp"
#include "runtime/offline/inspect.hpp"
#include "runtime/offline/upload.hpp"
#include "runtime/storage/posix_file_system.hpp"

#include <CLI/CLI.hpp>

#include <iostream>
#include <string>

namespace {

using namespace troupe::offline;

int run(int argc, char** argv) {
  CLI::App app{"Looks at backups and restores them (docs/operations.md).\n"
               "Exit code: 0 good, 1 damage was found, 2 the command cannot be carried out and has changed nothing, 3 "
               "whether the backup was restored is not known."};
  app.require_subcommand(1);
  std::string path;
  auto* verify_command = app.add_subcommand("verify", "Check every byte of a backup and show what it holds");
  verify_command->add_option("FILE", path, "A backup")->required();
  auto* inspect_command = app.add_subcommand("inspect", "Show where a backup comes from, without reading all of it");
  inspect_command->add_option("FILE", path, "A backup")->required();
  std::string url;
  auto* restore_command = app.add_subcommand(
      "restore", "Replace the state of a running cluster by a backup's: what was written since then is gone");
  restore_command->add_option("FILE", path, "A backup")->required();
  restore_command->add_option("--to", url, "The HTTP API of any of its nodes: http://host:port")->required();
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    return app.exit(error) == 0 ? all_good : bad_usage;
  }
  troupe::posix_file_system fs;
  console to{std::cout, std::cerr, [](const std::string&) { return false; }};
  if (*restore_command) return upload(fs, path, url, to);
  return *verify_command ? verify_snapshot_file(fs, path, to) : inspect_snapshot_file(fs, path, to);
}

} // namespace

int main(int argc, char** argv) try { return run(argc, argv); } catch (const usage_error& error) {
  std::cerr << "troupe-backup: " << error.what() << '\n';
  return bad_usage;
} catch (const std::exception& error) {
  std::cerr << "troupe-backup: " << error.what() << '\n';
  return damage_found;
}

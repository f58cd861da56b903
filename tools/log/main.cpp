// troupe-log: looks at a node's data directory, and mends it, while the node does not run.
#include "runtime/offline/directory.hpp"
#include "runtime/offline/inspect.hpp"
#include "runtime/offline/recover.hpp"
#include "runtime/offline/repair.hpp"
#include "runtime/storage/posix_file_system.hpp"

#include <CLI/CLI.hpp>

#include <iostream>
#include <optional>

namespace {

using namespace troupe::offline;

/// Only the whole word counts: what follows cannot be undone.
bool ask(const std::string& question) {
  std::cerr << question << " Type yes: " << std::flush;
  std::string answer;
  return std::getline(std::cin, answer) && answer == "yes";
}

/// The path of an existing directory, as the error texts show it.
CLI::Option* add_directory(CLI::App& command, std::string& into) {
  return command.add_option("DIR", into, "A node's data directory")->required()->check(CLI::ExistingDirectory);
}

int run(int argc, char** argv) {
  CLI::App app{"Looks at a node's data directory, and mends it, while the node does not run.\n"
               "Exit code: 0 good, 1 damage was found, 2 the command cannot be carried out."};
  app.require_subcommand(1);
  std::string path;
  std::vector<std::string> paths;
  std::optional<std::uint64_t> entry;
  std::string address;
  bool yes = false;

  auto* inspect_command = app.add_subcommand("inspect", "Identity, segments, terms, index ranges, snapshots");
  add_directory(*inspect_command, path);
  inspect_command->add_option("--entry", entry, "Show this entry instead, as JSON");
  auto* verify_command = app.add_subcommand("verify", "Check every checksum of log and snapshots");
  add_directory(*verify_command, path);
  auto* dump_command = app.add_subcommand("dump", "Show every entry, a line of JSON each");
  add_directory(*dump_command, path);
  auto* repair_command =
      app.add_subcommand("repair", "Cut a damaged log; the directory becomes that of a new node, which joins again");
  add_directory(*repair_command, path);
  repair_command->add_flag("--yes", yes, "Do not ask");
  auto* snapshot_command = app.add_subcommand("snapshot", "Snapshot files, and backups, which are such files");
  snapshot_command->require_subcommand(1);
  auto* snapshot_verify = snapshot_command->add_subcommand("verify", "Check a file and show what it holds");
  snapshot_verify->add_option("FILE", path, "A snapshot or a backup")->required();
  auto* recover_command =
      app.add_subcommand("recover", "After the loss of a majority: make one survivor a new cluster of one");
  recover_command
      ->add_option("DIR", paths, "The data directory that becomes the cluster, then those of all other survivors")
      ->required()
      ->check(CLI::ExistingDirectory);
  recover_command->add_option("--address", address, "Where the node can be reached, host:port, if that has changed");
  recover_command->add_flag("--yes", yes, "Do not ask");
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    return app.exit(error) == 0 ? all_good : bad_usage;
  }

  troupe::posix_file_system fs;
  console to{std::cout, std::cerr, ask};
  if (*inspect_command) return entry ? inspect_entry(fs, path, *entry, to) : inspect(fs, path, to);
  if (*verify_command) return verify(fs, path, to);
  if (*dump_command) return dump(fs, path, to);
  if (*repair_command) return repair(fs, path, yes, to);
  if (*snapshot_verify) return verify_snapshot_file(fs, path, to);
  return recover(fs, {paths.begin(), paths.end()}, address, yes, to);
}

} // namespace

int main(int argc, char** argv) try { return run(argc, argv); } catch (const troupe::offline::usage_error& error) {
  std::cerr << "troupe-log: " << error.what() << '\n';
  return troupe::offline::bad_usage;
} catch (const std::exception& error) {
  std::cerr << "troupe-log: " << error.what() << '\n';
  return troupe::offline::damage_found;
}

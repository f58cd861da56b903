// troupe-log: looks at a node's data directory, and mends it, while the node does not run.
#include "runtime/offline/directory.hpp"
#include "runtime/offline/inspect.hpp"
#include "runtime/offline/program.hpp"
#include "runtime/offline/recover.hpp"
#include "runtime/offline/repair.hpp"
#include "runtime/offline/terminal.hpp"
#include "runtime/storage/posix_file_system.hpp"

#include <CLI/CLI.hpp>

#include <iostream>
#include <optional>

namespace {

using namespace troupe::offline;

/// CLI11 would take -1 for the largest number.
std::string is_index(const std::string& text) {
  return text.find_first_not_of("0123456789") == std::string::npos ? "" : text + " is no index of an entry";
}

/// The path of an existing directory, as the error texts show it.
CLI::Option* add_directory(CLI::App& command, std::string& into) {
  return command.add_option("DIR", into, "A node's data directory")->required()->check(CLI::ExistingDirectory);
}

int run(int argc, char** argv) {
  CLI::App app{"Looks at a node's data directory, and mends it, while the node does not run.\n"
               "Exit code: 0 good, 1 damage was found, 2 the command cannot be carried out, or the answer was no."};
  app.set_version_flag("--version", std::string{"troupe-log "} + TROUPE_VERSION);
  app.require_subcommand(0, 1); // that none is there is said below
  std::string path;
  std::vector<std::string> paths;
  std::optional<std::uint64_t> entry;
  recover_options recovery;
  bool yes = false;

  auto* inspect_command = app.add_subcommand("inspect", "Identity, segments, terms, index ranges, snapshots");
  add_directory(*inspect_command, path);
  inspect_command->add_option("--entry", entry, "Show this entry instead, as JSON")->check(is_index);
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
  recover_command->add_option("--address", recovery.address,
                              "Where the node can be reached, host:port, if that has changed");
  recover_command->add_flag("--despite-majority", recovery.despite_majority,
                            "Do it though those named are a majority, which could go on as it is");
  recover_command->add_flag("--yes", recovery.yes, "Do not ask");
  try {
    app.parse(argc, argv);
  } catch (const CLI::RequiredError& error) {
    if (*snapshot_command && !*snapshot_verify) throw usage_error("of a snapshot there is only: snapshot verify FILE");
    return app.exit(error), bad_usage;
  } catch (const CLI::ParseError& error) {
    return app.exit(error) == 0 ? all_good : bad_usage;
  }

  troupe::posix_file_system fs;
  console to{std::cout, std::cerr, ask_at_terminal};
  if (*inspect_command) return shown(entry ? inspect_entry(fs, path, *entry, to) : inspect(fs, path, to));
  if (*verify_command) return shown(verify(fs, path, to));
  if (*dump_command) return shown(dump(fs, path, to));
  if (*repair_command) return repair(fs, path, yes, to);
  if (*snapshot_verify) return shown(verify_snapshot_file(fs, path, troupe::file_role::snapshot, to));
  if (*recover_command) return recover(fs, {paths.begin(), paths.end()}, recovery, to);
  throw usage_error("a command is needed: inspect, verify, dump, repair, recover or snapshot verify; --help says more");
}

} // namespace

int main(int argc, char** argv) {
  return run_program("troupe-log", [&] { return run(argc, argv); });
}

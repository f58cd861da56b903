// troupe-log: inspects and repairs the data directory of a stopped node.
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

/// Rejects a sign: CLI11 would read -1 as the largest number.
std::string is_index(const std::string& text) {
  return text.find_first_not_of("0123456789") == std::string::npos ? "" : text + " is not the index of an entry";
}

/// Adds the required argument DIR, an existing directory.
CLI::Option* add_directory(CLI::App& command, std::string& into) {
  return command.add_option("DIR", into, "A node's data directory")->required()->check(CLI::ExistingDirectory);
}

int run(int argc, char** argv) {
  CLI::App app{"Inspects and repairs the data directory of a stopped node.\n"
               "Exit code: 0 success, 1 damage was found, 2 the command failed or was not confirmed."};
  app.set_version_flag("--version", std::string{"troupe-log "} + TROUPE_VERSION);
  app.require_subcommand(0, 1); // a missing subcommand is reported below
  std::string path;
  std::vector<std::string> paths;
  std::optional<std::uint64_t> entry;
  recover_options recovery;
  bool yes = false;

  auto* inspect_command = app.add_subcommand("inspect", "Show identity, segments, terms, index ranges and snapshots");
  add_directory(*inspect_command, path);
  inspect_command->add_option("--entry", entry, "Show this entry instead, as JSON")->check(is_index);
  auto* verify_command = app.add_subcommand("verify", "Check all checksums of the log and the snapshots");
  add_directory(*verify_command, path);
  auto* dump_command = app.add_subcommand("dump", "Show every entry as one line of JSON");
  add_directory(*dump_command, path);
  auto* repair_command =
      app.add_subcommand("repair", "Truncate a damaged log; the directory becomes a new node, which joins again");
  add_directory(*repair_command, path);
  repair_command->add_flag("--yes", yes, "Do not ask for confirmation");
  auto* snapshot_command =
      app.add_subcommand("snapshot", "Commands for snapshot files and backups, which have the same format");
  snapshot_command->require_subcommand(1);
  auto* snapshot_verify = snapshot_command->add_subcommand("verify", "Check a file and show its content");
  snapshot_verify->add_option("FILE", path, "A snapshot or a backup")->required();
  auto* recover_command =
      app.add_subcommand("recover", "After the loss of a majority: turn one survivor into a new cluster of one node");
  recover_command
      ->add_option("DIR", paths, "The data directory that becomes the cluster, then those of all other survivors")
      ->required()
      ->check(CLI::ExistingDirectory);
  recover_command->add_option("--address", recovery.address, "The node's address, host:port, if it has changed");
  recover_command->add_flag("--despite-majority", recovery.despite_majority,
                            "Recover even if the given directories are a majority, which could continue by itself");
  recover_command->add_flag("--yes", recovery.yes, "Do not ask for confirmation");
  try {
    app.parse(argc, argv);
  } catch (const CLI::RequiredError& error) {
    if (*snapshot_command && !*snapshot_verify) throw usage_error("missing command: snapshot verify FILE");
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
  throw usage_error("missing command: inspect, verify, dump, repair, recover or snapshot verify; see --help");
}

} // namespace

int main(int argc, char** argv) {
  return run_program("troupe-log", [&] { return run(argc, argv); });
}

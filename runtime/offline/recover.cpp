#include "runtime/offline/recover.hpp"

#include "runtime/offline/directory.hpp"
#include "runtime/storage/open_state.hpp"
#include "runtime/storage/overlay_file_system.hpp"
#include "runtime/storage/snapshot_reader.hpp"

#include <algorithm>
#include <memory>
#include <optional>
#include <tuple>

namespace troupe::offline {
namespace {

/// A data directory and what a start would find in it.
struct survivor {
  std::unique_ptr<directory> at;
  raft::recovered found;
  raft::snapshot_id snapshot; // what the state would be loaded from

  raft::term_t last_term() const { return found.terms.empty() ? found.start.term : found.terms.back().term; }
  /// Compares as in an election (Raft paper, section 5.4.1).
  auto rank() const { return std::tuple{last_term(), found.last_index}; }
  std::string name() const { return at->path().string(); }
  std::string last() const {
    return "entry " + std::to_string(found.last_index) + " of term " + std::to_string(last_term());
  }
};

survivor look_at(file_system& fs, const std::filesystem::path& path) {
  survivor one;
  one.at = std::make_unique<directory>(fs, path);
  if (!one.at->who()) throw raft::storage_error(one.at->identity_problem());
  if (!one.at->who()->cluster) throw usage_error(path.string() + " belongs to no cluster");
  overlay_file_system seen{fs};
  snapshot_dir snapshots{seen, one.at->snapshots_path(), one.at->who()->cluster};
  // Whichever cluster it belongs to: an earlier run of this command may have been cut short.
  const auto load = [&](const raft::snapshot_id& id) {
    one.snapshot = id;
    return verify_snapshot(seen, one.at->snapshots_path() / snapshot_format::file_name(id)).header.at;
  };
  open_state(seen, one.at->log_path(), options_for(*one.at), snapshots, load, one.found);
  return one;
}

std::optional<raft::configuration> newest_configuration(const raft::recovered& found) {
  if (!found.configurations.empty()) return raft::decode_configuration(found.configurations.back().data.view());
  if (found.snapshot) return found.snapshot->members;
  return {};
}

std::string address_of(const survivor& chosen, const std::string& given) {
  if (!given.empty()) return given;
  if (const auto members = newest_configuration(chosen.found))
    for (const auto& one : members->members())
      if (one.id == chosen.at->who()->id) return one.address;
  throw usage_error("the log does not tell this node's address; give it with --address");
}

/// Throws unless the first one is the one to go on with.
void check_choice(const std::vector<survivor>& all) {
  const auto& chosen = all.front();
  for (const auto& one : all)
    if (one.at->who()->cluster != chosen.at->who()->cluster)
      throw usage_error(one.name() + " belongs to cluster " + to_string(one.at->who()->cluster) + ", " + chosen.name() +
                        " to " + to_string(chosen.at->who()->cluster));
  const auto best = std::max_element(all.begin(), all.end(),
                                     [](const survivor& a, const survivor& b) { return a.rank() < b.rank(); });
  if (best->rank() > chosen.rank())
    throw usage_error(best->name() + " has more (" + best->last() + ") than " + chosen.name() + " (" + chosen.last() +
                      "); name it first, so that the cluster goes on from there");
  if (chosen.found.state_lost)
    throw usage_error(chosen.name() + " has no snapshot that can be read for what its log no longer holds");
}

void warn(const std::vector<survivor>& all, console& to) {
  const auto& chosen = all.front();
  to.err << "cluster " << to_string(chosen.at->who()->cluster) << " as its survivors have it:\n";
  for (const auto& one : all)
    to.err << "  " << one.name() << ": node " << to_string(one.at->who()->id) << ", " << one.last() << '\n';
  if (const auto members = newest_configuration(chosen.found)) {
    to.err << "its members:\n";
    for (const auto& one : members->members()) to.err << "  " << to_string(one.id) << " at " << one.address << '\n';
  }
  to.err
      << "\nThis makes " << chosen.name()
      << " a NEW cluster of one. Whatever only the lost nodes had is LOST, even if\n"
      << "clients were told that it is done; and what was never acknowledged, but stands in this log, will be done.\n"
         "No node of the old cluster may run any more: if one does, clients have two clusters. Let the other nodes\n"
         "join with empty data directories. This cannot be undone: keep a copy of the directory.\n";
}

/// Steps 1 to 3 of the header's order.
void rewrite(file_system& fs, const survivor& chosen, raft::cluster_id cluster, raft::term_t term,
             const raft::member& self) {
  const auto& at = *chosen.at;
  snapshot_dir snapshots{fs, at.snapshots_path(), cluster};
  if (chosen.found.snapshot)
    copy_snapshot(fs, at.snapshots_path() / snapshot_format::file_name(chosen.snapshot), snapshots,
                  *chosen.found.snapshot);
  auto who = *at.who();
  who.cluster = cluster;
  who.promise.reset();
  replace_file(fs, at.identity_path(), encode_identity(who));
  raft::recovered found;
  const auto load = [&](const raft::snapshot_id& id) {
    return snapshots.load(id, [](std::string_view, services::snapshot_source&) {});
  };
  const auto log = open_state(fs, at.log_path(), options_for(at), snapshots, load, found);
  raft::write change;
  change.hard = raft::hard_state{term, {}};
  change.append.push_back({found.last_index + 1, term, raft::entry_kind::configuration,
                           raft::bytes{raft::encode(raft::configuration{{self}, {}, {}})}});
  log->apply(change);
  log->sync();
}

void remove_snapshots_of_others(file_system& fs, const std::filesystem::path& folder, raft::cluster_id cluster) {
  for (const auto& name : fs.list(folder)) {
    if (!snapshot_format::parse_file_name(name)) continue;
    if (snapshot_reader{fs, folder / name}.header().cluster != cluster) fs.remove(folder / name);
  }
  fs.sync_directory(folder);
}

} // namespace

int recover(file_system& fs, const std::vector<std::filesystem::path>& paths, const std::string& address, bool yes,
            console& to) {
  std::vector<survivor> all;
  all.reserve(paths.size());
  for (const auto& path : paths) all.push_back(look_at(fs, path));
  check_choice(all);
  const auto& chosen = all.front();
  const raft::member self{chosen.at->who()->id, address_of(chosen, address)};
  warn(all, to);
  if (!yes && !to.ask("Make it a new cluster?")) {
    to.err << "nothing was changed\n";
    return bad_usage;
  }
  raft::cluster_id cluster;
  while (!cluster) cluster.value = fs.draw_random();
  raft::term_t term = 0;
  for (const auto& one : all) term = std::max({term, one.found.hard.term, one.last_term()});
  rewrite(fs, chosen, cluster, term + 1, self);
  remove_snapshots_of_others(fs, chosen.at->snapshots_path(), cluster);
  to.out << "this is now cluster " << to_string(cluster) << " with node " << to_string(self.id) << " at "
         << self.address << " as its only member\n";
  return all_good;
}

} // namespace troupe::offline

#include "runtime/offline/recover.hpp"

#include "raft/quorum.hpp"
#include "runtime/offline/directory.hpp"
#include "runtime/storage/open_state.hpp"
#include "runtime/storage/snapshot_reader.hpp"

#include <algorithm>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <troupe/address.hpp>
#include <tuple>

namespace troupe::offline {
namespace {

/// A data directory and what a start would find in it.
struct survivor {
  std::unique_ptr<directory> at;
  raft::recovered found;
  raft::snapshot_id snapshot; // the snapshot from which the state would be loaded

  raft::term_t last_term() const { return found.terms.empty() ? found.start.term : found.terms.back().term; }
  /// Compares as in an election (Raft paper, section 5.4.1).
  auto rank() const { return std::tuple{last_term(), found.last_index}; }
  std::string name() const { return at->path().string(); }
  std::string last() const {
    return "entry " + std::to_string(found.last_index) + " of term " + std::to_string(last_term());
  }
};

/// The error for a survivor that cannot be recovered because of `what`. Names its newest good snapshot, which can serve
/// as a backup.
raft::storage_error not_recoverable(const directory& of, const std::string& what) {
  auto text = what + ": " + of.path().string() +
              " cannot be recovered as it is. If there are other survivors, leave it "
              "out. Otherwise: ";
  const auto page = R"(docs/operations.md, "The last survivor is damaged")";
  for (const auto& one : examine_snapshots(of, true))
    if (one.problem.empty() && (!of.stored_identity() || one.head->cluster == of.stored_identity()->cluster))
      return raft::storage_error(
          text + "its snapshot up to entry " + std::to_string(one.id.last.index) +
              " is good; to start a new cluster from it, start a node in an empty data directory "
              "with --restore " +
              (of.snapshots_path() / one.name).string() + " (" + page + ", says what else can be saved)",
          false, true);
  return raft::storage_error(text + "it has no good snapshot; see " + page, false, true);
}

survivor examine(file_system& fs, const std::filesystem::path& path, access how) {
  survivor one;
  one.at = std::make_unique<directory>(fs, path, how);
  if (!one.at->stored_identity())
    throw not_recoverable(*one.at, "the identity of " + path.string() + " is damaged or missing");
  if (!one.at->stored_identity()->cluster) throw usage_error(path.string() + " does not belong to a cluster");
  overlay_file_system seen{fs};
  snapshot_dir snapshots{seen, one.at->snapshots_path(), one.at->stored_identity()->cluster};
  // Accepts snapshots of any cluster: an earlier run of this command may have been interrupted.
  const auto load = [&](const raft::snapshot_id& id) {
    one.snapshot = id;
    return verify_snapshot(seen, one.at->snapshots_path() / snapshot_format::file_name(id)).header.at;
  };
  try {
    open_state(seen, one.at->log_path(), options_for(*one.at), snapshots, load, one.found);
  } catch (const damage_error& error) {
    throw not_recoverable(*one.at, "the log of " + path.string() + " is damaged in " + error.path().string() +
                                       " at offset " + std::to_string(error.offset()));
  }
  return one;
}

/// Examines the survivors. Throws if one is named twice.
std::vector<survivor> examine(file_system& fs, const std::vector<std::filesystem::path>& paths) {
  std::set<std::filesystem::path> seen;
  for (const auto& path : paths)
    if (!seen.insert(std::filesystem::weakly_canonical(path / "")).second)
      throw usage_error(path.string() + " is named twice");
  std::vector<survivor> all;
  std::map<raft::node_id, std::string> ids;
  for (const auto& path : paths) {
    all.push_back(examine(fs, path, all.empty() ? access::change : access::read_only));
    const auto id = all.back().at->stored_identity()->id;
    if (const auto [before, first] = ids.emplace(id, path.string()); !first)
      throw usage_error(before->second + " and " + path.string() + " are both node " + to_string(id) +
                        ": a copy does not count as another survivor, so leave it out");
  }
  return all;
}

std::optional<raft::configuration> newest_configuration(const raft::recovered& found) {
  if (!found.configurations.empty()) return raft::decode_configuration(found.configurations.back().data.view());
  if (found.snapshot) return found.snapshot->members;
  return {};
}

/// The given address if it is valid; empty stays empty.
std::string checked_address(const std::string& given) try {
  return given.empty() ? given : to_string(parse_host_port(given));
} catch (const bad_address& error) {
  throw usage_error(std::string{"--address: "} + error.what());
}

std::string address_of(const survivor& chosen, const std::string& given) {
  if (!given.empty()) return given;
  if (const auto members = newest_configuration(chosen.found))
    for (const auto& one : members->members())
      if (one.id == chosen.at->stored_identity()->id) return one.address;
  throw usage_error("the log does not contain this node's address; give it with --address");
}

/// How many members of the chosen survivor's configuration are among the survivors.
struct survivor_count {
  std::size_t named = 0;
  std::size_t members = 0;
  bool majority = false;
};

survivor_count count(const std::vector<survivor>& all) {
  const auto members = newest_configuration(all.front().found);
  if (!members) return {};
  const auto named = [&](raft::node_id id) {
    return std::any_of(all.begin(), all.end(),
                       [id](const survivor& one) { return one.at->stored_identity()->id == id; });
  };
  const auto ids = members->members();
  const auto found = std::count_if(ids.begin(), ids.end(), [&](const raft::member& m) { return named(m.id); });
  return {static_cast<std::size_t>(found), ids.size(), raft::has_quorum(*members, named)};
}

/// Whether the node is the only member of its cluster, which is the result of every recovery.
bool is_alone(const survivor& one) {
  const auto members = newest_configuration(one.found);
  return members && members->members().size() == 1 && members->is_voter(one.at->stored_identity()->id) &&
         !members->joint();
}

/// Throws unless the first survivor is the right one to recover.
void check_choice(const std::vector<survivor>& all) {
  const auto& chosen = all.front();
  for (const auto& one : all)
    if (one.at->stored_identity()->cluster != chosen.at->stored_identity()->cluster)
      throw usage_error(one.name() + " belongs to cluster " + to_string(one.at->stored_identity()->cluster) + ", " +
                        chosen.name() + " to " + to_string(chosen.at->stored_identity()->cluster) +
                        "; if a recovery of " + chosen.name() + " was interrupted, run it again with that one alone");
  const auto best = std::max_element(all.begin(), all.end(),
                                     [](const survivor& a, const survivor& b) { return a.rank() < b.rank(); });
  if (best->rank() > chosen.rank())
    throw usage_error(best->name() + " has a newer log (" + best->last() + ") than " + chosen.name() + " (" +
                      chosen.last() + "); name it first, so that the cluster continues from there");
  if (chosen.found.last_index == 0)
    throw usage_error(chosen.name() + " has no entries at all: there is nothing to recover");
  if (chosen.found.state_lost)
    throw usage_error(chosen.name() + " has no readable snapshot of the state before its log begins");
}

void warn(const std::vector<survivor>& all, const survivor_count& counted, console& to) {
  const auto& chosen = all.front();
  to.err << "cluster " << to_string(chosen.at->stored_identity()->cluster) << " according to its survivors:\n";
  for (const auto& one : all)
    to.err << "  " << one.name() << ": node " << to_string(one.at->stored_identity()->id) << ", " << one.last() << '\n';
  if (const auto members = newest_configuration(chosen.found)) {
    to.err << "its members:\n";
    for (const auto& one : members->members())
      to.err << "  " << to_string(one.id) << " at " << one.address
             << (members->is_voter(one.id) ? "\n" : ", which does not vote\n");
    to.err << counted.named << " of " << counted.members << " members named here"
           << (counted.majority ? ": a majority, with which the old cluster could continue\n" : "\n");
  }
  to.err
      << "\nThis makes " << chosen.name()
      << " a NEW cluster of one. Entries that only the lost nodes had are LOST, even if they\n"
      << "were acknowledged to clients. Entries that are in this log will be applied, even if they were never\n"
         "acknowledged. No node of the old cluster may run any more: if one does, clients see two clusters. Do this\n"
         "only once: another run on a copy creates yet another cluster. It cannot be undone: keep a copy.\n";
}

/// Steps 1 to 3 of those in the header.
void rewrite(file_system& fs, const survivor& chosen, raft::cluster_id cluster, raft::term_t term,
             const raft::member& self) {
  const auto& at = *chosen.at;
  snapshot_dir snapshots{fs, at.snapshots_path(), cluster};
  if (chosen.found.snapshot)
    copy_snapshot(fs, at.snapshots_path() / snapshot_format::file_name(chosen.snapshot), snapshots,
                  *chosen.found.snapshot);
  auto changed = *at.stored_identity();
  changed.cluster = cluster;
  changed.promise.reset();
  replace_file(fs, at.identity_path(), encode_identity(changed));
  raft::recovered found;
  const auto load = [&](const raft::snapshot_id& id) {
    return snapshots.load(id, [](std::string_view, detail::snapshot_source&) {});
  };
  const auto log = open_state(fs, at.log_path(), options_for(at), snapshots, load, found);
  raft::write change;
  change.hard = raft::hard_state{term, {}};
  change.append.push_back({found.last_index + 1, term, raft::entry_kind::configuration,
                           raft::bytes{raft::encode(raft::configuration{{self}, {}, {}})}});
  log->apply(change);
  log->sync();
}

/// Also true for a damaged one: a start quarantines it when it reads it.
bool belongs_to(file_system& fs, const std::filesystem::path& snapshot, raft::cluster_id cluster) try {
  return snapshot_reader{fs, snapshot}.header().cluster == cluster;
} catch (const damage_error&) {
  return true;
}

void remove_snapshots_of_others(file_system& fs, const std::filesystem::path& folder, raft::cluster_id cluster) {
  bool removed = false;
  for (const auto& name : fs.list(folder)) {
    if (!snapshot_format::parse_file_name(name) || belongs_to(fs, folder / name, cluster)) continue;
    fs.remove(folder / name);
    removed = true;
  }
  if (removed) fs.sync_directory(folder);
}

} // namespace

int recover(file_system& fs, const std::vector<std::filesystem::path>& paths, const recover_options& options,
            console& to) {
  const auto given = checked_address(options.address);
  const auto all = examine(fs, paths);
  const auto& chosen = all.front();
  if (is_alone(chosen) && !chosen.found.state_lost && !options.despite_majority) {
    remove_snapshots_of_others(fs, chosen.at->snapshots_path(), chosen.at->stored_identity()->cluster);
    to.out << chosen.name() << " is the only member of its cluster " << to_string(chosen.at->stored_identity()->cluster)
           << " already, or since an earlier recovery: start it\n";
    return all_good;
  }
  check_choice(all);
  const auto counted = count(all);
  if (counted.majority && !options.despite_majority)
    throw usage_error(std::to_string(counted.named) + " of " + std::to_string(counted.members) +
                      " members are named, which is a majority: start them, and nothing is lost. If that is "
                      "impossible, --despite-majority makes a new cluster anyway");
  const raft::member self{chosen.at->stored_identity()->id, address_of(chosen, given)};
  warn(all, counted, to);
  if (!options.yes && !to.ask("Make it a new cluster?")) {
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
         << self.address << " as its only member\n"
         << "start it with its old options; to have more members, start others in empty data directories with\n"
         << "  --bootstrap-expect 0 --discovery static:" << self.address << '\n';
  return all_good;
}

} // namespace troupe::offline

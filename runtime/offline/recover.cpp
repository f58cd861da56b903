#include "runtime/offline/recover.hpp"

#include "raft/base/host_port.hpp"
#include "raft/quorum.hpp"
#include "runtime/offline/directory.hpp"
#include "runtime/storage/open_state.hpp"
#include "runtime/storage/snapshot_reader.hpp"

#include <algorithm>
#include <map>
#include <memory>
#include <optional>
#include <set>
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

/// `what` keeps a survivor from being recovered, but the newest snapshot of it is as good as a backup.
raft::storage_error what_is_left(const directory& of, const std::string& what) {
  auto text = what + ": " + of.path().string() +
              " cannot be recovered as it is. If there are other survivors, leave it "
              "out. If not: ";
  const auto page = R"(docs/operations.md, "The last survivor is damaged")";
  for (const auto& one : examine_snapshots(of, true))
    if (one.problem.empty() && (!of.who() || one.head->cluster == of.who()->cluster))
      return raft::storage_error(
          text + "its snapshot up to entry " + std::to_string(one.id.last.index) +
              " is good; to begin a new cluster with it, start a node in an empty data directory "
              "with --restore " +
              (of.snapshots_path() / one.name).string() + " (" + page + ", says what else can be saved)",
          false, true);
  return raft::storage_error(text + "it has no snapshot that is good; see " + page, false, true);
}

survivor look_at(file_system& fs, const std::filesystem::path& path, access how) {
  survivor one;
  one.at = std::make_unique<directory>(fs, path, how);
  if (!one.at->who()) throw what_is_left(*one.at, "the identity of " + path.string() + " is damaged or missing");
  if (!one.at->who()->cluster) throw usage_error(path.string() + " belongs to no cluster");
  overlay_file_system seen{fs};
  snapshot_dir snapshots{seen, one.at->snapshots_path(), one.at->who()->cluster};
  // Whichever cluster it belongs to: an earlier run of this command may have been cut short.
  const auto load = [&](const raft::snapshot_id& id) {
    one.snapshot = id;
    return verify_snapshot(seen, one.at->snapshots_path() / snapshot_format::file_name(id)).header.at;
  };
  try {
    open_state(seen, one.at->log_path(), options_for(*one.at), snapshots, load, one.found);
  } catch (const damage_error& error) {
    throw what_is_left(*one.at, "the log of " + path.string() + " is damaged in " + error.path().string() +
                                    " at offset " + std::to_string(error.offset()));
  }
  return one;
}

/// The survivors, each once.
std::vector<survivor> look_at(file_system& fs, const std::vector<std::filesystem::path>& paths) {
  std::set<std::filesystem::path> seen;
  for (const auto& path : paths)
    if (!seen.insert(std::filesystem::weakly_canonical(path / "")).second)
      throw usage_error(path.string() + " is named twice");
  std::vector<survivor> all;
  std::map<raft::node_id, std::string> ids;
  for (const auto& path : paths) {
    all.push_back(look_at(fs, path, all.empty() ? access::change : access::look));
    const auto id = all.back().at->who()->id;
    if (const auto [before, first] = ids.emplace(id, path.string()); !first)
      throw usage_error(before->second + " and " + path.string() + " are both node " + to_string(id) +
                        ": a copy is no second survivor, so leave it out");
  }
  return all;
}

std::optional<raft::configuration> newest_configuration(const raft::recovered& found) {
  if (!found.configurations.empty()) return raft::decode_configuration(found.configurations.back().data.view());
  if (found.snapshot) return found.snapshot->members;
  return {};
}

/// As it was given; empty stays empty.
std::string checked_address(const std::string& given) try {
  return given.empty() ? given : to_string(parse_host_port(given));
} catch (const bad_address& error) {
  throw usage_error(std::string{"--address: "} + error.what());
}

std::string address_of(const survivor& chosen, const std::string& given) {
  if (!given.empty()) return given;
  if (const auto members = newest_configuration(chosen.found))
    for (const auto& one : members->members())
      if (one.id == chosen.at->who()->id) return one.address;
  throw usage_error("the log does not tell this node's address; give it with --address");
}

/// How many of the chosen one's members are among the survivors.
struct quota {
  std::size_t named = 0;
  std::size_t members = 0;
  bool majority = false;
};

quota count(const std::vector<survivor>& all) {
  const auto members = newest_configuration(all.front().found);
  if (!members) return {};
  const auto named = [&](raft::node_id id) {
    return std::any_of(all.begin(), all.end(), [id](const survivor& one) { return one.at->who()->id == id; });
  };
  const auto ids = members->members();
  const auto found = std::count_if(ids.begin(), ids.end(), [&](const raft::member& m) { return named(m.id); });
  return {static_cast<std::size_t>(found), ids.size(), raft::has_quorum(*members, named)};
}

/// Whether it leads its cluster as soon as it is started: the end of every recovery.
bool is_alone(const survivor& one) {
  const auto members = newest_configuration(one.found);
  return members && members->members().size() == 1 && members->is_voter(one.at->who()->id) && !members->joint();
}

/// Throws unless the first one is the one to go on with.
void check_choice(const std::vector<survivor>& all) {
  const auto& chosen = all.front();
  for (const auto& one : all)
    if (one.at->who()->cluster != chosen.at->who()->cluster)
      throw usage_error(one.name() + " belongs to cluster " + to_string(one.at->who()->cluster) + ", " + chosen.name() +
                        " to " + to_string(chosen.at->who()->cluster) + "; if a recovery of " + chosen.name() +
                        " was cut short, run it again with that one alone");
  const auto best = std::max_element(all.begin(), all.end(),
                                     [](const survivor& a, const survivor& b) { return a.rank() < b.rank(); });
  if (best->rank() > chosen.rank())
    throw usage_error(best->name() + " has more (" + best->last() + ") than " + chosen.name() + " (" + chosen.last() +
                      "); name it first, so that the cluster goes on from there");
  if (chosen.found.last_index == 0)
    throw usage_error(chosen.name() + " has no entry at all: there is nothing to go on from");
  if (chosen.found.state_lost)
    throw usage_error(chosen.name() + " has no snapshot that can be read for what its log no longer holds");
}

void warn(const std::vector<survivor>& all, const quota& counted, console& to) {
  const auto& chosen = all.front();
  to.err << "cluster " << to_string(chosen.at->who()->cluster) << " as its survivors have it:\n";
  for (const auto& one : all)
    to.err << "  " << one.name() << ": node " << to_string(one.at->who()->id) << ", " << one.last() << '\n';
  if (const auto members = newest_configuration(chosen.found)) {
    to.err << "its members:\n";
    for (const auto& one : members->members())
      to.err << "  " << to_string(one.id) << " at " << one.address
             << (members->is_voter(one.id) ? "\n" : ", which does not vote\n");
    to.err << counted.named << " of " << counted.members << " members named here"
           << (counted.majority ? ": a majority, with which the old cluster could go on\n" : "\n");
  }
  to.err
      << "\nThis makes " << chosen.name()
      << " a NEW cluster of one. Whatever only the lost nodes had is LOST, even if\n"
      << "clients were told that it is done; and what was never acknowledged, but stands in this log, will be done.\n"
         "No node of the old cluster may run any more: if one does, clients have two clusters. Do this once: what is\n"
         "done a second time, with a copy, makes yet another cluster. It cannot be undone: keep a copy.\n";
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

/// True of a damaged one, too: a start sets it aside when it comes to it.
bool is_of(file_system& fs, const std::filesystem::path& snapshot, raft::cluster_id cluster) try {
  return snapshot_reader{fs, snapshot}.header().cluster == cluster;
} catch (const damage_error&) {
  return true;
}

void remove_snapshots_of_others(file_system& fs, const std::filesystem::path& folder, raft::cluster_id cluster) {
  bool removed = false;
  for (const auto& name : fs.list(folder)) {
    if (!snapshot_format::parse_file_name(name) || is_of(fs, folder / name, cluster)) continue;
    fs.remove(folder / name);
    removed = true;
  }
  if (removed) fs.sync_directory(folder);
}

} // namespace

int recover(file_system& fs, const std::vector<std::filesystem::path>& paths, const recover_options& options,
            console& to) {
  const auto given = checked_address(options.address);
  const auto all = look_at(fs, paths);
  const auto& chosen = all.front();
  if (is_alone(chosen) && !chosen.found.state_lost && !options.despite_majority) {
    remove_snapshots_of_others(fs, chosen.at->snapshots_path(), chosen.at->who()->cluster);
    to.out << chosen.name() << " is the only member of its cluster " << to_string(chosen.at->who()->cluster)
           << " already, by an earlier recovery if it was not so before: start it\n";
    return all_good;
  }
  check_choice(all);
  const auto counted = count(all);
  if (counted.majority && !options.despite_majority)
    throw usage_error(std::to_string(counted.named) + " of " + std::to_string(counted.members) +
                      " members are named, which is a majority: start them, and nothing is lost. Should that be "
                      "impossible, --despite-majority makes a new cluster all the same");
  const raft::member self{chosen.at->who()->id, address_of(chosen, given)};
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

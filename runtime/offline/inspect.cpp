#include "runtime/offline/inspect.hpp"

#include "runtime/offline/directory.hpp"
#include "runtime/offline/entry_text.hpp"
#include "runtime/storage/overlay_file_system.hpp"
#include "runtime/storage/snapshot_reader.hpp"

#include <cinttypes>
#include <cstdio>

namespace troupe::offline {
namespace {

constexpr std::uint64_t tell_every = std::uint64_t{256} << 20;
/// How much of a log is read at once.
constexpr std::size_t window = std::size_t{4} << 20;

std::string mib(std::uint64_t bytes) {
  char text[32];
  std::snprintf(text, sizeof text, "%.1f MiB", static_cast<double>(bytes) / (1 << 20));
  return text;
}

/// Tells on stderr how far reading has come, if there is much to read.
progress tell_progress(console& to, std::string what) {
  return [&to, what = std::move(what), done = std::uint64_t{0}, told = tell_every](std::size_t bytes) mutable {
    done += bytes;
    if (done < told) return;
    told = done + tell_every;
    to.err << what << ": " << mib(done) << " read" << std::endl;
  };
}

void show_identity(const directory& of, console& to) {
  if (!of.who()) {
    to.out << "identity   " << of.identity_problem() << '\n';
    return;
  }
  const auto& who = *of.who();
  to.out << "node       " << to_string(who.id) << '\n';
  to.out << "cluster    " << (who.cluster ? to_string(who.cluster) : "none yet") << '\n';
  if (who.restored != 0) to.out << "restored   from the backup " << to_string(raft::node_id{who.restored}) << '\n';
  to.out << "starts     " << who.starts << (who.promise ? ", a formation promise is open" : "") << '\n';
}

void show_members(const raft::recovered& found, console& to) {
  if (found.configurations.empty()) return;
  to.out << "members    " << to_json(found.configurations.back()) << '\n';
}

void show_log(const log_examination& log, console& to) {
  to.out << "log        " << log.segments.size() << " segments, " << mib(log.bytes) << '\n';
  if (log.problem) {
    to.out << "           " << *log.problem << '\n';
    return;
  }
  const auto& found = log.found;
  to.out << "term       " << found.hard.term << ", voted for "
         << (found.hard.voted_for ? to_string(found.hard.voted_for) : "nobody") << '\n';
  to.out << "entries    " << found.start.index + 1 << " ... " << found.last_index;
  if (found.last_index == found.start.index) to.out << " (none)";
  if (found.start.index > 0) to.out << ", behind " << found.start.index << " of term " << found.start.term;
  to.out << '\n';
  for (const auto& run : found.terms) to.out << "  term " << run.term << " from entry " << run.first << '\n';
  for (std::size_t i = 0; i < log.segments.size(); ++i) {
    const auto& segment = log.segments[i];
    to.out << "  " << segment.path.filename().string() << "  version " << segment.header.format << ", from entry "
           << segment.header.first_index << ", batch " << segment.header.first_batch << ", " << mib(segment.end)
           << " of " << mib(segment.header.capacity) << '\n';
  }
  show_members(found, to);
  for (const auto& note : found.notes) to.out << "note       a start would do this: " << note << '\n';
}

void show_snapshots(const std::vector<snapshot_examination>& snapshots, console& to) {
  to.out << "snapshots  " << snapshots.size() << '\n';
  for (const auto& one : snapshots) {
    to.out << "  up to entry " << one.id.last.index << " of term " << one.id.last.term << ", " << mib(one.id.size)
           << "  " << one.name << '\n';
    if (!one.problem.empty()) to.out << "    " << one.problem << '\n';
  }
}

void show_header(const snapshot_format::header& head, console& to) {
  to.out << "cluster   " << to_string(head.cluster) << '\n'
         << "up to     entry " << head.at.last.index << " of term " << head.at.last.term << '\n'
         << "members   as of entry " << head.at.configuration_index << ":";
  for (const auto& one : head.at.members.members()) to.out << ' ' << to_string(one.id) << '@' << one.address;
  to.out << '\n';
}

} // namespace

int inspect(file_system& fs, const std::filesystem::path& path, console& to) {
  const directory of{fs, path};
  show_identity(of, to);
  const auto log = examine_log(of, tell_progress(to, "log"));
  show_log(log, to);
  show_snapshots(examine_snapshots(of, false), to);
  return of.who() && !log.problem ? all_good : damage_found;
}

int inspect_entry(file_system& fs, const std::filesystem::path& path, raft::index_t index, console& to) {
  const directory of{fs, path};
  overlay_file_system seen{fs, tell_progress(to, "log")};
  raft::recovered found;
  const auto log = wal::open(seen, of.log_path(), options_for(of), found);
  const auto entries = log->read(index, index, 0);
  if (entries.empty())
    throw usage_error("there is no entry " + std::to_string(index) + "; the log holds " +
                      std::to_string(found.start.index + 1) + " ... " + std::to_string(found.last_index));
  to.out << to_json(entries.front()) << '\n';
  return all_good;
}

int verify(file_system& fs, const std::filesystem::path& path, console& to) {
  const directory of{fs, path};
  int code = all_good;
  const auto tell = [&](const std::string& problem) {
    to.out << problem << '\n';
    code = damage_found;
  };
  if (!of.who()) tell(of.identity_problem());
  const auto log = examine_log(of, tell_progress(to, "log"));
  if (log.problem) tell(*log.problem);
  for (const auto& note : log.found.notes) to.out << "a start would do this: " << note << '\n';
  const auto snapshots = examine_snapshots(of, true, tell_progress(to, "snapshots"));
  bool usable = log.found.start.index == 0;
  for (const auto& one : snapshots) {
    if (!one.problem.empty()) {
      tell(one.problem);
    } else if (of.who() && one.cluster != of.who()->cluster) {
      tell("snapshot " + one.name + " belongs to cluster " + to_string(one.cluster));
    } else {
      usable = usable || one.id.last.index >= log.found.start.index;
    }
  }
  if (!log.problem && !usable)
    tell("the log begins behind entry " + std::to_string(log.found.start.index) +
         " and no snapshot stands for what was before: the state is lost, and must come from another node");
  if (code == all_good)
    to.out << "good: " << log.segments.size() << " segments, entries up to " << log.found.last_index << ", "
           << snapshots.size() << " snapshots\n";
  return code;
}

int dump(file_system& fs, const std::filesystem::path& path, console& to) {
  const directory of{fs, path};
  overlay_file_system seen{fs};
  raft::recovered found;
  const auto log = wal::open(seen, of.log_path(), options_for(of), found);
  for (auto next = found.start.index + 1; next <= found.last_index;)
    for (const auto& shown : log->read(next, found.last_index, window)) {
      to.out << to_json(shown) << '\n';
      next = shown.index + 1;
    }
  return all_good;
}

int inspect_snapshot_file(file_system& fs, const std::filesystem::path& file, console& to) {
  if (!fs.exists(file)) throw usage_error("there is no file " + file.string());
  try {
    const snapshot_reader head{fs, file};
    to.out << "size      " << mib(fs.open_to_read(file)->size()) << '\n';
    show_header(head.header(), to);
    return all_good;
  } catch (const damage_error& error) {
    to.out << error.what() << '\n';
    return damage_found;
  }
}

int verify_snapshot_file(file_system& fs, const std::filesystem::path& file, console& to) {
  if (!fs.exists(file)) throw usage_error("there is no file " + file.string());
  overlay_file_system seen{fs, tell_progress(to, "snapshot")};
  try {
    const auto found = verify_snapshot(seen, file);
    to.out << "good: " << mib(found.id.size) << '\n'
           << "checksum  " << to_string(raft::node_id{found.id.checksum}) << '\n';
    show_header(found.header, to);
    for (const auto& section : found.sections)
      to.out << "service   " << section.service << ", " << section.bytes << " bytes\n";
    return all_good;
  } catch (const damage_error& error) {
    to.out << error.what() << '\n';
    return damage_found;
  }
}

} // namespace troupe::offline

#include "runtime/offline/inspect.hpp"

#include "runtime/offline/directory.hpp"
#include "runtime/offline/entry_text.hpp"
#include "runtime/offline/printable_output.hpp"
#include "runtime/storage/snapshot_reader.hpp"

#include <cinttypes>
#include <cstdio>

namespace troupe::offline {
namespace {

constexpr std::uint64_t bytes_per_report = std::uint64_t{256} << 20;
/// Number of bytes of a log that are read at once.
constexpr std::size_t window = std::size_t{4} << 20;

std::string size_text(std::uint64_t bytes) {
  if (bytes < std::uint64_t{1} << 20) return std::to_string(bytes) + " bytes";
  char text[32];
  std::snprintf(text, sizeof text, "%.1f MiB", static_cast<double>(bytes) / (1 << 20));
  return text;
}

/// The more severe exit code: damage counts more than something that could not be read.
int worse(int a, int b) { return a == all_good || b == damage_found ? b : a; }

directory open_directory(file_system& fs, const std::filesystem::path& path, console& to) {
  directory of{fs, path, access::read_only};
  if (!of.lock_problem().empty()) to.err << "reading without a lock: " << of.lock_problem() << '\n';
  return of;
}

/// Reports on stderr the progress of a long read.
progress report_progress(console& to, std::string what) {
  return [&to, what = std::move(what), done = std::uint64_t{0},
          next_report = bytes_per_report](std::size_t bytes) mutable {
    done += bytes;
    if (done < next_report) return;
    next_report = done + bytes_per_report;
    to.err << what << ": " << size_text(done) << " read" << std::endl;
  };
}

void show_identity(const directory& of, console& to) {
  if (!of.stored_identity()) {
    to.out << "identity   " << of.identity_problem() << '\n';
    return;
  }
  const auto& stored = *of.stored_identity();
  to.out << "node       " << to_string(stored.id) << '\n';
  to.out << "cluster    " << (stored.cluster ? to_string(stored.cluster) : "none yet") << '\n';
  if (stored.restored != 0)
    to.out << "restored   from the backup " << to_string(raft::node_id{stored.restored}) << '\n';
  to.out << "starts     " << stored.starts << (stored.promise ? ", with an open formation promise" : "") << '\n';
}

void show_members(std::string_view where, const raft::snapshot_point& at, console& to) {
  to.out << where << "as of entry " << at.configuration_index << ":";
  for (const auto& one : at.members.members())
    to.out << ' ' << to_string(one.id) << '@' << one.address << (at.members.is_voter(one.id) ? "" : " (not a voter)");
  to.out << '\n';
}

/// Takes the members from the log, or else from the snapshot that precedes it.
void show_members(const directory& of, const raft::recovered& log, const std::vector<snapshot_examination>& snapshots,
                  console& to) {
  if (!log.configurations.empty()) {
    to.out << "members    " << to_json(log.configurations.back()) << '\n';
    return;
  }
  for (const auto& one : snapshots)
    if (one.head && of.stored_identity() && one.head->cluster == of.stored_identity()->cluster)
      return show_members("members    in the snapshot, ", one.head->at, to);
}

void show_segments(const log_examination& log, console& to) {
  const auto& found = log.found;
  to.out << "term       " << found.hard.term << ", voted for "
         << (found.hard.voted_for ? to_string(found.hard.voted_for) : "no node") << '\n';
  to.out << "entries    " << found.start.index + 1 << " ... " << found.last_index;
  if (found.last_index == found.start.index) to.out << " (none)";
  if (found.start.index > 0) to.out << ", after entry " << found.start.index << " of term " << found.start.term;
  to.out << '\n';
  for (const auto& run : found.terms) to.out << "  term " << run.term << " from entry " << run.first << '\n';
  for (const auto& segment : log.segments)
    to.out << "  " << segment.path.filename().string() << "  version " << segment.header.format << ", from entry "
           << segment.header.first_index << ", batch " << segment.header.first_batch << ", " << size_text(segment.end)
           << " of " << size_text(segment.header.capacity) << '\n';
}

void show_log(const log_examination& log, console& to) {
  if (log.problem) {
    to.out << "log        " << size_text(log.bytes) << '\n' << "           " << *log.problem << '\n';
    if (log.segments.empty()) return;
    to.out << "           readable before the damage:\n";
  } else {
    to.out << "log        " << log.segments.size() << " segments, " << size_text(log.bytes) << '\n';
  }
  show_segments(log, to);
  for (const auto& note : log.found.notes) to.out << "note       a start would do this: " << note << '\n';
}

void show_snapshots(const std::vector<snapshot_examination>& snapshots, console& to) {
  to.out << "snapshots  " << snapshots.size()
         << (snapshots.empty() ? "" : " (only headers read; `verify` reads all of them)") << '\n';
  for (const auto& one : snapshots) {
    to.out << "  up to entry " << one.id.last.index << " of term " << one.id.last.term << ", " << size_text(one.id.size)
           << "  " << one.name << '\n';
    if (!one.problem.empty()) to.out << "    " << one.problem << '\n';
  }
}

void show_header(const snapshot_format::header& head, console& to) {
  to.out << "cluster   " << to_string(head.cluster) << '\n'
         << "up to     entry " << head.at.last.index << " of term " << head.at.last.term << '\n';
  show_members("members   ", head.at, to);
}

std::string checksum_text(const raft::snapshot_id& id) { return to_string(raft::node_id{id.checksum}); }

} // namespace

int inspect(file_system& fs, const std::filesystem::path& path, console& to) {
  const auto of = open_directory(fs, path, to);
  show_identity(of, to);
  const auto log = examine_log(of, report_progress(to, "log"));
  show_log(log, to);
  const auto snapshots = examine_snapshots(of, false);
  show_members(of, log.found, snapshots, to);
  show_snapshots(snapshots, to);
  int code = of.stored_identity() && !log.problem ? all_good : damage_found;
  for (const auto& one : snapshots)
    if (!one.problem.empty()) code = worse(code, one.damaged ? damage_found : bad_usage);
  return code;
}

int inspect_entry(file_system& fs, const std::filesystem::path& path, raft::index_t index, console& to) {
  const auto of = open_directory(fs, path, to);
  overlay_file_system seen{fs, report_progress(to, "log")};
  raft::recovered found;
  std::optional<damage_error> damage;
  const auto log = open_read_only(of, seen, found, damage);
  const auto entries = log ? log->read(index, index, 0) : std::vector<raft::entry>{};
  if (damage) to.err << damage->what() << '\n';
  if (!entries.empty()) to.out << to_json(entries.front()) << '\n';
  if (damage) return damage_found;
  if (entries.empty())
    throw usage_error("there is no entry " + std::to_string(index) + "; the log has entries " +
                      std::to_string(found.start.index + 1) + " ... " + std::to_string(found.last_index));
  return all_good;
}

int verify(file_system& fs, const std::filesystem::path& path, console& to) {
  const auto of = open_directory(fs, path, to);
  int code = all_good;
  const auto report = [&](const std::string& problem, int meaning = damage_found) {
    to.out << problem << '\n';
    code = worse(code, meaning);
  };
  if (!of.stored_identity()) report(of.identity_problem());
  const auto log = examine_log(of, report_progress(to, "log"));
  if (log.problem) report(*log.problem);
  for (const auto& note : log.found.notes) to.out << "a start would do this: " << note << '\n';
  const auto snapshots = examine_snapshots(of, true, report_progress(to, "snapshots"));
  bool usable = log.found.start.index == 0;
  for (const auto& one : snapshots) {
    if (!one.problem.empty()) {
      report(one.problem, one.damaged ? damage_found : bad_usage);
    } else if (of.stored_identity() && one.head->cluster != of.stored_identity()->cluster) {
      report("snapshot " + one.name + " belongs to cluster " + to_string(one.head->cluster));
    } else {
      usable = usable || one.id.last.index >= log.found.start.index;
    }
  }
  if (!log.problem && !usable)
    report("the log begins after entry " + std::to_string(log.found.start.index) +
           " and no snapshot has the state up to there: the state is lost, and must come from another node");
  if (code == all_good)
    to.out << "good: " << log.segments.size() << " segments, entries up to " << log.found.last_index << ", "
           << snapshots.size() << " snapshots\n";
  return code;
}

int dump(file_system& fs, const std::filesystem::path& path, console& to) {
  const auto of = open_directory(fs, path, to);
  overlay_file_system seen{fs};
  raft::recovered found;
  std::optional<damage_error> damage;
  const auto log = open_read_only(of, seen, found, damage);
  for (auto next = found.start.index + 1; log && next <= found.last_index;)
    for (const auto& shown : log->read(next, found.last_index, window)) {
      to.out << to_json(shown) << '\n';
      if (!to.out) check_written(to.out); // probably a full disk: do not read the rest for nothing
      next = shown.index + 1;
    }
  check_written(to.out);
  if (damage) to.err << damage->what() << '\n';
  return damage ? damage_found : all_good;
}

int inspect_snapshot_file(file_system& fs, const std::filesystem::path& file, file_role role, console& to) {
  if (!fs.exists(file)) throw usage_error("there is no file " + file.string());
  try {
    snapshot_reader head{fs, file, role};
    to.out << "size      " << size_text(fs.open_to_read(file)->size()) << '\n';
    show_header(head.header(), to);
    const auto id = head.announced_id();
    to.out << "checksum  " << checksum_text(id) << " (as stored; `verify` compares it)\n";
    return all_good;
  } catch (const damage_error& error) {
    to.out << error.what() << '\n';
    return damage_found;
  }
}

int verify_snapshot_file(file_system& fs, const std::filesystem::path& file, file_role role, console& to) {
  if (!fs.exists(file)) throw usage_error("there is no file " + file.string());
  overlay_file_system seen{fs, report_progress(to, role == file_role::backup ? "backup" : "snapshot")};
  try {
    const auto found = verify_snapshot(seen, file, role);
    to.out << "good: " << size_text(found.id.size) << '\n' << "checksum  " << checksum_text(found.id) << '\n';
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

#include "runtime/offline/repair.hpp"

#include "runtime/offline/directory.hpp"

#include <algorithm>
#include <optional>
#include <string>

namespace troupe::offline {
namespace {

constexpr std::size_t copy_bytes = std::size_t{1} << 20;

/// Where to cut a log: everything from `offset` of `file` on is removed, and all later segments.
struct cut_position {
  std::filesystem::path file;
  std::uint64_t offset = 0;
};

class archiver {
 public:
  explicit archiver(const directory& of) : fs_(of.files()), of_(of), to_(free_name(of)) {
    for (const auto& made : {to_, to_ / "log", to_ / "snapshots", to_ / "staged", to_ / "removed"})
      make_durable_directory(fs_, made);
  }

  const std::filesystem::path& path() const { return to_; }

  void run(const std::optional<cut_position>& at) {
    // The identity first: no node starts on a log without an identity.
    if (fs_.exists(of_.identity_path())) move(of_.identity_path(), to_ / "identity");
    for (const auto& name : fs_.list(of_.snapshots_path())) move(of_.snapshots_path() / name, to_ / "snapshots" / name);
    // The log may contain entries that restore them.
    for (const auto& name : fs_.list(of_.staged_path())) move(of_.staged_path() / name, to_ / "staged" / name);
    for (const auto& name : fs_.list(of_.log_path())) {
      const auto from = of_.log_path() / name;
      const bool removed = at && (from > at->file || (from == at->file && at->offset < wal_format::first_record));
      if (wal_format::parse_segment_name(name))
        move(from, to_ / (removed ? "removed" : "log") / name);
      else
        fs_.remove(from); // the spare
    }
    if (at && at->offset >= wal_format::first_record) cut_off(to_ / "log" / at->file.filename(), at->offset);
  }

 private:
  static std::filesystem::path free_name(const directory& of) {
    for (int number = 1;; ++number) {
      auto name = of.path() / ("before-repair-" + std::to_string(number));
      if (!of.files().exists(name)) return name;
    }
  }

  void move(const std::filesystem::path& from, const std::filesystem::path& to) {
    fs_.rename(from, to);
    fs_.sync_directory(to.parent_path());
    fs_.sync_directory(from.parent_path());
  }

  /// Copies the bytes from `offset` on into a separate file, then overwrites them with zeros.
  void cut_off(const std::filesystem::path& segment, std::uint64_t offset) {
    const auto kept = to_ / "removed" / (segment.filename().string() + ".from-" + std::to_string(offset));
    const auto source = fs_.open(segment);
    const auto copy = fs_.create(kept);
    const auto end = source->size();
    std::string bytes(copy_bytes, '\0');
    for (auto at = offset; at < end; at += copy_bytes)
      copy->write(at - offset, std::string_view{bytes}.substr(0, source->read(at, bytes)));
    copy->sync();
    fs_.sync_directory(kept.parent_path());
    for (auto at = offset; at < end; at += copy_bytes)
      source->write(at, std::string(std::min<std::uint64_t>(copy_bytes, end - at), '\0'));
    source->sync();
  }

  file_system& fs_;
  const directory& of_;
  std::filesystem::path to_;
};

void warn(const directory& of, const log_examination& log, console& to) {
  if (!of.stored_identity()) to.err << of.identity_problem() << "\n";
  if (log.problem) to.err << *log.problem << "\n";
  to.err
      << "\nA repair cuts data that was on disk and may have been acknowledged to other nodes. So this node must not\n"
         "take part again as "
      << (of.stored_identity() ? "node " + to_string(of.stored_identity()->id) : "the node that it was")
      << ": it would not know its votes and its entries. The directory becomes that of a\n"
         "NEW node, which has no data and replaces the old one in its cluster. If no majority of the old members is\n"
         "left, it cannot do that: see docs/operations.md, \"The last survivor is damaged\".\n";
}

/// The address of the node according to the log or a snapshot.
std::string address_of(const directory& of, const log_examination& log) {
  std::vector<raft::configuration> known;
  for (const auto& one : log.found.configurations)
    if (auto members = raft::decode_configuration(one.data.view())) known.insert(known.begin(), *std::move(members));
  for (const auto& one : examine_snapshots(of, false))
    if (one.head) known.push_back(one.head->at.members);
  for (const auto& members : known)
    for (const auto& one : members.members())
      if (of.stored_identity() && one.id == of.stored_identity()->id) return one.address;
  return "HOST:RAFT-PORT";
}

/// Instructions for the operator. With its old options the node neither forms a cluster nor joins one: an operator has
/// to add it through a member.
std::string how_to_join(const directory& of, raft::node_id fresh, const std::string& address) {
  if (of.stored_identity() && !of.stored_identity()->cluster)
    return "start it with its old options\n"; // it did not belong to a cluster
  const auto old = of.stored_identity() ? to_string(of.stored_identity()->id) : "OLD";
  return "start it with its old options, and let it replace the old one through any member's HTTP API:\n"
         R"(  curl -fsS -d '{"id": ")" +
         to_string(fresh) + R"(", "address": ")" + address + R"(", "replaces": ")" + old +
         R"("}' http://MEMBER/v1/members)" + '\n' +
         (of.stored_identity() ? "" : "OLD is the old id: GET /v1/members shows which member is dead\n");
}

} // namespace

int repair(file_system& fs, const std::filesystem::path& path, bool yes, console& to) {
  const directory of{fs, path, access::change};
  const auto log = examine_log(of);
  if (!log.problem && of.stored_identity()) {
    to.out << "there is nothing to repair\n";
    for (const auto& note : log.found.notes) to.out << "a start would do this by itself: " << note << '\n';
    return all_good;
  }
  warn(of, log, to);
  if (!yes && !to.ask("Make this the directory of a new node?")) {
    to.err << "nothing was changed\n";
    return bad_usage;
  }
  const auto address = address_of(of, log);
  archiver archive{of};
  archive.run(log.problem ? std::optional{cut_position{log.damaged_file, log.damaged_at}} : std::nullopt);
  identity fresh;
  while (!fresh.id) fresh.id.value = fs.draw_random();
  replace_file(fs, of.identity_path(), encode_identity(fresh));
  to.out << "this is now node " << to_string(fresh.id) << ", which does not belong to a cluster yet\n"
         << "the old files are in " << archive.path().string() << ", what was cut is in its folder `removed`\n"
         << how_to_join(of, fresh.id, address);
  return all_good;
}

} // namespace troupe::offline

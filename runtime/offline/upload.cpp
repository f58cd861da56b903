#include "runtime/offline/upload.hpp"

#include "runtime/http/client/client.hpp"
#include "runtime/offline/directory.hpp"
#include "runtime/offline/inspect.hpp"
#include "runtime/offline/printable_output.hpp"
#include "runtime/storage/snapshot_format.hpp"
#include "runtime/storage/snapshot_reader.hpp"

#include <nlohmann/json.hpp>

#include <algorithm>
#include <future>
#include <memory>
#include <optional>
#include <thread>
#include <troupe/address.hpp>
#include <utility>

namespace troupe::offline {
namespace {

using namespace std::chrono_literals;
using nlohmann::json;
using std::chrono::steady_clock;

/// The chunk size that the API accepts.
constexpr std::size_t chunk_bytes = 1 << 20;
/// Time limit of an answer. The node answers the last chunk after it has read the whole file again.
constexpr auto answer_within = 10min;
/// Maximum duration of the restore command once a majority holds the backup.
constexpr auto command_within = 360s;
constexpr auto status_within = 10s;
constexpr auto progress_interval = 1s;
/// Maximum size of an answer. A node's answers to these requests take some kB; the peer may be any server.
constexpr std::size_t longest_answer = 1 << 20;

constexpr unsigned ok = 200;
constexpr unsigned overloaded = 429;
constexpr unsigned unavailable = 503;

host_port address_in(const std::string& url) try {
  constexpr std::string_view scheme = "http://";
  if (!url.starts_with(scheme)) throw bad_address("it does not begin with " + std::string{scheme});
  auto rest = url.substr(scheme.size());
  if (rest.ends_with('/')) rest.pop_back();
  return parse_host_port(rest);
} catch (const bad_address& error) {
  throw usage_error("'" + url + "' is not a node's address, http://host:port: " + error.what());
}

/// A string member of a JSON object, made printable; empty if there is none.
std::string member(const std::string& body, const char* name) {
  const auto parsed = json::parse(body, nullptr, false);
  const auto found = parsed.is_object() ? parsed.find(name) : parsed.end();
  const bool there = parsed.is_object() && found != parsed.end() && found->is_string();
  return there ? one_line(found->get_ref<const std::string&>()) : std::string{};
}

std::uint64_t number(const std::string& body, const char* name) {
  const auto parsed = json::parse(body, nullptr, false);
  if (!parsed.is_object() || !parsed.contains(name) || !parsed[name].is_number_unsigned())
    throw usage_error("the node's answer is invalid: " + one_line(body, 200));
  return parsed[name].get<std::uint64_t>();
}

std::string why(const http::result& answer) {
  const auto message = member(answer.body, "message");
  return message.empty() ? "status " + std::to_string(answer.status) : message;
}

/// Whether the same request may succeed later.
bool is_retryable(const http::result& answer) {
  const auto parsed = json::parse(answer.body, nullptr, false);
  const auto said = parsed.is_object() ? parsed.find("retryable") : parsed.end();
  if (parsed.is_object() && said != parsed.end() && *said == false) return false;
  return answer.status == overloaded || answer.status == unavailable;
}

/// The node's status; throws `usage_error` if `at` is not a node.
std::string status_of(const host_port& at) {
  const auto where = to_string(at);
  try {
    const auto answer = http::client{at.host, at.port, status_within, longest_answer}.request("GET", "/status");
    if (answer.status != ok || !json::accept(answer.body) || !json::parse(answer.body).contains("cluster_id"))
      throw usage_error("the server at " + where + " is not a node's HTTP API: status " +
                        std::to_string(answer.status));
    return answer.body;
  } catch (const http::client_error& error) {
    throw usage_error("cannot reach a node's HTTP API at " + where + ": " + error.what());
  }
}

/// Shows source and target of the restore. Throws unless the backup may be restored into that cluster.
void show_target(const snapshot_summary& backup, const host_port& at, bool other_cluster, console& to) {
  const auto status = status_of(at);
  const auto from = to_string(backup.header.cluster);
  const auto into = member(status, "cluster_id");
  if (into.empty())
    throw usage_error("the node at " + to_string(at) + " does not belong to a cluster yet: " +
                      member(status, "not_ready") + "; to start a new cluster from a backup, use --restore");
  to.err << "the backup is of cluster " << from << ", up to entry " << backup.id.last.index << '\n'
         << to_string(at) << " is of cluster " << into << ", and its log reaches entry " << number(status, "last_index")
         << '\n';
  if (from != into && !other_cluster)
    throw usage_error("the backup is of cluster " + from + ", and the node at " + to_string(at) + " of " + into +
                      ": --other-cluster restores it anyway");
}

/// Sends a whole file to one node, beginning at the offset that the node asks for.
class backup_sender {
 public:
  backup_sender(file_system& fs, const std::filesystem::path& path, const raft::snapshot_id& id, const host_port& to,
                const upload_options& options, console& progress)
      : source_(fs.open_to_read(path)), id_(id), target_("/v1/restore/" + to_string(id)),
        node_(to.host, to.port, answer_within, longest_answer), options_(options), progress_(progress) {}

  const std::string& target() const noexcept { return target_; }

  void all() {
    // The first request asks for the offset, and so does the one after a problem.
    std::optional<std::uint64_t> due;
    std::uint64_t furthest = 0;
    std::string reported_problem;
    auto give_up = steady_clock::now() + options_.patience;
    while (!due || *due < id_.size) {
      due = put(due);
      if (due && *due > furthest) {
        furthest = *due;
        give_up = steady_clock::now() + options_.patience;
      }
      if (steady_clock::now() >= give_up) throw usage_error("the backup could not be sent: " + problem_);
      if (due) {
        report(*due);
        continue;
      }
      if (std::exchange(reported_problem, problem_) != problem_)
        progress_.err << problem_ << ", trying again" << std::endl;
      std::this_thread::sleep_for(options_.retry_interval); // nap: nothing here reports when another node can continue
    }
  }

 private:
  /// Sends a chunk. Returns the next offset, or nothing if there was a problem.
  std::optional<std::uint64_t> put(std::optional<std::uint64_t> offset) try {
    std::string data(offset ? std::min<std::uint64_t>(chunk_bytes, id_.size - *offset) : 0, '\0');
    if (offset) data.resize(source_->read(*offset, data));
    const auto answer = node_.request("PUT", target_ + "?offset=" + std::to_string(offset.value_or(0)), data);
    if (answer.status == ok) return number(answer.body, "next");
    problem_ = why(answer);
    if (!is_retryable(answer)) throw usage_error("the node rejects the backup: " + problem_);
    return std::nullopt;
  } catch (const http::client_error& error) {
    problem_ = error.what();
    return std::nullopt;
  }

  void report(std::uint64_t sent) {
    const auto now = steady_clock::now();
    if (sent < id_.size && now < reported_ + progress_interval) return;
    reported_ = now;
    progress_.err << "sent " << sent << " of " << id_.size << " bytes" << std::endl;
  }

  std::unique_ptr<file> source_;
  raft::snapshot_id id_;
  std::string target_;
  http::client node_;
  upload_options options_;
  console& progress_;
  std::string problem_ = "the node accepts no more data"; // the last one
  steady_clock::time_point reported_{};
};

/// Why the cluster has not restored it yet, as far as the node knows.
std::string restore_blocker(const host_port& at) {
  try {
    const auto missing = member(status_of(at), "not_ready");
    return missing.empty() ? "a majority of the nodes must hold it first" : missing;
  } catch (const usage_error& error) {
    return error.what();
  }
}

int restore(const host_port& at, const std::string& target, const upload_options& options, console& to) {
  const auto began = steady_clock::now();
  auto asked = std::async(std::launch::async, [&] {
    http::client node{at.host, at.port, options.timeout + command_within, longest_answer};
    return node.request("POST", target + "?timeout=" + std::to_string(options.timeout.count()) + "s");
  });
  while (asked.wait_for(options.report_every) == std::future_status::timeout)
    to.err << "waiting, " << std::chrono::floor<std::chrono::seconds>(steady_clock::now() - began).count() << " s of "
           << options.timeout.count() << " s: " << restore_blocker(at) << std::endl;
  try {
    const auto answer = asked.get();
    if (answer.status == ok) {
      to.out << "restored at index " << number(answer.body, "index") << '\n';
      return all_good;
    }
    to.out << "not restored: " << why(answer) << '\n';
    return member(answer.body, "outcome") == "rejected" ? bad_usage : outcome_unknown;
  } catch (const http::client_error& error) {
    to.out << "not restored: " << error.what() << '\n';
    return error.sent() ? outcome_unknown : bad_usage;
  }
}

} // namespace

int upload(file_system& fs, const std::filesystem::path& file, const std::string& url, const upload_options& options,
           console& to) {
  const auto at = address_in(url);
  if (const int code = verify_snapshot_file(fs, file, file_role::backup, to); code != all_good) return code;
  const auto backup = verify_snapshot(fs, file, file_role::backup);
  if (options.stage_only) {
    backup_sender{fs, file, backup.id, at, options, to}.all();
    to.out << "the node at " << to_string(at) << " holds the backup; nothing was restored\n";
    return all_good;
  }
  show_target(backup, at, options.other_cluster, to);
  if (!options.yes && !to.ask("The backup replaces the whole state of the cluster. Restore it?")) {
    to.err << "nothing was changed\n";
    return bad_usage;
  }
  backup_sender send{fs, file, backup.id, at, options, to};
  send.all();
  return restore(at, send.target(), options, to);
}

} // namespace troupe::offline

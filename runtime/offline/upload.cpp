#include "runtime/offline/upload.hpp"

#include "discovery/host_port.hpp"
#include "runtime/http/client.hpp"
#include "runtime/offline/directory.hpp"
#include "runtime/offline/inspect.hpp"
#include "runtime/storage/snapshot_format.hpp"
#include "runtime/storage/snapshot_reader.hpp"

#include <nlohmann/json.hpp>

#include <algorithm>
#include <memory>
#include <optional>
#include <thread>
#include <utility>

namespace troupe::offline {
namespace {

using namespace std::chrono_literals;
using nlohmann::json;
using std::chrono::steady_clock;

/// What the API takes at a time.
constexpr std::size_t piece_bytes = 1 << 20;
/// The last piece is answered when the node has read all of them again.
constexpr auto answer_within = 10min;
constexpr auto restore_within = 660s;
constexpr auto tell_every = 1s;

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
  throw usage_error("'" + url + "' is no node's address, http://host:port: " + error.what());
}

std::string member(const std::string& body, const char* name) {
  const auto parsed = json::parse(body, nullptr, false);
  const auto found = parsed.is_object() ? parsed.find(name) : parsed.end();
  return parsed.is_object() && found != parsed.end() && found->is_string() ? found->get<std::string>() : std::string{};
}

std::uint64_t number(const std::string& body, const char* name) {
  const auto parsed = json::parse(body, nullptr, false);
  if (!parsed.is_object() || !parsed.contains(name) || !parsed[name].is_number_unsigned())
    throw usage_error("the node answers what is no answer: " + body.substr(0, 200));
  return parsed[name].get<std::uint64_t>();
}

std::string why(const http::result& answer) {
  const auto message = member(answer.body, "message");
  return message.empty() ? "status " + std::to_string(answer.status) : message;
}

/// Sends all of a file to one node, beginning with what that asks for.
class sending {
 public:
  sending(file_system& fs, const std::filesystem::path& path, const raft::snapshot_id& id, host_port to,
          console& progress, upload_patience patience)
      : source_(fs.open_to_read(path)), id_(id), target_("/v1/restore/" + snapshot_format::name_of(id)),
        node_(std::move(to.host), to.port, answer_within), progress_(progress), patience_(patience) {}

  const std::string& target() const noexcept { return target_; }

  void all() {
    // The first request asks, and so does the one after any trouble.
    std::optional<std::uint64_t> due;
    std::uint64_t furthest = 0;
    auto give_up = steady_clock::now() + patience_.in_all;
    while (!due || *due < id_.size) {
      std::string problem = "the node takes no more of it";
      due = put(due, problem);
      if (due && *due > furthest) {
        furthest = *due;
        give_up = steady_clock::now() + patience_.in_all;
      }
      if (steady_clock::now() >= give_up) throw usage_error("the backup could not be sent: " + problem);
      if (due) {
        tell(*due);
        continue;
      }
      progress_.err << problem << ", trying again\n";
      std::this_thread::sleep_for(patience_.between); // nap: another node's affairs, nothing here tells when to go on
    }
  }

 private:
  /// The next offset, or what the problem is.
  std::optional<std::uint64_t> put(std::optional<std::uint64_t> offset, std::string& problem) try {
    std::string piece(offset ? std::min<std::uint64_t>(piece_bytes, id_.size - *offset) : 0, '\0');
    if (offset) piece.resize(source_->read(*offset, piece));
    const auto answer = node_.request("PUT", target_ + "?offset=" + std::to_string(offset.value_or(0)), piece);
    if (answer.status == ok) return number(answer.body, "next");
    problem = why(answer);
    if (answer.status != overloaded && answer.status != unavailable)
      throw usage_error("the backup is refused: " + problem);
    return std::nullopt;
  } catch (const http::client_error& error) {
    problem = error.what();
    return std::nullopt;
  }

  void tell(std::uint64_t sent) {
    const auto now = steady_clock::now();
    if (sent < id_.size && now < told_ + tell_every) return;
    told_ = now;
    progress_.err << "sent " << sent << " of " << id_.size << " bytes\n";
  }

  std::unique_ptr<file> source_;
  raft::snapshot_id id_;
  std::string target_;
  http::client node_;
  console& progress_;
  upload_patience patience_;
  steady_clock::time_point told_{};
};

int restore(const host_port& at, const std::string& target, console& to) {
  http::client node{at.host, at.port, restore_within};
  try {
    const auto answer = node.request("POST", target);
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

int upload(file_system& fs, const std::filesystem::path& file, const std::string& url, console& to,
           upload_patience patience) {
  const auto at = address_in(url);
  if (const int code = verify_snapshot_file(fs, file, to); code != all_good) return code;
  const auto id = verify_snapshot(fs, file).id;
  sending send{fs, file, id, at, to, patience};
  send.all();
  return restore(at, send.target(), to);
}

} // namespace troupe::offline

// Writes seed inputs for frame_guard_fuzzer: conversations that pass completely, and some that nearly do. Writes the
// words of BASP as well. Fails if the guard or the simple reader refuses what CAF writes.
// Usage: frame_guard_seeds FOLDER WORDS
#include "tests/actor/caf_dialect.hpp"
#include "tests/fuzz/caf_reader.hpp"
#include "tests/fuzz/fuzz_input.hpp"
#include "tests/unit/transport/basp_frames.hpp"
#include "tests/unit/transport/dumb_reader.hpp"
#include "tests/unit/transport/message_types.hpp"
#include "tests/unit/transport/random_frames.hpp"

#include <filesystem>
#include <fstream>
#include <iomanip>
#include <iostream>
#include <stdexcept>

using namespace troupe::net;
using namespace troupe::net::testing;

namespace {

const auto self = caf_dialect().node(100, 'a');
const auto peer = caf_dialect().node(200, 'b');

std::string handshake_of(side here) {
  if (here == side::dialed) return basp::server_hello(peer, caf_dialect().version());
  auto hellos = basp::client_hello(peer);
  if (caf_dialect().client_handshakes() > 1) hellos += basp::client_hello(peer, basp::select_connection);
  return hellos;
}

class writer {
 public:
  explicit writer(std::filesystem::path folder) : folder_(std::move(folder)) {
    std::filesystem::create_directories(folder_);
  }
  void write(side here, const std::string& frames, std::vector<std::uint8_t> splits = {}) {
    std::ofstream file(folder_ / ("seed-" + std::to_string(count_++)), std::ios::binary);
    file << encode({here, std::move(splits), frames});
    if (!file.flush()) throw std::runtime_error("cannot write into " + folder_.string());
  }
  std::size_t count() const { return count_; }

 private:
  std::filesystem::path folder_;
  std::size_t count_ = 0;
};

/// Throws if the guard, the simple reader and CAF do not all accept the frame after a handshake with `from`.
void demand_passes(const std::string& frame, const std::string& from) {
  const auto options = caf_options(self);
  frame_guard guard{side::accepted, options};
  dumb_reader reader{side::accepted, caf_dialect(), options};
  for (const auto& each : {basp::client_hello(from), frame}) {
    const auto size = guard.frame_size(std::string_view{each}.substr(0, frame_guard::header_size));
    if (size != each.size() || guard.judge(each) != verdict::pass)
      throw std::runtime_error("the guard refuses what CAF writes: " + guard.problem());
    if (!reader.accepts(each)) throw std::runtime_error("the simple reader refuses what CAF writes");
    if (const auto problem = caf_problem(each); !problem.empty()) throw std::runtime_error(problem);
  }
}

/// The words of BASP, in libFuzzer's format.
void write_words(const std::string& path) {
  std::vector<std::string> words{self.substr(0, self.size() - 20),
                                 std::string(20, 'a'),
                                 "generic-caf-app",
                                 "\xff\xff\xff\xff\x0f",
                                 "\xff\xff\xff\xff\xff\xff",
                                 caf_dialect().message({}),
                                 caf_dialect().message({caf_dialect().error_type()}),
                                 caf_dialect().error(0),
                                 caf_dialect().error(3, {"why"}),
                                 caf_dialect().message({caf_dialect().foreign_type()})};
  for (const auto* name : {"troupe.hello", "troupe.command_batch", "troupe.append_request"})
    words.push_back(caf_dialect().message({caf_type(name)}));
  for (const auto operation : {basp::server_handshake, basp::client_handshake, basp::direct_message,
                               basp::monitor_message, basp::down_message, basp::heartbeat})
    words.push_back(basp::frame({.operation = operation}).substr(0, 7));
  std::ofstream file(path);
  file << std::hex << std::setfill('0');
  for (const auto& word : words) {
    file << '"';
    for (const unsigned char c : word) file << "\\x" << std::setw(2) << static_cast<unsigned>(c);
    file << "\"\n";
  }
  if (!file.flush()) throw std::runtime_error("cannot write " + path);
}

} // namespace

int main(int argc, char** argv) try {
  if (argc != 3) {
    std::cerr << "Usage: frame_guard_seeds FOLDER WORDS\n";
    return 2;
  }
  writer to{argv[1]};
  write_words(argv[2]);
  demand_passes(basp::monitor(own_node_id(), self), own_node_id());
  for (const auto& payload : sent_payloads()) demand_passes(basp::said(payload, basp::response + 1), peer);
  const auto types = names_of(caf_options(self).types);
  frame_source source{1, caf_dialect(), self, peer, types};
  for (const auto here : {side::accepted, side::dialed}) {
    const auto handshake = handshake_of(here);
    to.write(here, handshake);
    to.write(here, handshake + basp::monitor(peer, self), {1});
    to.write(here, handshake + basp::down(peer, self, caf_dialect().error(3, {"why", "where"})), {0, 32, 3});
    for (const auto& payload : sent_payloads()) to.write(here, handshake + basp::said(payload, basp::response + 1));
    for (const auto& type : types)
      to.write(here, handshake + basp::said(caf_dialect().message({type}, basp::text("no such message"))));
    for (int i = 0; i < 50; ++i) {
      std::string frames = handshake;
      for (auto left = source.pick(1, 6); left > 0; --left)
        frames += source.pick(0, 7) == 0   ? source.dropped()
                  : source.pick(0, 7) == 0 ? source.ignored()
                                           : source.valid(60);
      if (i % 2 == 0) source.mutate(frames);
      to.write(here, frames, {static_cast<std::uint8_t>(source.pick(0, 255)), 32});
    }
  }
  std::cout << to.count() << " seeds\n";
  return 0;
} catch (const std::exception& e) {
  std::cerr << "frame_guard_seeds: " << e.what() << '\n';
  return 1;
}

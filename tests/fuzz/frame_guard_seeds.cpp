// Writes seed inputs for frame_guard_fuzzer: conversations that pass completely, and some that nearly do.
// Usage: frame_guard_seeds FOLDER
#include "tests/fuzz/caf_reader.hpp"
#include "tests/fuzz/fuzz_input.hpp"
#include "tests/unit/transport/basp_frames.hpp"
#include "tests/unit/transport/message_types.hpp"
#include "tests/unit/transport/random_frames.hpp"

#include <filesystem>
#include <fstream>
#include <iostream>

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

} // namespace

int main(int argc, char** argv) try {
  if (argc != 2) {
    std::cerr << "Usage: frame_guard_seeds FOLDER\n";
    return 2;
  }
  writer to{argv[1]};
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

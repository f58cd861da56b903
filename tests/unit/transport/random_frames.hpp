// Frames drawn at random, and damaged at random.
#pragma once

#include <cstdint>
#include <random>
#include <string>
#include <vector>

namespace troupe::net::testing {

class frame_source {
 public:
  /// Of a peer that talks to `self`, in messages of these types.
  frame_source(unsigned seed, std::string self, std::string peer, std::vector<std::string> types)
      : random_(seed), self_(std::move(self)), peer_(std::move(peer)), types_(std::move(types)) {}

  /// A number in [low, high].
  std::size_t pick(std::size_t low, std::size_t high);
  /// A frame that passes the guard once the handshake is over.
  std::string valid(std::size_t max_text = 200);
  /// A frame that the guard leaves out without a word.
  std::string ignored();
  /// A frame that the guard leaves out, and wonders about.
  std::string dropped();
  /// Changes it in one to three ways; half the time its header then tells the right length.
  void mutate(std::string& frame);

 private:
  std::string text(std::size_t max_size);

  std::mt19937 random_;
  std::string self_;
  std::string peer_;
  std::vector<std::string> types_;
};

} // namespace troupe::net::testing

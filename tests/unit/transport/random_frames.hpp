// Generates random frames, and damages frames randomly.
#pragma once

#include "tests/unit/transport/basp_dialect.hpp"

#include <cstdint>
#include <random>
#include <string>
#include <vector>

namespace troupe::net::testing {

class frame_source {
 public:
  /// Frames of a peer that sends messages of these types to `self`. The dialect must outlive it.
  frame_source(unsigned seed, const basp_dialect& dialect, std::string self, std::string peer,
               std::vector<std::string> types)
      : random_(seed), dialect_(dialect), self_(std::move(self)), peer_(std::move(peer)), types_(std::move(types)) {}

  /// A number in [low, high].
  std::size_t pick(std::size_t low, std::size_t high);
  /// A frame that passes the guard after the handshake.
  std::string valid(std::size_t max_text = 200);
  /// A frame whose error may have too many texts.
  std::string long_error();
  /// A frame that the guard ignores.
  std::string ignored();
  /// A frame that the guard drops and reports.
  std::string dropped();
  /// Changes the frame in one to three ways. In half of the cases, the header then has the right length.
  void mutate(std::string& frame);

 private:
  std::string text(std::size_t max_size);
  std::string error(std::size_t max_texts);

  std::mt19937 random_;
  const basp_dialect& dialect_;
  std::string self_;
  std::string peer_;
  std::vector<std::string> types_;
};

} // namespace troupe::net::testing

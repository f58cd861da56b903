#include "tests/unit/transport/random_frames.hpp"

#include "tests/unit/transport/basp_frames.hpp"

#include <algorithm>

namespace troupe::net::testing {

std::size_t frame_source::pick(std::size_t low, std::size_t high) { return low + random_() % (high - low + 1); }

std::string frame_source::text(std::size_t max_size) {
  std::string bytes(pick(0, max_size), '\0');
  for (auto& c : bytes) c = static_cast<char>(pick(0, 255));
  return bytes;
}

std::string frame_source::error(std::size_t max_texts) {
  std::vector<std::string> context(pick(0, max_texts));
  for (auto& one : context) one = text(20);
  const auto code = static_cast<std::uint8_t>(pick(0, 9));
  return dialect_.error(code, context, pick(0, 9));
}

std::string frame_source::long_error() { return basp::down(peer_, self_, error(20)); }

std::string frame_source::valid(std::size_t max_text) {
  switch (pick(0, 6)) {
  case 0:
    return basp::monitor(peer_, self_);
  case 1:
    return basp::down(peer_, self_, error(16));
  case 2:
    return basp::said(dialect_.message({dialect_.error_type()}, error(16)), basp::response + pick(0, 99));
  case 3:
    return basp::said(dialect_.message({}), basp::response + pick(0, 99));
  default:
    return basp::said(dialect_.message({types_[pick(0, types_.size() - 1)]}, basp::text(text(max_text))));
  }
}

std::string frame_source::ignored() {
  if (pick(0, 1) == 0) return basp::beat();
  const basp::header to_service{
      .operation = basp::direct_message, .flags = basp::named_receiver, .to = basp::atom("SpawnServ")};
  return basp::frame(to_service, text(20) + "x");
}

std::string frame_source::dropped() {
  switch (pick(0, 2)) {
  case 0:
    return basp::said(dialect_.message({dialect_.foreign_type()}, basp::text(text(200))));
  case 1:
    return basp::said(dialect_.message({dialect_.error_type()}, error(1)));
  default:
    return basp::said(dialect_.message({types_.front(), types_.front()}, text(20)));
  }
}

void frame_source::mutate(std::string& frame) {
  const auto any_byte = [this] {
    constexpr unsigned char telling[] = {0, 1, 2, 3, 4, 0x7f, 0x80, 0x81, 0xff, '@', '+', '<'};
    return static_cast<char>(pick(0, 1) == 0 ? telling[pick(0, std::size(telling) - 1)] : pick(0, 255));
  };
  const auto at = [&] { return frame.empty() ? 0 : pick(0, frame.size() - 1); };
  for (auto ways = pick(1, 3); ways > 0; --ways) {
    switch (pick(0, 6)) {
    case 0:
      if (!frame.empty()) frame[at()] ^= static_cast<char>(1 << pick(0, 7));
      break;
    case 1:
      if (!frame.empty()) frame[at()] = any_byte();
      break;
    case 2: // mostly in the header, where each byte matters
      if (!frame.empty()) frame[std::min(at(), pick(0, basp::header_size - 1))] = any_byte();
      break;
    case 3:
      frame.insert(at(), pick(1, 3), any_byte());
      break;
    case 4:
      frame.erase(at(), pick(1, 3));
      break;
    case 5:
      frame.insert(at(), frame.substr(at(), pick(1, 40)));
      break;
    default:
      frame.resize(at());
    }
  }
  if (frame.size() >= basp::header_size && pick(0, 1) == 0)
    frame.replace(4, 4, basp::integer(frame.size() - basp::header_size, 4));
}

} // namespace troupe::net::testing

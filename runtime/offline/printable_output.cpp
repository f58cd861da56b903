#include "runtime/offline/printable_output.hpp"

#include "raft/base/utf8.hpp"

#include <algorithm>
#include <cerrno>
#include <stdexcept>
#include <system_error>
#include <utility>

namespace troupe::offline {
namespace {

constexpr std::string_view replacement = "?";

bool is_control(char c) {
  const auto byte = static_cast<unsigned char>(c);
  return byte < 0x20 || byte == 0x7f;
}

bool is_plain(char c) { return (!is_control(c) && static_cast<unsigned char>(c) < 0x80) || c == '\n' || c == '\t'; }

/// U+0080 to U+009F. For a terminal, U+009B begins an escape sequence.
bool is_c1(std::string_view character) {
  return character.size() == 2 && character[0] == '\xc2' && static_cast<unsigned char>(character[1]) < 0xa0;
}

/// Size in bytes of the character that begins with this byte; 0 if no character does.
std::size_t size_of_character(char first) {
  const auto byte = static_cast<unsigned char>(first);
  if (byte < 0x80) return 1;
  if (byte >= 0xc2 && byte < 0xe0) return 2;
  if (byte >= 0xe0 && byte < 0xf0) return 3;
  return byte >= 0xf0 && byte < 0xf5 ? 4 : 0;
}

} // namespace

bool printable_buffer::pass(std::string_view text) {
  const auto size = static_cast<std::streamsize>(text.size());
  return to_.sputn(text.data(), size) == size;
}

bool printable_buffer::put(char next) {
  const bool continues = (static_cast<unsigned char>(next) & 0xc0) == 0x80;
  if (!unfinished_.empty() && !continues) {
    unfinished_.clear();
    if (!pass(replacement)) return false;
  }
  if (unfinished_.empty()) {
    const auto size = size_of_character(next);
    if (size == 1) return pass(is_plain(next) ? std::string_view{&next, 1} : replacement);
    if (size == 0) return pass(replacement);
  }
  unfinished_ += next;
  if (unfinished_.size() < size_of_character(unfinished_.front())) return true;
  const auto whole = std::exchange(unfinished_, {});
  return pass(base::is_utf8(whole) && !is_c1(whole) ? std::string_view{whole} : replacement);
}

printable_buffer::int_type printable_buffer::overflow(int_type next) {
  if (traits_type::eq_int_type(next, traits_type::eof())) return traits_type::not_eof(next);
  return put(traits_type::to_char_type(next)) ? next : traits_type::eof();
}

std::streamsize printable_buffer::xsputn(const char* text, std::streamsize size) {
  const std::string_view all{text, static_cast<std::size_t>(size)};
  for (std::size_t done = 0; done < all.size();) {
    const auto plain = std::find_if_not(all.begin() + static_cast<std::ptrdiff_t>(done), all.end(), is_plain);
    const auto run = static_cast<std::size_t>(plain - all.begin()) - done;
    const bool whole = unfinished_.empty() && run > 0; // the common case: write plain text in one piece
    if (!(whole ? pass(all.substr(done, run)) : put(all[done]))) return static_cast<std::streamsize>(done);
    done += whole ? run : 1;
  }
  return size;
}

int printable_buffer::sync() { return to_.pubsync(); }

printable_output::printable_output(std::ostream& stream) : stream_(stream), before_(stream.rdbuf()), filter_(*before_) {
  stream_.rdbuf(&filter_);
}

printable_output::~printable_output() {
  stream_.flush();
  const auto state = stream_.rdstate();
  stream_.rdbuf(before_); // this clears the state
  stream_.clear(state);
}

std::string one_line(std::string_view text, std::size_t most) {
  std::string out{text.substr(0, most)};
  for (auto& c : out)
    if (is_control(c)) c = '?';
  return text.size() > most ? out + "..." : out;
}

void check_written(std::ostream& out) {
  errno = 0;
  out.flush();
  if (out) return;
  const int why = errno;
  throw std::runtime_error("cannot write the output" +
                           (why == 0 ? std::string{} : ": " + std::generic_category().message(why)));
}

} // namespace troupe::offline

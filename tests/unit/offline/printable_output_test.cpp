// Output of the tools cannot control a terminal, and a failed write is an error.
#include "runtime/offline/printable_output.hpp"

#include "runtime/offline/inspect.hpp"
#include "tests/unit/offline/offline_node.hpp"

#include <catch2/catch.hpp>

#include <sstream>

using namespace troupe;
using namespace troupe::test;
using offline::printable_output;

namespace {

std::string printed(const std::vector<std::string>& chunks) {
  std::ostringstream to;
  {
    const printable_output filtered{to};
    for (const auto& chunk : chunks) to << chunk;
  }
  to << '\x1b'; // after the end of the filter
  auto text = to.str();
  REQUIRE(text.back() == '\x1b');
  text.pop_back();
  return text;
}

/// A disk that is full after `room` bytes.
class full_disk final : public std::streambuf {
 public:
  explicit full_disk(std::size_t room) : room_(room) {}
  std::size_t tried = 0;

 protected:
  int_type overflow(int_type) override {
    ++tried;
    return room_-- > 0 ? 0 : traits_type::eof();
  }

 private:
  std::size_t room_;
};

} // namespace

TEST_CASE("text passes, escape sequences do not", "[printable]") {
  CHECK(printed({"plain, tab\t and line\n"}) == "plain, tab\t and line\n");
  CHECK(printed({"\xc3\xa9 \xe2\x82\xac \xf0\x9f\x98\x80"}) == "\xc3\xa9 \xe2\x82\xac \xf0\x9f\x98\x80");
  CHECK(printed({"\x1b[2Jred\x1b]0;title\x07"}) == "?[2Jred?]0;title?");
  CHECK(printed({"carriage\rreturn\b\x7f", std::string(1, '\0')}) == "carriage?return???");
  CHECK(printed({"\xc2\x9b"
                 "31m"}) == "?31m"); // CSI as one character
  CHECK(printed({"\x9b"
                 "31m"}) == "?31m");                                           // and as one byte
  CHECK(printed({"\xc2\xa0"}) == "\xc2\xa0");                                  // the first character after C1
  CHECK(printed({"\xe0\x80\x9b \xed\xa0\x80"}) == "? ?");                      // overlong, a surrogate
  CHECK(printed({"\xe2\x82", "x"}) == "?x");                                   // cut
  CHECK(printed({"\xe2", "\x82", "\xac", "\xc2", "\x9b"}) == "\xe2\x82\xac?"); // in chunks
  CHECK(printed({"\xc3\x1b[1m"}) == "??[1m");
}

TEST_CASE("one_line makes text from another machine one line of bounded length", "[printable]") {
  CHECK(offline::one_line("a\nb\x1b[1m") == "a?b?[1m");
  CHECK(offline::one_line("abcdef", 3) == "abc...");
  CHECK(offline::one_line("") == "");
}

TEST_CASE("a failed write is an error, and the command stops", "[printable]") {
  memory_file_system fs;
  make_directory(fs, "/data", {.entries = 50});
  full_disk disk{300};
  std::ostream out{&disk};
  captured shown;
  offline::console to{out, shown.err, shown.to.ask};
  CHECK_THROWS_WITH(offline::dump(fs, "/data", to), Catch::Contains("cannot write the output"));
  CHECK(disk.tried < 310);
  captured whole;
  CHECK(offline::dump(fs, "/data", whole.to) == offline::all_good);
}

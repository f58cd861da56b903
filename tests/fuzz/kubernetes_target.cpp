// Fuzzes the answers of a Kubernetes API server: pages of a list, lines of a watch, reasons of a refusal.
#include "discovery/kubernetes_view.hpp"
#include "raft/base/line_reader.hpp"
#include "raft/base/utf8.hpp"
#include "tests/fuzz/target.hpp"

#include <algorithm>
#include <troupe/address.hpp>

using namespace troupe;

namespace {

constexpr std::size_t longest_line = 4096;

bool printable(std::string_view text) {
  return base::is_utf8(text) && std::none_of(text.begin(), text.end(), [](unsigned char c) { return c < 0x20; });
}

void list(kubernetes_view& view, std::string_view page) {
  try {
    view.begin_list();
    static_cast<void>(view.add_page(page));
  } catch (const bad_kubernetes_answer& refused) {
    fuzz::check(printable(refused.what()), "a refusal that cannot be printed");
  }
}

/// Passes the bytes in chunks of seven, as a stream may.
void watch(kubernetes_view& view, std::string_view stream) {
  line_reader lines{longest_line};
  try {
    for (; !stream.empty(); stream.remove_prefix(std::min<std::size_t>(7, stream.size()))) {
      lines.add(stream.substr(0, 7));
      while (const auto line = lines.next()) {
        fuzz::check(line->size() <= longest_line, "a line that is too long");
        if (view.apply(*line) == kubernetes_view::told::expired) return;
      }
    }
  } catch (const bad_kubernetes_answer& refused) {
    fuzz::check(printable(refused.what()), "a refusal that cannot be printed");
  } catch (const std::runtime_error&) { // the line is too long
  }
}

} // namespace

/// The first byte selects pods or endpoint slices. The page ends at the first line break, and a watch follows.
void troupe::fuzz::try_input(std::string_view bytes) {
  if (bytes.empty()) return;
  const auto kind = bytes.front() % 2 == 0 ? kubernetes_kind::endpoint_slices : kubernetes_kind::pods;
  const std::string port = bytes.front() / 2 % 2 == 0 ? "raft" : "5000";
  bytes.remove_prefix(1);
  check(printable(kubernetes_reason(bytes)), "a reason that cannot be printed");
  kubernetes_view view{kind, port};
  const auto page = bytes.substr(0, bytes.find('\n'));
  list(view, page);
  if (page.size() < bytes.size()) watch(view, bytes.substr(page.size() + 1));
  for (const auto& address : view.addresses()) static_cast<void>(parse_host_port(address));
}

std::vector<std::string> troupe::fuzz::seeds() {
  const std::string slice =
      R"({"metadata":{"name":"a","resourceVersion":"7"},"addressType":"IPv4","endpoints":[{"addresses":["10.0.0.1"],)"
      R"("conditions":{"ready":true,"serving":true,"terminating":false}}],"ports":[{"name":"raft","port":5000}]})";
  const std::string pod =
      R"({"metadata":{"name":"p","resourceVersion":"8"},"status":{"phase":"Running","podIP":"fd00::1"},)"
      R"("spec":{"containers":[{"ports":[{"name":"raft","containerPort":5000}]}]}})";
  std::vector<std::string> all;
  for (const auto& [first, object] : {std::pair{std::string(1, '\0'), slice}, std::pair{std::string(1, '\1'), pod}}) {
    all.push_back(first + R"({"metadata":{"resourceVersion":"5","continue":"next"},"items":[)" + object + "]}");
    all.push_back(first + R"({"metadata":{"resourceVersion":"5"},"items":[]})" + "\n" + R"({"type":"ADDED","object":)" +
                  object + "}\n" + R"({"type":"BOOKMARK","object":{"metadata":{"resourceVersion":"9"}}})" + "\n" +
                  R"({"type":"DELETED","object":)" + object + "}\n");
  }
  all.push_back(std::string(1, '\0') + R"({"items":[]})" + "\n" +
                R"({"type":"ERROR","object":{"kind":"Status","code":410,"reason":"Expired","message":"too old"}})" +
                "\n");
  all.push_back(std::string(1, '\2') + R"({"kind":"Status","message":"forbidden: \u001b[31m","code":403})");
  return all;
}

std::vector<std::string> troupe::fuzz::words() {
  return {"\"metadata\":",
          "\"items\":",
          "\"addresses\":",
          "\"endpoints\":",
          "\"ports\":",
          "\"type\":",
          "\"object\":",
          "\"resourceVersion\":",
          "\"continue\":",
          "\"conditions\":",
          "\"terminating\":true",
          "\"deletionTimestamp\":",
          "\"podIP\":",
          "\"status\":",
          "\"phase\":\"Failed\"",
          "MODIFIED",
          "BOOKMARK",
          "\"code\":410",
          "null",
          "[",
          "]",
          "{",
          "}",
          "\"port\":65536",
          "\n",
          "\\u001b"};
}

#include "discovery/https_client.hpp"

#include <curl/curl.h>

#include <algorithm>
#include <new>
#include <stdexcept>

namespace troupe {
namespace {

using std::chrono::milliseconds;

/// Initializes libcurl once per process; a static local makes this thread-safe.
bool curl_is_ready() {
  static const bool ready = ::curl_global_init(CURL_GLOBAL_DEFAULT) == CURLE_OK;
  return ready;
}

/// The state of a request for its callbacks.
struct exchange {
  CURL* easy;
  const https_client::receiver& receive;
  https_reply& reply;
  bool declined = false;
};

/// Must not let an exception pass through C code.
std::size_t on_data(char* data, std::size_t, std::size_t size, void* context) noexcept try {
  auto& now = *static_cast<exchange*>(context);
  constexpr std::size_t most = 16 * 1024;
  ::curl_easy_getinfo(now.easy, CURLINFO_RESPONSE_CODE, &now.reply.status);
  if (now.reply.status == 200) {
    now.declined = !now.receive({data, size});
    return now.declined ? 0 : size;
  }
  if (now.reply.body.size() < most) now.reply.body.append(data, std::min(size, most - now.reply.body.size()));
  return size;
} catch (...) {
  return 0;
}

long in_milliseconds(raft::duration time) { return static_cast<long>(std::chrono::ceil<milliseconds>(time).count()); }

} // namespace

struct https_client::handles {
  CURL* easy = nullptr;
  CURLM* multi = nullptr;
  curl_slist* headers = nullptr;
};

https_client::https_client() : curl_(std::make_unique<handles>()) {
  if (!curl_is_ready()) throw std::runtime_error("cannot initialize libcurl");
  curl_->easy = ::curl_easy_init();
  curl_->multi = ::curl_multi_init();
  if (!curl_->easy || !curl_->multi) throw std::bad_alloc();
}

https_client::~https_client() {
  ::curl_easy_cleanup(curl_->easy);
  ::curl_multi_cleanup(curl_->multi);
  ::curl_slist_free_all(curl_->headers);
}

https_reply https_client::get(const https_request& request, const receiver& receive, const std::stop_token& stop,
                              const std::function<void(long)>& on_answer) {
  https_reply reply;
  auto* easy = curl_->easy;
  exchange now{easy, receive, reply};
  char problem[CURL_ERROR_SIZE] = {};
  ::curl_easy_reset(easy);
  ::curl_slist_free_all(curl_->headers);
  curl_->headers = ::curl_slist_append(nullptr, ("Authorization: Bearer " + request.token).c_str());
  ::curl_easy_setopt(easy, CURLOPT_HTTPHEADER, curl_->headers);
  ::curl_easy_setopt(easy, CURLOPT_URL, request.url.c_str());
  ::curl_easy_setopt(easy, CURLOPT_PROTOCOLS_STR, "https");
  ::curl_easy_setopt(easy, CURLOPT_PROXY, "");
  ::curl_easy_setopt(easy, CURLOPT_CAINFO, request.authority.c_str());
  ::curl_easy_setopt(easy, CURLOPT_CAPATH, static_cast<char*>(nullptr));
  ::curl_easy_setopt(easy, CURLOPT_CA_CACHE_TIMEOUT, 0L);
  ::curl_easy_setopt(easy, CURLOPT_CONNECTTIMEOUT_MS, in_milliseconds(request.connect_within));
  ::curl_easy_setopt(easy, CURLOPT_TIMEOUT_MS, in_milliseconds(request.end_within));
  ::curl_easy_setopt(easy, CURLOPT_TCP_KEEPALIVE, 1L);
  ::curl_easy_setopt(easy, CURLOPT_TCP_KEEPIDLE, 15L);
  ::curl_easy_setopt(easy, CURLOPT_TCP_KEEPINTVL, 5L);
  ::curl_easy_setopt(easy, CURLOPT_NOSIGNAL, 1L);
  ::curl_easy_setopt(easy, CURLOPT_ERRORBUFFER, problem);
  ::curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, on_data);
  ::curl_easy_setopt(easy, CURLOPT_WRITEDATA, &now);

  auto* multi = curl_->multi;
  ::curl_multi_add_handle(multi, easy);
  const std::stop_callback wake{stop, [multi] { ::curl_multi_wakeup(multi); }};
  int running = 1;
  while (running > 0 && !stop.stop_requested()) {
    if (::curl_multi_perform(multi, &running) != CURLM_OK) break;
    const bool answered = reply.status != 0;
    ::curl_easy_getinfo(easy, CURLINFO_RESPONSE_CODE, &reply.status);
    if (!answered && reply.status != 0 && on_answer) on_answer(reply.status);
    constexpr int poll_ms = 1000;
    if (running > 0) ::curl_multi_poll(multi, nullptr, 0, poll_ms, nullptr);
  }
  CURLcode code = CURLE_OK;
  int left = 0;
  while (const auto* message = ::curl_multi_info_read(multi, &left))
    if (message->msg == CURLMSG_DONE) code = message->data.result;
  ::curl_easy_getinfo(easy, CURLINFO_RESPONSE_CODE, &reply.status);
  curl_off_t microseconds = 0;
  ::curl_easy_getinfo(easy, CURLINFO_TOTAL_TIME_T, &microseconds);
  reply.took = std::chrono::microseconds{microseconds};
  if (code != CURLE_OK && !now.declined) reply.problem = problem[0] ? problem : ::curl_easy_strerror(code);
  const auto unprintable = [](char c) { return c < 0x20 || c > 0x7e; }; // a part may come from the server
  std::replace_if(reply.problem.begin(), reply.problem.end(), unprintable, '?');
  ::curl_multi_remove_handle(multi, easy);
  return reply;
}

} // namespace troupe

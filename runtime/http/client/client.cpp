#include "runtime/http/client/client.hpp"

#include "raft/base/utf8.hpp"

#include <curl/curl.h>

#include <poll.h>
#include <sys/socket.h>

#include <algorithm>
#include <cerrno>
#include <exception>
#include <new>
#include <system_error>
#include <troupe/address.hpp>
#include <utility>

namespace troupe::http {
namespace {

using std::chrono::milliseconds;

/// Initializes libcurl once per process; a static local makes this thread-safe.
bool curl_is_ready() {
  static const bool ready = ::curl_global_init(CURL_GLOBAL_DEFAULT) == CURLE_OK;
  return ready;
}

/// The state of a request for libcurl's callbacks. These must not let exceptions pass through C code.
struct transfer {
  CURL* easy;
  std::string_view body;
  const request_options& options;
  std::uint64_t max_answer;
  result answer = {};
  /// How much of `body` libcurl has taken. It may not have sent all of that yet.
  std::size_t taken = 0;
  bool begun = false;
  int socket_error = 0;
  bool would_repeat = false;
  bool declined = false;
  bool too_long = false;
  std::exception_ptr failure = {};

  /// Whether libcurl has been given the whole request. It does not say how much of it was sent.
  bool may_be_sent() const { return begun && taken == body.size(); }

  /// Notes the status of a complete head.
  void end_head() {
    constexpr long first_final = 200;
    long status = 0;
    ::curl_easy_getinfo(easy, CURLINFO_RESPONSE_CODE, &status);
    if (status < first_final || answer.status != 0) return; // interim, or the end of trailers
    answer.status = static_cast<unsigned>(status);
    if (options.on_status) options.on_status(answer.status);
  }
};

/// Called before the request is sent. When a reused connection ends before a byte of the answer has arrived, libcurl
/// sends the request again on a new one, whatever its method (Curl_retry_request in its lib/transfer.c). It has no
/// option against that except a new connection for each request. The server may have executed the request, so the
/// second attempt is refused. Usually this is not needed: libcurl does not reuse a connection that it finds closed.
int on_begin(void* context, char*, char*, int, int) noexcept {
  auto& now = *static_cast<transfer*>(context);
  now.would_repeat = std::exchange(now.begun, true);
  return now.would_repeat ? CURL_PREREQFUNC_ABORT : CURL_PREREQFUNC_OK;
}

/// Opens sockets that a child process does not inherit; libcurl's own function does so only in later versions. It also
/// refuses the connection for a second attempt, see `on_begin`.
curl_socket_t on_socket(void* context, curlsocktype, curl_sockaddr* address) noexcept {
  auto& now = *static_cast<transfer*>(context);
  now.would_repeat = now.begun;
  if (now.would_repeat) return CURL_SOCKET_BAD;
  const int opened = ::socket(address->family, address->socktype | SOCK_CLOEXEC, address->protocol);
  if (opened < 0) now.socket_error = errno;
  return opened;
}

std::size_t on_body_wanted(char* to, std::size_t, std::size_t size, void* context) noexcept {
  auto& now = *static_cast<transfer*>(context);
  const auto copied = now.body.copy(to, size, now.taken);
  now.taken += copied;
  return copied;
}

/// Calls a function that may throw, and keeps the exception.
template <class Function> bool succeeds(transfer& now, Function&& function) noexcept {
  try {
    return function();
  } catch (...) {
    now.failure = std::current_exception();
    return false;
  }
}

/// libcurl accepts an answer that ends in the middle of its head. The empty line shows that a head is complete.
std::size_t on_header(char* line, std::size_t, std::size_t size, void* context) noexcept {
  auto& now = *static_cast<transfer*>(context);
  const std::string_view text{line, size};
  const bool going_on = succeeds(now, [&] {
    if (text == "\r\n" || text == "\n") now.end_head();
    return true;
  });
  return going_on ? size : 0;
}

std::size_t on_data(char* data, std::size_t, std::size_t size, void* context) noexcept {
  auto& now = *static_cast<transfer*>(context);
  const bool going_on = succeeds(now, [&] {
    if (now.options.receive && now.answer.status == 200) {
      now.declined = !now.options.receive({data, size});
      return !now.declined;
    }
    now.too_long = size > now.max_answer - now.answer.body.size();
    if (!now.too_long) now.answer.body.append(data, size);
    return !now.too_long;
  });
  return going_on ? size : 0;
}

struct free_headers {
  void operator()(curl_slist* all) const { ::curl_slist_free_all(all); }
};
using header_list = std::unique_ptr<curl_slist, free_headers>;

void add(header_list& all, const std::string& line) {
  auto* longer = ::curl_slist_append(all.get(), line.c_str());
  if (longer == nullptr) throw std::bad_alloc();
  static_cast<void>(all.release()); // the new list includes it
  all.reset(longer);
}

template <class Value> void set(CURL* easy, CURLoption option, Value value) {
  if (::curl_easy_setopt(easy, option, value) != CURLE_OK) throw std::runtime_error("libcurl rejects an option");
}

/// The use of the handles for one request. Afterwards they have no pointer to parts of the request.
class handle_use {
 public:
  explicit handle_use(CURL* easy) : easy_(easy) {}
  handle_use(const handle_use&) = delete;
  ~handle_use() {
    if (multi_ != nullptr) ::curl_multi_remove_handle(multi_, easy_);
    ::curl_easy_reset(easy_);
  }
  /// Call this when all options are set: libcurl copies some of them here.
  void start(CURLM* multi) {
    if (::curl_multi_add_handle(multi, easy_) != CURLM_OK) throw std::runtime_error("libcurl rejects a request");
    multi_ = multi;
  }

 private:
  CURL* easy_;
  CURLM* multi_ = nullptr;
};

void set_server(CURL* easy, const std::string& origin, const client_options& options, milliseconds limit) {
  const auto connect_limit = options.connect_timeout > milliseconds{0} ? options.connect_timeout : limit;
  set(easy, CURLOPT_URL, (origin + '/').c_str());
  set(easy, CURLOPT_PROTOCOLS_STR, options.authority.empty() ? "http,https" : "https");
  set(easy, CURLOPT_DISALLOW_USERNAME_IN_URL, 1L);
  // One request at a time gains nothing from HTTP/2, which has more cases in which libcurl repeats a request.
  set(easy, CURLOPT_HTTP_VERSION, long{CURL_HTTP_VERSION_1_1});
  set(easy, CURLOPT_PROXY, "");
  set(easy, CURLOPT_FOLLOWLOCATION, 0L);
  if (!options.authority.empty()) {
    set(easy, CURLOPT_CAINFO, options.authority.c_str());
    set(easy, CURLOPT_CAPATH, static_cast<char*>(nullptr));
    ::curl_easy_setopt(easy, CURLOPT_CA_CACHE_TIMEOUT, 0L); // only libcurl with OpenSSL has a cache
  }
  set(easy, CURLOPT_TIMEOUT_MS, static_cast<long>(limit.count()));
  set(easy, CURLOPT_CONNECTTIMEOUT_MS, static_cast<long>(connect_limit.count()));
  set(easy, CURLOPT_TCP_KEEPALIVE, 1L);
  set(easy, CURLOPT_TCP_KEEPIDLE, 15L);
  set(easy, CURLOPT_TCP_KEEPINTVL, 5L);
  set(easy, CURLOPT_NOSIGNAL, 1L);
}

/// `now` is passed to the callbacks.
void set_request(CURL* easy, const std::string& method, const std::string& target, transfer& now) {
  set(easy, CURLOPT_REQUEST_TARGET, target.c_str());
  set(easy, CURLOPT_PREREQFUNCTION, on_begin);
  set(easy, CURLOPT_PREREQDATA, &now);
  set(easy, CURLOPT_OPENSOCKETFUNCTION, on_socket);
  set(easy, CURLOPT_OPENSOCKETDATA, &now);
  set(easy, CURLOPT_HEADERFUNCTION, on_header);
  set(easy, CURLOPT_HEADERDATA, &now);
  set(easy, CURLOPT_WRITEFUNCTION, on_data);
  set(easy, CURLOPT_WRITEDATA, &now);
  if (method == "HEAD") return set(easy, CURLOPT_NOBODY, 1L);
  if (!now.body.empty() || (method != "GET" && method != "DELETE")) { // those two need no Content-Length: 0
    set(easy, CURLOPT_UPLOAD, 1L);
    set(easy, CURLOPT_INFILESIZE_LARGE, static_cast<curl_off_t>(now.body.size()));
    set(easy, CURLOPT_READFUNCTION, on_body_wanted);
    set(easy, CURLOPT_READDATA, &now);
  }
  set(easy, CURLOPT_CUSTOMREQUEST, method.c_str());
}

/// Runs the transfer to its end. Returns nothing if a stop was requested before.
std::optional<CURLcode> run(CURLM* multi, transfer& now) {
  const std::stop_callback wake{now.options.stop, [multi] { ::curl_multi_wakeup(multi); }};
  while (!now.options.stop.stop_requested()) {
    int running = 0;
    if (::curl_multi_perform(multi, &running) != CURLM_OK) return CURLE_OUT_OF_MEMORY;
    int left = 0;
    while (const auto* message = ::curl_multi_info_read(multi, &left))
      if (message->msg == CURLMSG_DONE) return message->data.result;
    constexpr int poll_ms = 1000;
    ::curl_multi_poll(multi, nullptr, 0, poll_ms, nullptr);
  }
  return std::nullopt;
}

std::string printable_reason(CURLcode code, const char* problem, const transfer& now, const std::string& origin) {
  if (now.too_long) return "the answer has more than " + std::to_string(now.max_answer) + " bytes";
  if (now.would_repeat) return "the server closed the connection without an answer";
  std::string text = problem[0] != '\0' ? problem : ::curl_easy_strerror(code);
  long error = now.socket_error;
  if (error == 0) ::curl_easy_getinfo(now.easy, CURLINFO_OS_ERRNO, &error);
  if (code == CURLE_COULDNT_CONNECT && error != 0) // libcurl's text does not have the reason
    text = "cannot connect to " + origin + ": " + std::generic_category().message(static_cast<int>(error));
  return base::plain_text(text); // a part may come from the server
}

} // namespace

struct client::handles {
  handles() {
    if (!curl_is_ready()) throw std::runtime_error("cannot initialize libcurl");
    easy = ::curl_easy_init();
    multi = ::curl_multi_init();
    if (easy == nullptr || multi == nullptr) throw std::bad_alloc();
    ::curl_multi_setopt(multi, CURLMOPT_MAXCONNECTS, 1L);
  }
  handles(const handles&) = delete;
  ~handles() {
    ::curl_easy_cleanup(easy);
    ::curl_multi_cleanup(multi);
  }

  /// Whether the server has closed the idle connection, or sent something after its last answer. libcurl itself does
  /// not look for the latter in versions before 8.0, and would read it as the answer to the next request.
  bool stale() const {
    pollfd one{idle, POLLIN, 0};
    return idle != CURL_SOCKET_BAD && ::poll(&one, 1, 0) != 0;
  }

  CURL* easy = nullptr;
  CURLM* multi = nullptr;
  /// The socket of the connection that is kept for the next request.
  curl_socket_t idle = CURL_SOCKET_BAD;
};

client::client(const std::string& url, client_options options)
    : options_(std::move(options)), curl_(std::make_unique<handles>()) {
  const auto scheme = url.find("://");
  const auto path = std::min(url.find('/', scheme == url.npos ? 0 : scheme + 3), url.size());
  origin_ = url.substr(0, path);
  path_ = url.substr(path);
  if (path_.ends_with('/')) path_.pop_back();
}

client::client(const std::string& host, std::uint16_t port, milliseconds timeout, std::uint64_t max_answer)
    : client("http://" + to_string(host_port{host, port}), {.timeout = timeout, .max_answer = max_answer}) {}

client::~client() = default;
client::client(client&&) noexcept = default;
client& client::operator=(client&&) noexcept = default;

result client::request(std::string_view method, std::string_view target, std::string_view body,
                       const request_options& options) {
  if (curl_->stale()) curl_ = std::make_unique<handles>();
  curl_->idle = CURL_SOCKET_BAD;
  auto* easy = curl_->easy;
  const std::string verb{method};
  const auto limit = std::max(options.timeout.value_or(options_.timeout), milliseconds{1});
  transfer now{easy, verb == "HEAD" ? std::string_view{} : body, options, options_.max_answer};
  char problem[CURL_ERROR_SIZE] = {};
  header_list headers;
  // With this header of its own, libcurl would repeat a request without it after a 417.
  add(headers, "Expect:");
  if (!options.token.empty()) add(headers, "Authorization: Bearer " + options.token);

  handle_use use(easy);
  set_server(easy, origin_, options_, limit);
  set_request(easy, verb, path_ + std::string{target}, now);
  set(easy, CURLOPT_HTTPHEADER, headers.get());
  set(easy, CURLOPT_ERRORBUFFER, problem);
  use.start(curl_->multi);
  const auto code = run(curl_->multi, now);
  if (now.failure) std::rethrow_exception(now.failure);
  if (!code) throw client_error(now.may_be_sent(), "stopped");
  if (*code != CURLE_OK && !now.declined)
    throw client_error(now.may_be_sent(), printable_reason(*code, problem, now, origin_));
  if (now.answer.status == 0)
    throw client_error(now.may_be_sent(), "the server closed the connection before the answer was complete");
  ::curl_easy_getinfo(easy, CURLINFO_ACTIVESOCKET, &curl_->idle);
  const char* type = nullptr;
  ::curl_easy_getinfo(easy, CURLINFO_CONTENT_TYPE, &type);
  if (type != nullptr) now.answer.content_type = type;
  curl_off_t microseconds = 0;
  ::curl_easy_getinfo(easy, CURLINFO_TOTAL_TIME_T, &microseconds);
  now.answer.took = std::chrono::microseconds{microseconds};
  return std::move(now.answer);
}

} // namespace troupe::http

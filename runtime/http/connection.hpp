// One client's connection. Internal to the server. All functions run on the I/O thread.
#pragma once

#include "runtime/http/body_reader.hpp"
#include "runtime/http/budget.hpp"
#include "runtime/http/mailbox.hpp"

#include <boost/asio/basic_stream_socket.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>

#include <array>
#include <chrono>
#include <cstdint>
#include <exception>
#include <functional>
#include <list>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <troupe/http/server.hpp>
#include <vector>

namespace troupe::http {

/// The concrete executor type avoids a type-erased executor in each operation.
using socket = boost::asio::basic_stream_socket<boost::asio::ip::tcp, boost::asio::io_context::executor_type>;
using time_point = std::chrono::steady_clock::time_point;

class connection;

/// What a connection waits for. The server keeps one list per kind, ordered by how long the connections have waited,
/// longest first.
enum class waiting_for : std::uint8_t {
  request,  // idle, or no byte has arrived yet
  bytes,    // more bytes of a request
  answer,   // the program's answer
  departed, // as `answer`, but the client has closed its side and may be gone
  client,   // the client to receive the answer
  end,      // the end of draining
  nothing,  // closed
};
inline constexpr std::size_t waiting_kinds = 7;
using waiting_list = std::list<connection*>;

/// State that the connections of a server share.
struct server_state {
  options settings;
  handler serve;
  std::shared_ptr<mailbox> answers;
  /// Each connection calls this once, at its end.
  std::function<void(std::uint64_t)> ended;
  /// Makes a reserved connection a regular one. Returns false if there is no place.
  std::function<bool(connection&)> make_regular;
  /// Frees memory for this connection by ending another request or connection. Returns false if none holds memory.
  std::function<bool(const connection&)> free_memory_for;
  std::array<waiting_list, waiting_kinds> waiting;
  /// All connections read into this one buffer and keep only what they could not parse yet: idle ones hold nothing.
  std::vector<char> scratch = std::vector<char>(64 * 1024);
  bool stopping = false;
};

///                  first byte          complete            answer            written
///   accepted, idle ----------> reading --------> handling --------> writing --------> idle
///                                 | malformed, too large, too slow    |  last answer of this connection
///                                 +---------------------------------->+--> draining --> closed
///
/// With a body in pieces: writing -- written, more to come --> fetching -- piece --> writing
///
/// Draining reads and discards what the client still sends: if the server closed at once, the kernel would reset the
/// connection, and the client might never see the answer. Every state has a deadline, except `handling` and `fetching`,
/// which wait for the program.
class connection : public std::enable_shared_from_this<connection> {
 public:
  /// `reserved`: the connection is beyond the limits, so only probes are served. `group` is its address for the limits.
  connection(std::uint64_t id, socket peer, std::string group, bool reserved, server_state& server);
  ~connection();

  void start();
  /// Sends the answer to the request that the handler got.
  void take(response content, charge held);
  /// Sends the requested piece of the body.
  void take(piece next, charge held);
  /// Ends the connection or its request if the deadline has passed.
  void expire(time_point now);
  /// The server is stopping: an idle connection ends now, any other after its answer.
  void finish();
  /// Notes that the client has closed its side while it waits for an answer.
  void depart();
  /// Refuses a request that is still arriving, because its memory is needed.
  void give_up();
  void close();

  std::uint64_t id() const noexcept { return id_; }
  const std::string& group() const noexcept { return group_; }
  bool reserved() const noexcept { return reserved_; }
  void make_regular() noexcept { reserved_ = false; }
  int descriptor() { return socket_.native_handle(); }
  /// Bytes of the server's budget that the connection holds, except for the request in the handler.
  std::size_t held() const noexcept { return pending_held_.taken() + body_held_.taken() + out_held_.taken(); }
  time_point since() const noexcept { return since_; }
  /// How long the current write has been running, and how many bytes per second the client has received of it. Bytes of
  /// the first moment do not count, because the kernel's buffers take them at once.
  std::chrono::duration<double> writing_for(time_point now) const noexcept { return now - writing_since_; }
  double rate(time_point now) const noexcept { return static_cast<double>(taken_) / writing_for(now).count(); }

 private:
  enum class state { idle, reading, handling, writing, fetching, draining, closed };

  void enter(state next, std::chrono::milliseconds patience);
  /// Moves this connection to the end of the list for `what`.
  void queue(waiting_for what);
  void wait_readable();
  void on_readable();
  /// Processes the bytes that have already arrived, then waits for more.
  void proceed();
  /// Reads up to the end of one request. Returns how many bytes it used.
  std::size_t feed(std::string_view bytes);
  /// Reads and checks a head. Returns its size, or 0 if it is incomplete or was refused.
  std::size_t take_head(std::string_view bytes);
  bool begin(head asked);
  bool take_body(std::string_view bytes, std::size_t& used);
  bool send_continue();
  void hold_pending();
  void note_taken(std::size_t bytes);
  void dispatch();
  void reject(unsigned status, std::string_view code, std::string_view message);
  /// By value, because the text may belong to the request that ends here.
  void reject(problem why) { // NOLINT(performance-unnecessary-value-param): see above
    reject(why.status, why.code, why.message);
  }
  void report(const std::exception& error) const;
  void reject_for_room();
  /// Frees the memory of the request and of the bytes received after it.
  void forget_request();
  void flush();
  void on_written();
  void fetch();

  std::uint64_t id_;
  socket socket_;
  std::string group_;
  bool reserved_;
  server_state& server_;
  state state_ = state::idle;
  waiting_for kind_ = waiting_for::request;
  waiting_list::iterator place_;
  time_point since_;
  time_point deadline_;
  /// The request that is being read.
  request asked_;
  std::optional<body_reader> body_;
  /// Bytes that the head occupies. 0 if they are not counted.
  std::size_t head_held_ = 0;
  /// Received but unused bytes (an incomplete head or pipelined requests), and how many of them were scanned.
  std::string pending_;
  std::size_t scanned_ = 0;
  /// The answer's head, and its body or one piece of it.
  std::string out_head_;
  std::string out_;
  time_point writing_since_;
  std::size_t taken_ = 0;
  charge pending_held_;
  charge body_held_;
  charge out_held_;
  /// The rest of a body in pieces.
  std::optional<body_in_pieces> rest_;
  bool waiting_ = false;
  bool bad_target_ = false;
  bool continue_due_ = false;
  bool head_only_ = false;
  bool keep_alive_ = true;
  bool http_1_0_ = false;
  bool drain_ = false;
};

} // namespace troupe::http

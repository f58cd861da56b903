#include "actors/replica/snapshot_jobs.hpp"

#include "raft/storage.hpp"

#include <utility>

namespace troupe {
namespace {

class stopped : public std::runtime_error {
 public:
  stopped() : std::runtime_error("the node's replica stopped") {}
};

class stoppable_sink final : public detail::snapshot_sink {
 public:
  stoppable_sink(detail::snapshot_sink& to, const std::atomic<bool>& stop) : to_(to), stop_(stop) {}
  void write(std::string_view bytes) override {
    if (stop_) throw stopped();
    to_.write(bytes);
  }

 private:
  detail::snapshot_sink& to_;
  const std::atomic<bool>& stop_;
};

/// Releases the files before it reports: they may hold the lock of the data directory, and the receiver may open the
/// directory again.
template <class Result> void report(snapshot_job_context& context, Result result) {
  context.files.reset();
  compat::anon_send(std::exchange(context.store, nullptr), std::move(result));
}

} // namespace

snapshot_write_job::snapshot_write_job(caf::actor_config& config, snapshot_job_context context, write_snapshot what)
    : compat::untyped_base(config), context_(std::move(context)), what_(std::move(what)) {}

caf::behavior snapshot_write_job::make_behavior() {
  snapshot_written result;
  try {
    const auto out = context_.files->create(what_.at);
    for (const auto& [service, view] : what_.views) {
      stoppable_sink sink{out->begin(service), *context_.stop};
      view->save(sink);
    }
    if (*context_.stop) throw stopped();
    result.id = out->finish();
  } catch (const std::exception& e) {
    result.error = e.what();
  } catch (...) { // services are the user's code
    result.error = "a service threw an object that is not a std::exception";
  }
  // The views keep an old state in memory. Release it before reporting the result.
  what_.views.clear();
  report(context_, std::move(result));
  return {};
}

snapshot_check_job::snapshot_check_job(caf::actor_config& config, snapshot_job_context context, raft::snapshot_id what)
    : compat::untyped_base(config), context_(std::move(context)), what_(what) {}

caf::behavior snapshot_check_job::make_behavior() {
  snapshot_checked result{what_, {}, {}};
  try {
    context_.files->load(what_, [this](std::string_view, detail::snapshot_source& from) {
      std::string buffer(std::size_t{1} << 20, '\0');
      while (from.read(buffer) > 0)
        if (*context_.stop) throw stopped();
    });
  } catch (const stopped&) { // the check has no result, and nothing waits for one
  } catch (const raft::storage_error& e) {
    (e.damaged() ? result.damage : result.problem) = e.what();
  } catch (const std::exception& e) {
    result.problem = e.what();
  }
  report(context_, std::move(result));
  return {};
}

} // namespace troupe

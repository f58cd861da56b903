#include "runtime/storage/snapshot_dir.hpp"

#include "runtime/storage/damage.hpp"
#include "runtime/storage/reading_stopped.hpp"
#include "runtime/storage/snapshot_reader.hpp"

#include <algorithm>
#include <set>
#include <stdexcept>
#include <utility>

namespace troupe {
namespace {

using snapshot_format::record_type;

class file_writer final : public snapshot_writer, private detail::snapshot_sink {
 public:
  file_writer(std::shared_ptr<snapshot_folder> folder, const snapshot_format::header& header)
      : last_(header.at.last), out_(std::move(folder)) {
    const auto bytes = snapshot_format::encode(header);
    if (bytes.size() > snapshot_format::max_body) throw raft::storage_error("a snapshot's header is larger than 1 MiB");
    seed_ = snapshot_format::seed_of(bytes);
    put(bytes);
    block_.reserve(snapshot_format::max_body);
  }

  detail::snapshot_sink& begin(std::string_view service) override {
    if (!names_.emplace(service).second)
      throw std::logic_error("a snapshot has two services named " + std::string{service});
    flush();
    std::string body(1, static_cast<char>(snapshot_format::section_kind::service));
    body.append(service);
    put_record(record_type::section, body);
    ++totals_.sections;
    return *this;
  }

  raft::snapshot_id finish() override {
    flush();
    totals_.checksum = sum_.value();
    totals_.size = out_.size() + snapshot_format::end_size;
    put_record(record_type::end, snapshot_format::encode(totals_));
    const raft::snapshot_id id{last_, totals_.size, totals_.checksum};
    out_.finish(id);
    return id;
  }

 private:
  void write(std::string_view bytes) override {
    while (!bytes.empty()) {
      const auto part = bytes.substr(0, snapshot_format::max_body - block_.size());
      block_.append(part);
      bytes.remove_prefix(part.size());
      if (block_.size() == snapshot_format::max_body) flush();
    }
  }

  void flush() {
    if (block_.empty()) return;
    put_record(record_type::block, block_);
    ++totals_.blocks;
    totals_.data += block_.size();
    block_.clear();
  }

  void put_record(record_type type, std::string_view body) {
    put(snapshot_format::encode_record_header(type, body, seed_, out_.size()));
    put(body);
  }

  void put(std::string_view bytes) {
    sum_.update(bytes);
    out_.write(bytes);
  }

  raft::log_position last_;
  unfinished_snapshot out_;
  std::uint64_t seed_ = 0;
  running_checksum sum_;
  snapshot_format::totals totals_;
  std::string block_;
  std::set<std::string, std::less<>> names_;
};

class file_bytes final : public snapshot_bytes {
 public:
  file_bytes(file_system& fs, const std::filesystem::path& path, const raft::snapshot_id& id)
      : source_(fs.open_to_read(path)), id_(id) {
    if (source_->size() != id_.size) throw damage_error("damaged snapshot: wrong size", path, source_->size());
  }

  const raft::snapshot_id& id() const override { return id_; }

  std::string read(std::uint64_t offset, std::size_t max) override {
    std::string bytes(std::min<std::uint64_t>(max, id_.size - std::min(offset, id_.size)), '\0');
    bytes.resize(source_->read(offset, bytes));
    return bytes;
  }

 private:
  std::unique_ptr<file> source_;
  raft::snapshot_id id_;
};

/// Throws unless the snapshot that was read has this id. The whole snapshot must have been read.
void check_id(const snapshot_reader& reader, const raft::snapshot_id& id, const std::filesystem::path& path) {
  if (reader.id() != id) throw damage_error("damaged snapshot: the content does not match its id", path, 0);
}

void check_cluster(const snapshot_reader& reader, raft::cluster_id cluster, const std::filesystem::path& path) {
  if (cluster && reader.header().cluster != cluster)
    throw other_cluster("snapshot " + path.string() + " belongs to cluster " + to_string(reader.header().cluster) +
                        ", not " + to_string(cluster));
}

/// The bytes of a reader's current section.
class section_source final : public detail::snapshot_source {
 public:
  explicit section_source(snapshot_reader& reader) : reader_(reader) {}
  std::size_t read(std::span<char> into) override { return reader_.read(into); }

 private:
  snapshot_reader& reader_;
};

/// Reads the rest of a snapshot and calls `each` for every service.
void read_sections(snapshot_reader& reader, const snapshot_section& each) {
  while (reader.next_section()) {
    section_source source{reader};
    each(reader.section(), source);
  }
}

class file_receiver final : public snapshot_receiver {
 public:
  file_receiver(std::shared_ptr<snapshot_folder> folder, const raft::snapshot_id& id, raft::cluster_id cluster)
      : fs_(folder->files()), id_(id), cluster_(cluster), out_(std::move(folder)) {}

  std::uint64_t next() const override { return out_.size(); }

  void write(std::string_view bytes) override {
    if (bytes.size() > id_.size - out_.size())
      throw raft::storage_error("received more bytes than announced for snapshot " + out_.path().string());
    out_.write(bytes);
  }

  raft::snapshot_point finish(const snapshot_section& each) override {
    snapshot_reader reader{fs_, out_.path()};
    check_cluster(reader, cluster_, out_.path());
    read_sections(reader, each);
    check_id(reader, id_, out_.path());
    out_.finish(id_);
    return reader.header().at;
  }

 private:
  file_system& fs_;
  raft::snapshot_id id_;
  raft::cluster_id cluster_;
  unfinished_snapshot out_;
};

} // namespace

snapshot_dir::snapshot_dir(file_system& fs, std::filesystem::path directory, raft::cluster_id cluster)
    : snapshot_dir(std::make_shared<snapshot_folder>(fs, std::move(directory)), cluster) {}

snapshot_dir::snapshot_dir(std::shared_ptr<snapshot_folder> folder, raft::cluster_id cluster)
    : folder_(std::move(folder)), cluster_(cluster) {}

std::unique_ptr<snapshot_writer> snapshot_dir::create(const raft::snapshot_point& at) {
  return std::make_unique<file_writer>(folder_, snapshot_format::header{cluster_, at});
}

std::unique_ptr<snapshot_bytes> snapshot_dir::open(const raft::snapshot_id& id) {
  return std::make_unique<file_bytes>(folder_->files(), folder_->path_of(id), id);
}

std::unique_ptr<snapshot_receiver> snapshot_dir::receive(const raft::snapshot_id& id) {
  return std::make_unique<file_receiver>(folder_, id, cluster_);
}

raft::snapshot_point snapshot_dir::load(const raft::snapshot_id& id, const snapshot_section& each) {
  const auto path = folder_->path_of(id);
  snapshot_reader reader{folder_->files(), path};
  check_cluster(reader, cluster_, path);
  read_sections(reader, each);
  check_id(reader, id, path);
  return reader.header().at;
}

raft::snapshot_id copy_snapshot(file_system& fs, const std::filesystem::path& from, snapshot_files& to,
                                const raft::snapshot_point& at, const std::stop_token& stop) {
  snapshot_reader reader{fs, from};
  const auto out = to.create(at);
  std::string buffer(snapshot_format::max_body, '\0');
  while (reader.next_section()) {
    auto& sink = out->begin(reader.section());
    while (const auto size = reader.read(buffer)) {
      check(stop);
      sink.write(std::string_view{buffer}.substr(0, size));
    }
  }
  return out->finish();
}

} // namespace troupe

// What goes into the ingest queue and comes out of it: readings, jobs, and what is told about them.
// Owner: plain values. Bounds: kReadingsMax readings of a job; its bytes are bound by who makes it.
#pragma once

#include <compare>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

namespace kilat::store {

/// One reading. Views into what it was made or read from.
struct Reading {
  uint64_t unix_ms = 0;
  std::string_view sensor;
  std::string_view value;  ///< the digits of a JSON number as they came; empty: it has none
  std::string_view data;   ///< the whole reading, JSON as it came
};

/// The readings of a job, one behind the other in one text of bytes.
class ReadingBatch {
 public:
  static constexpr uint32_t kReadingsMax = 1'000'000;  ///< below 2^20, see IngestFile

  void append(const Reading& reading);
  uint32_t count() const { return count_; }
  /// Heap bytes.
  size_t bytes() const { return bytes_.capacity(); }
  std::string take() { return std::move(bytes_); }

 private:
  std::string bytes_;
  uint32_t count_ = 0;
};

/// Reads such a text. Damaged bytes end it early, and never lead outside of it.
class BatchReader {
 public:
  explicit BatchReader(std::string_view bytes) : rest_(bytes) {}
  std::optional<Reading> next();

 private:
  std::string_view rest_;
};

struct NewJob {
  std::string app;
  std::string key;   ///< idempotency; empty: none
  std::string data;  ///< of a ReadingBatch
  uint32_t readings = 0;
  bool store = false;  ///< into the table of readings
  uint64_t unix_ms = 0;
};

/// What became of a NewJob: it, or the one that had come with the same key before.
struct AcceptedJob {
  int64_t id = 0;
  uint32_t readings = 0;
  bool repeated = false;
};

/// A job that is to be published.
struct IngestJob {
  int64_t id = 0;
  std::string app;
  std::string data;
  uint32_t readings = 0;
  bool stored = false;  ///< its readings went into their table when it was taken out of the queue
  int64_t position = 0;
};

/// The jobs of one app in the file.
struct AppQueue {
  std::string app;
  uint64_t jobs = 0;  ///< that wait
  uint64_t failed_jobs = 0;
  uint64_t bytes = 0;  ///< of all of these
};

struct FailedJob {
  int64_t id = 0;
  uint64_t created_ms = 0;
  uint64_t failed_ms = 0;
  uint32_t readings = 0;
  uint64_t bytes = 0;
  uint32_t tries = 0;
  std::string error;
};

/// The queue of one app.
struct QueueFigures {
  uint64_t jobs = 0;
  uint64_t readings = 0;
  uint64_t bytes = 0;
  uint64_t oldest_ms = 0;  ///< unix time; 0: it is empty
  uint64_t failed_jobs = 0;
  uint64_t failed_bytes = 0;
};

struct SensorRow {
  std::string name;
  uint64_t first_ms = 0;
  uint64_t last_ms = 0;
  std::string last_value;
};

/// A range of one sensor's stored readings, and how far a reader of it has come.
struct ReadingRange {
  std::string app;
  std::string sensor;
  uint64_t from_ms = 0;
  uint64_t to_ms = INT64_MAX;  ///< exclusive
  bool backwards = false;
  /// The reading that was read last; empty: none was.
  struct Place {
    uint64_t unix_ms = 0;
    int64_t sequence = 0;
    auto operator<=>(const Place&) const = default;
  };
  std::optional<Place> after = {};
};

/// Who is shown the readings of a range.
class ReadingVisitor {
 public:
  /// False: no more is wanted. The views end with the call.
  virtual bool on_reading(const Reading& reading, ReadingRange::Place place) = 0;

 protected:
  ~ReadingVisitor() = default;
};

}  // namespace kilat::store

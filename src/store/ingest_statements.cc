#include "store/ingest_statements.h"

#include <array>
#include <utility>
#include <vector>

#include "base/result.h"

namespace kilat::store {
namespace {

// In the order of the members. `?2 = 0` asks for all jobs of the app.
constexpr std::array kTexts = std::to_array<const char*>({
    "SELECT job, readings FROM answered WHERE app = ? AND key = ?",
    "INSERT INTO answered (app, key, job, readings, unix_ms) VALUES (?, ?, ?, ?, ?)",
    // Ids grow with time, so only the first rows need to be looked at.
    "DELETE FROM answered WHERE id IN (SELECT id FROM (SELECT id, unix_ms FROM answered ORDER BY id LIMIT ?3) "
    "WHERE unix_ms < ?1 OR id <= (SELECT max(id) FROM answered) - ?2)",
    "INSERT INTO job (app, position, to_store, readings, bytes, created_ms) VALUES (?, ?, ?, ?, ?, ?)",
    "INSERT INTO payload (job, data) VALUES (?, ?)",
    "SELECT id, position, to_store, readings, bytes FROM job WHERE app = ? AND failed = 0 AND position > ? "
    "ORDER BY position LIMIT 1",
    "SELECT data FROM payload WHERE job = ?",
    "UPDATE job SET to_store = 0 WHERE id = ?",
    "SELECT bytes FROM job WHERE id = ?",
    "DELETE FROM payload WHERE job = ?",
    "DELETE FROM job WHERE id = ?",
    "UPDATE job SET failed = 1, tries = ?2, error = ?3, failed_ms = ?4 WHERE id = ?1",
    "SELECT count(*), sum(bytes), max(id) FROM job WHERE app = ?1 AND failed = 1 AND (?2 = 0 OR id = ?2)",
    "UPDATE job SET failed = 0, position = ?3 + id WHERE app = ?1 AND failed = 1 AND (?2 = 0 OR id = ?2)",
    "DELETE FROM payload WHERE job IN (SELECT id FROM job WHERE app = ?1 AND failed = 1 AND (?2 = 0 OR id = ?2))",
    "DELETE FROM job WHERE app = ?1 AND failed = 1 AND (?2 = 0 OR id = ?2)",
    "SELECT failed, count(*), sum(readings), sum(bytes), min(created_ms) FROM job WHERE app = ? GROUP BY failed",
    "SELECT failed, count(*), sum(readings), sum(bytes), min(created_ms) FROM job GROUP BY failed",
    "SELECT id, created_ms, failed_ms, readings, bytes, tries, error FROM job WHERE app = ? AND failed = 1 AND id > ? "
    "ORDER BY id LIMIT ?",
    "SELECT id FROM sensor WHERE app = ? AND name = ?",
    "INSERT INTO sensor (app, name) VALUES (?, ?)",
    "SELECT name, (SELECT min(unix_ms) FROM reading WHERE sensor = sensor.id), "
    "(SELECT max(unix_ms) FROM reading WHERE sensor = sensor.id), "
    "(SELECT value FROM reading WHERE sensor = sensor.id ORDER BY unix_ms DESC, sequence DESC LIMIT 1) "
    "FROM sensor WHERE app = ?1 AND (?4 = 1 OR name > ?2) ORDER BY name LIMIT ?3",
    "SELECT id FROM sensor WHERE app = ? AND id > ? ORDER BY id LIMIT 1",
    "DELETE FROM sensor WHERE id = ?1 AND NOT EXISTS (SELECT 1 FROM reading WHERE sensor = ?1)",
    "INSERT OR IGNORE INTO reading (sensor, unix_ms, sequence, value, data) VALUES (?, ?, ?, ?, ?)",
    "SELECT unix_ms, sequence, value, data FROM reading WHERE sensor = ? AND (unix_ms, sequence) > (?, ?) "
    "AND unix_ms < ? ORDER BY unix_ms, sequence LIMIT ?",
    "SELECT unix_ms, sequence, value, data FROM reading WHERE sensor = ? AND (unix_ms, sequence) < (?, ?) "
    "AND unix_ms >= ? ORDER BY unix_ms DESC, sequence DESC LIMIT ?",
    "DELETE FROM reading WHERE sensor = ?1 AND (unix_ms, sequence) IN (SELECT unix_ms, sequence FROM reading "
    "WHERE sensor = ?1 AND unix_ms < ?2 ORDER BY unix_ms, sequence LIMIT ?3)",
});

template <size_t... Index>
std::unique_ptr<IngestStatements> gather(std::vector<Statement>& all, std::index_sequence<Index...>) {
  return std::unique_ptr<IngestStatements>(new IngestStatements{std::move(all[Index])...});
}

}  // namespace

Outcome<std::unique_ptr<IngestStatements>> IngestStatements::prepare(DurableFile& file) {
  std::vector<Statement> all;
  for (const char* text : kTexts) {
    TRY(Statement statement, file.prepare(text));
    all.push_back(std::move(statement));
  }
  return gather(all, std::make_index_sequence<kTexts.size()>());
}

}  // namespace kilat::store

#include "store/ingest_record.h"

#include <bit>
#include <cstring>

namespace kilat::store {
namespace {

struct Head {
  uint64_t unix_ms;
  uint32_t sensor;
  uint32_t value;
  uint64_t data;
};
static_assert(sizeof(Head) == 24 && std::endian::native == std::endian::little, "files go from machine to machine");

}  // namespace

void ReadingBatch::append(const Reading& reading) {
  const Head head{reading.unix_ms, static_cast<uint32_t>(reading.sensor.size()),
                  static_cast<uint32_t>(reading.value.size()), reading.data.size()};
  char bytes[sizeof head];
  std::memcpy(bytes, &head, sizeof head);
  bytes_.append(bytes, sizeof head);
  bytes_ += reading.sensor;
  bytes_ += reading.value;
  bytes_ += reading.data;
  ++count_;
}

std::optional<Reading> BatchReader::next() {
  Head head;
  if (rest_.size() < sizeof head) return std::nullopt;
  std::memcpy(&head, rest_.data(), sizeof head);
  rest_.remove_prefix(sizeof head);
  const auto piece = [this](uint64_t size) {
    const std::string_view out = rest_.substr(0, size);
    rest_.remove_prefix(out.size());
    return out;
  };
  Reading out{.unix_ms = head.unix_ms, .sensor = piece(head.sensor), .value = piece(head.value), .data = {}};
  if (rest_.size() < head.data) return std::nullopt;
  out.data = piece(head.data);
  return out;
}

}  // namespace kilat::store

// IngestDoor: requests about readings on one shard: takes readings into the queue, and answers questions about the
// queue, failed jobs and stored readings. Answers come when the writer of the queue has done what was asked.
// Owner: Ingest; one shard's thread. Bounds: those of the queue and of IngestLog::ask().
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>

#include "api/service.h"
#include "app/ingest_upload.h"
#include "base/result.h"
#include "http/request.h"
#include "http/response.h"
#include "ingest/body.h"
#include "store/ingest_log.h"

namespace kilat::app {

class Shard;

class IngestDoor {
 public:
  IngestDoor(Shard& shard, store::IngestLog& log) : shard_(shard), log_(log) {}

  /// Nothing: the answer comes later, by Shard::answer_later().
  std::optional<http::Response> handle(const http::Request& request, const api::ForIngest& what, api::Ticket ticket);
  /// A body that is read as it comes. Error: why it can't be.
  Result<std::unique_ptr<IngestUpload>> begin_upload(const http::Request& request, const hub::App& app,
                                                     api::Ticket ticket);

 private:
  using Answer = std::optional<http::Response>;

  Answer accept(const http::Request& request, const hub::App& app, api::Ticket ticket);
  Answer queue(const hub::App& app, api::Ticket ticket);
  Answer failed(const http::Request& request, const hub::App& app, api::Ticket ticket);
  Answer change(const api::ForIngest& what, api::Ticket ticket);
  Answer readings(const http::Request& request, const hub::App& app, api::Ticket ticket);
  Answer sensors(const http::Request& request, const hub::App& app, api::Ticket ticket);
  Answer ask(store::IngestLog::Question question);

  Shard& shard_;
  store::IngestLog& log_;
  ingest::BodyParser parser_;
  std::shared_ptr<uint32_t> uploads_ = std::make_shared<uint32_t>(0);
};

}  // namespace kilat::app

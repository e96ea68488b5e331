// Flow rules at the home of their channels (docs/flow.md).
#include "hub/home_flow.h"

#include <algorithm>
#include <memory>
#include <new>
#include <utility>

#include "base/memory_reserve.h"
#include "hub/flow_event.h"
#include "hub/home_hub.h"

namespace kilat::hub {

void HomeHub::set_flow(AppIndex app) {
  const std::vector<std::string>& texts = apps_[app].settings.flow;
  std::unique_ptr<AppFlow>& flow = flows_[app];
  if (!flow && texts.empty()) return;
  if (!flow) flow = std::make_unique<AppFlow>(&HomeHub::on_flow_due, *this, app);
  if (flow->texts == texts) return;
  std::vector<flow::Emission> results;
  flow->engine.replace(std::make_shared<const flow::RuleSet>(texts), now_ms_, unix_ms_, results);
  flow->texts = texts;
  emit(app, results);
}

// Whether a rule has taken the event; what there is to say at once is in `results`.
bool HomeHub::fold(const Publication& publication, std::vector<flow::Emission>& results) {
  AppFlow* flow = flows_[publication.app()].get();
  if (flow == nullptr || flow->engine.empty()) return false;
  const flow::Event event = flow_event(publication, now_ms_, unix_ms_);
  flow->fresh = true;
  const flow::Fate fate = flow->engine.on_event(event, publication.depth(), results);
  watch_flow(*flow);
  return fate == flow::Fate::kTaken;
}

void HomeHub::watch_flow(AppFlow& flow) {
  const std::optional<uint64_t> due_ms = flow.engine.next_due_ms();
  if (!due_ms) return wheel_.cancel(flow);
  if (!flow.armed() || flow.deadline_ms() != *due_ms) wheel_.schedule(flow, *due_ms);
}

void HomeHub::on_flow_due(Timer& timer) {
  const memory::MustSucceed folding;
  auto& flow = static_cast<AppFlow&>(timer);
  HomeHub& hub = flow.hub;
  std::vector<flow::Emission> results;
  flow.engine.advance(hub.now_ms_, hub.unix_ms_, results);
  hub.watch_flow(flow);
  hub.emit(flow.app, results);
}

std::vector<flow::FlowCounters> HomeHub::flow_counters(AppIndex app) const {
  std::vector<flow::FlowCounters> counters;
  if (!flows_[app]) return counters;
  for (const flow::Engine::RuleReport& report : flows_[app]->engine.reports()) counters.push_back(report.counters);
  return counters;
}

// What rules send into channels of this home is folded again, and is flushed as well: at the latest at the depth that
// chains may have there is nothing more.
void HomeHub::flush_flows() {
  const memory::MustSucceed folding;
  while (!flows_flushed()) {
    for (const std::unique_ptr<AppFlow>& flow : flows_) {
      if (!flow || !std::exchange(flow->fresh, false)) continue;
      std::vector<flow::Emission> results;
      flow->engine.flush_all(now_ms_, unix_ms_, results);
      wheel_.cancel(*flow);
      emit(flow->app, results);
    }
  }
}

bool HomeHub::flows_flushed() const {
  return std::ranges::none_of(flows_, [](const auto& flow) { return flow && flow->fresh; });
}

// Results for other channels are events of theirs, and go to their homes; those for the channel itself are told. A
// shard that has no room does without.
void HomeHub::emit(AppIndex app, const std::vector<flow::Emission>& results) {
  for (const flow::Emission& result : results) {
    try {
      // One frame must not fill a reader's outbox.
      if (result.data.size() > limits_.answer_bytes_max) {
        ++tallies_[app].refused[result.origin.from_client];
        continue;
      }
      const PublicationPtr publication = Publication::make(draft_of(result, app));
      if (result.derived) {
        const ShardIndex home = home_of(app, result.channel, shards_);
        if (courier_.has_room(home)) {
          courier_.send(home, CmdPublish{0, 0, 0, publication});
        } else {
          count_refused(*publication);
        }
        continue;
      }
      HomeChannel* channel = channels_.find(app, result.channel);
      if (has_room_for(interest_of(channel, *publication))) {
        take(channel, publication, {});
      } else {
        count_refused(*publication);
      }
    } catch (const std::bad_alloc&) {
      ++tallies_[app].refused[result.origin.from_client];
    }
  }
}

}  // namespace kilat::hub

// Tracker: single rules, and random lives of a channel against a model of what may be missing or come twice.
import assert from 'node:assert/strict';
import { test } from 'node:test';

import { readPosition, Tracker } from '../dist/recovery/position.js';

test('Position_IsReadOnly_FromWhatIsOne', () => {
  assert.deepEqual(readPosition({ epoch: 'a', offset: 0, more: 1 }), { epoch: 'a', offset: 0 });
  for (const value of [null, 'x', [], {}, { epoch: '', offset: 1 }, { epoch: 'a'.repeat(33), offset: 1 }, { epoch: 1, offset: 1 },
    { epoch: 'a', offset: -1 }, { epoch: 'a', offset: 1.5 }, { epoch: 'a', offset: '1' }, { epoch: 'a', offset: 2 ** 53 }]) {
    assert.equal(readPosition(value), null, JSON.stringify(value));
  }
});

test('RewindBySeconds_AskedAgain_ReachesAsFarBackAsTheFirstTime', () => {
  const tracker = new Tracker(null, { seconds: 30 });
  assert.deepEqual(tracker.ask(1000), { rewind: { seconds: 30 } });
  tracker.answered({ position: { epoch: 'e', offset: 9 } }, 1000);
  tracker.settle(2000);
  assert.deepEqual(tracker.ask(8500), { rewind: { seconds: 38 } });
});

test('Answer_OfAnotherEpochThatClaimsToHaveRecovered_IsNotBelieved', () => {
  const tracker = new Tracker({ epoch: 'a', offset: 4 }, undefined);
  tracker.ask(0);
  const outcome = tracker.answered({ position: { epoch: 'b', offset: 9 }, recovered: true }, 0);
  assert.equal(outcome.kind, 'not_recovered');
  assert.deepEqual(tracker.position, { epoch: 'b', offset: 9 });
});

test('OffsetOne_IsANewCount_OnceTheSubscriptionHasSettled', () => {
  const settledBy = {
    nothing: () => 0,
    'a live event': (tracker) => {
      tracker.seen(5, 0);
      return 0;
    },
    time: () => 5001,
  };
  for (const [what, settle] of Object.entries(settledBy)) {
    const tracker = new Tracker({ epoch: 'a', offset: 4 }, undefined);
    tracker.ask(0);
    tracker.answered({ position: { epoch: 'a', offset: 4 }, recovered: true }, 0);
    assert.equal(tracker.judge(1, settle(tracker)), what === 'nothing' ? 'duplicate' : 'restarted', what);
  }
});

test('Answers_OfAnyShape_DoNotThrow', () => {
  for (const data of [undefined, null, 7, 'text', [], { position: 7 }, { recovered: true }, { position: {}, reason: 7 }]) {
    for (const position of [null, { epoch: 'a', offset: 1 }]) {
      const tracker = new Tracker(position, { count: 1 });
      tracker.ask(0);
      tracker.answered(data, 0);
      assert.equal(tracker.judge(1, 0), 'deliver');
      tracker.seen(1, 0);
      assert.equal(tracker.position, null);
    }
  }
});

/** Numbers from a seed, as mulberry32 makes them. */
function randomFrom(seed) {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32;
  };
}

/** A server's channel: every event has a serial number over all epochs, and an offset in its own. */
class Channel {
  serial = 0;
  epochs = 1;
  events = [];
  oldest = 0;
  /** How many events a replay repeats. */
  repeat = 0;

  publish() {
    this.events.push({ serial: ++this.serial, offset: this.events.length + 1 });
  }

  restart() {
    this.epochs++;
    this.events = [];
    this.oldest = 0;
  }

  /** The answer to a subscribe, and the replay. */
  answer(asked) {
    const position = { epoch: `e${this.epochs}`, offset: this.events.length };
    if ('rewind' in asked) {
      const from = Math.max(this.oldest, this.events.length - asked.rewind.count);
      return [{ position }, this.events.slice(from)];
    }
    if (asked.recover === true) return [{ position }, []];
    const recovered = asked.recover.epoch === position.epoch && asked.recover.offset >= this.oldest;
    if (!recovered) return [{ position, recovered, reason: 'history_expired' }, []];
    return [{ position, recovered }, this.events.slice(Math.max(asked.recover.offset - this.repeat, 0))];
  }
}

/** One life: connections that end anywhere, also within a replay. Returns how often continuity was kept and lost. */
function live(seed) {
  const random = randomFrom(seed);
  const below = (n) => Math.floor(random() * n);
  const channel = new Channel();
  for (let i = below(20); i > 0; i--) channel.publish();
  const tracker = new Tracker(null, random() < 0.5 ? { count: 1 + below(8) } : undefined);
  const counts = { recovered: 0, lost: 0 };
  let last = null; // the serial of the last event that the application had
  let begun = 0; // the serial up to which it was never to have anything
  let gap = true; // whether it knows that events may be missing

  const deliver = ({ serial, offset }) => {
    const verdict = tracker.judge(offset, 0);
    if (verdict === 'duplicate') {
      assert.ok(serial <= Math.max(last ?? 0, begun), `seed ${seed}: ${serial} was withheld and never seen`);
      return;
    }
    if (last !== null) assert.ok(serial > last, `seed ${seed}: ${serial} came after ${last}`);
    if (!gap) assert.equal(serial, last + 1, `seed ${seed}: a gap nobody spoke of`);
    last = serial;
    gap = false;
    tracker.seen(offset, 0);
  };

  for (let connection = 0; connection < 12; connection++) {
    channel.repeat = random() < 0.3 ? below(4) : 0;
    const asked = tracker.ask(0);
    const [answer, replay] = channel.answer(asked);
    const { kind } = tracker.answered(answer, 0);
    if (kind === 'recovered') counts.recovered++;
    if (kind === 'not_recovered') {
      counts.lost++;
      gap = true;
    }
    if (kind === 'started') gap = true;
    if (kind !== 'recovered' && !('rewind' in asked)) begun = channel.serial;
    const whole = random() < 0.6;
    for (const event of whole ? replay : replay.slice(0, below(replay.length + 1))) deliver(event);
    for (let i = whole ? below(6) : 0; i > 0; i--) {
      channel.publish();
      deliver(channel.events.at(-1));
    }
    tracker.settle(whole && random() < 0.5 ? 10_000 : 0);
    for (let i = below(6); i > 0; i--) channel.publish();
    if (random() < 0.1) channel.restart();
    else if (random() < 0.2) channel.oldest = below(channel.events.length + 1);
  }
  return counts;
}

test('RandomLives_MissNothingUntold_AndGetNothingTwice', () => {
  let recovered = 0;
  let lost = 0;
  for (let seed = 1; seed <= 3000; seed++) {
    const counts = live(seed);
    recovered += counts.recovered;
    lost += counts.lost;
  }
  assert.ok(recovered > 5000 && lost > 1000, `${recovered} recovered, ${lost} lost`);
});

// The election and the gathering of tabs, with a fake clock and fake tabs.
import assert from 'node:assert/strict';
import { test } from 'node:test';

import { TabGroup } from '../dist/shared/group.js';
import { FakeClock, settled } from './fake_clock.mjs';
import { FakeBrowser } from './fake_tabs.mjs';

/** Locks and messages take some turns of the event loop each. */
async function quiet() {
  for (let i = 0; i < 10; i++) await settled();
}

class Tab {
  heard = [];
  told = [];
  gatheredAt = null;
  leaders = 0;
  stopped = false;

  constructor(browser, clock) {
    this.environment = browser.tab({ clock });
    this.group = new TabGroup(
      'g',
      this.environment,
      {
        lead: (desk) => {
          this.desk = desk;
          return {
            ask: (tab, body) => this.heard.push([tab, body]),
            gone: (tab) => this.heard.push([tab, 'gone']),
            gathered: () => {
              this.gatheredAt = clock.now();
            },
            stop: () => {
              this.stopped = true;
            },
          };
        },
        onLeader: () => {
          this.leaders++;
          if (!this.silent) this.group.ask('holds');
        },
        onTell: (body) => this.told.push(body),
      },
      500,
    );
  }

  async start() {
    this.group.start();
    await quiet();
    return this;
  }
}

async function tabs(count, clock = new FakeClock()) {
  const browser = new FakeBrowser();
  const all = [];
  for (let i = 0; i < count; i++) all.push(await new Tab(browser, clock).start());
  return { all, browser, clock };
}

const leaders = (all) => all.map(({ group }) => group.leading);

test('OneOfManyTabs_Leads_AndHearsFromAll', async () => {
  const { all } = await tabs(3);
  assert.deepEqual(leaders(all), [true, false, false]);
  assert.deepEqual(all[0].heard, all.map(({ group }) => [group.id, 'holds']));
  assert.deepEqual(all.map((tab) => tab.leaders), [1, 1, 1]);
});

test('Tell_ReachesAllTabs_OneTab_OrAllButOne', async () => {
  const { all } = await tabs(3);
  const [a, b, c] = all;
  a.desk.tell('all');
  a.desk.tell('only b', b.group.id);
  a.desk.tell('only a', a.group.id);
  a.desk.tellOthers('not c', c.group.id);
  a.desk.tellOthers('not a', a.group.id);
  await quiet();
  assert.deepEqual(a.told, ['all', 'only a', 'not c']);
  assert.deepEqual(b.told, ['all', 'only b', 'not c', 'not a']);
  assert.deepEqual(c.told, ['all', 'not a']);
});

test('LeaderKilled_TheNextGathersAllOthers_AtOnce', async () => {
  const { all, clock } = await tabs(4);
  all[0].environment.kill();
  await quiet();
  assert.deepEqual(leaders(all.slice(1)), [true, false, false]);
  assert.equal(all[1].gatheredAt, clock.now());
  assert.deepEqual(all[1].heard.map(([tab]) => tab).sort(), all.slice(1).map(({ group }) => group.id).sort());
});

test('LeaderBefore_IsNotWaitedFor_ThoughItsOwnLockGoesLast', async () => {
  const { all, clock } = await tabs(4);
  all[0].environment.kill();
  await quiet();
  all[1].environment.kill();
  await quiet();
  assert.deepEqual(leaders(all.slice(2)), [true, false]);
  assert.equal(all[2].gatheredAt, clock.now());
});

test('LeaderThatLeaves_WithNobodyToFollow_IsAskedNoMore', async () => {
  const browser = new FakeBrowser();
  const first = await new Tab(browser, new FakeClock()).start();
  // Somebody else is next in the queue, and will not lead.
  void browser.tab().locks.request('g', {}, () => new Promise(() => {}));
  const second = await new Tab(browser, new FakeClock()).start();
  assert.equal(second.group.ask('hello'), true);
  first.group.stop();
  await quiet();
  assert.equal(second.group.led, false);
  assert.equal(second.group.ask('hello'), false);
});

test('SilentTab_IsWaitedForNoLongerThanTheTime', async () => {
  const { all, clock } = await tabs(3);
  all[2].silent = true;
  all[0].environment.kill();
  await quiet();
  assert.equal(all[1].group.leading, true);
  assert.equal(all[1].gatheredAt, null);
  await clock.advance(499);
  assert.equal(all[1].gatheredAt, null);
  await clock.advance(1);
  assert.equal(all[1].gatheredAt, clock.now());
});

test('SilentTabThatDies_IsNotWaitedFor', async () => {
  const { all } = await tabs(3);
  all[2].silent = true;
  all[0].environment.kill();
  await quiet();
  all[2].group.stop();
  await quiet();
  assert.notEqual(all[1].gatheredAt, null);
});

test('TabKilled_IsNoticedByItsLock_AndATabThatLeaves_ByItsWord', async () => {
  const { all } = await tabs(3);
  const [leader, killed, left] = all;
  killed.environment.kill();
  await quiet();
  left.group.stop();
  await quiet();
  const gone = leader.heard.filter(([, body]) => body === 'gone').map(([tab]) => tab);
  assert.deepEqual(gone, [killed.group.id, left.group.id]);
});

test('LeaderThatStops_IsSucceeded_AndAsksWaitForTheNext', async () => {
  const { all } = await tabs(3);
  all[0].group.stop();
  assert.equal(all[0].stopped, true);
  assert.equal(all[0].group.ask('late'), false);
  await quiet();
  assert.deepEqual(leaders(all), [false, true, false]);
  assert.equal(all[2].leaders, 2);
  assert.equal(all[2].group.ask('hello'), true);
  await quiet();
  assert.deepEqual(all[1].heard.at(-1), [all[2].group.id, 'hello']);
});

test('Stop_BeforeTheLocksAreHad_LeavesNothing', async () => {
  const browser = new FakeBrowser();
  const tab = new Tab(browser, new FakeClock());
  tab.group.start();
  tab.group.stop();
  tab.group.stop();
  await quiet();
  assert.equal(tab.group.leading, false);
  assert.equal(browser.waiting(''), 0);
});

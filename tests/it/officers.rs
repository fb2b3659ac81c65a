//! The engine's officers: one that breaks down leaves its call to the others and stops the dialling in
//! words; and a call that is not dialled for no fault of its contact keeps its place in the queue.

use std::{sync::Arc, time::Duration};

use chrono::{DateTime, TimeDelta, Utc};
use dialdeck::{
    domain::{
        call::{Basis, State},
        event::Reply,
        id::CampaignId,
    },
    store::{CallRow, Setting},
    telephony::{
        Answer, Carrier, CarrierError, Deleted, DialRequest, Dispatch, JoinToken, Muted, NewTrunk, Participant, SecondLeg, Ticket, Transferred, Trunk,
        simulator::{Behaviour, Faults, Workers},
    },
};
use parking_lot::Mutex;

use crate::{
    crash::Rig,
    support::{Options, World, assert_counts_equal_rows, csv_of, fictional},
    walls::{Breaking, until},
};

const LONG: Duration = Duration::from_secs(20);

/// What goes wrong the next time, once.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Mishap {
    LookPanics,
    DispatchPanics,
    DispatchFails,
    DialPanics,
}

/// A carrier that does as it is told to, once.
struct Frail {
    inner: Arc<dyn Carrier>,
    next: Mutex<Option<Mishap>>,
    /// Agents for contacts of this name never come.
    avoided: &'static str,
}

impl Frail {
    /// Puts itself between a world and its network.
    fn over(world: &mut World, avoided: &'static str) -> Arc<Self> {
        let frail = Arc::new(Self { inner: world.carrier.clone(), next: Mutex::new(None), avoided });
        world.carrier = frail.clone();
        frail
    }

    fn next(&self, mishap: Mishap) {
        *self.next.lock() = Some(mishap);
    }

    fn happens(&self, mishap: Mishap) -> bool {
        self.next.lock().take_if(|m| *m == mishap).is_some()
    }
}

impl Carrier for Frail {
    fn ticket(&self) -> Result<Ticket, CarrierError> {
        self.inner.ticket()
    }

    fn dial(&self, ticket: Ticket, request: DialRequest) -> Answer<'_, Reply> {
        assert!(!self.happens(Mishap::DialPanics), "asked to break down");
        self.inner.dial(ticket, request)
    }

    fn dispatch(&self, room: String, agent: String, metadata: String) -> Answer<'_, Result<(), CarrierError>> {
        assert!(!self.happens(Mishap::DispatchPanics), "asked to break down");
        if self.happens(Mishap::DispatchFails) {
            return Box::pin(async { Err(CarrierError::Other("asked to fail".into())) });
        }
        if !self.avoided.is_empty() && metadata.contains(self.avoided) {
            return Box::pin(async { Ok(()) });
        }
        self.inner.dispatch(room, agent, metadata)
    }

    fn look(&self, room: String) -> Answer<'_, Result<Vec<Participant>, CarrierError>> {
        assert!(!self.happens(Mishap::LookPanics), "asked to break down");
        self.inner.look(room)
    }

    fn rooms(&self, names: Vec<String>) -> Answer<'_, Result<Vec<String>, CarrierError>> {
        self.inner.rooms(names)
    }

    fn delete_room(&self, room: String) -> Answer<'_, Result<Deleted, CarrierError>> {
        self.inner.delete_room(room)
    }

    fn lives(&self, room: String) -> Answer<'_, Result<bool, CarrierError>> {
        self.inner.lives(room)
    }

    fn trunks(&self) -> Answer<'_, Result<Vec<Trunk>, CarrierError>> {
        self.inner.trunks()
    }

    fn create_trunk(&self, trunk: NewTrunk) -> Answer<'_, Result<Trunk, CarrierError>> {
        self.inner.create_trunk(trunk)
    }

    fn dispatches(&self, room: String) -> Answer<'_, Result<Vec<Dispatch>, CarrierError>> {
        self.inner.dispatches(room)
    }

    fn transfer(&self, room: String, to: String, within: Duration) -> Answer<'_, Transferred> {
        self.inner.transfer(room, to, within)
    }

    fn ring_in(&self, ticket: Ticket, leg: SecondLeg) -> Answer<'_, Reply> {
        self.inner.ring_in(ticket, leg)
    }

    fn mute(&self, room: String, identity: String, muted: bool) -> Answer<'_, Result<Muted, CarrierError>> {
        self.inner.mute(room, identity, muted)
    }

    fn remove(&self, room: String, identity: String) -> Answer<'_, Result<(), CarrierError>> {
        self.inner.remove(room, identity)
    }

    fn join_token(&self, room: String, identity: String, ttl: Duration) -> Result<JoinToken, CarrierError> {
        self.inner.join_token(room, identity, ttl)
    }

    fn check(&self) -> Answer<'_, Result<(), CarrierError>> {
        self.inner.check()
    }

    fn time(&self) -> Answer<'_, Result<Option<DateTime<Utc>>, CarrierError>> {
        self.inner.time()
    }
}

async fn words(world: &World) -> String {
    world.store.setting(Setting::EngineHealth).await.unwrap().unwrap_or_default()
}

/// Four contacts and one line, no webhooks: what nobody looks at stays as it is.
async fn world(ring: u64, talk: u64, faults: Faults, avoided: &'static str) -> (World, Arc<Frail>) {
    let behaviour = Behaviour::Answer { ring: Duration::from_secs(ring), talk: Duration::from_secs(talk) };
    let mut world = World::new(Options { speed: 20.0, behaviour, faults, ..Options::default() }).await;
    let frail = Frail::over(&mut world, avoided);
    (world, frail)
}

async fn broken_down(world: &World) {
    world.until("words", LONG, || async { words(world).await.contains("broke down") }).await;
}

async fn first(world: &World, id: CampaignId) -> CallRow {
    let mut calls = world.calls(id).await;
    calls.sort_by_key(|c| c.position);
    calls.remove(0)
}

/// Whoever is called is followed to the end by somebody, and nobody is called after a breakdown.
async fn one_call_and_no_other(world: &World, id: CampaignId) {
    assert!(world.simulator.invites_so_far() <= 1, "nobody is called after a breakdown");
    assert!(words(world).await.contains("broke down"), "until a restart: {}", words(world).await);
    assert!(world.calls(id).await.iter().filter(|c| c.armed_at.is_some()).count() <= 1);
    assert_counts_equal_rows(world, id).await;
}

/// A follower's breakdown: the reconciler takes the call up with its next look, also while draining, and
/// the reply to its dial is not lost.
async fn a_follower_breaks_down(state: State, ring: u64, talk: u64) {
    let (mut world, frail) = world(ring, talk, Faults::default(), "").await;
    let id = world.running(csv_of(4), |s| s.max_concurrent = 1).await;
    let reached = |c: &CallRow| c.state == state && (state != State::Ringing || c.leg_seen);
    world.until("the call", LONG, || async { reached(&first(&world, id).await) }).await;
    frail.next(Mishap::LookPanics);
    broken_down(&world).await;
    assert!(!first(&world, id).await.state.is_ended(), "it is live yet");
    world.drain_engine(LONG).await;
    let call = first(&world, id).await;
    assert_eq!((call.state, call.basis, call.doubt, call.sip_call_id.is_some()), (State::Completed, Some(Basis::Livekit), None, true), "{}", call.reason);
    one_call_and_no_other(&world, id).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_talk_whose_follower_broke_down_is_followed_to_its_end() {
    a_follower_breaks_down(State::Answered, 2, 60).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_ringing_call_whose_follower_broke_down_keeps_its_reply() {
    a_follower_breaks_down(State::Ringing, 20, 40).await;
}

/// A hang-up that is asked for after its follower broke down is done all the same.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_talk_whose_follower_broke_down_can_be_hung_up() {
    let (mut world, frail) = world(2, 900, Faults::default(), "").await;
    let id = world.running(csv_of(4), |s| s.max_concurrent = 1).await;
    world.until("a talk", LONG, || async { first(&world, id).await.state == State::Answered }).await;
    frail.next(Mishap::LookPanics);
    broken_down(&world).await;
    world.desk.hang_up(world.actor.clone(), first(&world, id).await.id).await.unwrap();
    world.until("silence", LONG, || async { first(&world, id).await.state.is_ended() && world.simulator.live_legs() == 0 }).await;
    world.drain_engine(LONG).await;
    one_call_and_no_other(&world, id).await;
}

/// A dialler's breakdown before anybody is armed: the claim runs out, and a drain ends.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_claim_whose_dialler_broke_down_runs_out_and_a_drain_ends() {
    let (mut world, frail) = world(2, 8, Faults::default(), "").await;
    frail.next(Mishap::DispatchPanics);
    let id = world.running(csv_of(4), |s| s.max_concurrent = 1).await;
    broken_down(&world).await;
    let broke = world.clock.now();
    world.until("the claim runs out", LONG, || async { first(&world, id).await.state == State::Pending }).await;
    assert!(world.clock.now() - broke > TimeDelta::seconds(15), "not before its lease");
    world.drain_engine(LONG).await;
    one_call_and_no_other(&world, id).await;
}

/// A dial request's breakdown: nobody knows whether it rang, so its call is in doubt, and nobody else is called.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_dial_request_that_breaks_down_leaves_its_call_in_doubt_and_stops_the_dialling() {
    let (mut world, frail) = world(2, 8, Faults::default(), "").await;
    frail.next(Mishap::DialPanics);
    let id = world.running(csv_of(4), |s| s.max_concurrent = 1).await;
    broken_down(&world).await;
    world.until("the horizon", LONG, || async { first(&world, id).await.state == State::Unresolved }).await;
    world.drain_engine(LONG).await;
    assert_eq!(world.simulator.invites_so_far(), 0);
    one_call_and_no_other(&world, id).await;
}

/// Breaks down at a place, once, and hears of calls by polls alone: what was armed is seen to its end by
/// the same process, which then drains, and whoever comes after finds nothing wrong.
async fn seen_to_its_end(point: &str) {
    let rig = Rig::new(8, 60, 2500).await;
    rig.simulator.set_webhook_url(None);
    let mut program = Breaking::start(&rig, point, 1);
    let words = async || rig.store.setting(Setting::EngineHealth).await.unwrap().unwrap_or_default();
    until("words", Duration::from_secs(20), async || words().await.contains("broke down")).await;
    until("nobody on the line", Duration::from_secs(30), async || rig.store.open_calls().await.unwrap().is_empty()).await;
    assert!(program.ended().is_none() && words().await.contains("broke down"), "{point}: it dials no more, and says so");
    let pid = rustix::process::Pid::from_raw(i32::try_from(program.child.id()).unwrap()).unwrap();
    rustix::process::kill_process(pid, rustix::process::Signal::TERM).unwrap();
    until("it drains", Duration::from_secs(10), async || program.ended().is_some()).await;
    rig.run_to_the_end().await;
    rig.assert_nothing_is_wrong(point).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_call_whose_task_broke_down_is_seen_to_its_end_without_a_restart() {
    tokio::join!(seen_to_its_end("arm.committed"), seen_to_its_end("dial.replied"), seen_to_its_end("follow.looked"));
}

async fn numbers_called(world: &World, n: usize) -> Vec<String> {
    world.until("dials", LONG, || async { world.simulator.invites_so_far() >= n }).await;
    world.simulator.invites().into_iter().take(n).map(|i| i.number).collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_found_no_agent_worker_is_called_first_when_one_is_there() {
    let faults = Faults { workers: Workers::Absent, ..Faults::default() };
    let (mut world, _frail) = world(1, 2, faults, "").await;
    let id = world.running(csv_of(6), |s| s.max_concurrent = 1).await;
    let began = world.clock.now();
    world.until("two tries", LONG, || async { world.calls(id).await.iter().map(|c| c.claim_number).sum::<i64>() >= 3 }).await;
    // Eight seconds a try, and waits of 5 and 10 s between them.
    assert!(world.clock.now() - began > TimeDelta::seconds(8 + 5 + 8 + 10), "no quicker than the campaign waits");
    world.simulator.set_faults(Faults::default());
    assert_eq!(numbers_called(&world, 3).await, [fictional(0), fictional(1), fictional(2)]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn whose_agent_could_not_be_asked_for_is_called_first_when_livekit_is_back() {
    let (mut world, frail) = world(1, 2, Faults::default(), "").await;
    frail.next(Mishap::DispatchFails);
    let id = world.running(csv_of(6), |s| s.max_concurrent = 1).await;
    assert_eq!(numbers_called(&world, 3).await, [fictional(0), fictional(1), fictional(2)]);
    assert_eq!(first(&world, id).await.claim_number, 2, "one try in vain");
}

/// A contact for whom no agent ever comes may be what is wrong: it goes behind the others in the end.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn one_for_whom_no_agent_comes_does_not_hold_up_the_others_for_ever() {
    let (mut world, _frail) = world(1, 2, Faults::default(), "Contact 0").await;
    let id = world.running(csv_of(4), |s| s.max_concurrent = 1).await;
    assert_eq!(numbers_called(&world, 3).await, [fictional(1), fictional(2), fictional(3)]);
    assert!(first(&world, id).await.claim_number >= 5, "it had its tries");
}

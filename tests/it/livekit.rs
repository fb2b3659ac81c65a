//! What three hundred calls through a real LiveKit taught beyond the recordings: hosts that die and
//! leave their rows, trunks that say nothing, SIP services that are missing, and all of it without webhooks.

use std::{sync::Arc, time::Duration};

use axum::{Router, body::Bytes, http::HeaderMap, routing::post};
use chrono::TimeDelta;
use dialdeck::{
    domain::{
        call::{Basis, State},
        campaign::Status,
        event::{Doubt, End, Fault, Kind, Leave, LegStatus, Lost, Reply, Source},
        id::{CallId, CampaignId},
        outcome::Outcome,
        retry::RetryRules,
    },
    store::{CallRow, Setting},
    telephony::{
        Carrier, CarrierError, Deleted,
        livekit::{LiveKit, LiveKitConfig, WebhookKeys},
        simulator::{Behaviour, Script, SimulatorConfig},
    },
};

use crate::support::{Options, World, assert_counts_equal_rows, counted, csv_of, office::Office};

const LONG: Duration = Duration::from_mins(1);

/// A world in which `n` people are called and answer after `ring`, at the clock's speed.
async fn calling(n: usize, speed: f64, ring: u64, talk: u64) -> (World, CampaignId) {
    let behaviour = Behaviour::Answer { ring: Duration::from_secs(ring), talk: Duration::from_secs(talk) };
    let mut world = World::new(Options { speed, behaviour, ..Options::default() }).await;
    let id = world.running(csv_of(n), |s| (s.ring_timeout_s, s.max_call_duration_s) = (15, 40)).await;
    (world, id)
}

async fn until_talking(world: &World, id: CampaignId, n: i64) {
    world.until("they talk", LONG, || async { world.row(id).await.counts.answered_now == n }).await;
}

async fn pass(world: &World, seconds: i64) {
    world.clock.sleep_until(world.clock.now() + TimeDelta::seconds(seconds)).await;
}

/// Receives the simulator's webhooks as the listener does: signature, reading, desk.
async fn listen(world: &World) {
    let config = SimulatorConfig::by_digits();
    let keys = Arc::new(WebhookKeys::new(vec![(config.api_key, config.api_secret)]));
    let (desk, clock) = (world.desk.clone(), world.clock.clone());
    let app = Router::new().route(
        "/",
        post(move |headers: HeaderMap, body: Bytes| async move {
            let event = keys.receive(headers["authorization"].to_str().unwrap(), &body, clock.now()).unwrap();
            desk.record(event).await.unwrap();
        }),
    );
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    world.simulator.set_webhook_url(Some(format!("http://{}/", listener.local_addr().unwrap())));
    tokio::spawn(async move { axum::serve(listener, app).await });
}

async fn health(world: &World) -> String {
    world.store.setting(Setting::EngineHealth).await.unwrap().unwrap_or_default()
}

fn told(calls: &[CallRow]) -> Vec<(State, &str, i64)> {
    calls.iter().map(|c| (c.state, c.reason.as_str(), c.call_duration)).collect()
}

fn answered() -> Reply {
    Reply::Answered { participant_sid: "PA_1".into(), sip_call_id: "SCL_1".into() }
}

fn left(status: LegStatus) -> Kind {
    Kind::LegLeft { sid: "PA_1".into(), reason: Leave::UserUnavailable, status: Some(status), call_sid: None }
}

fn timed_out() -> Reply {
    Reply::TimedOut { reason: "sip request timed out".into() }
}

// The simulator itself, against what was seen.

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_simulators_dead_host_leaves_rows_that_only_the_session_gives_away() {
    let (mut world, id) = calling(1, 10.0, 1, 60).await;
    until_talking(&world, id, 1).await;
    world.crash_engine().await;
    let room = world.calls(id).await[0].room_name.clone().unwrap();
    let before = world.carrier.look(room.clone()).await.unwrap();
    assert!(world.carrier.lives(room.clone()).await.unwrap());
    world.simulator.kill_host(Duration::from_secs(5));
    assert!(world.carrier.look(room.clone()).await.is_err(), "nobody answers");
    pass(&world, 30).await;
    let after = world.carrier.look(room.clone()).await.unwrap();
    let listed = |list: &[dialdeck::telephony::Participant]| list.iter().map(|p| (p.sid.clone(), p.leg_status())).collect::<Vec<_>>();
    assert_eq!(listed(&before), listed(&after), "leg and agent are listed for good, by their first sids");
    assert_eq!(world.carrier.rooms(vec![room.clone()]).await.unwrap(), vec![room.clone()]);
    assert_eq!(world.carrier.delete_room(room.clone()).await.unwrap(), Deleted::Astray);
    let asked = world.clock.now();
    assert!(!world.carrier.lives(room).await.unwrap());
    assert!(world.clock.now() - asked >= TimeDelta::seconds(3), "after three seconds");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_simulators_killed_redis_hides_rooms_that_live() {
    let (mut world, id) = calling(1, 10.0, 1, 60).await;
    until_talking(&world, id, 1).await;
    world.crash_engine().await;
    let room = world.calls(id).await[0].room_name.clone().unwrap();
    world.simulator.kill_redis(Duration::from_secs(3));
    let words = world.carrier.look(room.clone()).await.unwrap_err().to_string();
    assert!(words.contains("its Redis does not answer"), "{words}");
    pass(&world, 4).await;
    assert!(world.carrier.look(room.clone()).await.unwrap().is_empty());
    assert!(world.carrier.rooms(vec![room.clone()]).await.unwrap().is_empty());
    assert_eq!(world.carrier.delete_room(room.clone()).await.unwrap(), Deleted::Astray);
    assert!(world.carrier.lives(room).await.unwrap());
    assert_eq!(world.simulator.live_legs(), 1, "and the two talk on");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_simulators_silent_trunk_tells_in_either_order() {
    let mut world = World::new(Options { speed: 20.0, ..Options::default() }).await;
    world.assign("silent.example").await;
    listen(&world).await;
    let id = world.running(csv_of(12), |s| s.ring_timeout_s = 15).await;
    world.until("all ended", LONG, || async { world.calls(id).await.iter().filter(|c| c.state.is_ended()).count() >= 12 }).await;
    let mut first = [0, 0];
    for call in world.calls(id).await {
        let events = world.store.timeline(call.id).await.unwrap();
        let at = |what: fn(&Kind) -> bool| events.iter().position(|e| what(&e.kind.0));
        let reply = at(|k| matches!(k, Kind::Reply(_)));
        let leave = at(|k| matches!(k, Kind::LegLeft { status: Some(LegStatus::Dialing), reason: Leave::UserUnavailable, .. }));
        first[usize::from(leave < reply)] += 1;
    }
    assert!(first[0] > 0 && first[1] > 0, "{first:?}");
}

#[test]
fn a_script_makes_a_host_die() {
    assert!(Script::parse("[[happens]]\nafter = 3\nwhat = \"host_dies\"\ndown = 5").is_ok());
}

// 1: phantom calls.

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_talk_whose_host_died_frees_its_slot_and_is_dated_to_when_it_was_seen_alive() {
    let (world, id) = calling(3, 10.0, 1, 60).await;
    until_talking(&world, id, 3).await;
    pass(&world, 6).await;
    let died = world.clock.now();
    world.simulator.kill_host(Duration::from_secs(5));
    world.until("no call is live", LONG, || async { world.row(id).await.counts.live == 0 }).await;
    let took = world.clock.now() - died;
    assert!(took < TimeDelta::seconds(40), "freed after {took}");
    let calls = world.calls(id).await;
    for call in &calls {
        assert_eq!((call.state, call.reason.as_str(), call.basis), (State::Completed, "connection lost", Some(Basis::Inferred)));
        let late = call.completed_at.unwrap() - died;
        assert!(late.abs() <= TimeDelta::seconds(4), "ended {late} from the death");
    }
    assert_counts_equal_rows(&world, id).await;
    let bound = calls[0].armed_at.unwrap() + TimeDelta::seconds(15 + 40);
    assert_eq!(held(&world, &calls[0].phone_number).await, Some(bound), "the number is held to LiveKit's own bound");
}

/// Until when a number is held for a call that has ended without proof.
async fn held(world: &World, number: &str) -> Option<chrono::DateTime<chrono::Utc>> {
    world.base.one(&format!("SELECT held_until FROM numbers_live WHERE number = '{number}'")).await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_phone_that_rang_when_its_host_died_is_no_answer_of_anybody() {
    let (world, id) = calling(3, 10.0, 12, 60).await;
    world.until("they ring", LONG, || async { world.calls(id).await.iter().filter(|c| c.state == State::Ringing).count() == 3 }).await;
    world.simulator.kill_host(Duration::from_secs(5));
    world.until_completed(id, LONG).await;
    let calls = world.calls(id).await;
    assert!(calls.iter().all(|c| c.state == State::Unresolved && c.answered_at.is_none()), "{:?}", told(&calls));
    assert_eq!(world.row(id).await.counts.pickups, 0);
    let held: Vec<_> = futures_util::future::join_all(calls.iter().map(|c| held(&world, &c.phone_number))).await;
    assert!(held.iter().all(Option::is_some), "{held:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_server_that_is_away_over_the_ringing_timeout_answers_nobody() {
    let (world, id) = calling(3, 10.0, 30, 60).await;
    world.until("they ring", LONG, || async { world.calls(id).await.iter().filter(|c| c.state == State::Ringing).count() == 3 }).await;
    world.simulator.restart_server(Duration::from_secs(22));
    world.until_completed(id, LONG).await;
    let calls = world.calls(id).await;
    assert!(calls.iter().all(|c| c.state == State::Unresolved && c.answered_at.is_none()), "{:?}", told(&calls));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_leg_that_rejoins_is_not_taken_for_a_dead_row() {
    let (world, id) = calling(3, 10.0, 1, 30).await;
    until_talking(&world, id, 3).await;
    world.simulator.restart_server(Duration::from_secs(8));
    // Back since a second; without their agents, who do not come back, they are let go after two.
    pass(&world, 10).await;
    assert_eq!(world.simulator.live_legs(), 3);
    world.until_completed(id, LONG).await;
    let calls = world.calls(id).await;
    assert!(calls.iter().all(|c| c.state == State::Completed && c.reason != "connection lost"), "{:?}", told(&calls));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_hang_up_of_a_dead_row_ends_the_call_and_asks_ever_more_rarely() {
    let (world, id) = calling(1, 10.0, 1, 60).await;
    until_talking(&world, id, 1).await;
    let call = world.calls(id).await.remove(0);
    world.simulator.kill_host(Duration::from_millis(100));
    world.desk.hang_up(world.actor.clone(), call.id).await.unwrap();
    let asked = world.clock.now();
    world.until("ended", LONG, || async { world.row(id).await.counts.live == 0 }).await;
    assert!(world.clock.now() - asked < TimeDelta::seconds(30));
    let row = world.calls(id).await.remove(0);
    assert_eq!((row.state, row.reason.as_str()), (State::Completed, "connection lost"));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn rooms_of_the_dead_are_not_hung_up_over_and_over() {
    let (world, id) = calling(4, 20.0, 1, 60).await;
    until_talking(&world, id, 4).await;
    world.simulator.kill_host(Duration::from_secs(5));
    world.until_completed(id, LONG).await;
    let heartbeat = world.store.engine().await.unwrap().unwrap().heartbeat_at;
    pass(&world, 90).await;
    assert!(world.store.engine().await.unwrap().unwrap().heartbeat_at - heartbeat > TimeDelta::seconds(60), "the reconciler goes on");
}

// 2: a trunk that does not answer SIP.

#[tokio::test]
async fn a_leave_that_knows_no_more_than_dialing_says_nothing_new_of_a_silent_trunk() {
    for reply_first in [true, false] {
        let (office, id) = Office::calling(csv_of(1), |_| {}).await;
        let call = office.dial(id).await.unwrap();
        office.tell(call, "joined", Source::Poll, Kind::Leg { status: Some(LegStatus::Dialing), sid: "PA_1".into(), call_sid: None, polled: true }).await;
        if reply_first {
            office.reply(call, timed_out()).await;
            office.tell(call, "left", Source::Livekit, left(LegStatus::Dialing)).await;
        } else {
            office.tell(call, "left", Source::Livekit, left(LegStatus::Dialing)).await;
            office.reply(call, timed_out()).await;
        }
        let row = office.call(call).await;
        assert_eq!((row.state, row.charged, row.reason.as_str()), (State::Failed, false, "the trunk did not answer SIP"), "reply first: {reply_first}");
        let next = office.store.calls(id, &dialdeck::store::CallFilter::default(), 10, 0).await.unwrap().rows;
        assert!(next.iter().all(|c| c.reason != "the call before ended otherwise than believed"));
    }
    let (office, id) = Office::calling(csv_of(1), |_| {}).await;
    let call = office.dial(id).await.unwrap();
    office.reply(call, timed_out()).await;
    office.tell(call, "left", Source::Livekit, left(LegStatus::Ringing)).await;
    let row = office.call(call).await;
    assert_eq!((row.state, row.charged), (State::NoAnswer, true), "a phone that rang is other news");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_silent_trunk_costs_nobody_an_attempt() {
    let mut world = World::new(Options { speed: 20.0, ..Options::default() }).await;
    world.assign("silent.example").await;
    listen(&world).await;
    let id = world.running(csv_of(12), |s| s.ring_timeout_s = 15).await;
    world.until("all ended once", LONG, || async { world.calls(id).await.iter().filter(|c| c.state.is_ended()).count() >= 12 }).await;
    pass(&world, 2).await;
    let calls = world.calls(id).await;
    assert!(calls.iter().filter(|c| c.state.is_ended()).all(|c| c.state == State::Failed && !c.charged), "{:?}", told(&calls));
}

// 3: no SIP service.

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn without_a_sip_service_the_wait_grows_the_words_stay_and_the_campaign_ends_in_error() {
    let mut world = World::new(Options { speed: 10.0, ..Options::default() }).await;
    world.simulator.restart_sip(Duration::from_mins(20));
    let id = world.running(csv_of(4), |s| s.max_concurrent = 3).await;
    world.until("words", LONG, || async { health(&world).await.contains("no SIP service") }).await;
    let begun = world.clock.now();
    world
        .until("error", LONG, || {
            let world = &world;
            async move {
                assert!(health(world).await.contains("no SIP service"), "the words went away");
                world.row(id).await.execution_status == Status::Error
            }
        })
        .await;
    let took = world.clock.now() - begun;
    assert!((55..80).contains(&took.num_seconds()), "in error after {took}");
    let calls = world.calls(id).await;
    let unsent = calls.iter().filter(|c| c.state == State::Unsent).count();
    assert!(unsent <= 9, "{unsent} dials went nowhere");
    assert!(world.simulator.invites().is_empty());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn only_a_dial_that_reached_sip_ends_the_wait_for_it() {
    let mut world = World::new(Options { speed: 10.0, ..Options::default() }).await;
    world.simulator.restart_sip(Duration::from_secs(25));
    let id = world.running(csv_of(4), |s| s.max_concurrent = 3).await;
    world.until("words", LONG, || async { health(&world).await.contains("no SIP service") }).await;
    world.until("a phone rings", LONG, || async { !world.simulator.invites().is_empty() }).await;
    world.until("the words go", LONG, || async { health(&world).await.is_empty() }).await;
    world.until_completed(id, LONG).await;
    let row = world.row(id).await;
    assert_eq!(row.counts.dials, 4, "{:?}", row.counts);
}

// 4, 5, 7: by polling alone.

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_report_that_is_followed_by_the_end_is_not_lost_by_polling() {
    // Three times: where between two looks the report falls is chance.
    for wait in [5, 6, 7] {
        let (world, id) = calling(1, 5.0, 1, 60).await;
        until_talking(&world, id, 1).await;
        pass(&world, wait).await;
        let call = world.calls(id).await.remove(0);
        world.simulator.agent_tells(&call.phone_number, "dd.outcome", "callback");
        pass(&world, 3).await;
        drop(world.carrier.delete_room(call.room_name.unwrap()).await);
        world.until_completed(id, LONG).await;
        assert_eq!(world.calls(id).await[0].suggestion, Some(Outcome::Callback));
    }
}

async fn abandoned(world: &World, id: CampaignId) -> i64 {
    let now = world.clock.now();
    world.store.without_agent(id, now - TimeDelta::days(1), now).await.unwrap().abandoned
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_agent_that_tells_and_leaves_was_no_missing_agent() {
    let (world, id) = calling(1, 5.0, 1, 60).await;
    until_talking(&world, id, 1).await;
    pass(&world, 6).await;
    let call = world.calls(id).await.remove(0);
    world.simulator.agent_tells(&call.phone_number, "dd.outcome", "interested");
    pass(&world, 3).await;
    world.simulator.agent_leaves(&call.phone_number);
    world.until_completed(id, LONG).await;
    assert_eq!((abandoned(&world, id).await, world.calls(id).await[0].suggestion), (0, Some(Outcome::Interested)));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_webhook_of_an_agent_that_tells_and_leaves_at_once_is_its_report() {
    let (world, id) = calling(1, 5.0, 1, 60).await;
    listen(&world).await;
    until_talking(&world, id, 1).await;
    pass(&world, 6).await;
    let call = world.calls(id).await.remove(0);
    world.simulator.agent_tells(&call.phone_number, "dd.outcome", "interested");
    world.simulator.agent_leaves(&call.phone_number);
    let left_at = world.clock.now();
    world.until("hung up", LONG, || async { world.simulator.live_legs() == 0 }).await;
    let took = world.clock.now() - left_at;
    assert!(took < TimeDelta::milliseconds(3600), "let go after {took}");
    world.until_completed(id, LONG).await;
    assert_eq!(abandoned(&world, id).await, 0, "no abandoned call");
    assert_eq!(world.calls(id).await[0].suggestion, Some(Outcome::Interested));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn whoever_is_left_without_an_agent_is_let_go_in_two_seconds_and_a_look() {
    let (world, id) = calling(1, 5.0, 1, 60).await;
    until_talking(&world, id, 1).await;
    pass(&world, 6).await;
    let call = world.calls(id).await.remove(0);
    world.simulator.agent_leaves(&call.phone_number);
    let left_at = world.clock.now();
    world.until("hung up", LONG, || async { world.simulator.live_legs() == 0 }).await;
    let took = world.clock.now() - left_at;
    assert!(took < TimeDelta::milliseconds(5000), "let go after {took}");
    assert_eq!(abandoned(&world, id).await, 1);
}

/// An agent of LiveKit's framework that is still setting itself up cannot be heard; one that listens has begun.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_agent_that_is_not_set_up_two_seconds_after_the_answer_is_none() {
    for (state, silent) in [("initializing", 1), ("listening", 0)] {
        let (world, id) = calling(1, 5.0, 4, 12).await;
        world.until("it rings", LONG, || async { world.simulator.live_legs() == 1 }).await;
        let number = world.calls(id).await[0].phone_number.clone();
        world.simulator.agent_tells(&number, "lk.agent.state", state);
        world.until_completed(id, LONG).await;
        let call = world.calls(id).await.remove(0);
        assert_eq!((abandoned(&world, id).await, call.hangup_requested_at.is_some()), (silent, silent == 1), "{state}");
        let asked = call.hangup_requested_at.map_or(TimeDelta::seconds(2), |t| t - call.answered_at.unwrap());
        assert!((2000..3500).contains(&asked.num_milliseconds()), "{state}: {asked} after the answer");
    }
}

/// Whoever is there when somebody answers and leaves then was there at the answer: two seconds from there.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_agent_that_leaves_while_it_rings_is_missed_from_the_answer_on() {
    let (world, id) = calling(1, 5.0, 6, 12).await;
    world.until("it rings", LONG, || async { world.calls(id).await.iter().any(|c| c.state == State::Ringing) }).await;
    let number = world.calls(id).await[0].phone_number.clone();
    world.simulator.agent_leaves(&number);
    world.until_completed(id, LONG).await;
    let call = world.calls(id).await.remove(0);
    let asked = call.hangup_requested_at.expect("let go") - call.answered_at.unwrap();
    assert!((2000..3200).contains(&asked.num_milliseconds()), "{asked} after the answer");
    assert_eq!(abandoned(&world, id).await, 1);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_talk_lasts_as_long_as_it_lasted_by_polling_alone() {
    for agent_leaves in [false, true] {
        let (world, id) = calling(2, 5.0, 1, 9).await;
        until_talking(&world, id, 2).await;
        if agent_leaves {
            pass(&world, 6).await;
            for call in world.calls(id).await {
                world.simulator.agent_leaves(&call.phone_number);
            }
        }
        world.until_completed(id, LONG).await;
        let calls = world.calls(id).await;
        assert!(calls.iter().all(|c| (8..=12).contains(&c.call_duration)), "{:?}", told(&calls));
        assert_counts_equal_rows(&world, id).await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_talk_lasts_as_long_as_it_lasted_by_webhooks() {
    let (world, id) = calling(3, 5.0, 1, 9).await;
    listen(&world).await;
    world.until_completed(id, LONG).await;
    let calls = world.calls(id).await;
    assert!(calls.iter().all(|c| (8..=10).contains(&c.call_duration)), "{:?}", told(&calls));
}

// 6: talks written off after a Redis kill.

#[tokio::test]
async fn a_later_leave_corrects_when_a_talk_ended_and_how_long_it_was() {
    let (office, id) = Office::calling(csv_of(1), |_| {}).await;
    let call = office.dial(id).await.unwrap();
    office.reply(call, answered()).await;
    office.wait(TimeDelta::seconds(15));
    office.tell(call, "gone", Source::Engine, Kind::LegGone { proven: false }).await;
    assert_eq!((office.call(call).await.state, office.call(call).await.call_duration), (State::Completed, 15));
    office.wait(TimeDelta::seconds(34));
    let leave = Kind::LegLeft { sid: "PA_1".into(), reason: Leave::ClientInitiated, status: Some(LegStatus::Hangup), call_sid: None };
    office.tell(call, "left", Source::Livekit, leave).await;
    let row = office.call(call).await;
    assert_eq!((row.state, row.basis, row.call_duration), (State::Completed, Some(Basis::Livekit), 49));
    assert_eq!(row.completed_at, Some(office.now()));
    assert_eq!(office.row(id).await.counts, counted(&[row]));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_redis_kill_shortens_no_talk_where_webhooks_come() {
    let (world, id) = calling(2, 10.0, 1, 35).await;
    listen(&world).await;
    until_talking(&world, id, 2).await;
    world.simulator.kill_redis(Duration::from_secs(3));
    world.until("they are silent", LONG, || async { world.simulator.live_legs() == 0 }).await;
    pass(&world, 3).await;
    let calls = world.calls(id).await;
    assert!(calls.iter().all(|c| c.state == State::Completed && (33..=38).contains(&c.call_duration)), "{:?}", told(&calls));
    assert_counts_equal_rows(&world, id).await;
    assert_eq!(held(&world, &calls[0].phone_number).await, None, "and the number is free");
}

// 8: words that stay.

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn one_answer_of_livekit_ends_the_words_and_the_waits() {
    let (world, id) = calling(1, 10.0, 1, 120).await;
    until_talking(&world, id, 1).await;
    world.simulator.restart_server(Duration::from_secs(45));
    world.until("words", LONG, || async { !health(&world).await.is_empty() }).await;
    pass(&world, 45).await;
    let back = world.clock.now();
    world.until("no words", LONG, || async { health(&world).await.is_empty() }).await;
    let took = world.clock.now() - back;
    assert!(took < TimeDelta::seconds(8), "the words stayed {took}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn words_go_also_where_no_campaign_runs() {
    let (world, id) = calling(1, 10.0, 1, 20).await;
    until_talking(&world, id, 1).await;
    world.desk.pause(world.actor.clone(), id).await.unwrap();
    world.simulator.kill_host(Duration::from_secs(90));
    world.until("words", LONG, || async { !health(&world).await.is_empty() }).await;
    world.desk.stop(world.actor.clone(), id, false).await.unwrap();
    pass(&world, 90).await;
    world.until("no words", Duration::from_secs(20), || async { health(&world).await.is_empty() }).await;
}

// 10, 11: hosts and words.

async fn web_server() -> String {
    let app = Router::new().fallback(|| async { ([("content-type", "text/html")], "<html>It works!</html>") });
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    tokio::spawn(async move { axum::serve(listener, app).await });
    url
}

fn livekit_at(host: String) -> LiveKit {
    let config = SimulatorConfig::by_digits();
    LiveKit::new(&LiveKitConfig { host, api_key: config.api_key, api_secret: config.api_secret }).unwrap()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_host_that_answers_200_to_anything_is_no_livekit() {
    let carrier = livekit_at(web_server().await);
    assert!(matches!(carrier.check().await, Err(CarrierError::Route { .. })), "{:?}", carrier.check().await);
    let words = carrier.look("x".into()).await.unwrap_err().to_string();
    assert!(words.contains("is no LiveKit server"), "{words}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_engine_in_front_of_no_livekit_is_not_ready_and_says_so() {
    use dialdeck::engine::{Engine, Stop};
    let world = World::new(Options::default()).await;
    let carrier: Arc<dyn Carrier> = Arc::new(livekit_at(web_server().await));
    let stop = Stop::new();
    let engine = Engine::new(world.desk.clone(), carrier, world.clock.clone(), World::engine_config(), world.installation, stop.clone());
    let ready = engine.ready();
    let task = tokio::spawn(engine.run());
    world.until("words", LONG, || async { health(&world).await.contains("is no LiveKit server") }).await;
    pass(&world, 30).await;
    assert!(!*ready.borrow());
    stop.now.cancel();
    task.await.unwrap();
}

#[tokio::test]
async fn a_call_that_the_trunk_turned_away_keeps_its_code() {
    let (office, id) = Office::calling(csv_of(1), |_| {}).await;
    let call = office.dial(id).await.unwrap();
    office.reply(call, Reply::Refused { reason: "Trunk CPS limit exceeded".into(), sip_code: Some(503) }).await;
    assert_eq!((office.call(call).await.state, office.call(call).await.sip_code), (State::Refused, Some(503)));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_outcome_that_is_none_of_ours_is_in_the_calls_story() {
    let (world, id) = calling(1, 10.0, 1, 12).await;
    until_talking(&world, id, 1).await;
    let call = world.calls(id).await.remove(0);
    world.simulator.agent_tells(&call.phone_number, "dd.outcome", "very interested");
    pass(&world, 4).await;
    let events = world.store.timeline(call.id).await.unwrap();
    assert!(events.iter().any(|e| matches!(&e.kind.0, Kind::Report(r) if r.strange.as_deref() == Some("very interested"))), "{events:?}");
    assert_eq!(world.calls(id).await[0].suggestion, None);
}

// Doubts, and what an answer does to an end.

#[tokio::test]
async fn what_our_own_death_left_in_doubt_does_not_open_the_breaker() {
    for (cause, doubt, pauses) in [(Lost::Restarted, Doubt::Own, false), (Lost::Forsaken, Doubt::Own, false), (Lost::NoReply, Doubt::Network, true)] {
        let office = Office::open(|rules| rules.breaker.enabled = true).await;
        let (source, _) = office.import(csv_of(4)).await;
        let id = office.started(source, |_| {}).await;
        for n in 0..4 {
            let Ok(call) = office.dial(id).await else { break };
            office.tell(call, &format!("lost{n}"), Source::Engine, Kind::ReplyLost { cause }).await;
            assert_eq!(office.call(call).await.doubt, Some(doubt));
        }
        assert_eq!(office.row(id).await.execution_status == Status::Paused, pauses, "{cause:?}");
    }
}

/// A call that has ended so, with its next attempt queued where the rules have one.
async fn ended(reply: Reply) -> (Office, CampaignId, CallId) {
    let (office, id) = Office::calling(csv_of(1), |s| s.retry = RetryRules { max_attempts: 3, ..RetryRules::default() }).await;
    let call = office.dial(id).await.unwrap();
    office.reply(call, reply).await;
    (office, id, call)
}

fn refused(end: End) -> Reply {
    Reply::Ended { end, sip_code: Some(486), reason: "x".into() }
}

#[tokio::test]
async fn whoever_spoke_is_not_called_again_however_the_call_had_ended() {
    for end in [End::Busy, End::NoAnswer, End::Rejected, End::WrongNumber, End::Failed, End::TrunkFailed, End::Canceled] {
        for how in ["poll", "left"] {
            let (office, id, call) = ended(refused(end)).await;
            office.wait(TimeDelta::seconds(2));
            let kind = if how == "poll" {
                Kind::Leg { status: Some(LegStatus::Active), sid: "PA_1".into(), call_sid: None, polled: true }
            } else {
                Kind::LegLeft { sid: "PA_1".into(), reason: Leave::ClientInitiated, status: Some(LegStatus::Hangup), call_sid: None }
            };
            office.tell(call, how, Source::Livekit, kind).await;
            let rows = office.store.calls(id, &dialdeck::store::CallFilter::default(), 10, 0).await.unwrap().rows;
            let row = rows.iter().find(|c| c.id == call).unwrap();
            assert!(row.state == State::Completed && row.answered_at.is_some(), "{end:?} by {how}: {:?}", row.state);
            assert!(rows.iter().filter(|c| c.id != call).all(|c| c.state == State::Canceled), "{end:?} by {how}: called again: {rows:?}");
            assert_eq!(office.row(id).await.counts, counted(&rows), "{end:?} by {how}");
        }
    }
}

#[tokio::test]
async fn whoever_spoke_is_not_called_again_even_when_the_next_attempt_is_claimed() {
    let (office, id, call) = ended(refused(End::Busy)).await;
    office.wait(TimeDelta::hours(1));
    let claimed = office.claim(id).await.unwrap();
    office.tell(call, "late", Source::Poll, Kind::Leg { status: Some(LegStatus::Active), sid: "PA_1".into(), call_sid: None, polled: true }).await;
    assert!(office.arm(claimed).await.is_err(), "armed though the contact spoke");
}

fn ringing() -> Kind {
    Kind::Leg { status: Some(LegStatus::Ringing), sid: "PA_1".into(), call_sid: None, polled: false }
}

#[tokio::test]
async fn reopened_and_ended_in_one_batch_frees_the_number_and_settles_the_books() {
    let unsent = Reply::Unsent { fault: Fault::Unreachable, reason: "connection refused".into() };
    let (office, id, call) = ended(unsent).await;
    let number = office.call(call).await.phone_number;
    let events = [ringing(), left(LegStatus::Ringing)].into_iter().enumerate().map(|(n, kind)| dialdeck::domain::event::CallEvent {
        key: format!("one-batch:{n}"),
        target: dialdeck::domain::event::Target::Call(call),
        source: Source::Livekit,
        at: office.now(),
        kind,
        raw: serde_json::Value::Null,
    });
    // Together into the inbox, which takes what waits.
    let told = futures_util::future::join_all(events.map(|e| office.desk.record(e))).await;
    assert!(told.iter().all(Result::is_ok), "{told:?}");
    let row = office.call(call).await;
    assert_eq!((row.state, row.charged), (State::NoAnswer, true));
    let held: i64 = office.base.one(&format!("SELECT count(call_id) FROM numbers_live WHERE number = '{number}'")).await;
    assert_eq!(held, 0, "the number is on no call any more");
    let rows = office.store.calls(id, &dialdeck::store::CallFilter::default(), 10, 0).await.unwrap().rows;
    assert_eq!(office.row(id).await.counts, counted(&rows));
    assert!(rows.iter().any(|c| c.state == State::Pending), "the rule of its result queues the next attempt");
    let day = row.armed_day.unwrap().parse().unwrap();
    assert_eq!(office.store.campaign_day(id, day).await.unwrap().unwrap().used, 1, "and it is charged to its day");
}

#[tokio::test]
async fn an_unsent_call_that_rang_is_charged_to_its_day_over_the_cap_too() {
    let (office, id) = Office::calling(csv_of(3), |s| s.daily_cap = 1).await;
    let first = office.dial(id).await.unwrap();
    let day = office.call(first).await.armed_day.unwrap().parse().unwrap();
    let used = async || office.store.campaign_day(id, day).await.unwrap().unwrap().used;
    office.reply(first, Reply::Unsent { fault: Fault::Unreachable, reason: "connection refused".into() }).await;
    assert_eq!(used().await, 0);
    let second = office.dial(id).await.unwrap();
    assert_eq!(used().await, 1);
    office.tell(first, "rang", Source::Livekit, ringing()).await;
    assert_eq!((office.call(first).await.state, used().await), (State::Ringing, 2), "what rang has rung");
    let said = office.store.audit_of(office.actor.owner, first.0).await.unwrap();
    assert!(said.iter().any(|a| a.action == "cap_passed"), "{said:?}");
    office.reply(second, refused(End::Busy)).await;
    assert_eq!(office.dial(id).await.unwrap_err(), "daily_cap", "and nobody else is called on that day");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_report_that_cannot_be_fetched_is_waited_for_thirty_seconds() {
    let (mut world, id) = calling(1, 10.0, 1, 8).await;
    until_talking(&world, id, 1).await;
    let call = world.calls(id).await.remove(0);
    world.simulator.restart_server(Duration::from_mins(30));
    let leave = Kind::LegLeft { sid: "PA_1".into(), reason: Leave::ClientInitiated, status: Some(LegStatus::Hangup), call_sid: None };
    let event = dialdeck::domain::event::CallEvent {
        key: "left".into(),
        target: dialdeck::domain::event::Target::Call(call.id),
        source: Source::Livekit,
        at: world.clock.now(),
        kind: leave,
        raw: serde_json::Value::Null,
    };
    world.desk.record(event).await.unwrap();
    world.drain_engine(Duration::from_secs(10)).await;
}

//! What the recordings of a real LiveKit taught, lesson by lesson (their numbers): the product survives
//! each. 15 (transfer) and 18 (a supervisor's phone) come with call control, 20 is inbound.

use std::{collections::HashMap, time::Duration};

use base64::Engine;
use dialdeck::{
    domain::{
        call::State,
        campaign::Settings,
        event::{End, Kind, Leave, LegStatus, Reply, Source},
        outcome::Outcome,
        phone::PhoneNumber,
    },
    store::CallRow,
    telephony::{
        Deleted, Participant, ParticipantKind,
        livekit::{WebhookKeys, classify, read_reply},
        simulator::{Behaviour, Faults, Workers},
    },
};
use sha2::{Digest, Sha256};

use crate::support::{Options, World, csv_of, office::Office, settings};

const LONG: Duration = Duration::from_mins(1);

/// A world in which `n` people are called at once, and its campaign, running.
async fn calling(n: usize, speed: f64, ring: u64, talk: u64) -> (World, dialdeck::domain::id::CampaignId) {
    let behaviour = Behaviour::Answer { ring: Duration::from_secs(ring), talk: Duration::from_secs(talk) };
    let mut world = World::new(Options { speed, behaviour, ..Options::default() }).await;
    let id = world.running(csv_of(n), |s| (s.ring_timeout_s, s.max_call_duration_s) = (15, 60)).await;
    (world, id)
}

async fn until_ringing(world: &World, n: usize) {
    world.until("they ring", LONG, || async { world.simulator.live_legs() >= n }).await;
}

fn assert_nobody_twice(world: &World) {
    let mut rung: HashMap<String, usize> = HashMap::new();
    for invite in world.simulator.invites() {
        *rung.entry(invite.number).or_default() += 1;
    }
    assert!(rung.values().all(|n| *n == 1), "{rung:?}");
}

fn states(calls: &[CallRow]) -> Vec<(State, &str)> {
    calls.iter().map(|c| (c.state, c.reason.as_str())).collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn lesson_01_a_dispatch_that_is_answered_says_nothing() {
    let mut world = World::new(Options { faults: Faults { workers: Workers::Full, ..Faults::default() }, ..Options::default() }).await;
    let id = world.running(csv_of(3), |_| {}).await;
    world.until("words", LONG, || async { world.desk.explain(&world.row(id).await).await.unwrap().gate == "agent" }).await;
    assert!(world.simulator.invites().is_empty(), "nobody hears silence");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn lesson_02_a_hang_up_just_after_the_dial_is_repeated_until_the_phone_is_silent() {
    // At a twentieth of the usual speed: the windows are of milliseconds.
    let (world, id) = calling(6, 2.0, 3, 30).await;
    let mut asked = 0;
    world
        .until("all asked", LONG, || {
            let world = &world;
            async move {
                let calls = world.calls(id).await;
                for call in calls.iter().filter(|c| c.armed_at.is_some() && c.hangup_requested_at.is_none()) {
                    // It may have ended in this very moment.
                    drop(world.desk.hang_up(world.actor.clone(), call.id).await);
                }
                calls.iter().all(|c| c.hangup_requested_at.is_some() || c.state.is_ended())
            }
        })
        .await;
    world.until("silence", LONG, || async { world.simulator.live_legs() == 0 && world.calls(id).await.iter().all(|c| c.state.is_ended()) }).await;
    for call in world.calls(id).await {
        asked += usize::from(call.hangup_requested_at.is_some());
    }
    assert!(asked >= 3, "{asked} were hung up");
    assert_nobody_twice(&world);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn lesson_03_giving_up_the_request_gives_up_nothing() {
    let (mut world, id) = calling(2, 10.0, 10, 10).await;
    until_ringing(&world, 2).await;
    world.crash_engine().await;
    tokio::time::sleep(Duration::from_millis(200)).await;
    assert_eq!(world.simulator.live_legs(), 2, "the phones ring on");
    world.start_engine();
    world.until_completed(id, LONG).await;
    let calls = world.calls(id).await;
    assert!(calls.iter().all(|c| c.state == State::Completed && c.answered_at.is_some()), "{:?}", states(&calls));
    assert_nobody_twice(&world);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn lesson_04_after_a_server_restart_the_status_lies_and_who_is_still_there_has_answered() {
    let (world, id) = calling(3, 10.0, 5, 40).await;
    until_ringing(&world, 3).await;
    world.simulator.restart_server(Duration::from_secs(1));
    world.until_completed(id, LONG).await;
    let calls = world.calls(id).await;
    assert!(calls.iter().all(|c| c.state == State::Completed && c.answered_at.is_some()), "{:?}", states(&calls));
    assert_nobody_twice(&world);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn lesson_05_a_dead_sip_service_is_a_lost_connection_or_an_unresolved_call() {
    for (ring, at, expected) in [(10, 1, State::Unresolved), (1, 4, State::Completed)] {
        let (world, id) = calling(2, 20.0, ring, 40).await;
        until_ringing(&world, 2).await;
        tokio::time::sleep(Duration::from_millis(at * 50)).await;
        world.simulator.restart_sip(Duration::from_secs(2));
        world.until_completed(id, LONG).await;
        let calls = world.calls(id).await;
        assert!(calls.iter().all(|c| c.state == expected), "{expected:?}: {:?}", states(&calls));
        assert_nobody_twice(&world);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn lesson_06_an_empty_list_of_a_room_that_exists_is_no_end() {
    let (world, id) = calling(2, 10.0, 1, 40).await;
    world.until("they talk", LONG, || async { world.row(id).await.counts.answered_now == 2 }).await;
    world.simulator.lose_redis(Duration::from_secs(2));
    // Fifteen seconds of its clock: long after three empty looks.
    tokio::time::sleep(Duration::from_millis(1500)).await;
    assert!(world.calls(id).await.iter().all(|c| c.state == State::Answered), "they still talk");
    world.until_completed(id, LONG).await;
    assert_nobody_twice(&world);
}

#[tokio::test]
async fn lesson_07_a_leave_before_the_reply_is_only_noted() {
    let (office, id) = Office::calling(csv_of(2), |_| {}).await;
    let call = office.dial(id).await.unwrap();
    let leave = Kind::LegLeft { sid: "PA_1".into(), reason: Leave::UserRejected, status: Some(LegStatus::Dialing), call_sid: None };
    office.tell(call, "left", Source::Livekit, leave).await;
    assert!(!office.call(call).await.state.is_ended());
    office.reply(call, Reply::Ended { end: End::Busy, sip_code: Some(486), reason: "Busy here".into() }).await;
    assert_eq!((office.call(call).await.state, office.call(call).await.sip_code), (State::Busy, Some(486)));
}

#[test]
fn lesson_08_a_refused_login_quotes_the_token_and_we_do_not() {
    for words in ["invalid token: eyJ.CANARY, error: token has invalid claims: token is expired", "invalid API key: CANARY"] {
        let reply = read_reply(401, words.as_bytes());
        assert!(matches!(&reply, Reply::Unsent { reason, .. } if !reason.contains("CANARY")), "{reply:?}");
    }
}

#[test]
fn lesson_09_webhooks_carry_a_secret_that_is_dropped() {
    let body = serde_json::json!({
        "event": "participant_joined", "id": "EV_1", "createdAt": "1700000000",
        "room": { "name": "dd-00000000-01a205dc-70d4-7318-962d-0363b03628bd-1", "turnPassword": "CANARY-turn-password" },
        "participant": { "sid": "PA_1", "identity": "callee", "kind": "SIP", "attributes": { "sip.callStatus": "ringing" } },
    })
    .to_string();
    let hash = base64::engine::general_purpose::STANDARD.encode(Sha256::digest(body.as_bytes()));
    dialdeck::telephony::tokens::install();
    let token = livekit_api::access_token::AccessToken::with_api_key("k", "secret").with_sha256(&hash).to_jwt().unwrap();
    let event = WebhookKeys::new(vec![("k".into(), "secret".into())]).receive(&token, body.as_bytes(), chrono::DateTime::UNIX_EPOCH).unwrap();
    assert!(!event.raw.to_string().contains("CANARY") && event.raw.to_string().contains("PA_1"), "{}", event.raw);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn lesson_10_a_room_that_is_missing_is_an_empty_one() {
    let world = World::new(Options::default()).await;
    assert!(world.carrier.look("nowhere".into()).await.unwrap().is_empty());
    assert_eq!(world.carrier.delete_room("nowhere".into()).await.unwrap(), Deleted::NotThere);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn lesson_11_an_agents_attributes_are_a_report_that_needs_no_public_url() {
    let (world, id) = calling(4, 20.0, 1, 10).await;
    world.until_completed(id, LONG).await;
    let calls = world.calls(id).await;
    assert!(calls.iter().all(|c| c.outcome == Some(Outcome::Interested) || c.suggestion == Some(Outcome::Interested)), "{:?}", states(&calls));
}

#[test]
fn lesson_12_a_hidden_listener_is_neither_callee_nor_agent() {
    let listener = Participant { sid: "PA_9".into(), identity: "supervisor-1".into(), kind: ParticipantKind::Other, active: true, attributes: HashMap::new() };
    assert!(!listener.is_callee() && !listener.is_agent("ai"));
    let phone = Participant { kind: ParticipantKind::Sip, ..listener };
    assert!(!phone.is_callee(), "a supervisor's phone is not the person called");
}

#[test]
fn lesson_13_checking_is_ours() {
    assert!(PhoneNumber::parse("not a number", None).is_err());
    for wrong in
        [Settings { ring_timeout_s: 200, ..settings() }, Settings { ring_timeout_s: 0, ..settings() }, Settings { max_call_duration_s: 0, ..settings() }]
    {
        assert!(!wrong.validate().is_empty());
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn lesson_14_sixty_dials_wait_at_once() {
    let behaviour = Behaviour::Answer { ring: Duration::from_secs(5), talk: Duration::from_secs(20) };
    let mut world = World::new(Options { speed: 4.0, behaviour, ..Options::default() }).await;
    let id = world.running(csv_of(60), |s| s.max_concurrent = 60).await;
    world.until("sixty talk", LONG, || async { world.simulator.live_legs() >= 50 }).await;
    world.until_completed(id, LONG).await;
    assert_eq!(world.row(id).await.counts.pickups, 60);
}

#[test]
fn lesson_16_a_trunk_that_refuses_us_is_not_the_contacts_fault() {
    let none = HashMap::new();
    let wants = classify("failed_precondition", "twirp error unknown: sip server required auth, but no username or password was provided", &none);
    assert!(matches!(wants, Reply::Ended { end: End::Misconfigured, .. }), "{wants:?}");
    let meta = HashMap::from([("sip_status_code".to_owned(), "403".to_owned()), ("sip_status".to_owned(), "Forbidden".to_owned())]);
    let refused = classify("permission_denied", "x", &meta);
    assert!(
        matches!(&refused, Reply::Ended { end: End::TrunkFailed, reason, .. } if reason.contains("country") && reason.contains("credentials")),
        "{refused:?}"
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn lesson_17_who_picks_up_as_we_cancel_has_been_rung() {
    let mut world = World::new(Options { behaviour: Behaviour::Digits, ..Options::default() }).await;
    let id = world.running("name,phone\nJane,+12125550200\n".into(), |s| s.ring_timeout_s = 15).await;
    world.until_completed(id, LONG).await;
    let call = world.calls(id).await.remove(0);
    assert_eq!((call.state, call.charged), (State::NoAnswer, true), "{}", call.reason);
}

#[tokio::test]
async fn lesson_19_events_that_come_after_an_outage_change_no_end() {
    let (office, id) = Office::calling(csv_of(1), |_| {}).await;
    let call = office.dial(id).await.unwrap();
    office.reply(call, Reply::Answered { participant_sid: "PA_1".into(), sip_call_id: "SCL_1".into() }).await;
    office.tell(call, "gone", Source::Poll, Kind::LegGone { proven: true }).await;
    let before = office.call(call).await;
    assert_eq!(before.state, State::Completed);
    office.wait(chrono::TimeDelta::seconds(8));
    for (i, status) in [LegStatus::Dialing, LegStatus::Ringing, LegStatus::Active].into_iter().enumerate() {
        let leg = Kind::Leg { status: Some(status), sid: "PA_1".into(), call_sid: None, polled: false };
        office.tell(call, &format!("late{i}"), Source::Livekit, leg).await;
    }
    let leave = Kind::LegLeft { sid: "PA_1".into(), reason: Leave::RoomDeleted, status: Some(LegStatus::Active), call_sid: None };
    office.tell(call, "left", Source::Livekit, leave).await;
    let after = office.call(call).await;
    assert_eq!((after.state, after.completed_at, after.call_duration), (before.state, before.completed_at, before.call_duration));
}

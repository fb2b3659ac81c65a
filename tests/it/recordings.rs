//! What is kept of a talk: the agent's report, an operator's word about it, and recordings, told by Twilio's
//! callback, made by LiveKit's egress, or read from Twilio's list.

use std::{sync::Arc, time::Duration};

use axum::{body::Body, http::Request};
use chrono::TimeDelta;
use dialdeck::{
    api::Role,
    config::Secret,
    desk::DeskError,
    domain::{
        event::{AgentReport, Kind, Reply, Source},
        id::{CallId, OwnerId},
        outcome::{Line, Report, Who},
        recording::{Maker, News, Stage},
        retry::RetryRules,
    },
    engine::Recording,
    telephony::{
        RecordingPlace,
        simulator::{Behaviour, Faults},
        twilio,
        twilio_calls::CallList,
    },
};
use serde_json::{Value, json};

use crate::{
    api::{Rest, code},
    support::{
        Options, World, csv_of,
        http::{Answer, send},
        office::Office,
    },
};

const ACCOUNT: &str = "AC00000000000000000000000000000001";

fn answered() -> Reply {
    Reply::Answered { participant_sid: "PA_1".into(), sip_call_id: "SCL_1".into() }
}

/// A listener over a world with one call armed by hand.
async fn with_a_call() -> (Rest, CallId) {
    let rest = Rest::new().await;
    let (source, _) = rest.world.import(csv_of(1)).await;
    let id = rest.world.campaign(source, |_| {}).await;
    rest.world.desk.start(rest.world.actor.clone(), id).await.unwrap();
    let (call, _) = rest.world.arm_next(id, dialdeck::domain::id::Incarnation::fresh()).await;
    (rest, call)
}

async fn shown(rest: &Rest, call: CallId) -> Value {
    rest.call("GET", &format!("/outbound-calls/{call}"), None).await.json()["call"].clone()
}

/// Twilio's recording callback, signed.
async fn told(rest: &Rest, fields: &[(&str, &str)], token: &str) -> Answer {
    let target = "/api/v1/recording/status";
    let form: Vec<(String, String)> = fields.iter().map(|(k, v)| ((*k).to_owned(), (*v).to_owned())).collect();
    let body = fields.iter().map(|(k, v)| format!("{k}={}", v.replace(':', "%3A").replace('/', "%2F"))).collect::<Vec<_>>().join("&");
    let request = Request::post(target)
        .header("x-twilio-signature", twilio::sign(token, &format!("https://x.example{target}"), &form))
        .header("content-type", "application/x-www-form-urlencoded");
    send(&rest.router, request.body(Body::from(body)).unwrap()).await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_callbacks_recording_is_kept_before_its_call_is_known() {
    let (rest, call) = with_a_call().await;
    assert_eq!(shown(&rest, call).await["recording_status"], "not recorded");
    let url = "https://api.twilio.com/2010-04-01/Accounts/AC1/Recordings/RE1";
    let done = [("CallSid", "CA77"), ("RecordingSid", "RE1"), ("RecordingStatus", "completed"), ("RecordingUrl", url), ("RecordingDuration", "12")];
    assert_eq!(told(&rest, &done, "wrong").await.status, 403);
    assert_eq!(told(&rest, &done, "tok").await.status, 204);
    // What comes late changes nothing, and what names no recording is refused.
    assert_eq!(told(&rest, &[("CallSid", "CA77"), ("RecordingSid", "RE1"), ("RecordingStatus", "in-progress")], "tok").await.status, 204);
    assert_eq!(code(&told(&rest, &[("CallSid", "CA77")], "tok").await), (400, "invalid_request".into()));
    assert_eq!(shown(&rest, call).await["recordings"], json!([]), "nobody knows that it is this call's");
    let leg = Kind::Leg { status: None, sid: "PA_1".into(), call_sid: Some("CA77".into()), polled: true };
    let event = dialdeck::domain::event::CallEvent {
        key: "leg".into(),
        target: dialdeck::domain::event::Target::Call(call),
        source: Source::Poll,
        at: rest.world.clock.now(),
        kind: leg,
        raw: Value::Null,
    };
    rest.world.desk.record(event).await.unwrap();
    let now = shown(&rest, call).await;
    assert_eq!((now["recording_url"].as_str(), now["recording_status"].as_str()), (Some(url), Some("recorded")));
    assert_eq!((now["recordings"][0]["sid"].as_str(), now["recordings"][0]["duration"].as_i64()), (Some("RE1"), Some(12)));
    // A second one of a call that is known.
    let absent = [("CallSid", "CA77"), ("RecordingSid", "RE2"), ("RecordingStatus", "absent"), ("RecordingUrl", "javascript:alert(1)")];
    assert_eq!(told(&rest, &absent, "tok").await.status, 204);
    let now = shown(&rest, call).await;
    assert_eq!(
        (now["recordings"].as_array().unwrap().len(), now["recording_status"].as_str(), now["recording_url"].as_str()),
        (2, Some("recorded"), Some(url))
    );
    assert!(now["recordings"].as_array().unwrap().iter().all(|r| r["sid"] == "RE1" || r["url"].is_null()));
}

/// A world in which everybody talks for a while, its engine recording so.
async fn recording(options: Options, address: &str, how: impl FnOnce(&World) -> Recording) -> (World, dialdeck::domain::id::CampaignId) {
    let mut world = World::new(options).await;
    world.assign(address).await;
    let how = how(&world);
    let (source, _) = world.import(csv_of(3)).await;
    let id = world.campaign(source, |s| s.retry = RetryRules { max_attempts: 1, ..RetryRules::default() }).await;
    world.start_engine_as(|c| c.recording = how);
    world.desk.start(world.actor.clone(), id).await.unwrap();
    (world, id)
}

fn talkative() -> Options {
    let behaviour = Behaviour::Answer { ring: Duration::from_secs(2), talk: Duration::from_secs(20) };
    Options { behaviour, speed: 20.0, faults: Faults::default(), ..Options::default() }
}

async fn until_recorded(world: &World, id: dialdeck::domain::id::CampaignId) -> Vec<(dialdeck::store::CallRow, Vec<dialdeck::store::RecordingRow>)> {
    world
        .until("every call has its recording", Duration::from_mins(1), || async {
            let calls = world.calls(id).await;
            calls.len() == 3 && calls.iter().all(|c| c.recording_url.is_some())
        })
        .await;
    let mut out = Vec::new();
    for call in world.calls(id).await {
        let recordings = world.store.recordings(&call).await.unwrap();
        out.push((call, recordings));
    }
    out
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn egress_records_each_answered_call_once() {
    let place = || Recording::Egress(RecordingPlace { prefix: "calls/".into(), bucket: None });
    // Longer talks: what was being begun when the engine died is nobody's for 20 seconds.
    let behaviour = Behaviour::Answer { ring: Duration::from_secs(2), talk: Duration::from_mins(1) };
    let (mut world, id) = recording(Options { behaviour, ..talkative() }, "trunk.example", |_| place()).await;
    let begun = |world: &World| world.simulator.log().into_iter().map(|l| l.what).filter(|w| w.starts_with("egress ")).collect::<Vec<_>>();
    world.until("somebody is recorded", Duration::from_mins(1), || async { !begun(&world).is_empty() }).await;
    // What is asked for stands in a row: the next engine asks nobody twice.
    world.crash_engine().await;
    world.start_engine_as(|c| c.recording = place());
    for (call, recordings) in until_recorded(&world, id).await {
        assert_eq!(recordings.len(), 1, "{recordings:?}");
        assert_eq!(call.recording_url.as_deref(), Some(format!("https://bucket.example/calls/{}.ogg", call.id).as_str()));
        assert!(recordings[0].sid.starts_with("EG_") && recordings[0].duration.is_some_and(|d| d > 0), "{recordings:?}");
    }
    let begun = begun(&world);
    assert_eq!(begun.len(), 3, "{begun:?}");
    assert!(begun.iter().all(|w| w.ends_with("audio_only=true")), "{begun:?}");
}

/// A talk of less than a second is recorded too: whoever records hears of the answer at once, not at its next look.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn egress_begins_before_a_short_talk_is_over() {
    // Slower than life, and the answers fall between looks that are a second apart.
    let behaviour = Behaviour::Answer { ring: Duration::from_millis(300), talk: Duration::from_millis(300) };
    let mut world = World::new(Options { behaviour, speed: 0.4, ..talkative() }).await;
    let (source, _) = world.import(csv_of(3)).await;
    let id = world.campaign(source, |s| s.call_delay_ms = 1350).await;
    world.start_engine_as(|c| c.recording = Recording::Egress(RecordingPlace { prefix: "calls/".into(), bucket: None }));
    world.desk.start(world.actor.clone(), id).await.unwrap();
    let log = || world.simulator.log().into_iter().map(|l| l.what).collect::<Vec<_>>();
    let left = |number: &str| log().iter().position(|w| w.starts_with(&format!("left {number}")));
    let numbers: Vec<String> = (0..3).map(crate::support::fictional).collect();
    world.until("their ends", Duration::from_mins(1), || async { numbers.iter().all(|n| left(n).is_some()) }).await;
    for call in world.calls(id).await {
        let begun = log().iter().position(|w| w.starts_with("egress ") && w.contains(call.room_name.as_deref().unwrap()));
        assert!(begun.is_some_and(|at| Some(at) < left(&call.phone_number)), "{}: {:?}", call.phone_number, log());
    }
}

/// Two engines find the same recording due: one of them begins it.
#[tokio::test]
async fn one_begins_a_recording_that_two_find_due() {
    let (office, id) = Office::calling(csv_of(1), |_| {}).await;
    let call = office.dial(id).await.unwrap();
    assert!(office.desk.ask_recording(call, office.now()).await.unwrap());
    assert!(!office.desk.ask_recording(call, office.now()).await.unwrap(), "asked for once");
    let begin = || office.desk.begin_recording(call, office.now(), TimeDelta::seconds(20));
    assert!(begin().await.unwrap() && !begin().await.unwrap());
    office.wait(TimeDelta::seconds(21));
    assert!(begin().await.unwrap(), "whoever began it has died");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn twilios_list_is_read_once_a_call_is_over() {
    let list =
        |world: &World| Recording::Twilio(Arc::new(CallList::new(&world.simulator.url(), ACCOUNT, &Secret::new("simulated-twilio-auth-token")).unwrap()));
    let (world, id) = recording(talkative(), "acme.pstn.twilio.com", list).await;
    for (call, recordings) in until_recorded(&world, id).await {
        assert_eq!(recordings.len(), 1, "{recordings:?}");
        assert_eq!(recordings[0].sid[2..], call.call_sid.unwrap()[2..]);
        let url = format!("{}/2010-04-01/Accounts/{ACCOUNT}/Recordings/{}", world.simulator.url(), recordings[0].sid);
        assert_eq!(call.recording_url, Some(url));
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn without_a_source_nothing_is_recorded_and_nobody_is_asked() {
    let (world, id) = recording(talkative(), "trunk.example", |_| Recording::None).await;
    world.until_completed(id, Duration::from_mins(1)).await;
    let calls = world.calls(id).await;
    assert!(calls.iter().all(|c| c.answered_at.is_some() && c.recording_url.is_none()));
    assert!(world.simulator.log().iter().all(|l| !l.what.starts_with("egress ")));
}

#[tokio::test]
async fn a_recording_whose_call_never_became_known_goes_with_the_events() {
    let office = Office::open(|_| {}).await;
    let news = |sid: &str| News {
        sid: sid.into(),
        call: None,
        call_sid: Some("CA9".into()),
        maker: Maker::Twilio,
        stage: Stage::Completed,
        url: None,
        duration: None,
        reason: String::new(),
        at: office.now(),
    };
    office.desk.recorded(news("RE1")).await.unwrap();
    office.wait(TimeDelta::days(401));
    office.desk.recorded(news("RE2")).await.unwrap();
    assert_eq!(office.desk.tidy(&dialdeck::domain::retention::Retention::default()).await.unwrap().events, 1);
    let left: Vec<String> = office.base.column("SELECT sid FROM recordings").await;
    assert_eq!(left, ["RE2"]);
}

fn said(summary: &str) -> Report {
    let line = Line { role: "agent".into(), text: "Hello\u{1b}[2J there".into(), at: None };
    Report { summary: Some(summary.into()), answered_by: Some("human".into()), transcript: vec![line] }
}

#[tokio::test]
async fn a_report_is_one_a_call_and_a_person_stands_before_a_machine() {
    let (office, id) = Office::calling(csv_of(1), |_| {}).await;
    let call = office.dial(id).await.unwrap();
    office.reply(call, answered()).await;
    let agent = dialdeck::desk::Actor { owner: office.actor.owner, name: "agent".into(), source: "agent" };
    office.desk.report(agent.clone(), call, said("first"), Who::Agent).await.unwrap();
    let again = office.desk.report(agent.clone(), call, said("second"), Who::Agent).await.unwrap_err();
    assert!(matches!(again, DeskError::Busy(_)), "{again}");
    office.wait(TimeDelta::seconds(1));
    office.desk.report(agent.clone(), call, Report { summary: Some("second".into()), ..Report::default() }, Who::Agent).await.unwrap();
    let kept = || async { office.store.report(call).await.unwrap().unwrap() };
    let row = kept().await;
    assert_eq!((row.summary.as_deref(), row.answered_by.as_deref(), row.who), (Some("second"), Some("human"), Who::Agent));
    assert_eq!(row.transcript.unwrap().0, json!([{ "role": "agent", "text": "Hello[2J there", "at": null }]));
    office.wait(TimeDelta::seconds(1));
    office.desk.report(office.actor.clone(), call, said("as I heard it"), Who::Operator).await.unwrap();
    office.wait(TimeDelta::seconds(1));
    office.desk.report(agent, call, said("third"), Who::Agent).await.unwrap();
    let attributes = AgentReport { summary: Some("by attributes".into()), ..AgentReport::default() };
    office.tell(call, "attributes", Source::Poll, Kind::Report(attributes)).await;
    let row = kept().await;
    assert_eq!((row.summary.as_deref(), row.who, row.by.as_str()), (Some("as I heard it"), Who::Operator, "tester"));
    let stranger = dialdeck::desk::Actor { owner: OwnerId(uuid::Uuid::new_v4()), name: "x".into(), source: "api" };
    assert!(matches!(office.desk.report(stranger, call, said("x"), Who::Operator).await, Err(DeskError::NotFound(_))));
    assert_eq!(office.store.timeline(call).await.unwrap().len(), 2, "reports by REST pile no events up");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn reports_by_attributes_and_by_rest_are_shown_with_the_call() {
    let (mut rest, call) = with_a_call().await;
    let path = format!("/outbound-calls/{call}");
    assert_eq!(shown(&rest, call).await["report"], Value::Null);
    let admin = rest.token.clone();
    let until = dialdeck::clock::Clock::now(&dialdeck::clock::SystemClock::new()) + TimeDelta::hours(1);
    rest.token = rest.auth.mint(rest.world.actor.owner, Role::Agent, until, Some(call)).unwrap();
    let report = json!({ "summary": "wants a demo", "answeredBy": "human", "transcript": [{ "role": "callee", "text": "yes", "at": "2026-11-18T17:00:05Z" }] });
    assert_eq!(rest.call("POST", &format!("{path}/report"), Some(report)).await.status, 200);
    let many: Vec<Value> = (0..20).map(|_| json!({ "role": "callee", "text": "x".repeat(3900) })).collect();
    assert_eq!(code(&rest.call("POST", &format!("{path}/report"), Some(json!({ "transcript": many }))).await), (413, "too_large".into()));
    let wrong = rest
        .call(
            "POST",
            &format!("{path}/report"),
            Some(json!({ "answeredBy": "robot", "summary": "x".repeat(4001), "transcript": [{ "role": "", "text": "" }] })),
        )
        .await;
    let fields: Vec<_> = wrong.json()["details"].as_array().unwrap().iter().map(|d| d["field"].clone()).collect();
    assert_eq!((wrong.status.as_u16(), fields), (422, vec![json!("summary"), json!("answeredBy"), json!("transcript")]));
    assert_eq!(
        code(&rest.call("POST", &format!("{path}/report"), Some(json!({ "transcript": [{ "role": "a", "words": "b" }] }))).await),
        (400, "invalid_request".into())
    );
    rest.token = admin;
    let outcome = json!({ "outcome": "perhaps", "notes": "\u{200b}", "callback_at": "2020-01-01T00:00:00Z", "confidence": 2 });
    let wrong = rest.call("PUT", &format!("{path}/outcome"), Some(outcome)).await;
    let fields: Vec<_> = wrong.json()["details"].as_array().unwrap().iter().map(|d| d["field"].clone()).collect();
    assert_eq!((wrong.status.as_u16(), fields), (422, vec![json!("outcome"), json!("notes"), json!("callbackAt"), json!("confidence")]));
    let kept = shown(&rest, call).await["report"].clone();
    assert_eq!((kept["summary"].as_str(), kept["answered_by"].as_str(), kept["who"].as_str()), (Some("wants a demo"), Some("human"), Some("agent")));
    assert_eq!(kept["transcript"], json!([{ "role": "callee", "text": "yes", "at": "2026-11-18T17:00:05Z" }]));
    rest.token = rest.mint(OwnerId(uuid::Uuid::new_v4()), Role::Admin);
    assert_eq!(code(&rest.call("POST", &format!("{path}/report"), Some(json!({}))).await), (404, "not_found".into()));
}

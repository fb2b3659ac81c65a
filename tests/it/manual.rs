//! Calls that somebody asks for: by the same gates as any other, soon or never, once under one key.

use std::{sync::Arc, time::Duration};

use axum::{body::Body, http::Request};
use dialdeck::{
    api::{Auth, Role},
    clock::{Clock, SharedClock, SystemClock},
    config::Secret,
    desk::{Actor, ByHand, Desk, MANUAL},
    domain::{
        call::State,
        campaign::{Settings, Status},
        id::{CallId, CampaignId, OwnerId},
        phone::PhoneNumber,
        rules::{Profile, Rules},
    },
    store::{CallFilter, CampaignEdit, Setting},
    telephony::simulator::{Behaviour, Faults, Workers},
};
use serde_json::{Value, json};

use crate::{
    api::{Rest, code},
    crash::Rig,
    dispatch::national,
    support::{
        Options, World, csv_of, fictional,
        http::{self, Answer, send},
        quick_rules,
    },
    walls::until,
};

const LONG: Duration = Duration::from_secs(20);

/// A world in which everybody answers after 2 s and talks for `talk` seconds; slow enough that an agent
/// and an engine have their seconds on a busy machine.
async fn world(talk: u64, faults: Faults) -> World {
    let behaviour = Behaviour::Answer { ring: Duration::from_secs(2), talk: Duration::from_secs(talk) };
    World::new(Options { speed: 5.0, behaviour, faults, ..Options::default() }).await
}

async fn running(mut world: World) -> Rest {
    world.start_engine();
    world.until("an engine", LONG, || async { world.store.engine().await.unwrap().is_some() }).await;
    Rest::over(world, "https://x.example")
}

pub async fn rest(talk: u64) -> (Rest, CampaignId) {
    let world = world(talk, Faults::default()).await;
    let (source, _) = world.import(csv_of(3)).await;
    let id = world.campaign(source, |_| {}).await;
    (running(world).await, id)
}

async fn initiate(rest: &Rest, campaign: CampaignId, number: &str) -> Answer {
    rest.call("POST", "/outbound-calls/initiate", Some(json!({ "campaignId": campaign, "phoneNumber": number, "contactName": "Jane" }))).await
}

/// The gate of a refusal.
fn gate(answer: &Answer) -> (u16, String) {
    (answer.status.as_u16(), answer.json()["details"]["gate"].as_str().unwrap_or_default().to_owned())
}

async fn pass(rest: &Rest, seconds: i64) {
    rest.world.clock.sleep_until(rest.world.clock.now() + chrono::Duration::seconds(seconds)).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_call_asked_for_is_made_and_no_other() {
    let (rest, id) = rest(3).await;
    let answer = initiate(&rest, id, &fictional(50)).await;
    let body = answer.json();
    assert_eq!((answer.status.as_u16(), &body["status"], &body["callSid"]), (202, &json!("calling"), &Value::Null), "{body}");
    let call: CallId = body["campaignCallId"].as_str().unwrap().parse().unwrap();
    let row = rest.world.store.any_call(call).await.unwrap().unwrap();
    assert_eq!(row.room_name.as_deref(), body["roomName"].as_str());
    assert!(row.armed_at.is_some() && row.room_name.unwrap().contains(&call.to_string()));
    let told = rest.world.simulator.dispatched().join("");
    assert!(told.contains("Hello Jane, this is Sarah.") && !told.contains(&fictional(50)), "{told}");
    let place = answer.headers["location"].to_str().unwrap().trim_start_matches("/api/v1").to_owned();
    let shown = rest.call("GET", &place, None).await.json();
    assert_eq!(shown["call"]["id"], body["campaignCallId"]);
    let evidence: Vec<_> = shown["call"]["evidence"].as_array().unwrap().iter().map(|a| a["action"].as_str().unwrap().to_owned()).collect();
    assert!(evidence.contains(&"call_asked".to_owned()) && evidence.contains(&"call_armed".to_owned()), "{evidence:?}");
    rest.world.until("its end", LONG, || async { rest.world.store.any_call(call).await.unwrap().unwrap().state == State::Completed }).await;
    pass(&rest, 30).await;
    let campaign = rest.world.row(id).await;
    assert_eq!((campaign.execution_status, campaign.counts.dials, campaign.counts.total), (Status::Idle, 1, 1));
    let numbers: Vec<_> = rest.world.simulator.invites().into_iter().map(|i| i.number).collect();
    assert_eq!(numbers, [fictional(50)], "nobody of the list, and nobody twice");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn in_whatever_state_the_campaign_is_only_that_call_is_made() {
    let world = world(2, Faults::default()).await;
    let (source, _) = world.import(csv_of(3)).await;
    let (paused, completed) = (world.campaign(source, |_| {}).await, world.campaign(source, |_| {}).await);
    for id in [paused, completed] {
        world.desk.start(world.actor.clone(), id).await.unwrap();
    }
    world.desk.pause(world.actor.clone(), paused).await.unwrap();
    world.desk.stop(world.actor.clone(), completed, false).await.unwrap();
    let rest = running(world).await;
    for (n, id) in [paused, completed].into_iter().enumerate() {
        let before = rest.world.row(id).await;
        assert_eq!(initiate(&rest, id, &fictional(60 + n)).await.status.as_u16(), 202);
        pass(&rest, 15).await;
        let after = rest.world.row(id).await;
        assert_eq!((after.execution_status, after.counts.pending), (before.execution_status, before.counts.pending));
        assert_eq!(after.counts.dials, 1);
    }
    let numbers: Vec<_> = rest.world.simulator.invites().into_iter().map(|i| i.number).collect();
    assert_eq!(numbers, [fictional(60), fictional(61)]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_gate_refuses_in_words_and_nothing_stays_behind() {
    let (rest, id) = rest(600).await;
    let w = &rest.world;
    w.desk.add_do_not_call(w.actor.clone(), PhoneNumber::parse(&fictional(1), None).unwrap().number, "asked".into()).await.unwrap();
    assert_eq!(gate(&initiate(&rest, id, &fictional(1)).await), (409, "do_not_call".into()));
    let early = initiate(&rest, id, "+18085550142").await;
    assert_eq!(gate(&early), (409, "contact_hours".into()), "seven in the morning: {}", early.body);
    assert!(early.json()["details"]["until"].as_str().unwrap().starts_with("2026-11-18T18:00"), "{}", early.body);
    assert_eq!(gate(&initiate(&rest, id, "+33123456789").await), (409, "country".into()));
    w.desk.kill_switch(w.actor.clone(), true).await.unwrap();
    let rows = w.row(id).await.counts.total;
    assert_eq!(gate(&initiate(&rest, id, &fictional(2)).await), (409, "kill_switch".into()));
    assert_eq!(w.row(id).await.counts.total, rows, "not even a row");
    w.desk.kill_switch(w.actor.clone(), false).await.unwrap();
    let edit = async |change: &dyn Fn(&mut Settings)| {
        let mut settings = crate::support::settings();
        change(&mut settings);
        let edit = CampaignEdit { name: "Q4".into(), assistant: w.assistant, prompt: "Hello".into(), agent_name: None, settings };
        w.desk.edit_campaign(w.actor.clone(), id, edit).await.unwrap();
    };
    edit(&|s| (s.start_hour, s.end_hour) = (13, 14)).await;
    let closed = initiate(&rest, id, &fictional(4)).await;
    assert_eq!(gate(&closed), (409, "hours".into()));
    assert!(closed.json()["details"]["until"].as_str().unwrap().starts_with("2026-11-18T18:00"), "{}", closed.body);
    edit(&|s| s.daily_cap = 1).await;
    assert_eq!(initiate(&rest, id, &fictional(3)).await.status.as_u16(), 202);
    assert_eq!(gate(&initiate(&rest, id, &fictional(4)).await), (409, "daily_cap".into()));
    edit(&|s| s.max_concurrent = 1).await;
    assert_eq!(gate(&initiate(&rest, id, &fictional(4)).await), (409, "concurrency".into()));
    edit(&|_| {}).await;
    assert_eq!(gate(&initiate(&rest, id, &fictional(3)).await), (409, "number_busy".into()));
    pass(&rest, 30).await;
    assert_eq!(w.simulator.invites_so_far(), 1);
    let calls = w.calls(id).await;
    assert!(calls.iter().all(|c| c.phone_number == fictional(3) && c.armed_at.is_some() || c.state == State::Canceled && !c.reason.is_empty()));
    assert_eq!((w.row(id).await.counts.pending, w.row(id).await.counts.processing), (0, 1));
}

/// What was refused does not stay in the queue of a campaign that goes on later.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_refused_in_a_paused_campaign_is_not_taken_again() {
    let world = world(3, Faults::default()).await;
    let (source, _) = world.import(csv_of(1)).await;
    let id = world.campaign(source, |_| {}).await;
    world.desk.start(world.actor.clone(), id).await.unwrap();
    world.desk.pause(world.actor.clone(), id).await.unwrap();
    let rest = running(world).await;
    assert_eq!(gate(&initiate(&rest, id, "+18085550142").await), (409, "contact_hours".into()), "seven in the morning");
    let calls = || async { rest.world.calls(id).await.into_iter().filter(|c| c.contact_id.is_none()).map(|c| (c.state, c.claim_number)).collect::<Vec<_>>() };
    assert_eq!(calls().await, [(State::Canceled, 1)]);
    pass(&rest, 15).await;
    assert_eq!(calls().await, [(State::Canceled, 1)]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_wrong_is_said_at_once_and_others_rows_are_not_there() {
    let (rest, id) = rest(3).await;
    let wrong = rest.call("POST", "/outbound-calls/initiate", Some(json!({ "campaignId": "x", "phoneNumber": "12", "fromNumber": "y" }))).await;
    let fields: Vec<_> = wrong.json()["details"].as_array().unwrap().iter().map(|f| f["field"].as_str().unwrap().to_owned()).collect();
    assert_eq!((wrong.status.as_u16(), fields), (422, vec!["campaignId".into(), "fromNumber".into(), "phoneNumber".into()]));
    let body = json!({ "campaignId": id, "phoneNumber": fictional(5), "fromNumber": "+15550008888" });
    assert_eq!(rest.call("POST", "/outbound-calls/initiate", Some(body)).await.json()["details"][0]["field"], "fromNumber");
    let body = json!({ "campaignId": id, "phoneNumber": fictional(5), "assistantId": CampaignId::fresh() });
    assert_eq!(rest.call("POST", "/outbound-calls/initiate", Some(body.clone())).await.json()["details"][0]["field"], "assistantId");
    let mut unknown = body;
    unknown["sipTrunk"] = "x".into();
    assert_eq!(code(&rest.call("POST", "/outbound-calls/initiate", Some(unknown)).await), (400, "invalid_request".into()));
    let plain = json!({ "campaignId": id, "phoneNumber": fictional(5) });
    for (path, body) in [("/outbound-calls/initiate", &plain), ("/livekit/outbound-calls/create-call", &json!({}))] {
        let operator = rest.mint(rest.world.actor.owner, Role::Operator);
        assert_eq!(http::call(&rest.router, "POST", &format!("/api/v1{path}"), &operator, Some(body.clone())).await.status.as_u16(), 403);
    }
    let stranger = rest.mint(OwnerId::fresh(), Role::Admin);
    assert_eq!(http::call(&rest.router, "POST", "/api/v1/outbound-calls/initiate", &stranger, Some(plain)).await.status.as_u16(), 404);
    assert_eq!(rest.world.row(id).await.counts.total, 0);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn without_an_engine_nothing_is_done_and_nothing_is_left() {
    let world = world(3, Faults::default()).await;
    let (source, _) = world.import(csv_of(1)).await;
    let id = world.campaign(source, |_| {}).await;
    let mut rest = Rest::over(world, "https://x.example");
    assert_eq!(code(&initiate(&rest, id, &fictional(7)).await), (503, "unavailable".into()));
    assert_eq!(rest.world.row(id).await.counts.total, 0, "no engine has ever been seen");
    rest.world.start_engine();
    rest.world.until("an engine", LONG, || async { rest.world.store.engine().await.unwrap().is_some() }).await;
    rest.world.crash_engine().await;
    // It looks alive, and takes nothing.
    let answer = initiate(&rest, id, &fictional(7)).await;
    assert_eq!(code(&answer), (503, "unavailable".into()), "{}", answer.body);
    let calls = rest.world.calls(id).await;
    assert_eq!((calls.len(), calls[0].state), (1, State::Canceled));
    rest.world.start_engine();
    pass(&rest, 40).await;
    assert_eq!(rest.world.simulator.invites_so_far(), 0, "not by surprise when one comes");
}

fn by_hand(campaign: CampaignId, number: &str, key: Option<&str>) -> ByHand {
    ByHand {
        campaign: Some(campaign),
        assistant: None,
        trunk: None,
        number: PhoneNumber::parse(number, None).unwrap(),
        contact_name: "Jane".into(),
        from: None,
        prompt: None,
        timezone: crate::support::settings().timezone,
        key: key.map(str::to_owned),
    }
}

/// Who asked an engine that died is told so by the next one, which does not call.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_was_asked_of_an_engine_that_died_is_not_dialled_by_the_next() {
    let (mut rest, id) = rest(3).await;
    rest.world.crash_engine().await;
    let call = rest.world.desk.call_by_hand(rest.world.actor.clone(), by_hand(id, &fictional(8), None)).await.unwrap();
    rest.world.start_engine();
    let refused = rest.world.desk.dialled(call).await.unwrap_err();
    // An engine that takes long to start finds nothing left to take back.
    assert!(["restarted", "no engine took it"].iter().any(|words| refused.to_string().contains(words)), "{refused}");
    pass(&rest, 20).await;
    assert_eq!((rest.world.simulator.invites_so_far(), rest.world.calls(id).await[0].state), (0, State::Canceled));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn one_key_makes_one_call() {
    let (rest, id) = rest(3).await;
    let body = json!({ "campaignId": id, "phoneNumber": fictional(9), "contactName": "Jane" }).to_string();
    let post = || async {
        let request = Request::post("/api/v1/outbound-calls/initiate")
            .header("authorization", format!("Bearer {}", rest.token))
            .header("content-type", "application/json")
            .header("idempotency-key", "k-1");
        send(&rest.router, request.body(Body::from(body.clone())).unwrap()).await
    };
    let (a, b) = tokio::join!(post(), post());
    let again = post().await;
    assert_eq!(again.status.as_u16(), 202, "{}", again.body);
    let id_of = |a: &Answer| a.json()["campaignCallId"].clone();
    for answer in [a, b] {
        // Who came second while the first was answered is told to ask again.
        assert!(answer.status.as_u16() == 409 || id_of(&answer) == id_of(&again), "{}", answer.body);
    }
    // The process died before it could keep the answer: the key's call is found, and no other is made.
    let world = &rest.world;
    let same = world.desk.call_by_hand(world.actor.clone(), by_hand(id, &fictional(9), Some("k-1"))).await.unwrap();
    assert_eq!(json!(same), id_of(&again));
    pass(&rest, 20).await;
    assert_eq!(world.simulator.invites_so_far(), 1);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn ten_a_minute_and_a_user() {
    let (rest, id) = rest(3).await;
    rest.world.desk.kill_switch(rest.world.actor.clone(), true).await.unwrap();
    for n in 0..10 {
        assert_eq!(initiate(&rest, id, &fictional(n)).await.status.as_u16(), 409);
    }
    let limited = initiate(&rest, id, &fictional(11)).await;
    assert_eq!(code(&limited), (429, "rate_limited".into()));
    assert!(limited.headers.contains_key("retry-after"));
    // What is told to come again later may, by the same key.
    let keyed = || async {
        let body = json!({ "campaignId": id, "phoneNumber": fictional(11) }).to_string();
        let request = Request::post("/api/v1/outbound-calls/initiate").header("authorization", format!("Bearer {}", rest.token));
        send(&rest.router, request.header("content-type", "application/json").header("idempotency-key", "k").body(Body::from(body)).unwrap()).await
    };
    assert_eq!(keyed().await.status.as_u16(), 429);
    assert!(keyed().await.headers.get("idempotent-replayed").is_none(), "it is judged anew");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn single_calls_have_a_campaign_of_their_own() {
    let (rest, _) = rest(3).await;
    let create = |n: usize, prompt: &str| {
        let body = json!({ "assistantId": rest.world.assistant, "phoneNumber": fictional(n), "contactName": "Jane", "campaignPrompt": prompt });
        rest.call("POST", "/livekit/outbound-calls/create-call", Some(body))
    };
    let made = create(20, "Good day {name}").await;
    assert_eq!((made.status.as_u16(), &made.json()["status"]), (200, &json!("calling")), "{}", made.body);
    assert!(rest.world.simulator.dispatched().join("").contains("Good day Jane"));
    assert_eq!(create(21, "").await.status.as_u16(), 200);
    assert_eq!(gate(&create(22, "Hello {company}").await), (409, "script".into()));
    let campaigns = rest.call("GET", "/campaigns", None).await.json();
    let manual: Vec<_> = campaigns["campaigns"].as_array().unwrap().iter().filter(|c| c["name"] == MANUAL).collect();
    assert_eq!((manual.len(), &manual[0]["execution_status"], &manual[0]["dials"]), (1, &json!("idle"), &json!(2)));
    let start = format!("/campaigns/{}/start", manual[0]["id"].as_str().unwrap());
    assert_eq!(gate(&rest.call("POST", &start, None).await), (409, "state".into()));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_participant_is_waited_for_where_that_is_asked() {
    let (rest, _) = rest(20).await;
    let trunks = rest.call("GET", "/livekit/outbound-calls/trunks", None).await.json();
    let trunk = trunks["trunks"][0]["trunkId"].clone();
    let body = json!({
        "outboundTrunkId": trunk, "phoneNumber": fictional(30), "contactName": "Jane", "roomName": "lobby", "participantIdentity": "x", "participantName": "AI Assistant",
        "waitUntilAnswered": true, "playDialtone": false, "krispEnabled": true,
    });
    let answer = rest.call("POST", "/livekit/outbound-calls/create-participant", Some(body.clone())).await;
    let p = answer.json()["participant"].clone();
    assert!(p.is_object(), "{}", answer.body);
    assert_eq!(
        (answer.status.as_u16(), &p["status"], &p["sipCallTo"], &p["sipNumber"]),
        (200, &json!("answered"), &json!(fictional(30)), &json!("+15550009999"))
    );
    assert!(p["roomName"].as_str().unwrap().starts_with("dd-") && p["participantId"].as_str().unwrap().starts_with("PA_"), "{p}");
    let mut foreign = body;
    foreign["outboundTrunkId"] = "ST_other".into();
    let refused = rest.call("POST", "/livekit/outbound-calls/create-participant", Some(foreign)).await;
    assert_eq!((refused.status.as_u16(), &refused.json()["details"][0]["field"]), (422, &json!("outboundTrunkId")));
    assert_eq!(rest.world.simulator.invites_so_far(), 1);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn where_no_agent_comes_nobody_is_called() {
    let world = world(3, Faults { workers: Workers::Absent, ..Faults::default() }).await;
    let (source, _) = world.import(csv_of(1)).await;
    let id = world.campaign(source, |_| {}).await;
    let rest = running(world).await;
    assert_eq!(gate(&initiate(&rest, id, &fictional(40)).await), (409, "agent".into()));
    rest.world.simulator.set_faults(Faults::default());
    pass(&rest, 30).await;
    assert_eq!((rest.world.simulator.invites_so_far(), rest.world.calls(id).await[0].state), (0, State::Canceled));
}

/// A consent that stands with a contact of the owner holds for a call by hand to its number, the newest one, unless the
/// number is on the do-not-call list. No campaign's own gate is opened by it.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_consent_recorded_with_a_contact_holds_for_a_call_by_hand() {
    let rules = Rules { profile: Profile::Us, ..quick_rules() };
    let behaviour = Behaviour::Answer { ring: Duration::from_secs(2), talk: Duration::from_secs(2) };
    let world = World::new(Options { speed: 10.0, behaviour, rules, ..Options::default() }).await;
    let agreed = |n: usize, at: &str| format!("name,phone,consent_at,consent_source\nJane,{},{at},of {at}\n", fictional(n));
    for at in ["2026-01-05T10:00:00Z", "2026-03-05T10:00:00Z", "2026-02-05T10:00:00Z"] {
        world.import(agreed(1, at)).await;
    }
    world.import(agreed(2, "2026-01-05T10:00:00Z")).await;
    world.import(agreed(5, "2027-01-05T10:00:00Z")).await;
    let stranger = Actor { owner: OwnerId::fresh(), ..world.actor.clone() };
    let import = dialdeck::desk::Import {
        table: dialdeck::store::ContactTable::CsvFile,
        name: "theirs.csv".into(),
        region: None,
        mapping: Vec::new(),
        size: None,
        dry_run: false,
    };
    let progress = tokio::sync::watch::Sender::new(dialdeck::desk::Progress::default());
    let theirs = std::io::Cursor::new(agreed(3, "2026-01-05T10:00:00Z"));
    world.desk.import(stranger, import, theirs, progress, tokio_util::sync::CancellationToken::new()).await.unwrap();
    // A campaign over the same number without its consent.
    let (source, _) = world.import(format!("name,phone\nJane,{}\n", fictional(1))).await;
    let id = world.campaign(source, |_| {}).await;
    world.desk.import_do_not_call(world.actor.clone(), std::io::Cursor::new("+12125550199\n"), national(world.clock.now())).await.unwrap();
    let rest = running(world).await;
    let w = &rest.world;
    let made = initiate(&rest, id, &fictional(1)).await;
    assert_eq!(made.status.as_u16(), 202, "{}", made.body);
    let call: CallId = made.json()["campaignCallId"].as_str().unwrap().parse().unwrap();
    let evidence = w.store.audit_of(w.actor.owner, call.0).await.unwrap();
    let armed = &evidence.iter().find(|a| a.action == "call_armed").unwrap().details;
    assert_eq!((&armed["consentAt"], &armed["consentOf"]["source"]), (&json!("2026-03-05T10:00:00Z"), &json!("of 2026-03-05T10:00:00Z")), "{armed:?}");
    assert!(armed["consentOf"]["contact"].as_str().is_some_and(|c| c.parse::<uuid::Uuid>().is_ok()));
    w.desk.add_do_not_call(w.actor.clone(), PhoneNumber::parse(&fictional(2), None).unwrap().number, "asked".into()).await.unwrap();
    assert_eq!(gate(&initiate(&rest, id, &fictional(2)).await), (409, "do_not_call".into()));
    assert_eq!(gate(&initiate(&rest, id, &fictional(3)).await), (409, "consent".into()), "another owner's contact");
    assert_eq!(gate(&initiate(&rest, id, &fictional(4)).await), (409, "consent".into()), "nobody's");
    assert_eq!(gate(&initiate(&rest, id, &fictional(5)).await), (409, "consent".into()), "not yet");
    w.desk.start(w.actor.clone(), id).await.unwrap();
    w.until_completed(id, LONG).await;
    let own = w.calls(id).await.into_iter().find(|c| c.contact_id.is_some()).unwrap();
    assert!(own.armed_at.is_none() && own.reason.contains("consent"), "{own:?}");
    assert_eq!(w.simulator.invites_so_far(), 1);
}

/// P7: once a pause has returned, what was asked for before it is not armed either.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_pause_stops_what_was_asked_for_before_it() {
    let world = world(3, Faults { workers: Workers::Absent, ..Faults::default() }).await;
    let (source, _) = world.import(csv_of(1)).await;
    let id = world.campaign(source, |_| {}).await;
    let rest = running(world).await;
    let w = &rest.world;
    w.desk.start(w.actor.clone(), id).await.unwrap();
    let asked = async {
        w.until("it is being prepared", LONG, || async { w.calls(id).await.iter().any(|c| c.phone_number == fictional(41) && c.state == State::Claimed) })
            .await;
        w.desk.pause(w.actor.clone(), id).await.unwrap();
        w.simulator.set_faults(Faults::default());
    };
    let number = fictional(41);
    let (answer, ()) = tokio::join!(initiate(&rest, id, &number), asked);
    assert_eq!(gate(&answer), (409, "state".into()), "{}", answer.body);
    pass(&rest, 20).await;
    assert_eq!(w.simulator.invites_so_far(), 0);
}

/// The program is killed while it makes a call that was asked for; the next one neither makes it again nor leaves
/// it open. Answers how often the phone rang, and what became of the row.
async fn killed_at(point: &str) -> (usize, State) {
    let rig = Rig::new(1, 2500, 400).await;
    let clock: SharedClock = Arc::new(SystemClock::new());
    let desk = Desk::new(rig.store.clone(), clock, quick_rules());
    desk.pause(rig.actor.clone(), rig.campaign).await.unwrap();
    let secret = Secret::new(desk.secret(Setting::JwtSecret).await.unwrap());
    let auth = Auth::new(secret, "authenticated".into(), String::new(), Role::Supervisor);
    let token = auth.mint(rig.actor.owner, Role::Supervisor, Clock::now(&SystemClock::new()) + chrono::Duration::hours(1), None).unwrap();
    let mut program = rig.serve(Some(format!("{point}:1")));
    let (base, authorization) = (format!("http://{}", rig.address), format!("Bearer {token}"));
    until("it is ready", LONG, async || http::request(&base, "GET", "/readyz", &authorization, "").await.0 == 200).await;
    let body = json!({ "campaignId": rig.campaign, "phoneNumber": fictional(42), "contactName": "Jane" }).to_string();
    let asked = http::post(&base, "/api/v1/outbound-calls/initiate", &token, &body).await;
    until("it dies", LONG, async || program.try_wait().unwrap().is_some()).await;
    assert!(asked.0 == 0 || asked.0 == 202, "{point}: {asked:?}");
    let mut next = rig.serve(None);
    let row = || async {
        rig.store.calls(rig.campaign, &CallFilter::default(), 10, 0).await.unwrap().rows.into_iter().find(|c| c.phone_number == fictional(42)).unwrap()
    };
    until("its end", Duration::from_secs(40), async || row().await.state.is_ended()).await;
    tokio::time::sleep(Duration::from_secs(1)).await;
    next.kill().unwrap();
    next.wait().unwrap();
    assert_eq!(rig.store.campaign(rig.actor.owner, rig.campaign).await.unwrap().unwrap().execution_status, Status::Paused);
    (rig.simulator.invites().iter().filter(|i| i.number == fictional(42)).count(), row().await.state)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_death_on_the_way_never_calls_twice() {
    let (prepared, armed, ringing) = tokio::join!(killed_at("prepare.agent_seen"), killed_at("arm.committed"), killed_at("dial.ringing"));
    assert_eq!(prepared, (0, State::Canceled), "not armed: who asked must ask again");
    assert_eq!(armed, (0, State::NotPlaced), "armed: it is not sent again, and the carrier's list shows none");
    assert_eq!(ringing.0, 1, "{ringing:?}");
}

//! What is asked of live calls: the row first, an engine acts once, the asker waits; whatever rings another phone
//! is judged, rung once, and gone with the call.

use std::time::Duration;

use dialdeck::{
    api::Role,
    desk::Ask,
    domain::{
        call::State,
        event::{CallEvent, Kind as Event, LegStatus, Source, Target},
        id::{CallId, CampaignId, Incarnation, OwnerId, RequestId},
        phone::PhoneNumber,
        request::{Fate, Kind},
        rules::Rules,
    },
    store::{CallFilter, CallRow, Store},
    telephony::simulator::{Behaviour, Faults},
};
use serde_json::{Value, json};

use crate::support::base::on_a_server;
use crate::{
    api::{Rest, code},
    crash::Rig,
    support::{
        Options, World, fictional,
        http::{self, Answer},
        quick_rules,
    },
    walls::{Breaking, until},
};

const LONG: Duration = Duration::from_secs(20);

async fn world(speed: f64, faults: Faults) -> World {
    World::new(Options { speed, behaviour: Behaviour::Digits, faults, ..Options::default() }).await
}

/// The same over a trunk of two lines.
async fn two_lines(speed: f64) -> World {
    let rules = Rules { trunk_concurrent: 2, ..quick_rules() };
    World::new(Options { speed, behaviour: Behaviour::Digits, rules, ..Options::default() }).await
}

async fn lines(rest: &Rest) -> i64 {
    rest.world.store.trunks().await.unwrap()[0].live
}

/// One call to a number, in this state.
async fn call_in(number: &str, state: State, faults: Faults) -> (Rest, CampaignId, CallId) {
    call_at(10.0, number, state, faults).await
}

async fn call_at(speed: f64, number: &str, state: State, faults: Faults) -> (Rest, CampaignId, CallId) {
    let mut world = world(speed, faults).await;
    let id = world.running(format!("name,phone\nAda,{number}\n"), |_| {}).await;
    world.until("the call", LONG, || async { world.calls(id).await.first().is_some_and(|c| c.state == state) }).await;
    let call = world.calls(id).await[0].id;
    (Rest::over(world, "https://x.example"), id, call)
}

async fn talking(number: &str) -> (Rest, CampaignId, CallId) {
    call_in(number, State::Answered, Faults::default()).await
}

async fn row(rest: &Rest, call: CallId) -> CallRow {
    rest.world.store.any_call(call).await.unwrap().unwrap()
}

async fn ended(rest: &Rest, call: CallId) -> CallRow {
    rest.world.until("its end", LONG, || async { row(rest, call).await.state.is_ended() }).await;
    row(rest, call).await
}

async fn transfer(rest: &Rest, call: CallId, to: &str) -> Answer {
    rest.call("POST", &format!("/outbound-calls/{call}/transfer"), Some(json!({ "to": to }))).await
}

async fn listen(rest: &Rest, call: CallId, body: Option<Value>) -> Answer {
    rest.call("POST", &format!("/outbound-calls/{call}/listen"), body).await
}

fn gate(answer: &Answer) -> (u16, String) {
    (answer.status.as_u16(), answer.json()["details"]["gate"].as_str().unwrap_or_default().to_owned())
}

fn logged(rest: &Rest, words: &str) -> usize {
    rest.world.simulator.log().iter().filter(|l| l.what.starts_with(words)).count()
}

async fn actions(rest: &Rest, call: CallId) -> Vec<String> {
    rest.world.store.audit_of(rest.world.actor.owner, call.0).await.unwrap().into_iter().map(|a| a.action).collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_call_that_is_handed_over_goes_on_without_us() {
    let (rest, _, call) = talking(&fictional(0)).await;
    let answer = transfer(&rest, call, &fictional(60)).await;
    assert_eq!((answer.status.as_u16(), &answer.json()["request"]["status"]), (200, &json!("done")), "{}", answer.body);
    assert_eq!(logged(&rest, &format!("transferred {} tel:{}", fictional(0), fictional(60))), 1);
    assert_eq!(ended(&rest, call).await.state, State::Completed);
    let audit = actions(&rest, call).await;
    assert!(audit.contains(&"transfer_requested".into()) && audit.contains(&"transfer_done".into()), "{audit:?}");
    assert_eq!(gate(&transfer(&rest, call, &fictional(60)).await), (409, "state".into()));
    let shown = rest.call("GET", &format!("/outbound-calls/{call}"), None).await.json();
    let requests = shown["call"]["requests"].as_array().unwrap();
    assert_eq!((requests.len(), &requests[0]["kind"], &requests[0]["status"]), (1, &json!("transfer"), &json!("done")), "{requests:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_transfer_that_is_declined_is_said_and_one_without_an_answer_is_not_known() {
    let (rest, _, call) = talking("+12025550703").await;
    let declined = transfer(&rest, call, &fictional(60)).await;
    assert_eq!((gate(&declined), &declined.json()["details"]["sipCode"]), ((409, "transfer".into()), &json!(603)), "{}", declined.body);
    assert_eq!(row(&rest, call).await.state, State::Answered, "the two talk on");
    drop(rest);
    let (rest, _, call) = talking("+12025550701").await;
    let silent = transfer(&rest, call, &fictional(60)).await;
    assert_eq!((silent.status.as_u16(), &silent.json()["request"]["status"]), (202, &json!("unknown")), "{}", silent.body);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn whoever_is_to_ring_is_judged() {
    let (rest, _, call) = talking(&fictional(0)).await;
    let w = &rest.world;
    w.desk.add_do_not_call(w.actor.clone(), PhoneNumber::parse(&fictional(61), None).unwrap().number, "asked".into()).await.unwrap();
    let phone = |n: &str| Some(json!({ "phoneNumber": n }));
    for (to, expected) in [(fictional(61), "do_not_call"), ("+33123456789".into(), "country"), (fictional(0), "number")] {
        assert_eq!(gate(&transfer(&rest, call, &to).await), (409, expected.into()), "{to}");
        assert_eq!(gate(&listen(&rest, call, phone(&to)).await), (409, expected.into()), "{to}");
    }
    assert_eq!(code(&transfer(&rest, call, "12").await), (422, "unprocessable".into()));
    assert_eq!(code(&listen(&rest, call, Some(json!({ "speak": true }))).await), (422, "unprocessable".into()));
    w.desk.kill_switch(w.actor.clone(), true).await.unwrap();
    assert_eq!(gate(&transfer(&rest, call, &fictional(62)).await), (409, "kill_switch".into()));
    assert_eq!(gate(&listen(&rest, call, phone(&fictional(62))).await), (409, "kill_switch".into()));
    w.desk.kill_switch(w.actor.clone(), false).await.unwrap();
    let operator = rest.mint(w.actor.owner, Role::Operator);
    let stranger = rest.mint(OwnerId::fresh(), Role::Admin);
    for (path, body) in [("transfer", json!({ "to": fictional(62) })), ("listen", json!({}))] {
        let path = format!("/api/v1/outbound-calls/{call}/{path}");
        assert_eq!(http::call(&rest.router, "POST", &path, &operator, Some(body.clone())).await.status.as_u16(), 403);
        assert_eq!(http::call(&rest.router, "POST", &path, &stranger, Some(body)).await.status.as_u16(), 404);
    }
    assert!(w.store.requests_of(call).await.unwrap().is_empty() && w.simulator.invites_so_far() == 1);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nobody_is_handed_over_before_they_answer() {
    let (rest, _, call) = call_in("+12025550408", State::Ringing, Faults::default()).await;
    assert_eq!(gate(&transfer(&rest, call, &fictional(60)).await), (409, "state".into()));
    let hung = rest.call("POST", &format!("/outbound-calls/{call}/hangup"), None).await;
    assert_eq!(hung.status.as_u16(), 200, "{}", hung.body);
    assert_eq!(ended(&rest, call).await.state, State::Canceled);
    let asked = rest.world.store.requests_of(call).await.unwrap();
    rest.world.until("the row", LONG, || async { rest.world.store.request(asked[0].id).await.unwrap().unwrap().done_at.is_some() }).await;
    assert_eq!((asked.len(), asked[0].kind), (1, Kind::Hangup));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_supervisor_listens_by_phone_speaks_and_goes_with_the_call() {
    let (rest, id, call) = talking(&fictional(0)).await;
    let phone = |speak: bool| Some(json!({ "phoneNumber": fictional(70), "speak": speak }));
    let body = listen(&rest, call, phone(false)).await;
    let heard = body.json();
    assert_eq!((body.status.as_u16(), &heard["listener"]["muted"]), (200, &json!(true)), "{heard}");
    assert_eq!((rest.world.simulator.live_legs(), logged(&rest, "muted supervisor-")), (2, 1));
    let spoken = listen(&rest, call, phone(true)).await;
    assert_eq!((&spoken.json()["listener"]["muted"], logged(&rest, "unmuted supervisor-")), (&json!(false), 1), "{}", spoken.body);
    assert_eq!(listen(&rest, call, phone(false)).await.json()["listener"]["muted"], true);
    let rung: Vec<_> = rest.world.simulator.invites().into_iter().map(|i| i.number).collect();
    assert_eq!(rung, [fictional(0), fictional(70)], "the phone is rung once, whatever is asked of it");
    let callee = row(&rest, call).await;
    assert_eq!((callee.state, rest.world.calls(id).await.len()), (State::Answered, 1));
    rest.call("POST", &format!("/outbound-calls/{call}/hangup"), None).await;
    assert_eq!(ended(&rest, call).await.participant_sid, callee.participant_sid);
    rest.world.until("silence", LONG, || async { rest.world.simulator.live_legs() == 0 }).await;
}

/// The callee hangs up: nobody is left to hear, and the supervisor's phone is let go before the agent has told
/// its report.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_supervisor_does_not_stay_when_the_callee_leaves() {
    let (mut rest, _, call) = talking(&fictional(0)).await;
    assert_eq!(listen(&rest, call, Some(json!({ "phoneNumber": fictional(71) }))).await.status.as_u16(), 200);
    assert_eq!(transfer(&rest, call, &fictional(60)).await.status.as_u16(), 200);
    let end = ended(&rest, call).await;
    assert_eq!((end.state, end.reason.as_str()), (State::Completed, ""), "the callee's own end, by polls alone");
    rest.world.until("silence", LONG, || async { rest.world.simulator.live_legs() == 0 }).await;
    assert_eq!(logged(&rest, &format!("left {} PARTICIPANT_REMOVED", fictional(71))), 1, "not only with the room");
    rest.world.drain_engine(LONG).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_cannot_be_spoken_for_is_told_why() {
    let (rest, _, call) = call_in(&fictional(0), State::Answered, Faults { remote_unmute: false, ..Faults::default() }).await;
    let phone = |speak: bool| Some(json!({ "phoneNumber": fictional(72), "speak": speak }));
    assert_eq!(listen(&rest, call, phone(false)).await.status.as_u16(), 200);
    let refused = listen(&rest, call, phone(true)).await;
    assert!(refused.status.as_u16() == 503 && refused.body.contains("enable_remote_unmute"), "{}", refused.body);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_phone_that_does_not_answer_is_rung_once() {
    let (rest, _, call) = talking(&fictional(0)).await;
    let busy = listen(&rest, call, Some(json!({ "phoneNumber": "+12025550486" }))).await;
    assert_eq!((gate(&busy), &busy.json()["details"]["sipCode"]), ((409, "phone".into()), &json!(486)), "{}", busy.body);
    let ringing = rest.world.desk.ask(rest.world.actor.clone(), call, Ask::Listen { phone: PhoneNumber::parse("+12025550408", None).unwrap(), speak: false });
    let first = ringing.await.unwrap();
    rest.world.until("it rings", LONG, || async { rest.world.simulator.invites_so_far() == 3 }).await;
    // Asked again meanwhile: the same request, and no second ring.
    let again = rest.world.desk.ask(rest.world.actor.clone(), call, Ask::Listen { phone: PhoneNumber::parse("+12025550408", None).unwrap(), speak: false });
    assert_eq!(again.await.unwrap(), first);
    let other = rest.world.desk.ask(rest.world.actor.clone(), call, Ask::Listen { phone: PhoneNumber::parse("+12025550408", None).unwrap(), speak: true });
    assert!(other.await.unwrap_err().to_string().contains("being rung already"));
    let done = rest.world.desk.answered(first, chrono::Duration::seconds(60)).await.unwrap();
    assert_eq!(done.result.unwrap().fate, Fate::Refused);
    assert_eq!((rest.world.simulator.invites_so_far(), row(&rest, call).await.state), (3, State::Answered));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_token_lets_somebody_listen_and_is_kept_nowhere() {
    let (rest, _, call) = talking(&fictional(0)).await;
    let answer = listen(&rest, call, None).await;
    let listener = answer.json()["listener"].clone();
    assert_eq!((answer.status.as_u16(), answer.headers["cache-control"].to_str().unwrap()), (200, "no-store"), "{}", answer.body);
    let token = listener["token"].as_str().unwrap();
    assert!(listener["url"].as_str().unwrap().starts_with("ws://"), "{listener}");
    assert_eq!(rest.world.simulator.join(token).as_deref(), Ok(listener["identity"].as_str().unwrap()));
    let claims: Value = serde_json::from_slice(&{
        use base64::Engine;
        base64::engine::general_purpose::URL_SAFE_NO_PAD.decode(token.split('.').nth(1).unwrap()).unwrap()
    })
    .unwrap();
    let video = &claims["video"];
    assert_eq!(
        [&video["hidden"], &video["canPublish"], &video["canPublishData"], &video["roomJoin"]],
        [&json!(true), &json!(false), &json!(false), &json!(true)]
    );
    assert!(claims["exp"].as_i64().unwrap() - claims["nbf"].as_i64().unwrap() <= 61 && video["roomAdmin"] != true && video["roomCreate"] != true, "{claims}");
    let request = rest.world.store.requests_of(call).await.unwrap().remove(0);
    assert_eq!((request.kind, request.result.unwrap().fate, &request.arguments["token"]), (Kind::Listen, Fate::Done, &listener["identity"]));
    if !on_a_server() {
        let file = std::fs::read(rest.world.store.path()).unwrap().into_iter().chain(std::fs::read(format!("{}-wal", rest.world.store.path())).unwrap());
        let file: Vec<u8> = file.collect();
        assert!(!file.windows(token.len()).any(|w| w == token.as_bytes()), "not in the database");
    }
    assert_eq!(row(&rest, call).await.state, State::Answered, "who listens is nobody's callee");
    rest.call("POST", &format!("/outbound-calls/{call}/hangup"), None).await;
    ended(&rest, call).await;
    assert_eq!(gate(&listen(&rest, call, None).await), (409, "state".into()));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_room_that_has_its_agent_answers_the_same_dispatch() {
    let (rest, id, call) = talking(&fictional(0)).await;
    let room = row(&rest, call).await.room_name.unwrap();
    let ask = |room: &str| {
        let contact = json!({ "phone": fictional(0), "name": "Ada", "outboundTrunkId": "ST_1" });
        let body = json!({ "roomName": room, "assistantId": rest.world.assistant, "campaignId": id, "contactInfo": contact });
        rest.call("POST", "/livekit/outbound-calls/dispatch-agent", Some(body))
    };
    let (first, second) = (ask(&room).await, ask(&room).await);
    assert_eq!(first.status.as_u16(), 200, "{}", first.body);
    assert!(first.json()["result"]["id"].as_str().unwrap().starts_with("AD_") && first.json()["result"] == second.json()["result"], "{}", second.body);
    assert_eq!(rest.world.simulator.dispatched().len(), 1, "one agent");
    for other in ["lobby", &format!("dd-00000000-{}-1", CallId::fresh()), &format!("{room}9")] {
        assert_eq!(code(&ask(other).await), (404, "not_found".into()), "{other}");
    }
    let stranger = rest.mint(OwnerId::fresh(), Role::Admin);
    let body = json!({ "roomName": room, "assistantId": rest.world.assistant });
    let theirs = http::call(&rest.router, "POST", "/api/v1/livekit/outbound-calls/dispatch-agent", &stranger, Some(body)).await;
    assert_eq!(theirs.status.as_u16(), 404);
}

/// A call that is answered, and no engine.
async fn orphan(speed: f64) -> (Rest, CallId) {
    let world = world(speed, Faults::default()).await;
    let (source, _) = world.import(format!("name,phone\nAda,{}\n", fictional(0))).await;
    let id = world.campaign(source, |_| {}).await;
    world.desk.start(world.actor.clone(), id).await.unwrap();
    let (call, _) = world.arm_next(id, Incarnation::fresh()).await;
    let kind = Event::Leg { status: Some(LegStatus::Active), sid: "PA_1".into(), call_sid: None, polled: true };
    let event = CallEvent { key: "k1".into(), target: Target::Call(call), source: Source::Poll, at: world.clock.now(), raw: Value::Null, kind };
    world.desk.record(event).await.unwrap();
    (Rest::over(world, "https://x.example"), call)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn where_no_engine_is_the_asker_is_told_and_it_is_not_done_later() {
    let (mut rest, call) = orphan(10.0).await;
    let answer = transfer(&rest, call, &fictional(60)).await;
    assert_eq!(code(&answer), (503, "unavailable".into()), "{}", answer.body);
    let request = rest.world.store.requests_of(call).await.unwrap().remove(0);
    assert_eq!((request.result.unwrap().fate, request.taken_by), (Fate::Failed, None));
    rest.world.start_engine();
    rest.world.until("an engine", LONG, || async { rest.world.store.engine().await.unwrap().is_some() }).await;
    rest.world.clock.sleep_until(rest.world.clock.now() + chrono::Duration::seconds(5)).await;
    assert_eq!(rest.world.store.request(request.id).await.unwrap().unwrap().taken_by, None);
}

/// Who asked is gone with the process, and nobody has withdrawn it: an engine that comes later rings nobody.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_was_asked_long_ago_is_not_done_by_surprise() {
    let (mut rest, call) = orphan(20.0).await;
    let phone = PhoneNumber::parse(&fictional(70), None).unwrap();
    let asked = rest.world.desk.ask(rest.world.actor.clone(), call, Ask::Listen { phone, speak: false }).await.unwrap();
    rest.world.clock.sleep_until(rest.world.clock.now() + chrono::Duration::seconds(15)).await;
    rest.world.start_engine();
    rest.world.until("it is over", LONG, || async { rest.world.store.request(asked).await.unwrap().unwrap().done_at.is_some() }).await;
    let request = rest.world.store.request(asked).await.unwrap().unwrap();
    assert_eq!((request.result.unwrap().fate, request.taken_by, rest.world.simulator.invites_so_far()), (Fate::Failed, None, 0));
}

/// What was allowed when it was asked is judged again when it is taken: nothing rings that has been closed meanwhile.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn whoever_takes_it_judges_again() {
    let (rest, call) = orphan(10.0).await;
    let w = &rest.world;
    let ask = |n: usize| {
        let phone = PhoneNumber::parse(&fictional(n), None).unwrap();
        w.desk.ask(w.actor.clone(), call, Ask::Listen { phone, speak: false })
    };
    let (listed, stopped, open) = (ask(70).await.unwrap(), ask(71).await.unwrap(), ask(72).await.unwrap());
    let verdict = async |asked: RequestId| {
        let taken = w.desk.take_request(asked, Incarnation::fresh(), true).await.unwrap();
        (taken.is_some(), w.store.request(asked).await.unwrap().unwrap().result.map(|r| (r.fate, r.details["gate"].clone())))
    };
    w.desk.add_do_not_call(w.actor.clone(), PhoneNumber::parse(&fictional(70), None).unwrap().number, "asked".into()).await.unwrap();
    assert_eq!(verdict(listed).await, (false, Some((Fate::Refused, json!("do_not_call")))));
    w.desk.kill_switch(w.actor.clone(), true).await.unwrap();
    assert_eq!(verdict(stopped).await, (false, Some((Fate::Refused, json!("kill_switch")))));
    w.desk.kill_switch(w.actor.clone(), false).await.unwrap();
    assert_eq!(verdict(open).await, (true, None));
    assert_eq!(lines(&rest).await, 2, "the call's, and that of the one that rings");
}

/// Two lines: a call and the phone that listens to it are both of them, and no third rings.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_phone_that_listens_has_a_line_until_it_is_off() {
    let mut world = two_lines(10.0).await;
    let id = world.running(format!("name,phone\nAda,{}\n", fictional(0)), |s| s.retry.max_attempts = 1).await;
    world.until("the call", LONG, || async { world.calls(id).await.first().is_some_and(|c| c.state == State::Answered) }).await;
    let call = world.calls(id).await[0].id;
    let rest = Rest::over(world, "https://x.example");
    let dial = |n: usize| rest.call("POST", "/outbound-calls/initiate", Some(json!({ "campaignId": id, "phoneNumber": fictional(n), "contactName": "Joe" })));
    let phone = |n: usize| Some(json!({ "phoneNumber": fictional(n) }));
    assert_eq!(lines(&rest).await, 1);
    // One that does not answer gives its line back at once.
    assert_eq!(gate(&listen(&rest, call, Some(json!({ "phoneNumber": "+12025550486" }))).await), (409, "phone".into()));
    assert_eq!(lines(&rest).await, 1);
    let heard = listen(&rest, call, phone(70)).await;
    assert_eq!((heard.status.as_u16(), lines(&rest).await), (200, 2), "{}", heard.body);
    assert_eq!(listen(&rest, call, Some(json!({ "phoneNumber": fictional(70), "speak": true }))).await.status.as_u16(), 200, "it is there already");
    let rung = rest.world.simulator.invites_so_far();
    assert_eq!(gate(&listen(&rest, call, phone(71)).await), (409, "trunk_concurrency".into()));
    assert_eq!(gate(&dial(72).await), (409, "trunk_concurrency".into()));
    assert_eq!((lines(&rest).await, rest.world.simulator.invites_so_far()), (2, rung), "nobody more was rung");
    let room = row(&rest, call).await.room_name.unwrap();
    let identity = heard.json()["listener"]["identity"].as_str().unwrap().to_owned();
    rest.world.carrier.remove(room, identity).await.unwrap();
    rest.world.until("its line", LONG, || async { lines(&rest).await == 1 }).await;
    let next = dial(72).await;
    assert_eq!((next.status.as_u16(), lines(&rest).await), (202, 2), "{}", next.body);
}

/// Whoever rang the phone has died: the next engine counts its line, and gives it back when the call is over.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_crash_holds_no_line() {
    let mut world = two_lines(10.0).await;
    let id = world.running(format!("name,phone\nAda,{}\n", fictional(0)), |_| {}).await;
    world.until("the call", LONG, || async { world.calls(id).await.first().is_some_and(|c| c.state == State::Answered) }).await;
    let call = world.calls(id).await[0].id;
    let mut rest = Rest::over(world, "https://x.example");
    assert_eq!(listen(&rest, call, Some(json!({ "phoneNumber": fictional(70) }))).await.status.as_u16(), 200);
    rest.world.crash_engine().await;
    rest.world.start_engine();
    rest.world.until("it has looked", LONG, || async { row(&rest, call).await.updated_at > row(&rest, call).await.answered_at.unwrap() }).await;
    assert_eq!(lines(&rest).await, 2, "the phone listens still");
    rest.call("POST", &format!("/outbound-calls/{call}/hangup"), None).await;
    ended(&rest, call).await;
    rest.world.until("both lines", LONG, || async { lines(&rest).await == 0 }).await;
    assert!(rest.world.store.listening_lines().await.unwrap().is_empty());
}

/// A part that breaks down while it does what somebody asked for: they are told at once, by the process that lives on.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_asked_what_broke_down_is_told_at_once() {
    let rig = Rig::new(1, 300, 20_000).await;
    let mut program = Breaking::start(&rig, "errand.taken", 1);
    let desk = dialdeck::desk::Desk::new(rig.store.clone(), std::sync::Arc::new(dialdeck::clock::SystemClock::new()), quick_rules());
    let call = || async { rig.store.calls(rig.campaign, &CallFilter::default(), 10, 0).await.unwrap().rows.remove(0) };
    until("an answer", LONG, async || rig.row().await.counts.answered_now == 1).await;
    let to = PhoneNumber::parse(&fictional(60), None).unwrap();
    let asked = desk.ask(rig.actor.clone(), call().await.id, Ask::Transfer { to }).await.unwrap();
    let done = desk.answered(asked, chrono::Duration::seconds(8)).await.unwrap();
    let verdict = done.result.expect("somebody finished it").0;
    assert!(verdict.fate == Fate::Unknown && verdict.words.contains("broke down"), "{verdict:?}");
    assert!(program.ended().is_none(), "by the same process");
    program.kill();
}

/// What an engine took and did not finish is not done again: nobody knows whether the phone rang.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_a_dead_engine_has_taken_is_not_repeated() {
    let (mut rest, call) = orphan(10.0).await;
    let w = &rest.world;
    let phone = PhoneNumber::parse(&fictional(70), None).unwrap();
    let asked: RequestId = w.desk.ask(w.actor.clone(), call, Ask::Listen { phone, speak: false }).await.unwrap();
    assert!(w.desk.take_request(asked, Incarnation::fresh(), true).await.unwrap().is_some());
    assert!(w.desk.take_request(asked, Incarnation::fresh(), true).await.unwrap().is_none(), "once");
    rest.world.start_engine();
    let done = rest.world.desk.answered(asked, chrono::Duration::seconds(60)).await.unwrap();
    assert_eq!(done.result.unwrap().fate, Fate::Unknown);
    assert_eq!(rest.world.simulator.invites_so_far(), 0);
}

/// Asked while no engine was there, done by the one that comes in time.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_next_engine_acts() {
    // At the pace of life: a request is nobody's after ten seconds, and an engine takes its time to start.
    let (mut rest, _, call) = call_at(1.0, &fictional(0), State::Answered, Faults::default()).await;
    rest.world.crash_engine().await;
    let to = PhoneNumber::parse(&fictional(60), None).unwrap();
    let asked = rest.world.desk.ask(rest.world.actor.clone(), call, Ask::Transfer { to }).await.unwrap();
    rest.world.start_engine();
    rest.world.until("it is done", LONG, || async { rest.world.store.request(asked).await.unwrap().unwrap().done_at.is_some() }).await;
    assert_eq!(rest.world.store.request(asked).await.unwrap().unwrap().result.unwrap().fate, Fate::Done);
    assert_eq!(logged(&rest, "transferred"), 1);
}

/// A database of a release that had the hang-up in the call's row.
#[tokio::test]
async fn hang_ups_of_an_older_release_are_kept() {
    use sqlx::{ConnectOptions, Connection};
    let dir = tempfile::tempdir().unwrap();
    let (old, path) = (dir.path().join("old"), dir.path().join("t.db"));
    std::fs::create_dir(&old).unwrap();
    for entry in std::fs::read_dir(concat!(env!("CARGO_MANIFEST_DIR"), "/migrations/sqlite")).unwrap() {
        let entry = entry.unwrap();
        if entry.file_name().to_str().unwrap() < "0010" {
            std::fs::copy(entry.path(), old.join(entry.file_name())).unwrap();
        }
    }
    let mut db = sqlx::sqlite::SqliteConnectOptions::new().filename(&path).create_if_missing(true).connect().await.unwrap();
    sqlx::migrate::Migrator::new(old).await.unwrap().run(&mut db).await.unwrap();
    let (open, over) = (CallId::fresh(), CallId::fresh());
    let one = "00000000000000000000000000000001";
    let at = "2026-11-18T17:00:00+00:00";
    sqlx::raw_sql(sqlx::AssertSqlSafe(format!(
        "INSERT INTO assistants (id, user_id, name, created_at, updated_at) VALUES (x'{one}', x'{one}', 'S', '{at}', '{at}');
         INSERT INTO campaigns (id, user_id, name, assistant_id, contact_source, daily_cap, calling_days, start_hour, end_hour, timezone, max_concurrent,
             call_delay_ms, ring_timeout_s, max_call_duration_s, retry, status_at, created_at, updated_at)
         VALUES (x'{one}', x'{one}', 'Q', x'{one}', 'csv_file', 1, '[]', 0, 0, 'UTC', 1, 0, 30, 900, '{{}}', '{at}', '{at}', '{at}');
         INSERT INTO campaign_calls (id, user_id, campaign_id, phone_number, country, zones, state, rank, dialable_at, hangup_requested_at, created_at, updated_at)
         VALUES (x'{}', x'{one}', x'{one}', '+12025550101', 'US', '', 'answered', 40, '{at}', '{at}', '{at}', '{at}'),
                (x'{}', x'{one}', x'{one}', '+12025550102', 'US', '', 'completed', 90, '{at}', '{at}', '{at}', '{at}')",
        open.hex(),
        over.hex()
    )))
    .execute(&mut db)
    .await
    .unwrap();
    db.close().await.unwrap();
    let store = Store::open(&format!("sqlite:{}", path.display())).await.unwrap();
    let asked = store.open_requests().await.unwrap();
    assert_eq!((asked.len(), asked[0].request.call_id, asked[0].request.kind), (1, open, Kind::Hangup));
    assert_eq!(store.requests_of(over).await.unwrap()[0].result.as_ref().unwrap().fate, Fate::Done);
}

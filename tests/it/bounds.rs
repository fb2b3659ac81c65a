//! Walls: what a stranger's number, text, address or broken connection may not do. Numbers in brackets are
//! those of the findings they keep out.

use std::time::{Duration, Instant};

use axum::http::StatusCode;
use chrono::TimeDelta;
use dialdeck::{
    config::{self, Sources},
    desk::SetOutcome,
    domain::{
        call::State,
        event::{End, Kind, Leave, LegStatus, Reply, Source},
        id::CampaignId,
        outcome::{Outcome, Who},
        retry::{self, RetryRules},
    },
    provision::OwnTrunk,
    store::{CallFilter, CallRow},
};
use proptest::prelude::*;
use serde_json::{Value, json};

use crate::support::base::only_a_file;
use crate::{
    api::Rest,
    support::{Options, World, csv_of, office::Office},
};

/// What somebody with the database file, or an older release, may have left in it.
async fn by_hand(office: &Office, sql: &'static str, value: impl Into<String>) {
    let value = value.into().replace('\'', "''");
    office.base.run(&sql.replace("$1", &format!("'{value}'"))).await;
}

async fn calls(office: &Office, id: CampaignId) -> Vec<CallRow> {
    office.store.calls(id, &CallFilter::default(), 1000, 0).await.unwrap().rows
}

fn busy() -> Reply {
    Reply::Ended { end: End::Busy, sip_code: Some(486), reason: "Busy here".into() }
}

fn trunk_failed() -> Reply {
    Reply::Ended { end: End::TrunkFailed, sip_code: Some(503), reason: "Service Unavailable".into() }
}

fn campaign_of(rest: &Rest, source: impl std::fmt::Display) -> Value {
    json!({ "name": "Q4", "assistantId": rest.world.assistant, "csvFileId": source.to_string() })
}

fn with(mut body: Value, field: &str, value: Value) -> Value {
    body[field] = value;
    body
}

/// The fields a refusal names.
fn named(answer: &crate::support::http::Answer) -> Vec<String> {
    assert_eq!(answer.status, StatusCode::UNPROCESSABLE_ENTITY, "{}", answer.body);
    answer.json()["details"].as_array().unwrap().iter().map(|f| f["field"].as_str().unwrap().to_owned()).collect()
}

// [C1] Every number that enters has a range, told by the field's name.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_setting_has_a_range() {
    let rest = Rest::new().await;
    let (source, _) = rest.world.import(csv_of(3)).await;
    let ranges = [
        ("dailyCap", 1, 1_000_000),
        ("maxConcurrent", 1, 2000),
        ("callDelayMs", 0, 3_600_000),
        ("ringTimeout", 15, 60),
        ("maxCallDuration", 30, 14_400),
        ("startMinute", 0, 59),
        ("endMinute", 0, 59),
        ("retry.maxAttempts", 1, 10),
        ("retry.noAnswerMinutes", 0, 43_200),
        ("retry.busyMinutes", 0, 43_200),
        ("retry.trunkMinutes", 0, 43_200),
    ];
    for (field, low, high) in ranges {
        let create = |n: i64| {
            let body = match field.strip_prefix("retry.") {
                Some(inner) => with(campaign_of(&rest, source), "retry", json!({ inner: n })),
                None => with(campaign_of(&rest, source), field, n.into()),
            };
            rest.call("POST", "/campaigns", Some(body))
        };
        for n in [low, high] {
            assert_eq!(create(n).await.status, StatusCode::CREATED, "{field} {n}");
        }
        for n in [low - 1, high + 1, i64::MIN, i64::MAX] {
            assert_eq!(named(&create(n).await), [field], "{n}");
        }
    }
}

// [C1] A promise is kept, so it is near: nobody promises the year 262142.
#[tokio::test]
async fn a_callback_is_at_most_a_year_ahead() {
    let (office, id) = Office::calling(csv_of(1), |s| s.retry.max_attempts = 1).await;
    let call = office.dial(id).await.unwrap();
    office.reply(call, Reply::Answered { participant_sid: "PA_1".into(), sip_call_id: "SCL_1".into() }).await;
    let left = Kind::LegLeft { sid: "PA_1".into(), reason: Leave::ClientInitiated, status: Some(LegStatus::Hangup), call_sid: None };
    office.tell(call, "left", Source::Livekit, left).await;
    let callback = |at| {
        let set =
            SetOutcome { call, outcome: Some(Outcome::Callback), notes: None, who: Who::Operator, confidence: None, callback_at: Some(at), expected: None };
        office.desk.set_outcome(office.actor.clone(), set)
    };
    let far = "+262142-01-01T00:00:00Z".parse().unwrap();
    for at in [far, office.now() + TimeDelta::days(367)] {
        let refused = callback(at).await.unwrap_err().to_string();
        assert!(refused.contains("callbackAt"), "{refused}");
    }
    assert_eq!(callback(office.now() + TimeDelta::days(366)).await.unwrap().call.outcome, Some(Outcome::Callback));
}

// [C1] Rules that are in the rows already stop nobody's writes: not those of this campaign, not another's.
#[tokio::test]
async fn rules_beyond_their_range_in_a_row_stop_nothing() {
    only_a_file!("numbers that no column of a server takes");
    for wild in [i64::MAX, i64::MIN, -1, 9_000_000_000_000_000, i64::MAX / 60_000] {
        let (office, id) = Office::calling(csv_of(3), |s| s.retry.max_attempts = 3).await;
        let rules = json!({ "maxAttempts": 3, "noAnswerMinutes": wild, "busyMinutes": wild, "trunkMinutes": wild });
        by_hand(&office, "UPDATE campaigns SET retry = $1", rules.to_string()).await;
        for column in ["ring_timeout_s", "max_call_duration_s", "call_delay_ms"] {
            let sql = format!("UPDATE campaigns SET {column} = CAST($1 AS INTEGER)");
            by_hand(&office, Box::leak(sql.into_boxed_str()), wild.to_string()).await;
        }
        for reply in [trunk_failed(), busy()] {
            let call = tokio::time::timeout(Duration::from_secs(5), office.dial(id)).await.expect("the writer lives").unwrap();
            office.reply(call, reply).await;
            office.wait(TimeDelta::hours(2));
        }
        let due: Vec<_> =
            calls(&office, id).await.into_iter().filter(|c| c.state == State::Pending && c.attempt + c.position > 0).map(|c| c.dialable_at).collect();
        assert!(due.iter().all(|t| *t <= office.now() + TimeDelta::days(31)), "a rule nobody can mean waits a month: {due:?}");
        office.desk.kill_switch(office.actor.clone(), true).await.unwrap();
    }
}

proptest! {
    #[test]
    fn a_next_attempt_is_never_in_the_past_nor_beyond_a_month(
        max_attempts: i64, no_answer_minutes: i64, busy_minutes: i64, trunk_minutes: i64, attempt: i64, charged: bool, state in 0..18usize, seconds in 0..4_000_000_000i64,
    ) {
        let rules = RetryRules { max_attempts, no_answer_minutes, busy_minutes, trunk_minutes };
        let now = chrono::DateTime::from_timestamp(seconds, 0).unwrap();
        if let Some(at) = retry::next_attempt(&rules, State::ALL[state % State::ALL.len()], attempt, charged, now) {
            prop_assert!(at >= now && at <= now + TimeDelta::days(30));
        }
    }
}

// [C1] The configuration's numbers as well.
#[test]
fn every_number_of_the_configuration_has_a_range() {
    let check = |key: &str, value: &str| {
        let variable = format!("DIALDECK_{}", key.to_ascii_uppercase().replacen('.', "__", 1));
        let sources = Sources { environment: [(variable, value.to_owned())].into(), ..Sources::default() };
        config::validate(&config::extract(&sources).unwrap()).map(drop).map_err(|e| e.to_string())
    };
    let whole = ["trunk.max_concurrent", "compliance.attempts_per_24h", "breaker.unknown_in_5_min"];
    for key in whole {
        for wrong in ["-1", "0", "9223372036854775807", "-9223372036854775808", "1.5", "many"] {
            assert!(check(key, wrong).is_err(), "{key} = {wrong}");
        }
    }
    for key in ["trunk.calls_per_second", "breaker.trunk_failures", "breaker.no_agent"] {
        for wrong in ["-1", "0", "1e300", "1e-300", "inf", "nan", "many"] {
            assert!(check(key, wrong).is_err(), "{key} = {wrong}");
        }
    }
    for key in ["engine.drain_timeout", "engine.claim_lease", "engine.unknown_horizon", "engine.agent_wait"] {
        for wrong in ["18446744073709551615h", "9223372036854775807s", "40d", "-5"] {
            let told = check(key, wrong).unwrap_err();
            assert!(told.contains(key), "{told}");
        }
    }
    for (key, wrong) in [("retention.calls", "30d"), ("retention.keys", "1h"), ("retention.audit", "-1"), ("retention.events", "9999999999999d")] {
        let told = check(key, wrong).unwrap_err();
        assert!(told.contains(key), "{told}");
    }
    for (key, right) in
        [("retention.calls", "0"), ("retention.calls", "90"), ("retention.keys", "48h"), ("engine.drain_timeout", "0"), ("trunk.calls_per_second", "0.5")]
    {
        assert_eq!(check(key, right), Ok(()), "{key} = {right}");
    }
    for limits in ["connections=4294967295", "rate=4000000000", "header=4294967295", "body=100000"] {
        assert!(check("listen.limits", limits).is_err(), "{limits}");
    }
    // A lease shorter than an agent's way in lets a call be taken twice.
    assert!(check("engine.claim_lease", "20s").is_err());
}

// [H3] A prompt has a length, and so has a field's name: told at both doors, by name.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_prompt_has_a_length() {
    let rest = Rest::new().await;
    let (source, _) = rest.world.import(csv_of(3)).await;
    let (long, name) = ("a".repeat(32_769), format!("Hello {{{}}}", "a".repeat(65)));
    let made = rest.call("POST", "/campaigns", Some(campaign_of(&rest, source))).await.json()["campaign"]["id"].as_str().unwrap().to_owned();
    for wrong in [&long, &name] {
        let body = with(campaign_of(&rest, source), "campaignPrompt", wrong.as_str().into());
        assert_eq!(named(&rest.call("POST", "/campaigns", Some(body)).await), ["campaignPrompt"]);
        let edit = json!({ "campaignPrompt": wrong });
        assert_eq!(named(&rest.call("PUT", &format!("/campaigns/{made}"), Some(edit)).await), ["campaignPrompt"]);
        let assistant = json!({ "name": "Tom", "prompt": wrong });
        assert_eq!(named(&rest.call("POST", "/assistants", Some(assistant)).await), ["prompt"]);
    }
    let fits = with(campaign_of(&rest, source), "campaignPrompt", "a".repeat(32_768).into());
    assert_eq!(rest.call("POST", "/campaigns", Some(fits)).await.status, StatusCode::CREATED);
}

// [H3] A prompt that is there already holds nobody up, and a cell of a file makes no endless text.
#[tokio::test]
async fn a_hostile_prompt_is_read_in_no_time() {
    let (office, id) = Office::calling("name,phone,story\nAna,+12025550100,x\nBen,+12025550101,y\nCyd,+12025550102,z\n".to_owned(), |_| {}).await;
    for hostile in ["{a".repeat(120_000), "{a".repeat(120_000) + "}", "{".repeat(240_000), "{a|".repeat(80_000), "{ ".repeat(120_000) + "}"] {
        by_hand(&office, "UPDATE campaigns SET campaign_prompt = $1", hostile).await;
        let started = Instant::now();
        let claimed = office.claim(id).await;
        assert!(started.elapsed() < Duration::from_secs(1), "{:?}", started.elapsed());
        if let Some(claimed) = claimed {
            office.desk.release(claimed.call, claimed.claim_number, Some(office.now()), String::new()).await.unwrap();
        }
    }
}

#[tokio::test]
async fn a_huge_cell_makes_no_endless_text() {
    let csv = format!("name,phone,story\nAna,+12025550100,{}\nBen,+12025550101,short\n", "x".repeat(9000));
    let (office, id) = Office::calling(csv, |_| {}).await;
    by_hand(&office, "UPDATE campaigns SET campaign_prompt = $1", "{story} ".repeat(4000)).await;
    while office.claim(id).await.is_some() {}
    let ended: Vec<_> = calls(&office, id).await.into_iter().filter(|c| c.state == State::Failed).map(|c| (c.contact_name, c.reason)).collect();
    assert_eq!(ended.len(), 1, "{ended:?}");
    assert!(ended[0].0 == "Ana" && ended[0].1.contains("64 KiB"), "{ended:?}");
}

// [H4] The installation's login goes to the installation's trunk alone.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_trunk_login_goes_to_the_configured_address_only() {
    let world = World::new(Options::default()).await;
    let own = OwnTrunk { address: "acme.pstn.twilio.com".into(), username: "acme".into(), password: config::Secret::new("hunter2") };
    let provision = world.provision(own);
    let rest = Rest::built(world, "https://x.example", |api| api.provision = provision);
    let mut number = 0;
    let mut assign = |more: Value| {
        number += 1;
        let mut body = json!({ "phoneNumber": format!("+1555000{number:04}"), "assistantId": rest.world.assistant });
        body.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        rest.call("POST", "/phone-numbers/assign", Some(body))
    };
    let made = |address: &str| rest.world.simulator.trunk_logins().into_iter().find(|t| t.0 == address).map(|t| t.1);
    assert_eq!(assign(json!({ "address": "evil.example" })).await.status, StatusCode::OK);
    assert_eq!(made("evil.example").as_deref(), Some(""), "no login of ours for a stranger");
    assert_eq!(assign(json!({ "address": "other.example", "username": "own", "password": "p" })).await.status, StatusCode::OK);
    assert_eq!(made("other.example").as_deref(), Some("own"));
    assert_eq!(assign(json!({})).await.status, StatusCode::OK);
    assert_eq!(made("acme.pstn.twilio.com").as_deref(), Some("acme"));
    // As written otherwise it is still the same host.
    assert_eq!(assign(json!({ "address": "ACME.pstn.twilio.com" })).await.status, StatusCode::OK);
    let ours = rest.world.simulator.trunk_logins().into_iter().filter(|t| t.0.eq_ignore_ascii_case("acme.pstn.twilio.com"));
    assert!(ours.into_iter().all(|t| t.1 == "acme"));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_trunk_address_is_a_host_and_nothing_else() {
    let rest = Rest::new().await;
    let assign = |address: &str| {
        let body = json!({ "phoneNumber": "+15550001234", "assistantId": rest.world.assistant, "address": address });
        rest.call("POST", "/phone-numbers/assign", Some(body))
    };
    let before = rest.world.simulator.trunk_logins().len();
    let long = "a".repeat(5000);
    let wrong = [
        "user:pw@evil.example",
        "a;transport=tcp",
        "a/b",
        "a\tb",
        "a\0b",
        "a b",
        "SIP:evil.example",
        "sips:evil.example",
        "sip:evil.example",
        &long,
        "a..b",
        "-a.example",
        "host:",
        "host:0",
        "host:70000",
        "host:1:2",
        "[::1",
        "[fe80::1%eth0]",
        "ev\u{202e}il.example",
        "a?b",
        "a#b",
        "a,b",
        "a\"b",
        "<a>",
        "",
    ];
    for address in wrong.iter().filter(|a| !a.is_empty()) {
        assert_eq!(named(&assign(address).await), ["address"], "{address:?}");
    }
    assert_eq!(rest.world.simulator.trunk_logins().len(), before, "nothing of it reached LiveKit");
}

/// A listener, and a client that asks and hangs up without waiting for the answer.
async fn ask_and_hang_up(rest: &Rest, request: &[u8]) {
    use tokio::io::AsyncWriteExt;
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let (address, stop) = (listener.local_addr().unwrap(), tokio_util::sync::CancellationToken::new());
    let serving = tokio::spawn(dialdeck::api::serve(listener, rest.router.clone(), config::Limits::default(), config::Proxies::default(), stop.clone()));
    // The database is busy with something long, so that the client is gone before there is an answer.
    let (begun, wait) = tokio::sync::oneshot::channel::<()>();
    let (store, held) = (rest.world.store.clone(), Duration::from_millis(400));
    let long = tokio::spawn(async move {
        let job = store.write(dialdeck::store::Lane::Urgent, move |_| {
            Box::pin(async move {
                begun.send(()).unwrap();
                tokio::time::sleep(held).await;
                Ok::<_, dialdeck::store::StoreError>(())
            })
        });
        job.await.unwrap();
    });
    wait.await.unwrap();
    let mut stream = tokio::net::TcpStream::connect(address).await.unwrap();
    stream.write_all(request).await.unwrap();
    tokio::time::sleep(Duration::from_millis(200)).await;
    stream.set_zero_linger().unwrap();
    drop(stream);
    long.await.unwrap();
    tokio::time::sleep(Duration::from_millis(100)).await;
    stop.cancel();
    serving.await.unwrap();
}

fn request_of(path: &str, token: &str, key: &str, content: &str, body: &str) -> String {
    format!(
        "POST /api/v1{path} HTTP/1.1\r\nhost: x\r\nauthorization: Bearer {token}\r\nidempotency-key: {key}\r\ncontent-type: {content}\r\ncontent-length: {}\r\n\r\n{body}",
        body.len()
    )
}

async fn again(rest: &Rest, path: &str, key: &str, content: &str, body: &str) -> crate::support::http::Answer {
    let end = Instant::now() + Duration::from_secs(3);
    loop {
        let request = axum::http::Request::post(format!("/api/v1{path}"))
            .header("authorization", format!("Bearer {}", rest.token))
            .header("idempotency-key", key)
            .header("content-type", content);
        let answer = crate::support::http::send(&rest.router, request.body(axum::body::Body::from(body.to_owned())).unwrap()).await;
        if Instant::now() > end || !answer.body.contains("still being answered") {
            return answer;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}

// [H6] A client that lost its connection repeats the key and hears the first answer.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_start_whose_client_went_away_is_done_and_answered_again() {
    let rest = Rest::new().await;
    let (source, _) = rest.world.import(csv_of(3)).await;
    let id: CampaignId = rest.world.campaign(source, |_| {}).await;
    let path = format!("/campaigns/{id}/start");
    ask_and_hang_up(&rest, request_of(&path, &rest.token, "k1", "application/json", "{}").as_bytes()).await;
    let answer = again(&rest, &path, "k1", "application/json", "{}").await;
    assert_eq!((answer.status, answer.headers.contains_key("idempotent-replayed")), (StatusCode::OK, true), "{}", answer.body);
    assert!(answer.json()["message"].as_str().unwrap().contains("started"));
    assert_eq!(rest.world.row(id).await.execution_status.as_str(), "running");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_upload_whose_client_went_away_is_kept_once_and_its_place_told() {
    let rest = Rest::new().await;
    let content = "multipart/form-data; boundary=b";
    let body = format!("--b\r\ncontent-disposition: form-data; name=\"csvFile\"; filename=\"leads.csv\"\r\n\r\n{}\r\n--b--\r\n", csv_of(20));
    ask_and_hang_up(&rest, request_of("/csv/upload", &rest.token, "u1", content, &body).as_bytes()).await;
    let answer = again(&rest, "/csv/upload", "u1", content, &body).await;
    assert_eq!((answer.status, answer.headers.contains_key("idempotent-replayed")), (StatusCode::CREATED, true), "{}", answer.body);
    assert_eq!(answer.json()["contactCount"], 20);
    let place = format!("/api/v1/csv/{}", answer.json()["csvFileId"].as_str().unwrap());
    assert_eq!(answer.headers.get("location").and_then(|l| l.to_str().ok()), Some(place.as_str()), "a replay tells the place too");
    let files = rest.call("GET", "/csv", None).await.json();
    assert_eq!(files["csvFiles"].as_array().unwrap().len(), 1, "{files}");
}
// A LiveKit elsewhere is not sent to call this host or the cloud's own services.
#[test]
fn addresses_inside_are_refused_for_a_livekit_elsewhere() {
    use dialdeck::domain::trunk::{Reach, address};
    for inside in [
        "127.0.0.1",
        "localhost",
        "LOCALHOST:5060",
        "foo.localhost",
        "169.254.169.254",
        "[::1]:5060",
        "[fe80::1]",
        "0.0.0.0",
        "[::]",
        "metadata.google.internal",
        "[::ffff:127.0.0.1]",
        "2130706433",
        "127.1",
        "0x7f.1",
        "224.0.0.1",
        "255.255.255.255",
        "[fd00:ec2::254]",
        "localhost.",
    ] {
        assert!(address(inside, Reach::Outside).is_err(), "{inside}");
        assert!(
            inside.starts_with(['0', '2']) || inside.starts_with("[fd") || inside.starts_with("127.1") || address(inside, Reach::Anywhere).is_ok(),
            "{inside}"
        );
    }
    for outside in [
        "acme.pstn.twilio.com",
        "acme.pstn.twilio.com:5061",
        "203.0.113.7",
        "203.0.113.7:5060",
        "[2001:db8::7]",
        "[2001:db8::7]:5060",
        "10.0.0.5",
        "pbx_1.example.com",
        "xn--bcher-kva.example",
    ] {
        assert_eq!(address(outside, Reach::Outside).as_deref(), Ok(outside));
    }
    assert_eq!(address(" ACME.pstn.Twilio.com ", Reach::Outside).as_deref(), Ok("acme.pstn.twilio.com"));
}

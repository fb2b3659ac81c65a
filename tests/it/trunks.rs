//! Numbers and trunks: what is listed, adopted and made at LiveKit, where a trunk goes and with which login, and the
//! TwiML that sends a call into a room.

use std::{
    io::Write,
    process::{Command, Output, Stdio},
    sync::Arc,
};

use axum::{body::Body, http::Request};
use dialdeck::{
    api::Role,
    config::Secret,
    desk::Desk,
    domain::{id::OwnerId, phone::PhoneNumber},
    provision::{Outbound, OwnTrunk, Place, Provision, Wish},
    store::Store,
    telephony::{
        livekit::{LiveKit, LiveKitConfig},
        twilio::sign,
        twilio_trunks::TwilioTrunks,
    },
};
use serde_json::{Value, json};

use crate::{
    api::{Rest, code},
    support::{
        Options, World,
        http::{Answer, call, send},
        quick_rules,
    },
};

const NUMBER: &str = "+15550001111";
const TRUNKS: &str = "/livekit/outbound-calls/trunks";
const CREATE: &str = "/livekit/outbound-calls/create-trunk";
const ASSIGN: &str = "/phone-numbers/assign";

impl Rest {
    /// A request for the world's assistant's number, with more.
    async fn for_number(&self, path: &str, more: Value) -> Answer {
        let mut body = json!({ "phoneNumber": NUMBER, "assistantId": self.world.assistant });
        body.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        self.call("POST", path, Some(body)).await
    }

    async fn listed(&self, token: &str) -> Vec<Value> {
        let answer = call(&self.router, "GET", &format!("/api/v1{TRUNKS}"), token, None).await;
        answer.json()["trunks"].as_array().unwrap_or_else(|| panic!("{}", answer.body)).clone()
    }

    fn made_at(&self, address: &str) -> usize {
        self.world.simulator.trunk_logins().iter().filter(|t| t.0 == address).count()
    }
}

fn of<'a>(list: &'a [Value], id: &Value) -> &'a Value {
    list.iter().find(|t| t["trunkId"] == *id).unwrap_or_else(|| panic!("{id} in {list:?}"))
}

/// A listener whose LiveKit is another, or none.
async fn over(livekit: Option<LiveKitConfig>) -> Rest {
    let world = World::new(Options::default()).await;
    let livekit = livekit.map(|mut l| {
        if l.host.is_empty() {
            l.host = world.simulator.url();
        }
        Arc::new(LiveKit::new(&l).unwrap())
    });
    let provision = Arc::new(Provision::new(world.desk.clone(), livekit, None, OwnTrunk::default(), "ai".into()));
    Rest::built(world, "https://x.example", |api| api.provision = provision)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn trunks_are_listed_with_what_differs_and_never_their_login() {
    let rest = Rest::new().await;
    let made = rest.for_number(CREATE, json!({ "address": "acme.example", "username": "the-user", "password": "the-pass" })).await;
    let id = made.json()["trunk"]["outboundTrunkId"].clone();
    let list = rest.listed(&rest.token).await;
    let t = of(&list, &id);
    assert_eq!((&t["owned"], &t["drift"], &t["address"], &t["numbers"]), (&json!(true), &Value::Null, &json!("acme.example"), &json!([NUMBER])));
    let text = format!("{list:?}{}", made.body);
    assert!(!text.contains("the-user") && !text.contains("the-pass"), "{text}");

    let id = id.as_str().unwrap();
    rest.world.simulator.change_trunk(id, |t| {
        t.address = "u:the-pass@moved.example".into();
        t.numbers = vec!["+15550002222".into()];
        true
    });
    let list = rest.listed(&rest.token).await;
    let drift = of(&list, &json!(id))["drift"].as_str().unwrap().to_owned();
    for part in ["acme.example here and moved.example at LiveKit", "+15550001111 is not on it at LiveKit", "+15550002222 is on it at LiveKit only"] {
        assert!(drift.contains(part), "{part}: {drift}");
    }
    assert!(!format!("{list:?}").contains("the-pass"));

    rest.world.simulator.change_trunk(id, |_| false);
    assert!(of(&rest.listed(&rest.token).await, &json!(id))["drift"].as_str().unwrap().contains("Assign its numbers again"));
    // Assigned again, the trunk that is gone is history.
    let again = rest.for_number(CREATE, json!({ "address": "acme.example" })).await;
    assert_eq!(again.status.as_u16(), 201, "{}", again.body);
    assert!(rest.listed(&rest.token).await.iter().all(|t| t["trunkId"] != id && t["drift"].is_null()));
}

/// Two programs on one database assign one number at the same moment: the second waits and finds what the first made.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_processes_make_one_trunk() {
    let rest = Rest::new().await;
    let w = &rest.world;
    let provision = |store: Store| {
        let desk = Desk::new(store, w.clock.clone(), quick_rules());
        Arc::new(Provision::new(desk, Some(w.livekit.clone()), None, OwnTrunk::default(), "ai".into()))
    };
    let other = w.base.open().await;
    let (one, two) = (provision(w.store.clone()), provision(other));
    let place = Place { address: "acme.example".into(), ..Place::default() };
    for n in 0..8 {
        let number = PhoneNumber::own(&format!("+1555000444{n}")).unwrap();
        let wish = Wish { assistant: w.assistant, number: number.clone(), outbound: Outbound::To(place.clone()), inbound: true };
        let (a, b) = tokio::join!(one.assign(w.actor.clone(), wish.clone()), two.assign(w.actor.clone(), wish));
        let (a, b) = (a.unwrap(), b.unwrap());
        assert_eq!((a.trunk.trunk_id, a.inbound_trunk, a.dispatch_rule), (b.trunk.trunk_id, b.inbound_trunk, b.dispatch_rule), "{number}");
        assert!(a.made != b.made, "one of them made it");
        assert_eq!(rest.made_at("acme.example"), n + 1);
    }
    // Whoever died in the middle is not waited for for ever.
    let number = PhoneNumber::own("+15550004450").unwrap();
    let dead = w.desk.begin_assigning(number.clone()).await.unwrap();
    let wish = Wish { assistant: w.assistant, number, outbound: Outbound::To(place), inbound: false };
    let begun = w.clock.now();
    two.assign(w.actor.clone(), wish).await.unwrap();
    assert!(w.clock.now() - begun >= chrono::Duration::seconds(55));
    assert!(w.desk.go_on_assigning(&dead).await.unwrap_err().to_string().contains("another process"), "and makes nothing when it wakes up");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn whose_trunks_one_sees_and_may_use() {
    let rest = Rest::new().await;
    let w = &rest.world;
    let new = dialdeck::telephony::NewTrunk {
        name: "nobody's".into(),
        address: "free.example".into(),
        number: "+15550003333".into(),
        username: String::new(),
        password: Secret::default(),
        transport: String::new(),
        metadata: String::new(),
    };
    let free = w.carrier.create_trunk(new).await.unwrap().trunk_id;
    let ours = rest.listed(&rest.token).await;
    assert_eq!((&of(&ours, &json!(free))["owned"], ours.len()), (&json!(false), 2));
    for role in [Role::Viewer, Role::Operator, Role::Supervisor] {
        let token = rest.mint(w.actor.owner, role);
        assert!(rest.listed(&token).await.iter().all(|t| t["owned"] == true), "{role:?} may not assign: sees only what is held");
        for path in [CREATE, ASSIGN] {
            let body = json!({ "phoneNumber": NUMBER, "assistantId": w.assistant, "address": "acme.example" });
            let answer = call(&rest.router, "POST", &format!("/api/v1{path}"), &token, Some(body)).await;
            assert_eq!(code(&answer), (403, "forbidden".into()), "{role:?} {path}");
        }
    }
    // Another owner: their assistant, our number, our trunk.
    let stranger = rest.mint(OwnerId::fresh(), Role::Admin);
    let post = |path: &'static str, body: Value| {
        let (router, token) = (rest.router.clone(), stranger.clone());
        async move { call(&router, "POST", &format!("/api/v1{path}"), &token, Some(body)).await }
    };
    let theirs = post("/assistants", json!({ "name": "Bob" })).await.json()["assistant"]["id"].clone();
    let held = ours.iter().find(|t| t["owned"] == true).unwrap()["trunkId"].clone();
    for path in [CREATE, ASSIGN] {
        let answer = post(path, json!({ "phoneNumber": NUMBER, "assistantId": w.assistant, "address": "acme.example" })).await;
        assert_eq!(code(&answer), (404, "not_found".into()));
        let answer = post(path, json!({ "phoneNumber": "+15550009999", "assistantId": theirs, "address": "acme.example" })).await;
        assert_eq!(code(&answer), (409, "conflict".into()), "the number is another's");
    }
    let with = |id: &Value| post(ASSIGN, json!({ "phoneNumber": NUMBER, "assistantId": theirs, "outboundTrunkId": id }));
    let (foreign, unknown) = (with(&held).await, with(&json!("ST_nowhere")).await);
    assert_eq!((foreign.status, &foreign.body), (unknown.status, &unknown.body), "a trunk of another is one that is not there");
    assert_eq!(unknown.json()["details"][0]["field"], "outboundTrunkId");
    assert_eq!(with(&json!(free)).await.status.as_u16(), 200);
    assert!(rest.listed(&rest.token).await.iter().all(|t| t["trunkId"] != free), "held by another now");
    // It carries a number of ours too, where ours is to go: we are given one of our own.
    w.simulator.change_trunk(&free, |t| {
        t.numbers.push("+15550007777".into());
        true
    });
    let own = rest.call("POST", CREATE, Some(json!({ "phoneNumber": "+15550007777", "assistantId": w.assistant, "address": "free.example" }))).await;
    assert!(own.status.as_u16() == 201 && own.json()["trunk"]["outboundTrunkId"] != json!(free), "{}", own.body);
    // Nothing of the refusals was made.
    assert_eq!((rest.made_at("acme.example"), w.simulator.inbound_trunks().len()), (0, 0));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_livekit_that_refuses_is_away_or_is_not_there_is_said_even_with_no_trunk_stored() {
    let config = |host: &str, key: &str, secret: &str| Some(LiveKitConfig { host: host.into(), api_key: key.into(), api_secret: secret.into() });
    let cases = [
        (config("http://127.0.0.1:9", "simkey", "s"), "nothing answers at http://127.0.0.1:9"),
        (config("", "simkey", "another-secret-of-at-least-32-characters"), "refuses our key or secret"),
        (None, "no LiveKit is configured"),
    ];
    for (livekit, words) in cases {
        let rest = over(livekit).await;
        let nobody = rest.mint(OwnerId::fresh(), Role::Viewer);
        let answer = call(&rest.router, "GET", &format!("/api/v1{TRUNKS}"), &nobody, None).await;
        assert_eq!(code(&answer), (503, "unavailable".into()));
        let message = answer.json()["message"].as_str().unwrap().to_owned();
        assert!(message.starts_with("LiveKit connection failed:") && message.contains(words), "{message}");
        let create = rest.for_number(CREATE, json!({ "address": "acme.example" })).await;
        assert_eq!((code(&create), create.json()["message"].as_str().unwrap()), ((503, "unavailable".into()), message.as_str()));
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_trunk_is_made_once_and_adopted_after() {
    let rest = Rest::new().await;
    let create = || rest.for_number(CREATE, json!({ "address": "acme.example" }));
    let all = tokio::join!(create(), create(), create(), create(), create(), create());
    let mut all = [all.0, all.1, all.2, all.3, all.4, all.5];
    all.sort_by_key(|a| std::cmp::Reverse(a.status));
    assert_eq!(all.iter().map(|a| a.status.as_u16()).collect::<Vec<_>>(), [201, 200, 200, 200, 200, 200]);
    assert_eq!((rest.made_at("acme.example"), rest.world.simulator.inbound_trunks().len()), (1, 0), "the way in was not asked for");
    let ids: Vec<_> = all.iter().map(|a| a.json()["trunk"]["outboundTrunkId"].clone()).collect();
    assert!(ids.iter().all(|id| *id == ids[0] && id.is_string()));
    let location = all[0].headers["location"].to_str().unwrap().trim_start_matches("/api/v1").to_owned();
    let there = rest.call("GET", &location, None).await.json();
    assert_eq!((&there["trunk"]["outboundTrunkId"], &there["trunk"]["phoneNumber"]), (&ids[0], &json!(NUMBER)));
    // A trunk that somebody made by hand is adopted too, whatever the case of its name.
    rest.world.simulator.change_trunk(ids[0].as_str().unwrap(), |t| {
        t.address = "ACME.example".into();
        t.metadata = "by hand".into();
        true
    });
    assert_eq!((create().await.status.as_u16(), rest.made_at("acme.example")), (200, 0));

    // The way in, asked for: once.
    let both = || rest.for_number(CREATE, json!({ "address": "acme.example", "inbound": true }));
    let (first, second, third) = tokio::join!(both(), both(), both());
    let (inbound, rules) = (rest.world.simulator.inbound_trunks(), rest.world.simulator.rules());
    assert_eq!((inbound.len(), rules.len()), (1, 1));
    assert_eq!((&inbound[0].1, &rules[0].trunks), (&vec![NUMBER.to_owned()], &vec![inbound[0].0.clone()]));
    for answer in [first, second, third] {
        let trunk = answer.json()["trunk"].clone();
        assert!(trunk["inboundTrunkId"] == inbound[0].0 && trunk["dispatchRuleId"].is_string(), "{trunk}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_assigned_number_is_called_in_to_its_present_assistant() {
    let rest = Rest::new().await;
    let assigned = rest.for_number(ASSIGN, json!({ "address": "acme.example" })).await;
    assert_eq!(assigned.status.as_u16(), 200, "{}", assigned.body);
    let agents = || rest.world.simulator.rules()[0].agents.clone();
    let [(name, told)] = &agents()[..] else { panic!("{:?}", agents()) };
    let told: Value = serde_json::from_str(told).unwrap();
    assert_eq!((name.as_str(), &told["assistantId"]), ("ai", &json!(rest.world.assistant)));
    assert!(told["prompt"] == "Hello {name}" && told["callType"] == "inbound" && !told.to_string().contains(NUMBER), "{told}");

    let other = rest.call("POST", "/assistants", Some(json!({ "name": "Max", "agentName": "night", "prompt": "Good evening" }))).await.json();
    let other = &other["assistant"]["id"];
    // By a trunk that is there: the way in, which was made before, follows.
    let body = json!({ "phoneNumber": NUMBER, "assistantId": other, "outboundTrunkId": assigned.json()["trunk"]["outboundTrunkId"] });
    let moved = rest.call("POST", ASSIGN, Some(body)).await;
    assert_eq!(moved.status.as_u16(), 200, "{}", moved.body);
    assert_eq!((rest.world.simulator.inbound_trunks().len(), rest.world.simulator.rules().len()), (1, 1));
    let [(name, told)] = &agents()[..] else { panic!("{:?}", agents()) };
    assert!(name == "night" && told.contains("Good evening"), "{name} {told}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_rule_that_is_not_ours_is_left_and_said() {
    let rest = Rest::new().await;
    let trunk = rest.world.livekit.create_inbound_trunk("theirs".into(), NUMBER.into(), String::new()).await.unwrap();
    let theirs = dialdeck::telephony::livekit::RuleAgent { name: "reception".into(), metadata: String::new() };
    let rule = dialdeck::telephony::livekit::NewRule {
        name: "by hand".into(),
        trunk: trunk.trunk_id.clone(),
        room_prefix: "call-".into(),
        agent: theirs,
        metadata: "{\"app\":\"other\"}".into(),
    };
    rest.world.livekit.create_rule(rule).await.unwrap();
    let assigned = rest.for_number(ASSIGN, json!({ "address": "acme.example" })).await.json();
    assert_eq!(assigned["trunk"]["inboundTrunkId"], trunk.trunk_id);
    assert!(assigned["trunk"]["remarks"][0].as_str().unwrap().contains("did not make"), "{assigned}");
    let rules = rest.world.simulator.rules();
    assert!(rules.len() == 1 && rules[0].agents[0].0 == "reception", "{rules:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn without_an_address_the_numbers_trunk_at_twilio_is_taken_and_no_login_of_ours() {
    let world = World::new(Options::default()).await;
    let own = OwnTrunk { address: String::new(), username: "ours".into(), password: Secret::new("hunter2") };
    let provision = world.provision(own);
    let rest = Rest::built(world, "https://x.example", |api| api.provision = provision);
    let sim = &rest.world.simulator;
    // Twilio's filter finds parts of numbers: this one is not meant.
    sim.set_twilio_number("+155500011110", Some("wrong.pstn.twilio.com"));
    sim.set_twilio_number(NUMBER, Some("acme.pstn.twilio.com"));
    sim.set_twilio_number("+15550002222", None);
    sim.set_twilio_number("+15550003333", Some(""));
    sim.set_twilio_number("+15550004444", Some("127.0.0.1"));
    let made = rest.for_number(CREATE, json!({})).await;
    assert_eq!(made.status.as_u16(), 201, "{}", made.body);
    assert_eq!(sim.trunk_logins()[0], ("acme.pstn.twilio.com".to_owned(), String::new()));
    assert!(made.json()["trunk"]["remarks"][0].as_str().unwrap().contains("has no login"), "{}", made.body);
    let before = sim.trunk_logins().len();
    let cases = [
        ("+15550009876", "no such number"),
        ("+15550002222", "on no Elastic SIP trunk"),
        ("+15550003333", "no termination domain"),
        ("+15550004444", "is inside this network"),
    ];
    for (number, why) in cases {
        let answer = rest.for_number(CREATE, json!({ "phoneNumber": number })).await;
        assert_eq!((code(&answer), &answer.json()["details"][0]["field"]), ((422, "unprocessable".into()), &json!("address")));
        let words = answer.json()["message"].as_str().unwrap().to_owned();
        assert!(words.contains("give address (such as NAME.pstn.twilio.com)") && words.contains(why), "{number}: {words}");
    }
    assert_eq!(sim.trunk_logins().len(), before, "nothing was made");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_twilio_that_refuses_or_is_not_configured_is_said() {
    let world = World::new(Options::default()).await;
    let refused = TwilioTrunks::new(&world.simulator.url(), "AC00000000000000000000000000000001", &Secret::new("wrong-token")).unwrap();
    let away = TwilioTrunks::new("http://127.0.0.1:9", "AC1", &Secret::new("t")).unwrap();
    let (desk, livekit) = (world.desk.clone(), world.livekit.clone());
    let mut rest = Rest::over(world, "https://x.example");
    for (twilio, why) in
        [(Some(refused), "check TWILIO_ACCOUNT_SID"), (Some(away), "error sending request"), (None, "with TWILIO_ACCOUNT_SID and TWILIO_AUTH_TOKEN")]
    {
        let provision = Arc::new(Provision::new(desk.clone(), Some(livekit.clone()), twilio, OwnTrunk::default(), "ai".into()));
        let told = Rest::built(rest.world, "https://x.example", |api| api.provision = provision);
        let answer = told.for_number(CREATE, json!({})).await;
        assert_eq!(code(&answer), (422, "unprocessable".into()));
        assert!(answer.body.contains(why) && !answer.body.contains("wrong-token") && !answer.body.contains("%2B"), "{}", answer.body);
        rest = told;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_login_that_is_given_is_the_trunks() {
    let rest = Rest::new().await;
    let with = |user: &str, password: &str| rest.for_number(CREATE, json!({ "address": "acme.example", "username": user, "password": password }));
    let passwords = || rest.world.simulator.trunk_passwords().into_iter().filter(|t| t.0 == "acme.example").map(|t| t.1).collect::<Vec<_>>();
    assert_eq!(with("one", "first").await.status.as_u16(), 201);
    // A new password of the same login reaches the trunk that is there; another login is another trunk.
    assert_eq!((with("one", "second").await.status.as_u16(), passwords()), (200, vec!["second".to_owned()]));
    assert_eq!((with("two", "p").await.status.as_u16(), passwords()), (201, vec!["p".to_owned(), "second".to_owned()]));
    for (user, password, field) in [("", "alone", "username"), ("a\nb", "p", "username"), (&*"x".repeat(256), "p", "username")] {
        let answer = with(user, password).await;
        assert_eq!((answer.status.as_u16(), &answer.json()["details"][0]["field"]), (422, &json!(field)), "{}", answer.body);
    }
    let answer = rest.for_number(CREATE, json!({ "phoneNumber": "12", "assistantId": "x" })).await;
    let fields: Vec<_> = answer.json()["details"].as_array().unwrap().iter().map(|f| f["field"].clone()).collect();
    assert_eq!(fields, ["phoneNumber", "assistantId"], "both at once");
    assert_eq!(code(&rest.for_number(CREATE, json!({ "outboundTrunkId": "ST_1" })).await), (400, "invalid_request".into()), "a field of the other route");
}

/// What a real LiveKit answered to inbound trunks and rules, the simulator answers.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_simulator_answers_as_recorded() {
    let world = World::new(Options::default()).await;
    let recorded: Vec<Value> = serde_json::from_str(include_str!("recorded/replies.json")).unwrap();
    let token = livekit_api::access_token::AccessToken::with_api_key("simkey", "simulator-secret-of-at-least-32-characters")
        .with_sip_grants(livekit_api::access_token::SIPGrants { admin: true, call: true })
        .to_jwt()
        .unwrap();
    let mut ids: Vec<(String, String)> = Vec::new();
    let cases = ["create inbound trunk", "create inbound trunk again", "create dispatch rule", "create dispatch rule again", "list dispatch rules"];
    for case in cases {
        let real = recorded.iter().find(|r| r["case"] == case).unwrap();
        let path = format!("/twirp/livekit.SIP/{}", real["method"].as_str().unwrap());
        let (status, text) = crate::support::http::post(&world.simulator.url(), &path, &token, &real["request"].to_string()).await;
        let got: Value = serde_json::from_str(&text).unwrap();
        assert_eq!(u64::from(status), real["status"].as_u64().unwrap(), "{case}: {text}");
        // Ids are each server's own.
        for (key, ours) in [("sip_trunk_id", "sipTrunkId"), ("sip_dispatch_rule_id", "sipDispatchRuleId")] {
            let pair = (real["body"][key].as_str(), got[ours].as_str());
            ids.extend(pair.0.zip(pair.1).map(|(a, b)| (a.to_owned(), b.to_owned())));
        }
        let mut wanted = real["body"]["msg"].as_str().unwrap_or_default().to_owned();
        for (theirs, ours) in &ids {
            wanted = wanted.replace(theirs, ours);
        }
        assert_eq!((got["code"].as_str(), got["msg"].as_str().unwrap_or_default()), (real["body"]["code"].as_str(), wanted.as_str()), "{case}");
        assert_eq!(got["items"].as_array().map(Vec::len), real["body"]["items"].as_array().map(Vec::len), "{case}");
    }
    assert_eq!(ids.len(), 2);
}

/// The answer to Twilio's signed request for a room.
async fn twiml(rest: &Rest, target: &str, signed: &str, form: &str) -> Answer {
    let pairs = dialdeck::telephony::twilio::form_pairs(form.as_bytes());
    let signature = sign("tok", &format!("https://x.example{signed}"), &pairs);
    send(&rest.router, Request::post(target).header("x-twilio-signature", signature).body(Body::from(form.to_owned())).unwrap()).await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_call_is_sent_into_the_room_that_its_url_names() {
    const ROOM: &str = "/api/v1/livekit/room/";
    let rest = Rest::new().await;
    let dial = |room: &str| format!("<Response><Dial><Sip>sip:{room}@sip.example</Sip></Dial></Response>");
    let (typed, escaped) = (format!("{ROOM}{{roomName}}"), format!("{ROOM}%7BroomName%7D"));
    for (target, signed) in [(&typed, &typed), (&escaped, &escaped), (&escaped, &typed), (&typed, &escaped)] {
        let answer = twiml(&rest, target, signed, "CallSid=CA0123&From=%2B15550001111").await;
        assert!(answer.body.ends_with(&dial("in-CA0123")) && answer.headers["content-type"] == "text/xml", "{target} signed {signed}: {}", answer.body);
    }
    let plain = format!("{ROOM}support_line-1");
    assert!(twiml(&rest, &plain, &plain, "CallSid=CA1").await.body.ends_with(&dial("support_line-1")));
    for (room, form) in [
        ("a%26b", "CallSid=CA1"),
        ("a%3C%2FSip%3E", "CallSid=CA1"),
        ("a%40evil.example", "CallSid=CA1"),
        ("a%3Btransport=tcp", "CallSid=CA1"),
        ("r%C3%BCm", "CallSid=CA1"),
        ("%7BroomName%7D", "From=x"),
        ("%7BroomName%7D", "CallSid=CA1%3C%2FSip%3E"),
        (&*"a".repeat(201), "CallSid=CA1"),
    ] {
        let target = format!("{ROOM}{room}");
        let answer = twiml(&rest, &target, &target, form).await;
        assert_eq!(code(&answer), (404, "not_found".into()), "{room} {form}: {}", answer.body);
    }
    // Unsigned, or signed for another room.
    assert_eq!(code(&twiml(&rest, &plain, &typed, "CallSid=CA1").await), (403, "forbidden".into()));
    let nowhere = Rest::built(rest.world, "https://x.example", |api| api.sip_host = String::new());
    assert_eq!(code(&twiml(&nowhere, &plain, &plain, "CallSid=CA1").await), (503, "unavailable".into()));
}

/// The command line over a database of its own and the world's LiveKit.
fn dialdeck(world: &World, dir: &std::path::Path, args: &[&str], input: &str) -> Output {
    let mut child = Command::new(env!("CARGO_BIN_EXE_dialdeck"))
        .args(args)
        .current_dir(dir)
        .env_clear()
        .env("HOME", dir)
        .env("DATABASE_URL", format!("sqlite:{}", dir.join("t.db").display()))
        .env("LIVEKIT_HOST", world.simulator.url())
        .env("LIVEKIT_API_KEY", "simkey")
        .env("LIVEKIT_API_SECRET", "simulator-secret-of-at-least-32-characters")
        .env("TWILIO_ACCOUNT_SID", "AC00000000000000000000000000000001")
        .env("TWILIO_AUTH_TOKEN", "simulated-twilio-auth-token")
        .env("DIALDECK_TWILIO__API_URL", world.simulator.url())
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    child.stdin.take().unwrap().write_all(input.as_bytes()).unwrap();
    child.wait_with_output().unwrap()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_command_line_makes_and_lists_trunks_by_the_same_rules() {
    let world = World::new(Options::default()).await;
    world.simulator.set_twilio_number(NUMBER, Some("acme.pstn.twilio.com"));
    let dir = tempfile::tempdir().unwrap();
    let run = |args: &[&str], input: &str| {
        let out = dialdeck(&world, dir.path(), args, input);
        (out.status.code().unwrap(), String::from_utf8(out.stdout).unwrap(), String::from_utf8(out.stderr).unwrap())
    };
    assert_eq!(run(&["assistant", "add", "Sarah"], "").0, 0);
    let create = ["trunk", "create", NUMBER, "--assistant", "Sarah", "--username", "acme", "--password-stdin"];
    let (exit, out, err) = run(&create, "hunter2\n");
    assert!(exit == 0 && out.contains("acme.pstn.twilio.com, made now"), "{exit} {out} {err}");
    assert_eq!(world.simulator.trunk_passwords()[0], ("acme.pstn.twilio.com".to_owned(), "hunter2".to_owned()));
    assert!(world.simulator.inbound_trunks().is_empty());
    let (_, out, _) = run(&["number", "assign", NUMBER, "--assistant", "Sarah"], "");
    assert!(out.contains("there already") && out.contains("come in over trunk"), "{out}");
    assert_eq!((world.simulator.inbound_trunks().len(), world.simulator.rules().len()), (1, 1));
    let (exit, out, err) = run(&["trunk", "list", "--json"], "");
    let listed: Value = serde_json::from_str(&out).unwrap_or_else(|e| panic!("{exit} {e} {out} {err}"));
    let owned: Vec<_> = listed["trunks"].as_array().unwrap().iter().filter(|t| t["owned"] == true).collect();
    assert!(owned.len() == 1 && owned[0]["address"] == "acme.pstn.twilio.com" && !out.contains("hunter2"), "{out}");
    // Nothing found: what to give; wrong usage both.
    let (exit, _, err) = run(&["trunk", "create", "+15550007777", "--assistant", "Sarah"], "");
    assert!(exit == 2 && err.contains("give address") && err.contains("no such number"), "{exit} {err}");
    assert_eq!(run(&["trunk", "create", NUMBER, "--assistant", "Sarah", "--username", "acme"], "").0, 2, "no password by argument, none by nothing");
}

//! What every route answers, word for word: done, and refused in every way that it can be. A snapshot a room; a
//! route without an answer of its own fails. `INSTA_UPDATE=always` writes them anew.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
    time::Duration,
};

use axum::{Router, body::Body, http::Request};
use dialdeck::{
    api::{BASE, Buckets, Role, Who},
    config::Limits,
    domain::id::{CampaignId, OwnerId},
    provision::{OwnTrunk, Provision},
    telephony::{livekit::WebhookKeys, twilio},
};
use futures_util::StreamExt;
use serde_json::{Value, json};
use tower::ServiceExt;

use crate::{
    api::Rest,
    auth::every_route,
    openapi::{a_list, document, nobody_answers, operations, scene},
    support::{
        Options, World, fictional,
        http::{Answer, send},
    },
};

/// Rows that paths name.
#[derive(Default)]
struct Ids(Vec<(&'static str, String)>);

impl Ids {
    /// The path of a route, with the ids of the rows there are in it.
    fn fill(&self, route: &str) -> String {
        let path = route.split_once(' ').unwrap().1;
        let id = self.0.iter().find(|(start, _)| path.starts_with(start)).map_or("", |(_, id)| id);
        with_id(path, id)
    }
}

fn with_id(path: &str, id: &str) -> String {
    let parts: Vec<&str> = path.split('/').map(|p| if p.starts_with('{') { id } else { p }).collect();
    parts.join("/")
}

struct Book {
    rest: Rest,
    ids: Ids,
    /// By room, then by route.
    pages: BTreeMap<String, BTreeMap<String, Vec<String>>>,
    done: BTreeSet<String>,
    /// What is another at each run, and what it is called.
    names: Vec<(String, String)>,
}

/// Requests are not what is counted here.
fn unhurried() -> Arc<Buckets> {
    Arc::new(Buckets::new(Limits { rate: 100_000, burst: 100_000, initiate: 1000, ..Limits::default() }))
}

/// A body and what it is.
type Content = (String, Body);

fn body(kind: &str, text: impl Into<Body>) -> Content {
    (kind.to_owned(), text.into())
}

fn in_json(value: &Value) -> Content {
    body("application/json", value.to_string())
}

fn request(method: &str, path: &str, token: &str, body: Option<Content>) -> Request<Body> {
    let mut request = Request::builder().method(method).uri(path);
    if !token.is_empty() {
        request = request.header("authorization", format!("Bearer {token}"));
    }
    match body {
        Some((kind, bytes)) => request.header("content-type", kind).body(bytes).unwrap(),
        None => request.body(Body::empty()).unwrap(),
    }
}

fn form_of(csv: &str) -> Content {
    let text = format!("--b\r\ncontent-disposition: form-data; name=\"csvFile\"; filename=\"leads.csv\"\r\n\r\n{csv}\r\n--b--\r\n");
    body("multipart/form-data; boundary=b", text)
}

impl Book {
    fn take(&mut self, route: &str, note: &str, answer: &Answer) -> Value {
        let header = |name: &str| answer.headers.get(name).map(|v| format!(" {name}={}", v.to_str().unwrap())).unwrap_or_default();
        let headers: String = ["location", "retry-after", "www-authenticate"].map(header).join("");
        let value: Value = serde_json::from_str(&answer.body).unwrap_or(Value::Null);
        let kind = answer.headers.get("content-type").map_or("", |c| c.to_str().unwrap());
        let text = match (kind, answer.status.is_success()) {
            ("application/json", true) if route.ends_with("openapi.json") => "(the document: its own snapshot)".to_owned(),
            ("application/json", true) => serde_json::to_string_pretty(&shortened(&value)).unwrap(),
            ("application/json", false) => value.to_string(),
            // What it says is another's business.
            _ if answer.body.len() > 1000 => format!("({kind})"),
            _ => format!("({kind}) {}", answer.body),
        };
        let text = self.scrubbed(&format!("{note}: {}{headers} {text}", answer.status.as_u16()));
        let room = route.split(' ').nth(1).unwrap().trim_start_matches(BASE).split('/').nth(1).unwrap().replace(['-', '.'], "_");
        self.pages.entry(room).or_default().entry(route.to_owned()).or_default().push(text.trim_end().to_owned());
        if answer.status.is_success() {
            self.done.insert(route.to_owned());
        }
        value
    }

    /// Without what is another at each run.
    fn scrubbed(&self, text: &str) -> String {
        let mut text = text.to_owned();
        for (value, name) in &self.names {
            text = text.replace(value.as_str(), &format!("<{name}>"));
        }
        let mut out = String::new();
        let mut rest = text.as_str();
        while let Some(next) = rest.chars().next() {
            let found = uuid_at(rest).map(|n| (n, "<id>")).or_else(|| time_at(rest).map(|n| (n, "<time>"))).or_else(|| token_at(rest));
            let (length, name) = found.unwrap_or((next.len_utf8(), &rest[..next.len_utf8()]));
            out.push_str(name);
            rest = &rest[length..];
        }
        out
    }

    /// Asks with a token of all rights; what it answers.
    async fn ask(&mut self, route: &str, note: &str, given: Option<Value>) -> Value {
        let (method, path) = (route.split_once(' ').unwrap().0, self.ids.fill(route));
        self.ask_at(route, note, &path, given.as_ref().map(in_json), method).await
    }

    /// The same of another row, or with a query.
    async fn ask_at(&mut self, route: &str, note: &str, path: &str, given: Option<Content>, method: &str) -> Value {
        let answer = send(&self.rest.router, request(method, path, &self.rest.token, given)).await;
        self.take(route, note, &answer)
    }

    /// What everybody is told who may not, or asks in a way that cannot be right.
    async fn refusals(&mut self, others: &Others) {
        let document = document(&self.rest).await;
        let operations = operations(&document);
        for (base, r) in every_route() {
            let route = format!("{} {base}{}", r.method, r.path);
            self.refused_to(&route, r.who, others).await;
            if r.who != Who::Signed {
                self.malformed(&route, &operations[&route]["requestBody"]["content"]).await;
            }
        }
    }

    async fn refused_to(&mut self, route: &str, who: Who, others: &Others) {
        let (method, raw) = route.split_once(' ').unwrap();
        let path = self.ids.fill(route);
        let empty = || request(method, &path, "", None);
        match who {
            Who::Open => {}
            Who::Signed => {
                self.turn_away(route, "unsigned", empty()).await;
                let unset = send(&others.unset, empty()).await;
                self.take(route, "no secret to check it with", &unset);
            }
            Who::AtLeast(_) | Who::Tagger | Who::Assigner | Who::Machine => {
                self.turn_away(route, "no token", empty()).await;
                let less = match who {
                    Who::AtLeast(Role::Viewer) => Role::Agent,
                    Who::AtLeast(Role::Admin) | Who::Machine => Role::Supervisor,
                    Who::AtLeast(Role::Supervisor) => Role::Operator,
                    _ => Role::Viewer,
                };
                let token = self.rest.mint(self.rest.world.actor.owner, less);
                self.turn_away(route, less.as_str(), request(method, &path, &token, None)).await;
                let many = send(&others.starved, request(method, &path, &self.rest.token, None)).await;
                self.take(route, "too many", &many);
            }
        }
        if route.contains("{id}") || route.contains("{assistant}") {
            let stranger = self.rest.mint(OwnerId::fresh(), Role::Admin);
            self.turn_away(route, "another owner's", request(method, &path, &stranger, None)).await;
            self.turn_away(route, "no UUID", request(method, &with_id(raw, "7"), &self.rest.token, None)).await;
        }
    }

    async fn malformed(&mut self, route: &str, content: &Value) {
        let (method, path) = (route.split_once(' ').unwrap().0, self.ids.fill(route));
        let mut bodies = Vec::new();
        if content["application/json"].is_object() {
            let large = format!("{{\"name\": \"{}\"}}", "x".repeat(300_000));
            bodies.extend([("text", "text/plain", "x".to_owned()), ("no JSON", "application/json", "{".to_owned()), ("too large", "application/json", large)]);
        }
        if content["multipart/form-data"].is_object() {
            bodies.extend([("text", "text/plain", "x".to_owned()), ("no form", "multipart/form-data; boundary=b", "x".to_owned())]);
        }
        for (note, kind, text) in bodies {
            self.turn_away(route, note, request(method, &path, &self.rest.token, Some(body(kind, text)))).await;
        }
    }

    async fn turn_away(&mut self, route: &str, note: &str, request: Request<Body>) {
        let answer = send(&self.rest.router, request).await;
        assert!(answer.status.is_client_error() || answer.status.is_server_error(), "{route} {note}: {} {}", answer.status, answer.body);
        self.take(route, note, &answer);
    }
}

/// Of rows the first, and how many more.
fn shortened(value: &Value) -> Value {
    match value {
        Value::Array(rows) if rows.len() > 1 && rows[0].is_object() => json!([shortened(&rows[0]), format!("and {} more", rows.len() - 1)]),
        Value::Array(rows) => rows.iter().map(shortened).collect(),
        Value::Object(map) => {
            let twice = map.contains_key("data") && map["data"] == map["calls"];
            let of = |(k, v): (&String, &Value)| (k.clone(), if twice && k == "data" { json!("the same") } else { shortened(v) });
            Value::Object(map.iter().map(of).collect())
        }
        other => other.clone(),
    }
}

/// The length of a UUID that the text begins with.
fn uuid_at(text: &str) -> Option<usize> {
    text.get(..36).filter(|t| t.as_bytes()[8] == b'-' && t.parse::<uuid::Uuid>().is_ok()).map(str::len)
}

fn time_at(text: &str) -> Option<usize> {
    let start = text.get(..19)?.bytes().enumerate().all(|(i, b)| match i {
        4 | 7 => b == b'-',
        10 => b == b'T',
        13 | 16 => b == b':',
        _ => b.is_ascii_digit(),
    });
    start.then(|| text.find(|c: char| !(c.is_ascii_digit() || "-:.+TZ".contains(c))).unwrap_or(text.len()))
}

/// An id that a simulator made, or a token.
fn token_at(text: &str) -> Option<(usize, &'static str)> {
    const KINDS: [(&str, &str); 6] =
        [("ST_", "<trunk>"), ("PA_", "<participant>"), ("AD_", "<dispatch>"), ("SDR_", "<rule>"), ("supervisor-", "<listener>"), ("eyJ", "<token>")];
    let (start, name) = KINDS.into_iter().find(|(start, _)| text.starts_with(start))?;
    let rest = &text[start.len()..];
    Some((start.len() + rest.find(|c: char| !(c.is_ascii_alphanumeric() || "._-".contains(c))).unwrap_or(rest.len()), name))
}

/// Listeners over the same rows that are worse off.
struct Others {
    /// Whose tokens have asked too often.
    starved: Router,
    /// Without secrets, before its first reconcile.
    unset: Router,
    /// Whose LiveKit is away.
    alone: Router,
}

impl Others {
    async fn of(world: World) -> (Rest, Self) {
        let few = Limits { rate: 1, burst: 1, ..Limits::default() };
        let starved = Rest::built(world, "https://x.example", |api| api.buckets = Arc::new(Buckets::new(few)));
        send(&starved.router, request("GET", "/api/v1/terms", &starved.token, None)).await;
        let few = starved.router.clone();
        let unset = Rest::built(starved.world, "https://x.example", |api| {
            (api.livekit_keys, api.twilio) = (WebhookKeys::new(vec![]), twilio::Signatures::new(vec![], &[]));
            api.ready = tokio::sync::watch::Sender::new(false).subscribe();
        });
        let without = unset.router.clone();
        let alone = Rest::built(unset.world, "https://x.example", |api| {
            api.provision = Arc::new(Provision::new(api.desk.clone(), None, None, OwnTrunk::default(), "ai".into()));
            api.carrier = None;
            api.buckets = unhurried();
        });
        let away = alone.router.clone();
        let rest = Rest::built(alone.world, "https://x.example", |api| api.buckets = unhurried());
        (rest, Self { starved: few, unset: without, alone: away })
    }
}

/// Rows of every kind, and a book of what is answered about them.
async fn opened() -> (Book, Others, CampaignId) {
    let world = World::new(Options { speed: 1.0, ..Options::default() }).await;
    let (rest, others) = Others::of(world).await;
    let (campaign, called) = scene(&rest).await;
    let file = rest.upload("name,phone,Plan\nJane,+12025550142,Gold\n").await.json()["csvFileId"].as_str().unwrap().to_owned();
    let in_file = rest.call("GET", &format!("/csv/{file}/contacts"), None).await.json()["contacts"][0]["id"].as_str().unwrap().to_owned();
    let (list, in_list) = a_list(&rest).await;
    let assistant = rest.world.assistant.to_string();
    let ids = Ids(vec![
        ("/api/v1/campaigns/", campaign.clone()),
        ("/api/v1/outbound-calls/campaign/", campaign.clone()),
        ("/api/v1/outbound-calls/", called),
        ("/api/v1/csv/contacts/", in_file),
        ("/api/v1/csv/", file),
        ("/api/v1/contact-lists/", list),
        ("/api/v1/contacts/", in_list),
        ("/api/v1/assistants/", assistant.clone()),
        ("/api/v1/livekit/outbound-calls/trunk/", assistant.clone()),
        ("/api/v1/do-not-call/", "+12025550142".into()),
        ("/api/v1/livekit/room/", "support".into()),
    ]);
    let host = rest.world.simulator.url().trim_start_matches("http://").to_owned();
    let names = vec![(host, "LiveKit".into()), (rest.world.installation.room_prefix(), "installation".into()), (assistant, "assistant".into())];
    let campaign = campaign.parse().unwrap();
    (Book { rest, ids, pages: BTreeMap::new(), done: BTreeSet::new(), names }, others, campaign)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_route_answers_so() {
    let (mut book, others, campaign) = opened().await;
    book.refusals(&others).await;
    wrong_methods(&mut book).await;
    lists(&mut book).await;
    root(&mut book, &others).await;
    numbers(&mut book, &others).await;
    campaigns(&mut book, campaign).await;
    calls(&mut book).await;
    contacts(&mut book).await;
    rules(&mut book).await;
    signed(&mut book).await;
    let book = by_hand(book).await;
    let all: BTreeSet<String> = every_route().map(|(base, r)| format!("{} {base}{}", r.method, r.path)).collect();
    let without: Vec<_> = all.difference(&book.done).collect();
    for (room, page) in &book.pages {
        let text: Vec<String> = page.iter().map(|(route, lines)| format!("## {route}\n{}\n", lines.join("\n"))).collect();
        insta::assert_snapshot!(room.as_str(), text.join("\n"));
    }
    assert!(without.is_empty(), "nobody has seen what these answer when they do what is asked: {without:?}");
}

/// A path that has no such method says which it has.
async fn wrong_methods(book: &mut Book) {
    let mut paths: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    for (base, route) in every_route() {
        paths.entry(format!("{base}{}", route.path)).or_default().insert(route.method.to_string());
    }
    for (path, has) in paths {
        let method = ["PATCH", "PUT", "DELETE"].into_iter().find(|m| !has.contains(*m)).unwrap();
        let route = format!("{} {path}", has.first().unwrap());
        let answer = send(&book.rest.router, request(method, &book.ids.fill(&route), &book.rest.token, None)).await;
        assert_eq!(answer.status.as_u16(), 405, "{method} {path}");
        let mut allowed: Vec<&str> = answer.headers["allow"].to_str().unwrap().split(',').map(str::trim).collect();
        allowed.sort_unstable();
        book.take(&route, &format!("{method} (allowed: {})", allowed.join(", ")), &answer);
    }
}

/// Queries of lists.
async fn lists(book: &mut Book) {
    for route in [
        "GET /api/v1/campaigns",
        "GET /api/v1/campaigns/{id}/calls",
        "GET /api/v1/outbound-calls/campaign/{id}",
        "GET /api/v1/csv",
        "GET /api/v1/csv/{id}/contacts",
        "GET /api/v1/contact-lists",
        "GET /api/v1/contact-lists/{id}/contacts",
        "GET /api/v1/do-not-call",
        "GET /api/v1/assistants",
        "GET /api/v1/phone-numbers",
    ] {
        let path = book.ids.fill(route);
        book.ask_at(route, "limit=0&offset=-1", &format!("{path}?limit=0&offset=-1"), None, "GET").await;
        book.ask_at(route, "limit=x", &format!("{path}?limit=x"), None, "GET").await;
        book.ask(route, "done", None).await;
    }
}

async fn root(book: &mut Book, others: &Others) {
    for route in ["GET /healthz", "GET /readyz", "GET /docs", "GET /metrics", "GET /api/v1/openapi.json"] {
        book.ask(route, "done", None).await;
    }
    let nowhere = send(&book.rest.router, request("GET", "/api/v1/nowhere", "", None)).await;
    book.take("GET /healthz", "a path that is not there", &nowhere);
    let stream = book.rest.router.clone().oneshot(request("GET", "/api/v1/events", &book.rest.token, None)).await.unwrap();
    let (status, headers) = (stream.status(), stream.headers().clone());
    let first = tokio::time::timeout(Duration::from_secs(20), stream.into_body().into_data_stream().next()).await.unwrap().unwrap().unwrap();
    let kind = String::from_utf8_lossy(&first).lines().map(|l| l.split(':').next().unwrap_or_default().to_owned()).collect::<Vec<_>>().join(" ");
    book.take("GET /api/v1/events", "done", &Answer { status, headers, body: kind });
    let answer = send(&others.unset, request("GET", "/readyz", "", None)).await;
    book.take("GET /readyz", "before the first reconcile", &answer);
    let away = send(&others.alone, request("GET", "/api/v1/livekit/outbound-calls/trunks", &book.rest.token, None)).await;
    book.take("GET /api/v1/livekit/outbound-calls/trunks", "LiveKit is away", &away);
}

async fn numbers(book: &mut Book, others: &Others) {
    book.ask("POST /api/v1/assistants", "nothing", Some(json!({}))).await;
    let id = book.rest.world.assistant;
    book.ask("POST /api/v1/assistants", "the id is taken", Some(json!({ "name": "Sarah", "id": id }))).await;
    book.ask("POST /api/v1/assistants", "done", Some(json!({ "name": "Olga" }))).await;
    book.ask("GET /api/v1/assistants/{id}", "done", None).await;
    let given = json!({ "phoneNumber": "+15550001111", "assistantId": id, "address": "acme.example" });
    for route in ["POST /api/v1/livekit/outbound-calls/create-trunk", "POST /api/v1/phone-numbers/assign"] {
        book.ask(route, "nothing", Some(json!({}))).await;
        book.ask(route, "wrong", Some(json!({ "phoneNumber": "12", "assistantId": "x" }))).await;
        book.ask(route, "no such assistant", Some(json!({ "phoneNumber": "+15550001111", "assistantId": uuid::Uuid::nil(), "address": "acme.example" }))).await;
        book.ask(route, "done", Some(given.clone())).await;
        let path = route.split_once(' ').unwrap().1;
        let away = send(&others.alone, request("POST", path, &book.rest.token, Some(in_json(&given)))).await;
        book.take(route, "LiveKit is away", &away);
        let stranger = book.rest.mint(OwnerId::fresh(), Role::Admin);
        let theirs = send(&book.rest.router, request("POST", path, &stranger, Some(in_json(&given)))).await;
        book.take(route, "another owner's assistant", &theirs);
    }
    book.ask("GET /api/v1/livekit/outbound-calls/trunks", "done", None).await;
    book.ask("GET /api/v1/livekit/outbound-calls/trunk/{assistant}", "done", None).await;
}

async fn campaigns(book: &mut Book, running: CampaignId) {
    const ONE: &str = "/api/v1/campaigns/{id}";
    let upload = send(&book.rest.router, request("POST", "/api/v1/csv/upload", &book.rest.token, Some(form_of("name,phone\nJane,+12025550101\n")))).await;
    let file = book.take("POST /api/v1/csv/upload", "done", &upload)["csvFileId"].clone();
    let days = ["monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday"];
    let made = json!({ "name": "Q4", "assistantId": book.rest.world.assistant, "csvFileId": file, "campaignPrompt": "Hello {name}", "startHour": 0, "endHour": 0,
        "retry": { "maxAttempts": 1 }, "callingDays": days });
    book.ask("POST /api/v1/campaigns", "nothing", Some(json!({}))).await;
    let wrong = json!({ "name": "", "assistantId": "x", "csvFileId": uuid::Uuid::nil(), "startHour": 24, "callingDays": ["someday"], "timezone": "Mars", "dailyCap": 0 });
    book.ask("POST /api/v1/campaigns", "wrong", Some(wrong)).await;
    let id = book.ask("POST /api/v1/campaigns", "done", Some(made)).await["campaign"]["id"].as_str().unwrap().to_owned();
    book.ids.0.insert(0, ("/api/v1/campaigns/", id.clone()));
    let at = |word: &str| format!("POST {ONE}{word}");
    book.ask(&format!("GET {ONE}"), "done", None).await;
    book.ask(&format!("PUT {ONE}"), "wrong", Some(json!({ "endHour": 25, "total_calls_made": 5, "ringTimeout": 1 }))).await;
    book.ask(&format!("PUT {ONE}"), "done", Some(json!({ "daily_cap": 50 }))).await;
    for word in ["/pause", "/resume"] {
        book.ask(&at(word), "idle", None).await;
    }
    book.ask(&at("/start"), "done", None).await;
    book.ask(&at("/start"), "again", None).await;
    book.ask(&format!("DELETE {ONE}"), "running", None).await;
    nobody_answers(&book.rest, &id).await;
    book.ask(&format!("PUT {ONE}"), "more attempts", Some(json!({ "retry": { "maxAttempts": 3 } }))).await;
    book.ask(&at("/recycle"), "nothing", Some(json!({}))).await;
    book.ask(&at("/recycle"), "wrong", Some(json!({ "results": ["sometimes"] }))).await;
    book.ask(&at("/recycle"), "done", Some(json!({ "results": ["no_answer"] }))).await;
    for word in ["/pause", "/resume"] {
        book.ask(&at(word), "done", None).await;
    }
    for route in [format!("GET {ONE}/status"), format!("GET {ONE}/calls")] {
        book.ask(&route, "done", None).await;
    }
    for route in ["GET /api/v1/outbound-calls/campaign/{id}", "GET /api/v1/outbound-calls/campaign/{id}/stats"] {
        book.ask(route, "done", None).await;
    }
    book.ask(&at("/stop"), "done", Some(json!({ "hangUp": true }))).await;
    book.ask(&at("/stop"), "again", None).await;
    book.ask(&format!("DELETE {ONE}"), "done", None).await;
    book.ask(&format!("GET {ONE}"), "deleted", None).await;
    book.ids.0.remove(0);
    let file = book.rest.world.row(running).await.csv_file_id.unwrap();
    book.ask_at("DELETE /api/v1/csv/{id}", "a campaign uses it", &format!("/api/v1/csv/{file}"), None, "DELETE").await;
}

async fn calls(book: &mut Book) {
    const ONE: &str = "/api/v1/outbound-calls/{id}";
    let at = |method: &str, word: &str| format!("{method} {ONE}{word}");
    book.ask(&at("POST", "/transfer"), "nothing", Some(json!({}))).await;
    book.ask(&at("POST", "/transfer"), "wrong", Some(json!({ "to": "12" }))).await;
    book.ask(&at("POST", "/transfer"), "nobody has answered", Some(json!({ "to": fictional(60) }))).await;
    book.ask(&at("POST", "/listen"), "wrong", Some(json!({ "phoneNumber": "12" }))).await;
    book.ask(&at("PUT", "/outcome"), "nothing", Some(json!({}))).await;
    book.ask(&at("PUT", "/outcome"), "wrong", Some(json!({ "outcome": "perhaps", "confidence": 2 }))).await;
    book.ask(&at("PUT", "/outcome"), "nobody has answered", Some(json!({ "outcome": "interested" }))).await;
    book.ask(&at("POST", "/report"), "wrong", Some(json!({ "answeredBy": "robot" }))).await;
    book.ask(&at("POST", "/report"), "done", Some(json!({ "summary": "short", "answeredBy": "human" }))).await;
    book.ask(&at("POST", "/hangup"), "done", None).await;
    book.ask(&at("PUT", "/outcome"), "done", Some(json!({ "outcome": "do_not_call", "notes": "said so" }))).await;
    book.ask(ONE_SHOWN, "done", None).await;
    for (route, given) in [
        ("POST /api/v1/outbound-calls/initiate", json!({ "campaignId": "x", "phoneNumber": "12", "fromNumber": "y" })),
        ("POST /api/v1/livekit/outbound-calls/create-call", json!({ "campaignId": "x" })),
        ("POST /api/v1/livekit/outbound-calls/create-participant", json!({ "outboundTrunkId": "ST_0" })),
        ("POST /api/v1/livekit/outbound-calls/dispatch-agent", json!({})),
    ] {
        book.ask(route, "wrong", Some(given)).await;
    }
    let given = json!({ "assistantId": book.rest.world.assistant, "phoneNumber": fictional(61) });
    book.ask("POST /api/v1/livekit/outbound-calls/create-call", "no engine", Some(given)).await;
    let given = json!({ "assistantId": book.rest.world.assistant, "roomName": "lobby" });
    book.ask("POST /api/v1/livekit/outbound-calls/dispatch-agent", "no room of ours", Some(given)).await;
}

const ONE_SHOWN: &str = "GET /api/v1/outbound-calls/{id}";

async fn contacts(book: &mut Book) {
    for (of, one, number) in [("csv", "csv/contacts", "+12025550145"), ("contact-lists", "contacts", "+12025550146")] {
        let (of, one) = (format!("/api/v1/{of}/{{id}}"), format!("/api/v1/{one}/{{id}}"));
        book.ask(&format!("GET {of}"), "done", None).await;
        let add = format!("POST {of}/contacts");
        book.ask(&add, "nothing", Some(json!({}))).await;
        let given = json!({ "phoneNumber": number, "name": "Ann", "fields": { "Plan": "Gold" } });
        book.ask(&add, "done", Some(given.clone())).await;
        book.ask(&add, "again", Some(given)).await;
        book.ask(&format!("PATCH {one}"), "wrong", Some(json!({ "phoneNumber": "12" }))).await;
        book.ask(&format!("PATCH {one}"), "done", Some(json!({ "notes": "of the fair" }))).await;
        book.ask(&format!("GET {one}"), "done", None).await;
        book.ask(&format!("DELETE {one}"), "done", None).await;
        if of.contains("csv") {
            book.ask(&format!("GET {of}/stats"), "done", None).await;
        } else {
            book.ask(&format!("PUT {of}"), "wrong", Some(json!({ "name": "" }))).await;
            book.ask(&format!("PUT {of}"), "done", Some(json!({ "description": "of the fair" }))).await;
        }
        book.ask(&format!("DELETE {of}"), "done", None).await;
        book.ask(&format!("GET {of}"), "deleted", None).await;
    }
    book.ask("POST /api/v1/contact-lists", "nothing", Some(json!({}))).await;
    book.ask("POST /api/v1/contact-lists", "done", Some(json!({ "name": "Others" }))).await;
}

async fn rules(book: &mut Book) {
    book.ask("POST /api/v1/do-not-call", "nothing", Some(json!({}))).await;
    book.ask("POST /api/v1/do-not-call", "wrong", Some(json!({ "number": "12" }))).await;
    book.ask("POST /api/v1/do-not-call", "done", Some(json!({ "number": "+12025550142" }))).await;
    let lift = "DELETE /api/v1/do-not-call/{number}";
    book.ask(lift, "no reason", None).await;
    book.ask(lift, "done", Some(json!({ "reason": "asked to" }))).await;
    book.ask(lift, "again", Some(json!({ "reason": "asked to" }))).await;
    let route = "POST /api/v1/do-not-call/import";
    book.ask_at(route, "done", "/api/v1/do-not-call/import", Some(form_of("+12025550177\n")), "POST").await;
    for method in ["GET", "POST", "DELETE"] {
        book.ask(&format!("{method} /api/v1/kill-switch"), "done", None).await;
    }
    book.ask("POST /api/v1/terms", "nothing", Some(json!({}))).await;
    book.ask("POST /api/v1/terms", "done", Some(json!({ "name": "Jane" }))).await;
    book.ask("GET /api/v1/terms", "done", None).await;
}

/// Webhooks, signed as Twilio and LiveKit do.
async fn signed(book: &mut Book) {
    let twilio = |target: &str, form: &[(&str, &str)]| {
        let pairs: Vec<(String, String)> = form.iter().map(|(k, v)| ((*k).to_owned(), (*v).to_owned())).collect();
        let text = form.iter().map(|(k, v)| format!("{k}={v}")).collect::<Vec<_>>().join("&");
        let signature = twilio::sign("tok", &format!("https://x.example{target}"), &pairs);
        Request::post(target)
            .header("x-twilio-signature", signature)
            .header("content-type", "application/x-www-form-urlencoded")
            .body(Body::from(text))
            .unwrap()
    };
    let form: &[_] = &[("CallSid", "CA1"), ("CallStatus", "ringing"), ("SequenceNumber", "1")];
    let told: &[_] = &[("CallSid", "CA1"), ("RecordingSid", "RE1"), ("RecordingStatus", "completed")];
    for (route, note, form) in [
        ("POST /api/v1/outbound-calls/status-callback", "done", form),
        ("POST /api/v1/recording/status", "done", told),
        ("POST /api/v1/recording/status", "of no recording", form),
        ("POST /api/v1/livekit/room/{room}", "done", form),
    ] {
        let answer = send(&book.rest.router, twilio(&book.ids.fill(route), form)).await;
        book.take(route, note, &answer);
    }
    let answer = send(&book.rest.router, twilio("/api/v1/livekit/room/a%20b", form)).await;
    book.take("POST /api/v1/livekit/room/{room}", "no room's name", &answer);
    for (note, text) in [("done", r#"{"event":"room_started","id":"EV_1","createdAt":"1","room":{"name":"lobby","sid":"RM_1"}}"#), ("no event", "[]")] {
        let answer = send(&book.rest.router, by_livekit(text)).await;
        book.take("POST /api/v1/livekit/webhook", note, &answer);
    }
}

fn by_livekit(text: &str) -> Request<Body> {
    use base64::Engine;
    use sha2::{Digest, Sha256};
    dialdeck::telephony::tokens::install();
    let hash = base64::engine::general_purpose::STANDARD.encode(Sha256::digest(text.as_bytes()));
    let token = livekit_api::access_token::AccessToken::with_api_key("k", "s").with_sha256(&hash).to_jwt().unwrap();
    Request::post("/api/v1/livekit/webhook")
        .header("authorization", token)
        .header("content-type", "application/webhook+json")
        .body(Body::from(text.to_owned()))
        .unwrap()
}

/// What an engine carries out.
async fn by_hand(mut book: Book) -> Book {
    let (rest, campaign) = crate::manual::rest(600).await;
    let assistant = rest.world.assistant;
    let host = rest.world.simulator.url().trim_start_matches("http://").to_owned();
    book.names = vec![(host, "LiveKit".into()), (rest.world.installation.room_prefix(), "installation".into()), (assistant.to_string(), "assistant".into())];
    book.rest = rest;
    let initiate = "POST /api/v1/outbound-calls/initiate";
    let given = json!({ "campaignId": campaign, "phoneNumber": fictional(50), "contactName": "Jane" });
    let made = book.ask(initiate, "done", Some(given.clone())).await;
    book.ask(initiate, "again", Some(given)).await;
    book.ask(initiate, "no such campaign", Some(json!({ "campaignId": uuid::Uuid::nil(), "phoneNumber": fictional(51) }))).await;
    let given = json!({ "assistantId": assistant, "phoneNumber": fictional(51), "contactName": "Joe" });
    book.ask("POST /api/v1/livekit/outbound-calls/create-call", "done", Some(given)).await;
    let given = json!({ "assistantId": assistant, "phoneNumber": fictional(52), "contactName": "Ann", "waitUntilAnswered": true });
    book.ask("POST /api/v1/livekit/outbound-calls/create-participant", "done", Some(given)).await;
    let id = made["campaignCallId"].as_str().unwrap().to_owned();
    let row = || async { book.rest.world.store.any_call(id.parse().unwrap()).await.unwrap().unwrap() };
    book.rest.world.until("an answer", Duration::from_secs(20), || async { row().await.answered_at.is_some() }).await;
    let room = row().await.room_name;
    book.ids = Ids(vec![("/api/v1/outbound-calls/", id.clone())]);
    let dispatch = "POST /api/v1/livekit/outbound-calls/dispatch-agent";
    book.ask(dispatch, "done", Some(json!({ "roomName": room, "assistantId": assistant }))).await;
    book.ask(dispatch, "another campaign's", Some(json!({ "roomName": room, "assistantId": assistant, "campaignId": uuid::Uuid::nil() }))).await;
    let listen = "POST /api/v1/outbound-calls/{id}/listen";
    book.ask(listen, "done by a token", None).await;
    book.ask(listen, "done by phone", Some(json!({ "phoneNumber": fictional(53) }))).await;
    book.ask(listen, "a country that is not called", Some(json!({ "phoneNumber": "+33123456789" }))).await;
    book.ask("POST /api/v1/outbound-calls/{id}/transfer", "done", Some(json!({ "to": fictional(54) }))).await;
    book
}

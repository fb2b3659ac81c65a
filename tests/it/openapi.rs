//! The document of the API against the listener itself: its routes, the fields of its requests and of its answers.

use std::collections::{BTreeMap, BTreeSet};

use dialdeck::{
    api::{BASE, at_root, routes},
    domain::{
        event::{CallEvent, End, Kind, Reply, Source, Target},
        id::Incarnation,
    },
};
use serde_json::{Value, json};

use crate::{
    api::Rest,
    support::{
        fictional,
        http::{Answer, call, send},
    },
};

/// Operations whose answer is read by tests of their own: what they are told is signed, or it has no end.
const ELSEWHERE: &[&str] = &[
    "GET /api/v1/events",
    "POST /api/v1/outbound-calls/status-callback",
    "POST /api/v1/livekit/webhook",
    "POST /api/v1/recording/status",
    "POST /api/v1/livekit/room/{room}",
];

/// Operations that an engine carries out.
const BY_HAND: &[&str] = &[
    "POST /api/v1/outbound-calls/initiate",
    "POST /api/v1/outbound-calls/{id}/transfer",
    "POST /api/v1/outbound-calls/{id}/listen",
    "POST /api/v1/livekit/outbound-calls/create-participant",
    "POST /api/v1/livekit/outbound-calls/create-call",
    "POST /api/v1/livekit/outbound-calls/dispatch-agent",
];

/// Names that are read beside the documented ones: columns of the old front end, and words of before.
const ALIASES: &[&str] = &["phoneNumber", "phone"];

pub async fn document(rest: &Rest) -> Value {
    let request = axum::http::Request::get("/api/v1/openapi.json").body(axum::body::Body::empty()).unwrap();
    send(&rest.router, request).await.json()
}

/// Every operation, as `POST /api/v1/campaigns`.
pub fn operations(document: &Value) -> BTreeMap<String, &Value> {
    let paths = document["paths"].as_object().unwrap();
    let all = paths.iter().flat_map(|(path, methods)| {
        methods.as_object().unwrap().iter().map(move |(method, operation)| (format!("{} {path}", method.to_uppercase()), operation))
    });
    all.collect()
}

fn references(value: &Value, out: &mut BTreeSet<String>) {
    match value {
        Value::Object(map) => {
            out.extend(map.get("$ref").and_then(Value::as_str).map(str::to_owned));
            map.values().for_each(|v| references(v, out));
        }
        Value::Array(list) => list.iter().for_each(|v| references(v, out)),
        _ => {}
    }
}

fn resolved<'a>(document: &'a Value, schema: &'a Value) -> &'a Value {
    match schema["$ref"].as_str() {
        Some(at) => document.pointer(at.trim_start_matches('#')).unwrap_or_else(|| panic!("{at} is nowhere")),
        None => schema,
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_document_has_every_route_and_no_other() {
    let rest = Rest::new().await;
    let document = document(&rest).await;
    let operations = operations(&document);
    let table: BTreeSet<String> =
        routes().iter().map(|r| format!("{} {BASE}{}", r.method, r.path)).chain(at_root().iter().map(|r| format!("{} {}", r.method, r.path))).collect();
    assert_eq!(operations.keys().cloned().collect::<BTreeSet<_>>(), table);
    let tags: Vec<&Value> = document["tags"].as_array().unwrap().iter().map(|t| &t["name"]).collect();
    let mut ids = BTreeSet::new();
    for (name, operation) in &operations {
        assert!(operation["summary"].as_str().is_some_and(|s| !s.is_empty()), "{name}: say something of it in api/openapi/said");
        assert!(tags.contains(&&operation["tags"][0]), "{name}");
        assert!(ids.insert(operation["operationId"].as_str()), "{name}: its id is another's");
        let open = ["open", "signed"].contains(&operation["x-role"].as_str().unwrap());
        assert_eq!(operation["security"].is_null(), open, "{name}");
    }
    let mut refs = BTreeSet::new();
    references(&document, &mut refs);
    assert!(refs.len() > 30);
    for at in refs {
        resolved(&document, &json!({ "$ref": at }));
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_document_is_this() {
    let mut document = document(&Rest::new().await).await;
    document["info"]["version"] = json!("(the release)");
    insta::assert_snapshot!("openapi", serde_json::to_string_pretty(&document).unwrap());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_page_shows_every_path_and_asks_nobody() {
    let rest = Rest::new().await;
    let page = send(&rest.router, axum::http::Request::get("/docs").body(axum::body::Body::empty()).unwrap()).await;
    assert!(page.headers["content-type"].to_str().unwrap().starts_with("text/html"));
    assert!(page.headers["content-security-policy"].to_str().unwrap().contains("default-src 'none'"));
    for foreign in ["http:", "https:", "//", "src=", "<script", "<link", "<img", "@import", "url("] {
        assert!(!page.body.contains(foreign), "{foreign}");
    }
    for name in operations(&document(&rest).await).keys() {
        assert!(page.body.contains(&format!("<b>{name}</b>")), "{name}");
    }
}

/// A running campaign with a live call, whose ids stand in paths.
pub async fn scene(rest: &Rest) -> (String, String) {
    let w = &rest.world;
    let (source, _) = w.import(crate::support::csv_of(3)).await;
    let campaign = w.campaign(source, |_| {}).await;
    w.desk.start(w.actor.clone(), campaign).await.unwrap();
    let (called, _) = w.arm_next(campaign, Incarnation::fresh()).await;
    (campaign.to_string(), called.to_string())
}

/// A contact list with a contact in it.
pub async fn a_list(rest: &Rest) -> (String, String) {
    let id = |answer: &Answer, key: &str| answer.json()[key]["id"].as_str().unwrap().to_owned();
    let list = id(&rest.call("POST", "/contact-lists", Some(json!({ "name": "Leads" }))).await, "contactList");
    let contact = rest.call("POST", &format!("/contact-lists/{list}/contacts"), Some(json!({ "phoneNumber": "+12025550143" }))).await;
    (list, id(&contact, "contact"))
}

/// The words in backquotes behind "expected".
fn expected(message: &str) -> BTreeSet<String> {
    let list = message.split_once("expected").map_or("", |(_, list)| list);
    list.split('`').skip(1).step_by(2).map(str::to_owned).collect()
}

fn in_columns(name: &str) -> String {
    name.chars().flat_map(|c| if c.is_uppercase() { vec!['_', c.to_ascii_lowercase()] } else { vec![c] }).collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn requests_have_exactly_the_documented_fields() {
    let rest = Rest::new().await;
    let document = document(&rest).await;
    let (campaign, called) = scene(&rest).await;
    let file = rest.upload("name,phone\nJane,+12025550142\n").await.json()["csvFileId"].as_str().unwrap().to_owned();
    let in_file = rest.call("GET", &format!("/csv/{file}/contacts"), None).await.json()["contacts"][0]["id"].as_str().unwrap().to_owned();
    let (list, in_list) = a_list(&rest).await;
    let ids = [
        ("/api/v1/campaigns/", campaign),
        ("/api/v1/outbound-calls/", called),
        ("/api/v1/csv/contacts/", in_file),
        ("/api/v1/csv/", file),
        ("/api/v1/contact-lists/", list),
        ("/api/v1/contacts/", in_list),
    ];
    let mut wrong = Vec::new();
    let mut asked = 0;
    for (name, operation) in operations(&document) {
        let schema = &operation["requestBody"]["content"]["application/json"]["schema"];
        if schema.is_null() {
            continue;
        }
        let (method, path) = name.split_once(' ').unwrap();
        let id = ids.iter().find(|(start, _)| path.starts_with(*start)).map_or("", |(_, id)| id);
        let path = path.replace("{id}", id).replace("{number}", "+12025550142");
        let answer = call(&rest.router, method, &path, &rest.token, Some(json!({ "zzz": 1 }))).await;
        assert_eq!(answer.status.as_u16(), 400, "{name}: {}", answer.body);
        let message = answer.json()["message"].as_str().unwrap().to_owned();
        assert!(message.contains("unknown field `zzz`"), "{name}: {message}");
        let schema = resolved(&document, schema);
        assert_eq!(schema["additionalProperties"], false, "{name}");
        let named: BTreeSet<String> = schema["properties"].as_object().into_iter().flatten().map(|(k, _)| k.clone()).collect();
        let columns: BTreeSet<String> = named.iter().map(|n| in_columns(n)).collect();
        let read = expected(&message);
        let more: Vec<_> = read.iter().filter(|r| !named.contains(*r) && !columns.contains(*r) && !ALIASES.contains(&r.as_str())).collect();
        let less: Vec<_> = named.difference(&read).collect();
        if !more.is_empty() || !less.is_empty() {
            wrong.push(format!("{name}: not in the document {more:?}, not read {less:?}"));
        }
        asked += 1;
    }
    assert!(wrong.is_empty() && asked >= 15, "{asked} asked\n{}", wrong.join("\n"));
}

/// What is wrong with a value by its schema; a field of which the document does not know is wrong too.
struct Check<'a> {
    document: &'a Value,
    wrong: Vec<String>,
}

impl Check<'_> {
    fn value(&mut self, schema: &Value, value: &Value, at: &str) {
        let schema = resolved(self.document, schema).clone();
        if let Some(any) = schema["oneOf"].as_array() {
            let fits = any.iter().any(|s| {
                let mut one = Check { document: self.document, wrong: Vec::new() };
                one.value(s, value, at);
                one.wrong.is_empty()
            });
            return self.expect(fits, at, &format!("{value} fits none of {any:?}"));
        }
        if let Some(wanted) = schema.get("const") {
            self.expect(value == wanted, at, &format!("{value} is not {wanted}"));
        }
        if let Some(words) = schema["enum"].as_array() {
            self.expect(words.contains(value), at, &format!("{value} is none of {words:?}"));
        }
        let types: Vec<&str> = match &schema["type"] {
            Value::String(t) => vec![t],
            Value::Array(all) => all.iter().filter_map(Value::as_str).collect(),
            _ => vec![],
        };
        let is = |t: &&str| match *t {
            "string" => value.is_string(),
            "integer" => value.is_i64() || value.is_u64(),
            "number" => value.is_number(),
            "boolean" => value.is_boolean(),
            "array" => value.is_array(),
            "object" => value.is_object(),
            "null" => value.is_null(),
            other => panic!("{other} is no type"),
        };
        self.expect(types.is_empty() || types.iter().any(is), at, &format!("{value} is no {types:?}"));
        if let Some(text) = value.as_str() {
            let fits = match schema["format"].as_str() {
                Some("uuid") => text.parse::<uuid::Uuid>().is_ok(),
                Some("date-time") => text.parse::<chrono::DateTime<chrono::Utc>>().is_ok(),
                _ => true,
            };
            self.expect(fits, at, &format!("\"{text}\" is no {}", schema["format"]));
        }
        for (i, item) in value.as_array().into_iter().flatten().enumerate() {
            self.value(&schema["items"], item, &format!("{at}[{i}]"));
        }
        self.fields(&schema, value, at);
    }

    fn fields(&mut self, schema: &Value, value: &Value, at: &str) {
        let parts = schema["allOf"].as_array().cloned().unwrap_or_else(|| vec![schema.clone()]);
        let parts: Vec<Value> = parts.iter().map(|p| resolved(self.document, p).clone()).collect();
        let named: BTreeMap<String, Value> = parts.iter().filter_map(|p| p["properties"].as_object()).flatten().map(|(k, v)| (k.clone(), v.clone())).collect();
        if named.is_empty() {
            return;
        }
        let Some(object) = value.as_object() else { return self.expect(false, at, "is no object") };
        for name in parts.iter().filter_map(|p| p["required"].as_array()).flatten().filter_map(Value::as_str) {
            self.expect(object.contains_key(name), at, &format!("lacks {name}"));
        }
        for (name, field) in object {
            match named.get(name) {
                Some(schema) => self.value(schema, field, &format!("{at}.{name}")),
                None => self.expect(false, at, &format!("has {name}, of which the document does not know")),
            }
        }
    }

    fn expect(&mut self, holds: bool, at: &str, words: &str) {
        if !holds {
            self.wrong.push(format!("{at} {words}"));
        }
    }
}

/// Asks, and checks each answer by the document.
struct Client {
    rest: Rest,
    document: Value,
    asked: BTreeSet<String>,
    refused: Vec<String>,
    wrong: Vec<String>,
}

impl Client {
    async fn ask(&mut self, method: &str, path: &str, ids: &[&str], body: Option<Value>) -> Value {
        let mut filled = path.to_owned();
        for id in ids {
            let (start, rest) = filled.split_once('{').unwrap();
            filled = format!("{start}{id}{}", rest.split_once('}').unwrap().1);
        }
        let answer = call(&self.rest.router, method, &filled, &self.rest.token, body).await;
        self.take(&format!("{method} {path}"), &answer)
    }

    fn take(&mut self, name: &str, answer: &Answer) -> Value {
        let name = name.split('?').next().unwrap();
        let path = name.split_once(' ').unwrap();
        let operation = self.document["paths"][path.1][path.0.to_ascii_lowercase()].clone();
        let documented = &operation["responses"][answer.status.as_str()];
        assert!(!documented.is_null(), "{name}: {} is not in the document: {}", answer.status, answer.body);
        let documented = resolved(&self.document, documented);
        let kind = answer.headers.get("content-type").map_or("", |c| c.to_str().unwrap().split(';').next().unwrap());
        let content = documented["content"][kind].clone();
        let mut check = Check { document: &self.document, wrong: Vec::new() };
        check.expect(!content.is_null(), name, &format!("answers {kind}"));
        let value = if kind == "application/json" { answer.json() } else { json!(answer.body) };
        check.value(&content["schema"], &value, name);
        let located = !documented["headers"]["Location"].is_null();
        check.expect(answer.status != 201 || located == answer.headers.contains_key("location"), name, "says otherwise where it is");
        self.wrong.append(&mut check.wrong);
        if answer.status.is_success() {
            self.asked.insert(name.to_owned());
        } else {
            self.refused.push(format!("{name}: {}", answer.body));
        }
        value
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn answers_have_exactly_the_documented_fields() {
    let rest = Rest::new().await;
    let document = document(&rest).await;
    let mut c = Client { rest, document, asked: BTreeSet::new(), refused: Vec::new(), wrong: Vec::new() };
    numbers(&mut c).await;
    let upload = c.rest.upload(&format!("name,phone,state\nJane,{},\nNobody,12,\nJoe,{},XX\n", fictional(1), fictional(2))).await;
    let file = c.take("POST /api/v1/csv/upload", &upload)["csvFileId"].as_str().unwrap().to_owned();
    for path in
        ["/api/v1/csv", "/api/v1/contact-lists", "/api/v1/kill-switch", "/api/v1/terms", "/api/v1/openapi.json", "/healthz", "/readyz", "/docs", "/metrics"]
    {
        c.ask("GET", path, &[], None).await;
    }
    campaigns(&mut c, &file).await;
    contacts(&mut c).await;
    rules(&mut c).await;
    let all: BTreeSet<String> =
        operations(&c.document).into_keys().filter(|name| !ELSEWHERE.contains(&name.as_str()) && !BY_HAND.contains(&name.as_str())).collect();
    let never: Vec<_> = all.difference(&c.asked).collect();
    assert!(c.wrong.is_empty() && never.is_empty(), "never done: {never:?}\n{}\n{}", c.wrong.join("\n"), c.refused.join("\n"));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn calls_by_hand_answer_with_exactly_the_documented_fields() {
    let (rest, campaign) = crate::manual::rest(600).await;
    let document = document(&rest).await;
    let assistant = rest.world.assistant;
    let mut c = Client { rest, document, asked: BTreeSet::new(), refused: Vec::new(), wrong: Vec::new() };
    let body = json!({ "campaignId": campaign, "phoneNumber": fictional(50), "contactName": "Jane" });
    let made = c.ask("POST", "/api/v1/outbound-calls/initiate", &[], Some(body)).await;
    let id = made["campaignCallId"].as_str().unwrap().to_owned();
    let body = json!({ "assistantId": assistant, "phoneNumber": fictional(51), "contactName": "Joe" });
    c.ask("POST", "/api/v1/livekit/outbound-calls/create-call", &[], Some(body)).await;
    let body = json!({ "assistantId": assistant, "phoneNumber": fictional(52), "contactName": "Ann", "waitUntilAnswered": true });
    c.ask("POST", "/api/v1/livekit/outbound-calls/create-participant", &[], Some(body)).await;
    let answered = || async { c.rest.world.store.any_call(id.parse().unwrap()).await.unwrap().unwrap().answered_at.is_some() };
    c.rest.world.until("an answer", std::time::Duration::from_secs(20), answered).await;
    let room = c.rest.world.store.any_call(id.parse().unwrap()).await.unwrap().unwrap().room_name;
    let body = json!({ "roomName": room, "assistantId": assistant });
    c.ask("POST", "/api/v1/livekit/outbound-calls/dispatch-agent", &[], Some(body)).await;
    for body in [None, Some(json!({ "phoneNumber": fictional(53) }))] {
        c.ask("POST", "/api/v1/outbound-calls/{id}/listen", &[&id], body).await;
    }
    c.ask("POST", "/api/v1/outbound-calls/{id}/transfer", &[&id], Some(json!({ "to": fictional(54) }))).await;
    c.ask("GET", "/api/v1/outbound-calls/{id}", &[&id], None).await;
    let never: Vec<_> = BY_HAND.iter().filter(|name| !c.asked.contains(**name)).collect();
    assert!(c.wrong.is_empty() && never.is_empty(), "never done: {never:?}\n{}\n{}", c.wrong.join("\n"), c.refused.join("\n"));
}

async fn numbers(c: &mut Client) {
    let made = c.ask("POST", "/api/v1/assistants", &[], Some(json!({ "name": "Olga" }))).await;
    let assistant = made["assistant"]["id"].as_str().unwrap().to_owned();
    c.ask("GET", "/api/v1/assistants/{id}", &[&assistant], None).await;
    let body = json!({ "phoneNumber": "+15550001111", "assistantId": assistant, "address": "acme.example" });
    for _ in 0..2 {
        c.ask("POST", "/api/v1/livekit/outbound-calls/create-trunk", &[], Some(body.clone())).await;
    }
    c.ask("POST", "/api/v1/phone-numbers/assign", &[], Some(body)).await;
    c.ask("POST", "/api/v1/phone-numbers/assign", &[], Some(json!({ "phoneNumber": "12", "assistantId": "x" }))).await;
    for path in ["/api/v1/assistants", "/api/v1/phone-numbers", "/api/v1/livekit/outbound-calls/trunks"] {
        c.ask("GET", path, &[], None).await;
    }
    c.ask("GET", "/api/v1/livekit/outbound-calls/trunk/{assistant}", &[&assistant], None).await;
}

async fn campaigns(c: &mut Client, file: &str) {
    const ONE: &str = "/api/v1/campaigns/{id}";
    let body = json!({ "name": "Q4", "assistantId": c.rest.world.assistant, "csvFileId": file, "campaignPrompt": "Hello {name}", "startHour": 0, "endHour": 0, "retry": { "maxAttempts": 1 },
        "callingDays": ["monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday"] });
    let made = c.ask("POST", "/api/v1/campaigns", &[], Some(body.clone())).await;
    let id = made["campaign"]["id"].as_str().unwrap().to_owned();
    let id = id.as_str();
    for path in ["/api/v1/campaigns", "/api/v1/campaigns?fields=prompt"] {
        c.ask("GET", path, &[], None).await;
    }
    c.ask("GET", ONE, &[id], None).await;
    c.ask("PUT", ONE, &[id], Some(json!({ "dailyCap": 50 }))).await;
    c.ask("POST", &format!("{ONE}/start"), &[id], None).await;
    nobody_answers(&c.rest, id).await;
    c.ask("PUT", ONE, &[id], Some(json!({ "retry": { "maxAttempts": 3 } }))).await;
    c.ask("POST", &format!("{ONE}/recycle"), &[id], Some(json!({ "results": ["no_answer"] }))).await;
    let (_, called) = scene(&c.rest).await;
    for word in ["pause", "resume"] {
        c.ask("POST", &format!("{ONE}/{word}"), &[id], None).await;
    }
    for path in [&format!("{ONE}/status"), &format!("{ONE}/calls"), "/api/v1/outbound-calls/campaign/{id}", "/api/v1/outbound-calls/campaign/{id}/stats"] {
        c.ask("GET", path, &[id], None).await;
    }
    c.ask("DELETE", ONE, &[id], None).await;
    c.ask("POST", &format!("{ONE}/stop"), &[id], Some(json!({ "hangUp": true }))).await;
    c.ask("POST", &format!("{ONE}/recycle"), &[id], Some(json!({ "results": ["busy"] }))).await;
    c.ask("DELETE", ONE, &[id], None).await;
    c.ask("GET", ONE, &[id], None).await;

    let one = "/api/v1/outbound-calls/{id}";
    let called = called.as_str();
    c.ask("POST", &format!("{one}/hangup"), &[called], None).await;
    c.ask("PUT", &format!("{one}/outcome"), &[called], Some(json!({ "outcome": "do_not_call", "notes": "said so" }))).await;
    c.ask("POST", &format!("{one}/report"), &[called], Some(json!({ "summary": "short", "answeredBy": "human" }))).await;
    c.ask("GET", one, &[called], None).await;
}

async fn contacts(c: &mut Client) {
    let (list, in_list) = a_list(&c.rest).await;
    let file = c.rest.upload("name,phone,Plan\nJane,+12025550144,Gold\n").await.json()["csvFileId"].as_str().unwrap().to_owned();
    for (of, one, id, number) in [("csv", "csv/contacts", file, "+12025550145"), ("contact-lists", "contacts", list.clone(), "+12025550146")] {
        let (of, one) = (format!("/api/v1/{of}/{{id}}"), format!("/api/v1/{one}/{{id}}"));
        c.ask("GET", &of, &[&id], None).await;
        c.ask("GET", &format!("{of}/contacts"), &[&id], None).await;
        let made = c.ask("POST", &format!("{of}/contacts"), &[&id], Some(json!({ "phoneNumber": number, "name": "Ann", "fields": { "Plan": "Gold" } }))).await;
        let contact = made["contact"]["id"].as_str().unwrap().to_owned();
        c.ask("PATCH", &one, &[&contact], Some(json!({ "notes": "of the fair" }))).await;
        c.ask("GET", &one, &[&contact], None).await;
        c.ask("DELETE", &one, &[&contact], None).await;
        if of.contains("csv") {
            c.ask("GET", &format!("{of}/stats"), &[&id], None).await;
        } else {
            c.ask("PUT", &of, &[&id], Some(json!({ "description": "of the fair" }))).await;
        }
        c.ask("DELETE", &of, &[&id], None).await;
    }
    c.ask("POST", "/api/v1/contact-lists", &[], Some(json!({ "name": "Others" }))).await;
    c.ask("GET", "/api/v1/contact-lists", &[], None).await;
    c.ask("GET", "/api/v1/contacts/{id}", &[&in_list], None).await;
}

/// The campaign's next call rings out.
pub async fn nobody_answers(rest: &Rest, campaign: &str) {
    let w = &rest.world;
    let (called, _) = w.arm_next(campaign.parse().unwrap(), Incarnation::fresh()).await;
    let kind = Kind::Reply(Reply::Ended { end: End::NoAnswer, sip_code: None, reason: "rang out".into() });
    let event = CallEvent { key: format!("test:{called}"), target: Target::Call(called), source: Source::Dial, at: w.clock.now(), kind, raw: Value::Null };
    w.desk.record(event).await.unwrap();
}

async fn rules(c: &mut Client) {
    c.ask("POST", "/api/v1/do-not-call", &[], Some(json!({ "number": "+12025550142" }))).await;
    c.ask("GET", "/api/v1/do-not-call", &[], None).await;
    c.ask("DELETE", "/api/v1/do-not-call/{number}", &["+12025550142"], Some(json!({ "reason": "asked to" }))).await;
    let form = "--b\r\ncontent-disposition: form-data; name=\"csvFile\"; filename=\"d.csv\"\r\n\r\n+12025550177\n\r\n--b--\r\n";
    let request = axum::http::Request::post("/api/v1/do-not-call/import")
        .header("authorization", format!("Bearer {}", c.rest.token))
        .header("content-type", "multipart/form-data; boundary=b");
    let answer = send(&c.rest.router, request.body(axum::body::Body::from(form)).unwrap()).await;
    c.take("POST /api/v1/do-not-call/import", &answer);
    for method in ["POST", "DELETE"] {
        c.ask(method, "/api/v1/kill-switch", &[], None).await;
    }
    c.ask("POST", "/api/v1/terms", &[], Some(json!({ "name": "Jane" }))).await;
    c.ask("GET", "/api/v1/terms", &[], None).await;
}

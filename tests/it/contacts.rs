//! Lists, files and contacts written by hand: read as an import reads them, called as they are by now, and
//! not at all when they are gone; and the bodies that clients send back.

use chrono::TimeDelta;
use dialdeck::{
    api::Role,
    desk::{ContactChange, DeskError, Refused, SetOutcome},
    domain::{
        call::State,
        contact::Written,
        event::{End, Reply},
        id::{CampaignId, ContactId, OwnerId, SourceId},
        outcome::{Outcome, Who},
        phone,
        retry::RetryRules,
    },
    store::{CallRow, ContactTable},
};
use serde_json::{Value, json};

use crate::support::base::only_a_file;
use crate::{
    api::{Rest, code},
    support::{counted, csv_of, http::Answer, office::Office},
};

const FILE: ContactTable = ContactTable::CsvFile;

fn fields(answer: &Answer) -> Vec<String> {
    let json = answer.json();
    assert_eq!(answer.status, 422, "{json}");
    json["details"].as_array().unwrap().iter().map(|d| d["field"].as_str().unwrap().to_owned()).collect()
}

/// A created row, by the place its answer names.
async fn at_location(rest: &Rest, made: &Answer) -> Value {
    assert_eq!(made.status, 201, "{}", made.body);
    let place = made.headers["location"].to_str().unwrap().strip_prefix("/api/v1").unwrap().to_owned();
    let there = rest.call("GET", &place, None).await;
    assert_eq!(there.status, 200, "{place}: {}", there.body);
    there.json()
}

async fn calls(office: &Office, id: CampaignId) -> Vec<CallRow> {
    office.store.calls(id, &dialdeck::store::CallFilter::default(), 1000, 0).await.unwrap().rows
}

/// The contact of a file with a number.
async fn contact(office: &Office, source: SourceId, number: &str) -> ContactId {
    let source = office.store.source(office.actor.owner, source).await.unwrap().unwrap();
    let page = office.store.contacts(office.actor.owner, &source, 500, 0).await.unwrap();
    page.rows.iter().find(|c| c.phone_number == number).unwrap().id
}

async fn change(office: &Office, id: ContactId, change: ContactChange) -> Result<(), DeskError> {
    office.desk.edit_contact(office.actor.clone(), FILE, id, change, phone::region("US").ok()).await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_list_from_its_making_to_its_end() {
    let rest = Rest::new().await;
    let made = rest.call("POST", "/contact-lists", Some(json!({ "name": "Leads", "description": "of the fair" }))).await;
    let list = at_location(&rest, &made).await["contactList"].clone();
    assert_eq!((list["name"].as_str(), list["description"].as_str(), list["contact_count"].as_i64()), (Some("Leads"), Some("of the fair"), Some(0)));
    let path = format!("/contact-lists/{}", list["id"].as_str().unwrap());
    // Its own row comes back, changed in one place.
    let mut row = list.clone();
    row["name"] = "Fair leads".into();
    let put = rest.call("PUT", &path, Some(row)).await;
    assert_eq!((put.status.as_u16(), put.json()["contactList"]["name"].as_str()), (200, Some("Fair leads")), "{}", put.body);
    assert_eq!(put.json()["contactList"]["description"], "of the fair");
    let wrong = rest.call("PUT", &path, Some(json!({ "id": "x", "contact_count": 7 }))).await;
    assert_eq!(fields(&wrong), ["id", "contact_count"]);
    assert_eq!(code(&rest.call("PUT", &path, Some(json!({ "nome": "x" }))).await), (400, "invalid_request".into()));
    for name in ["", "\u{200b}\u{202e}", &"x".repeat(201)] {
        assert_eq!(fields(&rest.call("POST", "/contact-lists", Some(json!({ "name": name }))).await), ["name"]);
    }
    let add = json!({ "phoneNumber": "(202) 555-0142", "name": "Jane Roe", "timezone": "EST", "fields": { "Plan": "Gold", "Seats": 3 } });
    let contact = at_location(&rest, &rest.call("POST", &format!("{path}/contacts"), Some(add.clone())).await).await["contact"].clone();
    assert_eq!(contact["phone_number"], "+12025550142");
    assert_eq!((contact["zones"].as_str(), contact["timezone"].as_str()), (Some("America/New_York"), Some("EST")));
    assert_eq!(contact["fields"], json!({ "Plan": "Gold", "Seats": "3" }));
    let twice = rest.call("POST", &format!("{path}/contacts"), Some(add)).await;
    assert_eq!(code(&twice), (409, "conflict".into()));
    assert!(twice.body.contains(contact["id"].as_str().unwrap()));
    let all = rest.call("GET", &format!("{path}/contacts"), None).await.json();
    assert_eq!((all["total"].as_i64(), &all["contacts"][0]), (Some(1), &contact));
    assert_eq!(rest.call("GET", &path, None).await.json()["contactList"]["contact_count"], 1);
    // While a campaign calls from it, it stays; a deleted campaign keeps its name, not its contacts.
    let campaign = json!({ "name": "C", "assistantId": rest.world.assistant, "contactListId": list["id"] });
    let campaign = rest.call("POST", "/campaigns", Some(campaign)).await.json()["campaign"]["id"].as_str().unwrap().to_owned();
    let refused = rest.call("DELETE", &path, None).await;
    assert_eq!(code(&refused), (409, "refused".into()));
    assert_eq!((refused.json()["details"]["gate"].as_str(), refused.body.contains("\\\"C\\\"")), (Some("in_use"), true));
    assert_eq!(rest.call("DELETE", &format!("/campaigns/{campaign}"), None).await.status, 200);
    assert_eq!(rest.call("DELETE", &path, None).await.status, 200);
    for gone in [path.clone(), format!("{path}/contacts"), format!("/contacts/{}", contact["id"].as_str().unwrap())] {
        assert_eq!(code(&rest.call("GET", &gone, None).await), (404, "not_found".into()), "{gone}");
    }
    assert_eq!(rest.call("GET", "/contact-lists", None).await.json()["total"], 0);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_file_and_its_contacts() {
    let rest = Rest::new().await;
    let up = rest.upload("name,phone,email,Plan\nJane Roe,+12025550142,jane@x.example,Gold\nJoe,+12125550143,,\n").await;
    let file = at_location(&rest, &up).await["csvFile"].clone();
    assert_eq!((file["name"].as_str(), file["row_count"].as_i64()), (Some("leads.csv"), Some(2)));
    let path = format!("/csv/{}", file["id"].as_str().unwrap());
    let all = rest.call("GET", &format!("{path}/contacts?limit=1"), None).await.json();
    assert_eq!((all["total"].as_i64(), all["contacts"][0]["name"].as_str()), (Some(2), Some("Joe")), "the last one first");
    let jane = rest.call("GET", &format!("{path}/contacts?limit=1&offset=1"), None).await.json()["contacts"][0].clone();
    assert_eq!((jane["first_name"].as_str(), jane["last_name"].as_str(), jane["fields"]["Plan"].as_str()), (Some("Jane"), Some("Roe"), Some("Gold")));
    let place = format!("/csv/contacts/{}", jane["id"].as_str().unwrap());
    // The old front end changes a first name and sends the row along.
    let mut row = jane.clone();
    row["first_name"] = "Janet".into();
    let patched = rest.call("PATCH", &place, Some(row)).await.json()["contact"].clone();
    assert_eq!(
        (patched["name"].as_str(), patched["email"].as_str(), patched["fields"]["Plan"].as_str()),
        (Some("Janet Roe"), Some("jane@x.example"), Some("Gold"))
    );
    let patched = rest.call("PATCH", &place, Some(json!({ "email": null, "fields": { "Plan": null, "City": "Rome" }, "consent_at": "2026-01-31" }))).await;
    let patched = patched.json()["contact"].clone();
    assert_eq!((patched["email"].as_str(), &patched["fields"]), (Some(""), &json!({ "City": "Rome" })));
    assert_eq!(patched["consent_at"], "2026-01-31T00:00:00Z");
    let wrong = json!({ "phoneNumber": "12", "consentAt": "soon", "notes": "x".repeat(4001), "name": "\u{200b}" });
    assert_eq!(fields(&rest.call("PATCH", &place, Some(wrong)).await), ["name", "notes", "phoneNumber", "consentAt"]);
    assert_eq!(fields(&rest.call("PATCH", &place, Some(json!({ "timezone": "Mars/Base", "state": "Atlantis" }))).await), ["timezone", "state"]);
    assert_eq!(fields(&rest.call("PATCH", &place, Some(json!({ "zones": "Asia/Tokyo", "country": "JP" }))).await), ["country", "zones"]);
    assert_eq!(
        code(&rest.call("PATCH", &place, Some(json!({ "phone": "+12025550144", "phoneNumber": "+12025550145" }))).await),
        (400, "invalid_request".into())
    );
    let stats = rest.call("GET", &format!("{path}/stats"), None).await.json()["stats"].clone();
    assert_eq!((stats["total"].as_i64(), stats["withEmail"].as_i64(), stats["doNotCall"].as_i64()), (Some(2), Some(0), Some(0)));
    assert_eq!(rest.call("DELETE", &place, None).await.status, 200);
    assert_eq!(rest.call("GET", &path, None).await.json()["csvFile"]["contact_count"], 1);
    assert_eq!(rest.call("DELETE", &path, None).await.status, 200);
    assert_eq!(code(&rest.call("GET", &path, None).await), (404, "not_found".into()));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn lists_say_how_many_there_are_and_end() {
    let rest = Rest::new().await;
    for i in 0..205 {
        rest.world.desk.create_list(rest.world.actor.clone(), format!("L{i}"), String::new()).await.unwrap();
    }
    let page = |path: &'static str| async { rest.call("GET", path, None).await.json() };
    let first = page("/contact-lists").await;
    assert_eq!((first["total"].as_i64(), first["contactLists"].as_array().unwrap().len()), (Some(205), 50));
    assert_eq!(first["contactLists"][0]["name"], "L204", "the newest first");
    let last = page("/contact-lists?limit=100&offset=200").await;
    assert_eq!(last["contactLists"].as_array().unwrap().len(), 5);
    assert_eq!(last["contactLists"][4]["name"], "L0");
    for path in ["/contact-lists", "/csv", "/assistants", "/phone-numbers", "/campaigns", "/do-not-call"] {
        assert_eq!(fields(&rest.call("GET", &format!("{path}?limit=0&offset=-1"), None).await), ["limit", "offset"], "{path}");
        assert!(rest.call("GET", &format!("{path}?limit=1"), None).await.json()["total"].is_i64(), "{path}");
    }
    let made = rest.call("POST", "/assistants", Some(json!({ "name": "Ann" }))).await;
    assert_eq!(at_location(&rest, &made).await["assistant"]["name"], "Ann");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn another_owners_are_not_there_and_a_viewer_writes_nothing() {
    let mut rest = Rest::new().await;
    let up = rest.upload("name,phone\nJane,+12025550142\n").await.json();
    let (file, list) =
        (up["csvFileId"].as_str().unwrap().to_owned(), rest.world.desk.create_list(rest.world.actor.clone(), "L".into(), String::new()).await.unwrap());
    let jane = rest.call("GET", &format!("/csv/{file}/contacts"), None).await.json()["contacts"][0]["id"].as_str().unwrap().to_owned();
    let body = Some(json!({ "phoneNumber": "+12025550143" }));
    let routes = [
        ("GET", format!("/csv/{file}"), None),
        ("DELETE", format!("/csv/{file}"), None),
        ("GET", format!("/csv/{file}/stats"), None),
        ("GET", format!("/csv/{file}/contacts"), None),
        ("POST", format!("/csv/{file}/contacts"), body.clone()),
        ("GET", format!("/csv/contacts/{jane}"), None),
        ("PATCH", format!("/csv/contacts/{jane}"), body.clone()),
        ("DELETE", format!("/csv/contacts/{jane}"), None),
        ("GET", format!("/contact-lists/{list}"), None),
        ("PUT", format!("/contact-lists/{list}"), Some(json!({ "name": "X" }))),
        ("DELETE", format!("/contact-lists/{list}"), None),
        ("GET", format!("/contact-lists/{list}/contacts"), None),
        ("POST", format!("/contact-lists/{list}/contacts"), body.clone()),
        ("PATCH", format!("/contacts/{jane}"), body),
        ("DELETE", format!("/contacts/{jane}"), None),
        ("GET", format!("/assistants/{}", rest.world.assistant), None),
    ];
    rest.token = rest.mint(rest.world.actor.owner, Role::Viewer);
    for (method, path, body) in routes.iter().filter(|(m, ..)| *m != "GET") {
        assert_eq!(code(&rest.call(method, path, body.clone()).await), (403, "forbidden".into()), "{method} {path}");
    }
    rest.token = rest.mint(OwnerId(uuid::Uuid::new_v4()), Role::Admin);
    for (method, path, body) in &routes {
        let answer = rest.call(method, path, body.clone()).await;
        let nowhere = path.split('/').map(|part| if part.len() == 36 { "0192aaaa-0000-7000-8000-000000000000" } else { part }).collect::<Vec<_>>().join("/");
        let nothing = rest.call(method, &nowhere, body.clone()).await;
        assert_eq!((answer.status.as_u16(), &answer.body), (404, &nothing.body), "{method} {path}");
    }
    rest.token = rest.mint(rest.world.actor.owner, Role::Admin);
    assert_eq!(rest.call("GET", &format!("/csv/{file}/contacts"), None).await.json()["total"], 1, "all is as it was");
}

#[tokio::test]
async fn who_is_added_to_a_started_campaigns_file_is_called() {
    let (office, id) = Office::calling(csv_of(2), |_| {}).await;
    let busy = Reply::Ended { end: End::Busy, sip_code: Some(486), reason: "busy".into() };
    let source = office.row(id).await.csv_file_id.unwrap();
    let add = |number: &str| {
        let written = Written { phone: number.to_owned(), name: "Late".into(), ..Written::default() };
        office.desk.add_contact(office.actor.clone(), FILE, source, written, phone::region("US").ok())
    };
    add("(212) 555-0199").await.unwrap();
    assert!(office.row(id).await.fill_position.is_some(), "the engine fills what is not full");
    while office.desk.fill(office.actor.owner, id).await.unwrap() {}
    let (numbers, _) = office.dial_all(id, busy.clone()).await;
    assert_eq!(numbers.len(), 3);
    assert_eq!(numbers.iter().filter(|n| *n == "+12125550199").count(), 1);
    // Nobody is called twice by it.
    add("212-555-0198").await.unwrap();
    while office.desk.fill(office.actor.owner, id).await.unwrap() {}
    assert_eq!(office.dial_all(id, busy).await.0, ["+12125550198"]);
    assert_eq!(office.row(id).await.counts, counted(&calls(&office, id).await));
}

#[tokio::test]
async fn a_row_that_waits_is_dialled_at_the_number_and_in_the_zone_of_now() {
    let (office, id) = Office::calling("name,phone\nJane,+12025550142\n".into(), |_| {}).await;
    let source = office.row(id).await.csv_file_id.unwrap();
    let jane = contact(&office, source, "+12025550142").await;
    // Claimed for the old number, changed, and not armed for either.
    let claimed = office.claim(id).await.unwrap();
    assert_eq!(claimed.number, "+12025550142");
    change(&office, jane, ContactChange { phone: Some("(310) 555-0101".into()), name: Some("Janet".into()), ..ContactChange::default() }).await.unwrap();
    assert!(matches!(office.arm(claimed).await, Err(Refused::Lost)));
    let row = calls(&office, id).await.remove(0);
    assert_eq!((row.state, row.phone_number.as_str(), row.contact_name.as_str()), (State::Pending, "+13105550101", "Janet"));
    assert!(row.zones.starts_with("America/Los_Angeles;"), "{}", row.zones);
    let claimed = office.claim(id).await.unwrap();
    assert_eq!((claimed.number.as_str(), claimed.script.as_str()), ("+13105550101", "Hello Janet"));
    office.arm(claimed).await.unwrap();
    assert_eq!(office.row(id).await.counts, counted(&calls(&office, id).await));
}

#[tokio::test]
async fn the_next_attempt_goes_to_who_the_contact_is_by_then_or_to_nobody() {
    let retry = RetryRules { max_attempts: 3, busy_minutes: 15, ..RetryRules::default() };
    let (office, id) = Office::calling(csv_of(2), |s| s.retry = retry).await;
    let source = office.row(id).await.csv_file_id.unwrap();
    let busy = Reply::Ended { end: End::Busy, sip_code: Some(486), reason: "busy".into() };
    let (first, second) = (office.dial(id).await.unwrap(), office.dial(id).await.unwrap());
    let numbers = [office.call(first).await.phone_number, office.call(second).await.phone_number];
    change(&office, contact(&office, source, &numbers[0]).await, ContactChange { phone: Some("+13105550101".into()), ..ContactChange::default() })
        .await
        .unwrap();
    let gone = contact(&office, source, &numbers[1]).await;
    office.desk.delete_contact(office.actor.clone(), FILE, gone).await.unwrap();
    assert_eq!(office.call(first).await.phone_number, numbers[0], "a call that is on is what it was");
    office.reply(first, busy.clone()).await;
    office.reply(second, busy.clone()).await;
    office.wait(TimeDelta::minutes(16));
    let (called, _) = office.dial_all(id, busy).await;
    assert_eq!(called, ["+13105550101"]);
    assert_eq!(office.row(id).await.counts, counted(&calls(&office, id).await));
}

#[tokio::test]
async fn a_changed_number_has_one_promise_the_last_one() {
    let (office, id) = Office::calling(csv_of(1), |_| {}).await;
    let source = office.row(id).await.csv_file_id.unwrap();
    let call = office.dial(id).await.unwrap();
    let number = office.call(call).await.phone_number;
    office.reply(call, Reply::Answered { participant_sid: "PA_1".into(), sip_call_id: "1".into() }).await;
    office.tell(call, "left", dialdeck::domain::event::Source::Poll, dialdeck::domain::event::Kind::LegGone { proven: true }).await;
    let promise = |hours: i64| {
        let callback_at = Some(office.now() + TimeDelta::hours(hours));
        let set = SetOutcome { call, outcome: Some(Outcome::Callback), notes: None, who: Who::Operator, confidence: None, callback_at, expected: None };
        office.desk.set_outcome(office.actor.clone(), set)
    };
    promise(1).await.unwrap();
    let jane = contact(&office, source, &number).await;
    change(&office, jane, ContactChange { phone: Some("+13105550101".into()), ..ContactChange::default() }).await.unwrap();
    promise(2).await.unwrap();
    let waiting: Vec<_> = calls(&office, id).await.into_iter().filter(|c| c.state == State::Pending).map(|c| c.phone_number).collect();
    assert_eq!(waiting, ["+13105550101"]);
    // Nobody is promised anything whose contact is gone.
    office.desk.delete_contact(office.actor.clone(), FILE, jane).await.unwrap();
    assert!(matches!(promise(3).await, Err(DeskError::Refused(r)) if r.gate == "contacts"));
    assert_eq!(office.row(id).await.counts, counted(&calls(&office, id).await));
}

#[tokio::test]
async fn a_deleted_contact_is_not_dialled() {
    let (office, id) = Office::calling(csv_of(2), |_| {}).await;
    let source = office.row(id).await.csv_file_id.unwrap();
    let claimed = office.claim(id).await.unwrap();
    let gone = contact(&office, source, &claimed.number).await;
    office.desk.delete_contact(office.actor.clone(), FILE, gone).await.unwrap();
    assert!(matches!(office.arm(claimed).await, Err(Refused::Lost)));
    let (called, _) = office.dial_all(id, Reply::Ended { end: End::Busy, sip_code: None, reason: String::new() }).await;
    assert_eq!(called.len(), 1);
    let rows = calls(&office, id).await;
    assert!(rows.iter().any(|r| r.state == State::Canceled && r.reason == "the contact was deleted"));
    assert_eq!(office.row(id).await.counts, counted(&rows));
}

#[tokio::test]
async fn do_not_call_of_a_contact_holds_at_once_and_is_lifted_by_an_admin_alone() {
    let (office, id) = Office::calling("name,phone\nJane,+12025550142\nJoe,+12025550143\n".into(), |_| {}).await;
    let (other, _) = office.import("name,phone\nJane too,+12025550142\n".into()).await;
    let elsewhere = office.started(other, |_| {}).await;
    let jane = contact(&office, office.row(id).await.csv_file_id.unwrap(), "+12025550142").await;
    let claimed = office.claim(elsewhere).await.unwrap();
    change(&office, jane, ContactChange { do_not_call: Some(true), ..ContactChange::default() }).await.unwrap();
    assert!(matches!(office.arm(claimed).await, Err(Refused::Lost)), "in every campaign and list of the owner");
    assert!(office.store.on_do_not_call(office.actor.owner, "+12025550142").await.unwrap());
    let refused = change(&office, jane, ContactChange { do_not_call: Some(false), ..ContactChange::default() }).await.unwrap_err();
    assert!(matches!(refused, DeskError::Refused(r) if r.gate == "do_not_call"));
    let busy = Reply::Ended { end: End::Busy, sip_code: None, reason: String::new() };
    assert_eq!(office.dial_all(id, busy).await.0, ["+12025550143"]);
    // A note on somebody whom an admin has allowed again does not put the number back.
    let number = dialdeck::domain::phone::PhoneNumber::own("+12025550142").unwrap();
    office.desk.remove_do_not_call(office.actor.clone(), number, "asked us in writing".into()).await.unwrap();
    change(&office, jane, ContactChange { notes: Some("wrote".into()), ..ContactChange::default() }).await.unwrap();
    assert!(!office.store.on_do_not_call(office.actor.owner, "+12025550142").await.unwrap());
    change(&office, jane, ContactChange { do_not_call: Some(false), ..ContactChange::default() }).await.unwrap();
    let source = office.store.source(office.actor.owner, office.row(id).await.csv_file_id.unwrap()).await.unwrap().unwrap();
    assert_eq!((source.contacts, source.do_not_call), (2, 0));
    // A column that says so counts as in a file.
    let opt_out = Written { phone: "+12025550150".into(), fields: vec![("Opt-Out".into(), "yes".into())], ..Written::default() };
    office.desk.add_contact(office.actor.clone(), FILE, source.id, opt_out, None).await.unwrap();
    assert!(office.store.on_do_not_call(office.actor.owner, "+12025550150").await.unwrap());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_campaigns_own_answers_come_back_as_its_change() {
    let rest = Rest::new().await;
    let (source, _) = rest.world.import(csv_of(3)).await;
    let id = rest.world.campaign(source, |_| {}).await;
    let path = format!("/campaigns/{id}");
    for from in [path.clone(), format!("{path}/status")] {
        let mut row = rest.call("GET", &from, None).await.json()["campaign"].clone();
        row["daily_cap"] = 77.into();
        row["retry"] = json!({ "max_attempts": 2, "busy_minutes": 20 });
        let put = rest.call("PUT", &path, Some(row)).await;
        assert_eq!(put.status, 200, "{from}: {}", put.body);
        let now = &put.json()["campaign"];
        assert_eq!((now["daily_cap"].as_i64(), now["retry"]["maxAttempts"].as_i64(), now["retry"]["busyMinutes"].as_i64()), (Some(77), Some(2), Some(20)));
    }
    let wrong = json!({ "dials": 5, "user_id": "x", "csv_file_id": "y", "dailyCap": 0, "timezone": "Mars/Base" });
    assert_eq!(fields(&rest.call("PUT", &path, Some(wrong)).await), ["user_id", "csv_file_id", "dials", "timezone", "dailyCap"]);
    assert_eq!(code(&rest.call("PUT", &path, Some(json!({ "daily_cap": 5, "dailyCap": 6 }))).await), (400, "invalid_request".into()));
    assert_eq!(code(&rest.call("PUT", &path, Some(json!({ "daily_kap": 5 }))).await), (400, "invalid_request".into()));
    // While it runs its figures move: those of a moment ago are no wish.
    let before = rest.call("GET", &format!("{path}/status"), None).await.json()["campaign"].clone();
    rest.world.desk.start(rest.world.actor.clone(), id).await.unwrap();
    let mut row = rest.call("GET", &format!("{path}/status"), None).await.json()["campaign"].clone();
    (row["queueStatus"], row["stats"], row["updated_at"]) = (before["queueStatus"].clone(), before["stats"].clone(), before["updated_at"].clone());
    row["name"] = "Renamed".into();
    let put = rest.call("PUT", &path, Some(row)).await;
    assert_eq!((put.status.as_u16(), put.json()["campaign"]["name"].as_str()), (200, Some("Renamed")), "{}", put.body);
    // Lists leave the prompt out.
    assert!(rest.call("GET", "/campaigns", None).await.json()["campaigns"][0].get("campaign_prompt").is_none());
    assert!(rest.call("GET", "/campaigns?fields=prompt", None).await.json()["campaigns"][0]["campaign_prompt"].is_string());
}

#[tokio::test]
async fn what_people_write_is_cleaned_and_bounded_whoever_writes_it() {
    let office = Office::open(|_| {}).await;
    let actor = || office.actor.clone();
    let number = |n: &str| phone::PhoneNumber::own(n).unwrap();
    let invalid = |e: DeskError| if let DeskError::Invalid(fields) = e { fields.iter().map(|f| f.field).collect::<Vec<_>>() } else { panic!("{e}") };
    office.desk.add_do_not_call(actor(), number("+12025550101"), "said \u{1b}[31mno\u{202e} twice".into()).await.unwrap();
    let kept = office.store.do_not_call(office.actor.owner, 10, 0).await.unwrap().rows.remove(0);
    assert_eq!(kept.reason, "said [31mno twice");
    for reason in ["\u{200b}", &"x".repeat(4001)] {
        assert_eq!(invalid(office.desk.add_do_not_call(actor(), number("+12025550102"), reason.to_owned()).await.unwrap_err()), ["reason"]);
        assert_eq!(invalid(office.desk.remove_do_not_call(actor(), number("+12025550101"), reason.to_owned()).await.unwrap_err()), ["reason"]);
    }
    assert!(!office.store.on_do_not_call(office.actor.owner, "+12025550102").await.unwrap());
    let (source, _) = office.import(csv_of(1)).await;
    let id = office.started(source, |_| {}).await;
    let call = office.dial(id).await.unwrap();
    office.reply(call, Reply::Answered { participant_sid: "PA_1".into(), sip_call_id: "1".into() }).await;
    for note in ["\u{200b}", &"x".repeat(4001)] {
        assert_eq!(invalid(office.desk.set_note(actor(), call, note.to_owned()).await.unwrap_err()), ["notes"]);
    }
    assert_eq!(office.desk.set_note(actor(), call, "call\u{7} back\n soon".into()).await.unwrap().notes, "call back\n soon", "its lines are kept");
    let set = |notes: &str, at: i64, who: Who| {
        let callback_at = Some(office.now() + TimeDelta::days(at));
        office.desk.set_outcome(
            actor(),
            SetOutcome { call, outcome: Some(Outcome::Callback), notes: Some(notes.into()), who, confidence: None, callback_at, expected: None },
        )
    };
    for who in [Who::Operator, Who::Agent] {
        assert_eq!(invalid(set("\u{202e}", -1, who).await.unwrap_err()), ["notes", "callbackAt"]);
        assert_eq!(invalid(set("", 367, who).await.unwrap_err()), ["callbackAt"]);
    }
    assert_eq!(office.call(call).await.outcome, None);
}

/// A database of before lists could be written into comes along: what was imported is counted, what was reported kept.
#[tokio::test]
async fn lists_and_reports_of_an_earlier_release_come_along() {
    only_a_file!("migrations of SQLite");
    let (office, id) = Office::calling("name,phone,dnc\nJane,+12025550142,\nJoe,+12025550143,yes\n".into(), |_| {}).await;
    let (list, _) = office.import_as(ContactTable::ContactList, "US", csv_of(3)).await;
    let call = office.dial(id).await.unwrap();
    let mut db: sqlx::SqliteConnection = sqlx::ConnectOptions::connect(&sqlx::sqlite::SqliteConnectOptions::new().filename(office.store.path())).await.unwrap();
    for sql in [
        "DROP VIEW campaign_contacts",
        "CREATE VIEW campaign_contacts AS SELECT 1 AS one",
        "DROP INDEX campaigns_by_list",
        "DROP INDEX campaigns_by_file",
        "ALTER TABLE contacts DROP COLUMN updated_at",
        "ALTER TABLE csv_contacts DROP COLUMN updated_at",
        "ALTER TABLE contact_lists DROP COLUMN contact_count",
        "ALTER TABLE contact_lists DROP COLUMN do_not_call_count",
        "ALTER TABLE contact_lists DROP COLUMN deleted_at",
        "ALTER TABLE csv_files DROP COLUMN contact_count",
        "ALTER TABLE csv_files DROP COLUMN do_not_call_count",
        "ALTER TABLE csv_files DROP COLUMN deleted_at",
        "ALTER TABLE call_reports DROP COLUMN who",
        "ALTER TABLE call_reports DROP COLUMN by",
        "DROP TABLE recordings",
        "DROP TABLE recording_tasks",
        "INSERT INTO call_reports (call_id, summary, at) SELECT id, 'as it was', created_at FROM campaign_calls",
        "DELETE FROM _sqlx_migrations WHERE version IN (12, 13)",
    ] {
        sqlx::query(sql).execute(&mut db).await.unwrap_or_else(|e| panic!("{sql}: {e}"));
    }
    let store = dialdeck::store::Store::open(&format!("sqlite:{}", office.store.path())).await.unwrap();
    let counts = |id| {
        let store = store.clone();
        async move { store.source(office.actor.owner, id).await.unwrap().map(|s| (s.contacts, s.do_not_call)).unwrap() }
    };
    assert_eq!(counts(list).await, (3, 0));
    assert_eq!(counts(office.row(id).await.csv_file_id.unwrap()).await, (2, 1));
    let report = store.report(call).await.unwrap().unwrap();
    assert_eq!((report.summary.as_deref(), report.who), (Some("as it was"), Who::Agent));
}

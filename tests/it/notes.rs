//! Calls by the words of their notes, what a stopped campaign and a taken-back call are called, and what the console waits
//! for at a long list.

use chrono::TimeDelta;
use dialdeck::{
    console::Msg,
    domain::{
        call::State as CallState,
        event::{Kind, Source, TwilioStatus},
        phone::PhoneNumber,
    },
    store::{CallSearch, Store, migrate_postgres},
};
use sqlx::{Connection, Executor};

use crate::{
    console::{blank, press, row, screen, snapshot},
    support::{base::on_a_server, office::Office},
};

const PEOPLE: &str = "name,phone\nJane Roe,+12025550142\nOmar Haddad,+12125550142\n";

async fn run(office: &Office, sql: &'static str) {
    if on_a_server() {
        sqlx::PgConnection::connect(office.base.url()).await.unwrap().execute(sql).await.unwrap();
    } else {
        sqlx::SqliteConnection::connect(office.store.path()).await.unwrap().execute(sql).await.unwrap();
    }
}

/// An older database, whose notes stand in no index.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn notes_of_before_find_their_calls_too() {
    let (office, id) = Office::calling(PEOPLE.into(), |_| {}).await;
    let call = office.dial(id).await.unwrap();
    let name = office.call(call).await.contact_name;
    office.desk.index_calls().await.unwrap();
    run(&office, "UPDATE campaign_calls SET notes = 'asks for an offer in writing' WHERE dialled = 1").await;
    let typed = CallSearch { text: "offer".into(), ..CallSearch::all(office.actor.owner, 50) };
    assert!(office.store.find_calls(&typed).await.unwrap().rows.is_empty(), "as it was");
    run(&office, if on_a_server() { "DELETE FROM _sqlx_migrations WHERE version = 52" } else { "DELETE FROM _sqlx_migrations WHERE version = 18" }).await;
    let store = if on_a_server() {
        migrate_postgres(office.base.url()).await.unwrap();
        office.store.clone()
    } else {
        Store::open(office.base.url()).await.unwrap()
    };
    for indexed in [false, true] {
        if indexed {
            office.desk.index_calls().await.unwrap();
        }
        let found = store.find_calls(&typed).await.unwrap().rows;
        assert_eq!(found.iter().map(|r| r.call.contact_name.as_str()).collect::<Vec<_>>(), [name.as_str()], "{indexed}");
    }
}

/// A number that a call in doubt holds for a quarter of an hour: with the proof of its end whoever waits for it in another
/// campaign goes on a minute later, by every gate that there is.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_waits_for_a_number_goes_on_when_its_call_is_proven_over() {
    let proofs = [(TwilioStatus::NoAnswer, Ok(())), (TwilioStatus::Completed, Err("rest"))];
    for (status, goes) in proofs {
        let office = Office::open(|rules| rules.rest_after_talk = TimeDelta::hours(1)).await;
        let mut campaigns = Vec::new();
        for _ in 0..2 {
            let (source, _) = office.import("name,phone\nJane Roe,+12025550142\n".into()).await;
            campaigns.push(office.started(source, |_| {}).await);
        }
        let call = office.dial(campaigns[0]).await.unwrap();
        assert_eq!(office.dial(campaigns[1]).await, Err("number_busy"), "it rings there");
        office.wait(TimeDelta::seconds(61));
        office.tell(call, "horizon", Source::Engine, Kind::Horizon).await;
        assert_eq!(office.dial(campaigns[1]).await, Err("number_busy"), "it may ring there still");
        office.wait(TimeDelta::seconds(200));
        assert_eq!(office.dial(campaigns[1]).await, Err("empty"), "put off until the last moment of that call");
        office.tell(call, "proof", Source::Twilio, Kind::Twilio { status, duration: Some(20), sip_code: None }).await;
        office.wait(TimeDelta::seconds(58));
        assert_eq!(office.dial(campaigns[1]).await, Err("empty"), "nobody is rung right after it");
        office.wait(TimeDelta::seconds(3));
        assert_eq!(office.dial(campaigns[1]).await.map(drop), goes);
    }
}

/// A supervisor's words for a call that somebody took back: never the contract's.
#[test]
fn a_call_that_was_taken_back_is_called_by_what_happened() {
    for (width, height) in [(80, 24), (120, 40), (200, 60)] {
        let mut look = snapshot();
        let canceled = |n, name, reason: &str, dialled: bool| {
            let mut call = row(n, name, CallState::Canceled, 60);
            call.reason = reason.to_owned();
            call.armed_at = call.armed_at.filter(|_| dialled);
            call
        };
        look.live = vec![
            canceled(31, "By Key", "hung up by us", true),
            canceled(32, "By Carrier", "canceled", true),
            canceled(33, "By Stop", "the campaign was stopped", false),
        ];
        let mut s = blank();
        s.update(Msg::Data(Box::new(look)));
        s.resize(width, height);
        press(&mut s, "L");
        let seen = screen(&mut s, width, height);
        let line = |of: &str| seen.lines().find(|l| l.contains(of)).unwrap_or_else(|| panic!("{of} at {width}x{height}\n{seen}")).to_owned();
        assert!(!seen.contains("cancel"), "{seen}");
        assert!(line("By Key").contains("hung up") && line("By Carrier").contains("hung up") && line("By Stop").contains("taken back"), "{seen}");
    }
}

/// Two ways to count the people of a campaign that has not begun, one of them beside the places where they live.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_people_of_a_campaign_ahead_are_counted_once_and_rightly() {
    let office = Office::open(|_| {}).await;
    let csv = "name,phone,do_not_call\nJane Roe,+12025550142,\nOmar Haddad,+12125550142,yes\nAna Lima,+13125550143,\nMei Lima,+13125550144,\n";
    let (source, _) = office.import(csv.into()).await;
    let asked = PhoneNumber::own("+13125550143").unwrap();
    assert!(office.desk.add_do_not_call(office.actor.clone(), asked, "asked".into()).await.unwrap());
    let id = office.campaign(dialdeck::domain::campaign::ContactSource::CsvFile, source, |_| {}).await;
    let (ahead, counted) = (office.row(id).await, office.store.headcount(&office.row(id).await).await.unwrap());
    let people = office.desk.people(&ahead).await.unwrap();
    assert_eq!((people, people.contacts, people.waiting, people.do_not_call), (counted, 4, 2, 2));
    let why = office.desk.explain(&ahead).await.unwrap();
    assert_eq!((why.waiting.zones.iter().map(|z| z.waiting).sum::<i64>(), why.people), (2, people));
    office.start(id).await;
    let begun = office.row(id).await;
    assert_eq!(office.desk.people(&begun).await.unwrap(), office.store.headcount(&begun).await.unwrap());
}

//! What the console's rooms show of the past: dials in, answers out, by the row and by the sum; nobody sees
//! another owner's; and no statement of them looks at every call or every fact.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::{Mutex, OnceLock},
};

use chrono::{DateTime, TimeDelta, Utc};
use dialdeck::{
    desk::{Away, Figures, SetOutcome, What},
    domain::{
        call::State,
        event::{AgentReport, End, Kind, Leave, LegStatus, Reply, Source},
        id::{CallId, CampaignId, OwnerId},
        outcome::{Line, Outcome, Report, Who},
        retention::Retention,
        stats::{self, Pace, Tally},
        system::{Light, Mend},
    },
    store::{CallFilter, CallSearch, FoundCall, Lane, Store, StoreError, minute_of},
};
use sqlx::Connection;
use tracing::Instrument;
use tracing_subscriber::layer::{Context, Layer, SubscriberExt};

use crate::support::base::{on_a_server, only_a_file};
use crate::support::office::Office;

const PEOPLE: &str = "name,phone,company,plan\n\
    Jane Roe,+12025550142,Acme,Pro\n\
    Élodie O'Brien,+12025550177,Acme,Basic\n\
    Jan van Dam,+12025550181,Bolt,Pro\n\
    Omar Haddad,+12125550142,Bolt,Pro\n";

fn busy() -> Reply {
    Reply::Ended { end: End::Busy, sip_code: Some(486), reason: "Busy Here".into() }
}

fn failed() -> Reply {
    Reply::Ended { end: End::Failed, sip_code: Some(503), reason: "Service Unavailable".into() }
}

fn answered() -> Reply {
    Reply::Answered { participant_sid: "PA_1".into(), sip_call_id: "SCL_1".into() }
}

fn left() -> Kind {
    Kind::LegLeft { sid: "PA_1".into(), reason: Leave::ClientInitiated, status: Some(LegStatus::Hangup), call_sid: None }
}

/// A call that somebody talked in for a minute, ended.
async fn talked(office: &Office, id: CampaignId) -> CallId {
    let call = office.dial(id).await.unwrap();
    office.reply(call, answered()).await;
    office.wait(TimeDelta::minutes(1));
    office.tell(call, "left", Source::Livekit, left()).await;
    call
}

/// Who was called, in the order of dials.
async fn everybody_talked(office: &Office, id: CampaignId) -> BTreeMap<String, CallId> {
    let mut calls = BTreeMap::new();
    while let Ok(call) = office.dial(id).await {
        office.reply(call, answered()).await;
        office.wait(TimeDelta::minutes(1));
        office.tell(call, "left", Source::Livekit, left()).await;
        calls.insert(office.call(call).await.contact_name, call);
    }
    calls
}

fn all(office: &Office) -> CallSearch {
    CallSearch::all(office.actor.owner, 50)
}

async fn names(office: &Office, q: &CallSearch) -> Vec<String> {
    office.store.find_calls(q).await.unwrap().rows.into_iter().map(|r| r.call.contact_name).collect()
}

async fn connect(office: &Office) -> sqlx::SqliteConnection {
    sqlx::SqliteConnection::connect(office.store.path()).await.unwrap()
}

/// What `campaign_minutes` must hold, made of the calls.
async fn minutes_of_calls(office: &Office, id: CampaignId) -> BTreeMap<i64, Pace> {
    let mut sums: BTreeMap<i64, Pace> = BTreeMap::new();
    for c in office.store.calls(id, &CallFilter::default(), 100_000, 0).await.unwrap().rows {
        let Some(armed) = c.armed_at else { continue };
        let t =
            Tally { state: c.state, armed: true, leg_seen: c.leg_seen, answered: c.answered_at.is_some(), outcome: c.outcome, talk_seconds: c.call_duration };
        *sums.entry(minute_of(armed)).or_default() += stats::pace(c.state, &stats::contribution(&t));
    }
    sums
}

async fn minutes(office: &Office, id: CampaignId) -> BTreeMap<i64, Pace> {
    let rows = office.store.campaign_pace(id, (0, i64::MAX / 100), 1).await.unwrap();
    rows.into_iter().map(|r| (r.minute, r.pace)).collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_call_is_found_while_typing_before_and_after_words_are_indexed() {
    let (office, id) = Office::calling(PEOPLE.into(), |_| {}).await;
    let calls = everybody_talked(&office, id).await;
    let order: Vec<String> = {
        let mut by_time: Vec<_> = calls.iter().collect();
        by_time.sort_by_key(|(_, id)| **id);
        let mut dialled = Vec::new();
        for (name, call) in by_time {
            dialled.push((office.call(*call).await.armed_at, name.clone()));
        }
        dialled.sort();
        dialled.into_iter().rev().map(|(_, name)| name).collect()
    };
    let text = |text: &str| CallSearch { text: text.into(), ..all(&office) };
    for indexed in [false, true] {
        if indexed {
            office.desk.index_calls().await.unwrap();
        }
        assert_eq!(names(&office, &all(&office)).await, order, "newest first");
        let found = async |t: &str| names(&office, &text(t)).await.into_iter().collect::<BTreeSet<_>>();
        let set = |names: &[&str]| names.iter().map(|n| (*n).to_owned()).collect::<BTreeSet<_>>();
        assert_eq!(found("0142").await, set(&["Jane Roe", "Omar Haddad"]), "{indexed}");
        assert_eq!(found("2").await, set(&["Jane Roe", "Omar Haddad"]));
        assert_eq!(found("202 555 0142").await, set(&["Jane Roe"]));
        assert_eq!(found("jan").await, set(&["Jane Roe", "Jan van Dam"]));
        assert_eq!(found("JAN da").await, set(&["Jan van Dam"]));
        assert_eq!(found("brien").await, set(&["Élodie O'Brien"]));
        assert_eq!(found("élo").await, set(&["Élodie O'Brien"]));
        assert_eq!(found("elo").await, set(&[]), "accents as they are");
        assert_eq!(found("ane").await, set(&[]), "beginnings of words");
        assert_eq!(found("jane 0142").await, set(&["Jane Roe"]));
        assert_eq!(found("o* OR \"jane\" -x").await, set(&[]), "what is typed is no question of the index");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn filters_narrow_and_pages_go_on_where_the_last_ended() {
    let (office, id) = Office::calling(format!("{PEOPLE}Ines Tan,+12125550144,Bolt,Pro\nMei Khan,+12125550145,Bolt,Pro\n"), |_| {}).await;
    let jane = talked(&office, id).await;
    office.tag(jane, Outcome::Interested).await;
    office.wait(TimeDelta::days(1));
    let second = office.dial(id).await.unwrap();
    office.reply(second, busy()).await;
    let third = office.dial(id).await.unwrap();
    office.reply(third, failed()).await;
    let live = office.dial(id).await.unwrap();
    let earlier = talked(&office, id).await;
    office.wait(TimeDelta::minutes(1));
    let later = talked(&office, id).await;
    let name = async |call: CallId| office.call(call).await.contact_name;
    for indexed in [false, true] {
        if indexed {
            office.desk.index_calls().await.unwrap();
        }
        let one = async |q: CallSearch| names(&office, &q).await;
        assert_eq!(one(CallSearch { outcome: Some(Outcome::Interested), ..all(&office) }).await, [name(jane).await]);
        assert!(one(CallSearch { outcome: Some(Outcome::Voicemail), ..all(&office) }).await.is_empty());
        assert_eq!(one(CallSearch { tagged_by: Some("tester".into()), ..all(&office) }).await, [name(jane).await]);
        assert!(one(CallSearch { tagged_by: Some("ana".into()), ..all(&office) }).await.is_empty());
        assert_eq!(one(CallSearch { states: vec![State::Busy], ..all(&office) }).await, [name(second).await]);
        assert_eq!(one(CallSearch { states: vec![State::Busy, State::Failed], ..all(&office) }).await, [name(third).await, name(second).await]);
        assert_eq!(one(CallSearch { states: vec![State::Completed], ..all(&office) }).await.len(), 3);
        assert_eq!(one(CallSearch { states: vec![State::Armed], ..all(&office) }).await, [name(live).await]);
        assert_eq!(one(CallSearch { campaign: Some(id), ..all(&office) }).await.len(), 6);
        assert!(one(CallSearch { campaign: Some(CampaignId::fresh()), ..all(&office) }).await.is_empty());
        let to_tag = CallSearch { to_tag: true, ..all(&office) };
        assert_eq!(one(to_tag.clone()).await, [name(later).await, name(earlier).await], "the last ended first");
        assert_eq!(one(CallSearch { text: name(earlier).await, ..to_tag.clone() }).await, [name(earlier).await]);
        assert!(one(CallSearch { text: name(jane).await, ..to_tag.clone() }).await.is_empty(), "she has her tag");
        let first = office.store.find_calls(&CallSearch { limit: 1, ..to_tag.clone() }).await.unwrap();
        assert_eq!(one(CallSearch { after: first.next, ..to_tag }).await, [name(earlier).await]);
        let noon = office.now() - TimeDelta::hours(12);
        assert_eq!(one(CallSearch { until: Some(noon), ..all(&office) }).await, [name(jane).await], "yesterday");
        assert_eq!(one(CallSearch { from: Some(noon), ..all(&office) }).await.len(), 5, "today");
        let typed = name(second).await;
        assert_eq!(one(CallSearch { text: typed.clone(), from: Some(noon), ..all(&office) }).await, std::slice::from_ref(&typed));
        assert!(one(CallSearch { text: typed, until: Some(noon), ..all(&office) }).await.is_empty());
        let both = CallSearch { text: name(jane).await, outcome: Some(Outcome::Interested), ..all(&office) };
        assert_eq!(one(both).await, [name(jane).await]);
        let mut paged: Vec<FoundCall> = Vec::new();
        let mut q = CallSearch { limit: 1, ..all(&office) };
        loop {
            let page = office.store.find_calls(&q).await.unwrap();
            assert!(page.rows.len() <= 1);
            paged.extend(page.rows);
            q.after = page.next;
            if q.after.is_none() {
                break;
            }
        }
        assert_eq!(paged.iter().map(|r| r.call.id).collect::<Vec<_>>(), [later, earlier, live, third, second, jane]);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn another_owner_sees_nothing() {
    let (office, id) = Office::calling(PEOPLE.into(), |_| {}).await;
    let call = talked(&office, id).await;
    office.tag(call, Outcome::Interested).await;
    let waiting = talked(&office, id).await;
    office.desk.index_calls().await.unwrap();
    let stranger = OwnerId(uuid::Uuid::new_v4());
    let number = office.call(call).await.phone_number;
    for q in [
        CallSearch::all(stranger, 50),
        CallSearch { text: "jan".into(), ..CallSearch::all(stranger, 50) },
        CallSearch { text: "5550142".into(), ..CallSearch::all(stranger, 50) },
        CallSearch { outcome: Some(Outcome::Interested), ..CallSearch::all(stranger, 50) },
        CallSearch { tagged_by: Some("tester".into()), ..CallSearch::all(stranger, 50) },
        CallSearch { campaign: Some(id), ..CallSearch::all(stranger, 50) },
        CallSearch { states: vec![State::Completed], ..CallSearch::all(stranger, 50) },
        CallSearch { to_tag: true, ..CallSearch::all(stranger, 50) },
    ] {
        assert!(office.store.find_calls(&q).await.unwrap().rows.is_empty(), "{q:?}");
    }
    let story = office.desk.number_story(stranger, &number).await.unwrap();
    assert!(story.calls.is_empty() && story.cards.is_empty() && story.promised.is_empty());
    assert_eq!(office.desk.figures(stranger).await.unwrap(), Figures { minutes: vec![Pace::default(); 60], ..Figures::default() });
    assert!(office.desk.tag_card(stranger, waiting).await.unwrap().is_none());
    let desk = office.desk.tagging_desk(stranger, "me", office.now() - TimeDelta::hours(9), 50).await.unwrap();
    assert!(desk.queue.is_empty() && desk.waiting == 0 && desk.others.is_empty());
    let away = office.desk.away(stranger, office.now() - TimeDelta::hours(9)).await.unwrap();
    assert!(away.pace.is_zero() && away.outcomes.is_empty() && away.happened.is_empty());
    assert!(office.desk.shift_report(stranger, office.now() - TimeDelta::hours(9), office.now()).await.unwrap().campaigns.is_empty());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn one_numbers_story_is_told_whole() {
    let (office, id) = Office::calling("name,phone,company,plan\nJane Roe,+12025550142,Acme,Pro\n".into(), |_| {}).await;
    let call = talked(&office, id).await;
    let set = SetOutcome {
        call,
        outcome: Some(Outcome::Callback),
        notes: None,
        who: Who::Operator,
        confidence: None,
        callback_at: Some(office.now() + TimeDelta::hours(3)),
        expected: None,
    };
    office.desk.set_outcome(office.actor.clone(), set).await.unwrap();
    let story = office.desk.number_story(office.actor.owner, "+12025550142").await.unwrap();
    assert_eq!(story.calls.iter().map(|c| (c.call.id, c.call.outcome)).collect::<Vec<_>>(), [(call, Some(Outcome::Callback))]);
    assert_eq!(story.calls[0].outcome_by.as_deref(), Some("tester"));
    assert_eq!(story.promised.iter().map(|p| p.due).collect::<Vec<_>>(), [office.now() + TimeDelta::hours(3)]);
    assert_eq!(story.cards.len(), 1);
    let (list, card) = &story.cards[0];
    assert_eq!((list.as_str(), card.name.as_str(), card.company.as_str()), ("contacts.csv", "Jane Roe", "Acme"));
    assert_eq!(card.fields.get("plan").and_then(|v| v.as_str()), Some("Pro"));
    assert!(story.do_not_call.is_none());
    office.tag(call, Outcome::DoNotCall).await;
    let story = office.desk.number_story(office.actor.owner, "+12025550142").await.unwrap();
    let listed = story.do_not_call.unwrap();
    assert_eq!((listed.own, listed.entry.created_by.as_str(), listed.entry.created_at), (true, "tester", office.now()));
    assert!(story.promised.is_empty(), "who said no is promised nothing");
}

/// [D10] "answered 0 %" beside nine who are on the line: rates count every dial and every answer, live ones too.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn figures_count_every_dial_and_every_answer() {
    let (office, id) = Office::calling(PEOPLE.into(), |_| {}).await;
    let owner = office.actor.owner;
    let live = office.dial(id).await.unwrap();
    office.reply(live, answered()).await;
    let second = office.dial(id).await.unwrap();
    let figures = office.desk.figures(owner).await.unwrap();
    assert_eq!((figures.dials_per_minute, figures.hour.dials, figures.hour.answered), (2, 2, 1));
    assert_eq!(figures.hour.answered_percent(), Some(50.0));
    assert_eq!((figures.minutes.len(), figures.minutes[59].dials, figures.to_tag), (60, 2, 0));
    office.reply(second, failed()).await;
    office.desk.abandon(live).await.unwrap();
    office.wait(TimeDelta::minutes(5));
    office.tell(live, "left", Source::Livekit, left()).await;
    let figures = office.desk.figures(owner).await.unwrap();
    let (hour, minute) = (figures.hour, figures.minutes[54]);
    assert_eq!((hour.dials, hour.answered, hour.abandoned, hour.failed, hour.talk_seconds), (2, 1, 1, 1, 300));
    assert_eq!((minute.dials, figures.dials_per_minute), (2, 0), "at the minute of the dial, five ago");
    assert_eq!((figures.to_tag, figures.oldest), (1, Some(office.now())));
    assert_eq!((hour.abandoned_percent(), hour.failed_percent()), (Some(100.0), Some(50.0)));
    assert_eq!(
        minutes(&office, id).await.values().map(|p| Pace { abandoned: 0, ..*p }).collect::<Vec<_>>(),
        minutes_of_calls(&office, id).await.into_values().collect::<Vec<_>>()
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_was_away_is_told_what_happened() {
    let (office, id) = Office::calling(PEOPLE.into(), |_| {}).await;
    let before = office.now() + TimeDelta::seconds(30);
    office.wait(TimeDelta::hours(1));
    let call = talked(&office, id).await;
    let set = SetOutcome {
        call,
        outcome: Some(Outcome::Callback),
        notes: None,
        who: Who::Operator,
        confidence: None,
        callback_at: Some(office.now() + TimeDelta::hours(1)),
        expected: None,
    };
    office.desk.set_outcome(office.actor.clone(), set).await.unwrap();
    let busy_one = office.dial(id).await.unwrap();
    office.reply(busy_one, busy()).await;
    office.desk.pause(office.actor.clone(), id).await.unwrap();
    office.wait(TimeDelta::hours(2));
    office.desk.resume(office.actor.clone(), id).await.unwrap();
    office.wait(TimeDelta::seconds(1));
    let Away { pace, outcomes, happened, missed, .. } = office.desk.away(office.actor.owner, before).await.unwrap();
    assert_eq!((pace.dials, pace.answered, pace.failed), (2, 1, 0));
    assert_eq!(outcomes, [(Outcome::Callback, 1)]);
    assert_eq!(
        happened.iter().map(|h| (h.what, h.who.as_str(), h.campaign.as_deref())).collect::<Vec<_>>(),
        [(What::Paused, "tester", Some("Q4 Sales")), (What::Resumed, "tester", Some("Q4 Sales"))]
    );
    assert_eq!(missed.len(), 1, "a promise of two hours ago that nobody kept");
    let later = office.desk.away(office.actor.owner, office.now()).await.unwrap();
    assert!(later.pace.is_zero() && later.outcomes.is_empty() && later.happened.is_empty() && later.missed.is_empty());
    let figures = office.desk.figures(office.actor.owner).await.unwrap();
    assert_eq!((figures.callbacks.due, figures.callbacks.next), (1, None));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_shift_is_reported_by_campaign_operator_and_outcome() {
    let (office, id) = Office::calling(PEOPLE.into(), |_| {}).await;
    let from = office.now();
    let first = talked(&office, id).await;
    let second = talked(&office, id).await;
    office.tag(first, Outcome::Interested).await;
    office.wait(TimeDelta::seconds(8));
    office.tag(second, Outcome::Voicemail).await;
    office.wait(TimeDelta::seconds(1));
    let report = office.desk.shift_report(office.actor.owner, from, office.now()).await.unwrap();
    assert_eq!((report.pace.dials, report.pace.answered, report.pace.talk_seconds), (2, 2, 120));
    assert_eq!(report.campaigns.len(), 1);
    let campaign = &report.campaigns[0];
    assert_eq!((campaign.id, campaign.name.as_str(), campaign.pace), (id, "Q4 Sales", report.pace));
    assert_eq!(campaign.outcomes, [(Outcome::Interested, 1), (Outcome::Voicemail, 1)]);
    assert_eq!(report.operators.len(), 1);
    let tester = &report.operators[0];
    assert_eq!((tester.name.as_str(), tester.tags, tester.outcomes.clone()), ("tester", 2, campaign.outcomes.clone()));
    assert!((tester.seconds_each.unwrap() - 8.0).abs() < 0.1, "{:?}", tester.seconds_each);
    assert_eq!(report.quarters.iter().map(|q| q.1.dials).sum::<i64>(), 2);
    assert!(serde_json::to_value(&report).unwrap()["campaigns"][0]["pace"]["talkSeconds"] == 120);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_tagger_sees_what_the_agent_says_and_what_was_before() {
    let (office, id) = Office::calling("name,phone,company,plan\nJane Roe,+12025550142,Acme,Pro\n".into(), |_| {}).await;
    let (owner, today) = (office.actor.owner, office.now());
    let earlier = talked(&office, id).await;
    office.tag(earlier, Outcome::NotInterested).await;
    let (source, _) = office.import(PEOPLE.into()).await;
    office.wait(TimeDelta::days(2));
    let other = office.started(source, |_| {}).await;
    let call = talked(&office, other).await;
    let report = AgentReport { outcome: Some(Outcome::Callback), summary: Some("asked for Tuesday at three".into()), ..AgentReport::default() };
    office.tell(call, "report", Source::Poll, Kind::Report(report)).await;
    let line = |role: &str, text: &str| Line { role: role.into(), text: text.into(), at: None };
    let transcript = vec![line("contact", "call me tuesday"), line("agent", "Of course.")];
    let now = office.now();
    let told = Report { transcript: transcript.clone(), ..Report::default() };
    let put = office.store.write(Lane::Urgent, move |tx| Box::pin(async move { tx.put_report(call, &told, Who::Agent, "agent", now).await }));
    let put: Result<(), StoreError> = put.await;
    put.unwrap();

    let desk = office.desk.tagging_desk(owner, "tester", today, 50).await.unwrap();
    assert_eq!((desk.waiting, desk.queue.len(), desk.oldest), (1, 1, Some(office.now())));
    let row = &desk.queue[0];
    assert_eq!((row.call.id, row.call.suggestion, row.summary.as_deref()), (call, Some(Outcome::Callback), Some("asked for Tuesday at three")));
    assert_eq!((desk.pace.tags, desk.pace.seconds_each), (1, None));

    let card = office.desk.tag_card(owner, call).await.unwrap().unwrap();
    assert_eq!(card.last_words, transcript);
    let word = card.word.unwrap();
    assert_eq!((word.outcome, word.note.as_str()), (Some(Outcome::Callback), "asked for Tuesday at three"));
    assert_eq!(card.earlier.iter().map(|c| c.call.id).collect::<Vec<_>>(), [earlier], "of the other campaign");
    let (list, contact) = card.card.unwrap();
    assert_eq!((list.as_str(), contact.fields.get("plan").and_then(|v| v.as_str())), ("contacts.csv", Some("Pro")));
    assert_eq!((card.clock.place.as_str(), card.clock.time.as_str()), ("America/New_York", "Fri 12:02"));

    let ana = dialdeck::desk::Actor { name: "ana".into(), ..office.actor.clone() };
    let set = SetOutcome { call, outcome: Some(Outcome::Callback), notes: None, who: Who::Operator, confidence: None, callback_at: None, expected: None };
    office.desk.set_outcome(ana, set).await.unwrap();
    let desk = office.desk.tagging_desk(owner, "tester", today, 50).await.unwrap();
    assert_eq!((desk.waiting, desk.others.iter().map(|t| t.who.as_str()).collect::<Vec<_>>()), (0, vec!["ana"]));
    office.wait(TimeDelta::minutes(5));
    assert!(office.desk.tagging_desk(owner, "tester", today, 50).await.unwrap().others.is_empty(), "who has gone is not here");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_campaigns_room_adds_up_to_its_contacts() {
    let csv = format!("{PEOPLE}Nobody,12,,\nNot Me,+12025550199,,\n");
    let office = Office::open(|_| {}).await;
    let (source, report) = office.import(csv).await;
    let asked = dialdeck::domain::phone::PhoneNumber::own("+12025550199").unwrap();
    assert!(office.desk.add_do_not_call(office.actor.clone(), asked, "asked".into()).await.unwrap());
    let id = office.started(source, |_| {}).await;
    let talked_to = talked(&office, id).await;
    office.tag(talked_to, Outcome::Interested).await;
    office.dial(id).await.unwrap();
    office.desk.heartbeat(office.incarnation, "host".into(), 1).await.unwrap();
    let room = office.desk.campaign_room(office.row(id).await).await.unwrap();
    let bar = room.bar;
    let p = bar.people;
    assert_eq!((p.contacts, bar.invalid), (5, i64::try_from(report.invalid).unwrap()));
    assert_eq!((p.called, p.on_the_line, p.waiting, p.do_not_call, bar.closed_by_law), (1, 1, 2, 1, 0), "{bar:?}");
    assert_eq!(p.called + p.on_the_line + p.waiting + p.do_not_call + p.not_reached + p.turned_away + p.stopped, p.contacts);
    assert_eq!(room.hours.iter().map(|h| (h.hour, h.pace.dials, h.pace.answered)).collect::<Vec<_>>(), [(12, 2, 1)], "noon in New York");
    assert_eq!((room.today.dials, room.used_today), (2, 2));
    assert_eq!(room.outcomes[0], (Outcome::Interested, 1));
    assert!(room.why.forecast.ends.is_some_and(|t| t > office.now()) && room.brake.is_none() && room.breaker.is_none());
    assert!(room.why.forecast.cap.is_none(), "a cap of many thousands is not reached today");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn all_systems_say_what_is_missing_and_how_it_is_mended() {
    let office = Office::open(|_| {}).await;
    let stranger = OwnerId(uuid::Uuid::new_v4());
    let of = |all: Vec<dialdeck::domain::system::System>, name: &str| all.into_iter().find(|s| s.name == name).unwrap_or_else(|| panic!("no {name}"));
    let empty = office.desk.systems(stranger).await.unwrap();
    for (name, mend) in [("trunk", Mend::AssignNumber), ("assistant", Mend::AddAssistant), ("contacts", Mend::ImportContacts), ("campaign", Mend::NewCampaign)]
    {
        let s = of(empty.clone(), name);
        assert_eq!((s.light, s.mend), (Light::Unset, Some(mend)), "{name}");
    }
    assert_eq!(of(empty, "database").light, Light::Good);
    let (source, _) = office.import(PEOPLE.into()).await;
    let id = office.started(source, |_| {}).await;
    office.desk.heartbeat(office.incarnation, "host".into(), 1).await.unwrap();
    let well = office.desk.systems(office.actor.owner).await.unwrap();
    assert!(well.iter().all(|s| s.light == Light::Good || s.name == "hooks"), "{well:?}");
    assert!(of(well, "contacts").fact == "4 in 1 list");
    office.desk.campaign_note(id, "no agent worker took the call".into()).await.unwrap();
    office.desk.kill_switch(office.actor.clone(), true).await.unwrap();
    office.desk.close_place(office.actor.clone(), "US-LA".into(), None, "storm".into()).await.unwrap();
    let ill = office.desk.systems(office.actor.owner).await.unwrap();
    assert_eq!((of(ill.clone(), "agent worker").light, of(ill.clone(), "kill switch").mend), (Light::Bad, Some(Mend::ReleaseKillSwitch)));
    let law = of(ill, "law").fact;
    assert!(law.contains("US-LA") && law.contains("closed by tester until somebody opens it: storm"), "{law}");
    office.desk.kill_switch(office.actor.clone(), false).await.unwrap();
    talked(&office, id).await;
    office.wait(TimeDelta::days(8));
    if on_a_server() {
        // Its backups are its own.
        return;
    }
    let old = of(office.desk.systems(office.actor.owner).await.unwrap(), "database");
    assert!(old.light == Light::Warning && old.fact.contains("no backup yet"), "{old:?}");
    office.desk.note_backup().await.unwrap();
    assert_eq!(of(office.desk.systems(office.actor.owner).await.unwrap(), "database").light, Light::Good);
}

/// Retention takes calls out of the index of words too, and their minutes with the last of them.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn calls_that_are_removed_are_found_no_more() {
    let (office, id) = Office::calling(PEOPLE.into(), |_| {}).await;
    everybody_talked(&office, id).await;
    office.desk.index_calls().await.unwrap();
    office.desk.stop(office.actor.clone(), id, false).await.unwrap();
    office.wait(TimeDelta::days(500));
    let keep = Retention { audit: None, ..Retention::default() };
    assert_eq!(office.desk.tidy(&keep).await.unwrap().calls, 4);
    office.desk.tidy(&keep).await.unwrap();
    assert!(names(&office, &CallSearch { text: "jan".into(), ..all(&office) }).await.is_empty());
    assert!(minutes(&office, id).await.is_empty());
    if !on_a_server() {
        assert_eq!(office.base.one::<i64>("SELECT count(*) FROM call_search_docsize").await, 0);
    }
}

/// An older database: its dials get their numbers in the order they were made, and their minutes.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn dials_of_before_have_their_history_too() {
    only_a_file!("migrations of SQLite");
    let (office, id) = Office::calling(PEOPLE.into(), |_| {}).await;
    everybody_talked(&office, id).await;
    let (order, sums) = (names(&office, &all(&office)).await, minutes(&office, id).await);
    let mut db = connect(&office).await;
    for sql in [
        "DROP INDEX calls_dialled",
        "DROP INDEX calls_armed",
        "DROP INDEX calls_uncommon",
        "DROP INDEX calls_by_outcome",
        "DROP INDEX calls_by_tagger",
        "DROP INDEX calls_callbacks",
        "DROP INDEX campaigns_of_owner",
        "DROP INDEX audit_of_campaigns",
        "DROP TABLE campaign_minutes",
        "DROP TABLE call_search",
        "ALTER TABLE campaign_calls DROP COLUMN dialled",
        "DELETE FROM _sqlx_migrations WHERE version = 16",
    ] {
        sqlx::query(sql).execute(&mut db).await.unwrap();
    }
    db.close().await.unwrap();
    let store = Store::open(&format!("sqlite:{}", office.store.path())).await.unwrap();
    let rows = store.find_calls(&all(&office)).await.unwrap().rows;
    assert_eq!(rows.iter().map(|r| r.call.contact_name.clone()).collect::<Vec<_>>(), order);
    assert_eq!(rows.iter().map(|r| r.dialled).collect::<Vec<_>>(), [4, 3, 2, 1]);
    let again: BTreeMap<i64, Pace> = store.campaign_pace(id, (0, i64::MAX / 100), 1).await.unwrap().into_iter().map(|r| (r.minute, r.pace)).collect();
    assert_eq!(again, sums);
    let typed = CallSearch { text: "jan".into(), ..all(&office) };
    assert_eq!(store.find_calls(&typed).await.unwrap().rows.len(), 2);
}

/// Statements that were sent to the database inside a span called `history`.
#[derive(Default)]
struct Statements(Mutex<BTreeSet<String>>);

struct Listener(&'static Statements);

impl<S> Layer<S> for Listener
where
    S: tracing::Subscriber + for<'a> tracing_subscriber::registry::LookupSpan<'a>,
{
    fn enabled(&self, metadata: &tracing::Metadata<'_>, _: Context<'_, S>) -> bool {
        metadata.is_span() && metadata.name() == "history" || metadata.target() == "sqlx::query" && LISTENING.get().is_some()
    }

    fn on_event(&self, event: &tracing::Event<'_>, context: Context<'_, S>) {
        if context.event_scope(event).into_iter().flatten().any(|span| span.name() == "history") {
            event.record(&mut |field: &tracing::field::Field, value: &dyn std::fmt::Debug| {
                if matches!(field.name(), "summary" | "db.statement") {
                    let text = format!("{value:?}");
                    let text = serde_json::from_str::<String>(&text).unwrap_or(text);
                    self.0.0.lock().unwrap().insert(text.trim().to_owned());
                }
            });
        }
    }
}

static LISTENING: OnceLock<()> = OnceLock::new();

/// What every room asks of the database is found by an index: none of it looks at all calls, or at all facts.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_room_looks_at_every_call() {
    static STATEMENTS: Statements = Statements(Mutex::new(BTreeSet::new()));
    only_a_file!("plans in SQLite's words");
    LISTENING.set(()).unwrap();
    tracing::subscriber::set_global_default(tracing_subscriber::registry().with(Listener(&STATEMENTS))).unwrap();
    let (office, id) = Office::calling(PEOPLE.into(), |_| {}).await;
    let call = talked(&office, id).await;
    office.tag(call, Outcome::Interested).await;
    let waiting = talked(&office, id).await;
    office.desk.index_calls().await.unwrap();
    let owner = office.actor.owner;
    let row = office.row(id).await;
    let from: DateTime<Utc> = office.now() - TimeDelta::hours(9);
    async {
        let q = all(&office);
        for q in [
            q.clone(),
            CallSearch { text: "jan 42".into(), ..q.clone() },
            CallSearch { campaign: Some(id), from: Some(from), until: Some(office.now()), ..q.clone() },
            CallSearch { outcome: Some(Outcome::Interested), tagged_by: Some("tester".into()), campaign: Some(id), ..q.clone() },
            CallSearch { tagged_by: Some("tester".into()), ..q.clone() },
            CallSearch { states: vec![State::Busy, State::Failed], ..q.clone() },
            CallSearch { states: vec![State::Ringing, State::Answered], ..q.clone() },
            CallSearch { states: vec![State::NoAnswer], from: Some(from), ..q.clone() },
            CallSearch { to_tag: true, campaign: Some(id), ..q.clone() },
        ] {
            office.store.find_calls(&q).await.unwrap();
        }
        office.desk.number_story(owner, "+12025550142").await.unwrap();
        office.desk.figures(owner).await.unwrap();
        office.desk.away(owner, from).await.unwrap();
        office.desk.shift_report(owner, from, office.now()).await.unwrap();
        office.desk.tagging_desk(owner, "tester", from, 50).await.unwrap();
        office.desk.tag_card(owner, waiting).await.unwrap();
        office.desk.campaign_room(row).await.unwrap();
        office.desk.systems(owner).await.unwrap();
        office.store.promised(owner, 50).await.unwrap();
    }
    .instrument(tracing::info_span!("history"))
    .await;
    let statements = STATEMENTS.0.lock().unwrap().clone();
    assert!(statements.len() > 30, "what was asked is seen: {statements:#?}");
    let mut db = connect(&office).await;
    for sql in statements.iter().filter(|s| !s.ends_with('…') && (s.contains("campaign_calls") || s.contains("calls k") || s.contains("call_events"))) {
        let explain = sqlx::AssertSqlSafe(format!("EXPLAIN QUERY PLAN {sql}"));
        let plan: Vec<(i64, i64, i64, String)> = sqlx::query_as(explain).fetch_all(&mut db).await.unwrap_or_else(|e| panic!("{sql}: {e}"));
        let sorted = plan.iter().any(|(.., step)| step.contains("USE TEMP B-TREE FOR ORDER BY"));
        for (.., step) in &plan {
            let table = step.strip_prefix("SCAN ").unwrap_or_default().split(' ').next().unwrap_or_default();
            let bounded = step.contains("USING") && sql.contains("LIMIT") || sql.contains("ORDER BY id DESC LIMIT 500");
            assert!(!matches!(table, "campaign_calls" | "k" | "o" | "call_events") || bounded, "{step}\n{sql}");
            // All dials of an owner are as many: no page and no count is made of them. The least of an index, and its head, are
            // one seek.
            let all_of_owner = step.ends_with("(user_id=?)")
                && !step.contains("calls_to_tag")
                && !step.contains("campaigns_of_owner")
                && !sql.contains("SELECT min(outcome_by)")
                || step.contains("calls_armed") && (sorted || !sql.contains("LIMIT") && !sql.contains("count(*)"));
            assert!(!all_of_owner, "{step}\n{sql}");
        }
    }
}

//! How often a screen and a dial ask their database: a look asks no oftener for twenty campaigns than for one, by one
//! connection that is an owner's alone; an arm and a record have few round trips while they hold the turn of all.

use std::{sync::Arc, time::Duration};

use chrono::TimeDelta;
use dialdeck::{
    console,
    desk::Next,
    domain::{
        event::Reply,
        id::{AssistantId, CampaignId, OwnerId},
    },
    store::{AssistantRow, Lane, Store},
    telemetry::Ring,
};
use futures_util::future::join_all;

use crate::support::{
    base::Base,
    csv_of,
    office::Office,
    postgres::{Database, database},
    proxy::Proxy,
};

const CAMPAIGNS: usize = 20;

/// What the console does at one look, head and all; how many questions that were.
async fn look(office: &Office) -> u64 {
    let (before, ring) = (office.store.asked(), Ring::new(Arc::new(office.clock.clone())));
    let desk = office.desk.of(office.actor.owner).at_once();
    desk.head(office.actor.owner, office.now() - TimeDelta::hours(12)).await.unwrap();
    console::look(&desk, &office.actor, &ring, office.now(), false).await.unwrap();
    office.store.asked() - before
}

async fn running(office: &Office, n: usize) -> Vec<CampaignId> {
    let (source, _) = office.import(csv_of(3)).await;
    let mut all = Vec::new();
    for _ in 0..n {
        all.push(office.started(source, |s| s.daily_cap = 500).await);
    }
    office.desk.heartbeat(office.incarnation, "host".into(), 1).await.unwrap();
    all
}

/// What the head says of each campaign is what `w` says of it alone.
async fn the_head_is_true(office: &Office, campaigns: &[CampaignId]) {
    let desk = office.desk.of(office.actor.owner).at_once();
    let head = desk.head(office.actor.owner, office.now() - TimeDelta::hours(12)).await.unwrap();
    for id in campaigns {
        let row = office.row(*id).await;
        let why = office.desk.explain(&row).await.unwrap();
        assert_eq!(head.people[id], why.people);
        let wanted = match (why.gate.as_str(), &why.forecast) {
            ("open" | "concurrency" | "trunk_concurrency" | "call_delay" | "trunk_rate", f) => match (f.dials, f.cap, f.ends) {
                (0, ..) => Next::Begins,
                (_, Some(cap), _) => Next::Cap(cap),
                (_, None, Some(end)) => Next::Done(end),
                (_, None, None) => Next::Lasts(TimeDelta::seconds(f.calling_seconds)),
            },
            ("brake", _) => Next::Braked,
            (gate, _) => Next::Waits(gate.to_owned(), why.until),
        };
        assert_eq!(head.next[id], wanted, "{}", why.message);
    }
}

async fn a_look_asks_the_same_for_one_and_for_twenty(base: Base) {
    let office = Office::over(base, |_| {}).await;
    let mut all = running(&office, 1).await;
    look(&office).await;
    let one = look(&office).await;
    all.extend(running(&office, CAMPAIGNS - 1).await);
    look(&office).await;
    let twenty = look(&office).await;
    // People are counted again after ten seconds, which a busy machine may take.
    assert!(twenty <= one + 8, "{one} questions for one campaign, {twenty} for {CAMPAIGNS}");
    assert!(twenty <= 27 + 8, "{twenty} questions");

    // One has dialled, one waits for a worker, one has its cap, one its hour, one is paused.
    office.dial(all[0]).await.unwrap();
    office.desk.campaign_note(all[1], "no worker came".into()).await.unwrap();
    let (source, _) = office.import(csv_of(3)).await;
    let (others, _) = office.import("name,phone\nAnn,+12125550991\nBob,+12125550992\n".into()).await;
    all.push(office.started(others, |s| s.daily_cap = 1).await);
    office.dial(all[CAMPAIGNS]).await.unwrap();
    all.push(office.started(source, |s| (s.start_hour, s.end_hour) = (20, 21)).await);
    office.desk.pause(office.actor.clone(), all[2]).await.unwrap();
    all.swap_remove(2);
    the_head_is_true(&office, &all).await;
}

#[tokio::test]
async fn a_look_at_a_file_asks_no_oftener_for_twenty_campaigns_than_for_one() {
    a_look_asks_the_same_for_one_and_for_twenty(Base::in_folder(tempfile::tempdir().unwrap()).await).await;
}

#[tokio::test]
async fn a_look_at_a_server_asks_no_oftener_for_twenty_campaigns_than_for_one() {
    a_look_asks_the_same_for_one_and_for_twenty(Base::on_a_server_in(tempfile::tempdir().unwrap()).await).await;
}

/// An office whose every way to the server is counted, and the database that it goes with.
async fn counted() -> Option<(Office, Proxy, Database)> {
    let db = database().await?;
    let way = Proxy::new(&db).await;
    let office = Office::over(Base::at(tempfile::tempdir().unwrap(), way.url.clone()), |_| {}).await;
    Some((office, way, db))
}

/// Each statement is made ready once on each connection, which are more ways: so what is least of several counts.
async fn least(way: &Proxy, n: usize, mut what: impl AsyncFnMut()) -> u64 {
    let mut all = Vec::new();
    for _ in 0..n {
        let before = way.trips();
        what().await;
        // What goes back to the others tells the server so by itself.
        tokio::time::sleep(Duration::from_millis(20)).await;
        all.push(way.trips() - before);
    }
    all.into_iter().min().unwrap()
}

#[tokio::test]
async fn a_look_becomes_its_owners_once_and_not_for_each_question() {
    let Some((office, way, _db)) = counted().await else { return };
    running(&office, CAMPAIGNS).await;
    let mut questions = 0;
    let trips = least(&way, 12, async || questions = look(&office).await).await;
    assert!(questions > 10 && trips <= questions + 8, "{trips} ways there and back for {questions} questions");
}

/// What holds the turn of all writers: its round trips are what the distance of a database costs.
#[tokio::test]
async fn an_arm_and_a_record_have_few_round_trips_in_the_turn_of_all() {
    let Some((office, way, _db)) = counted().await else { return };
    let (source, _) = office.import(csv_of(80)).await;
    let id = office.started(source, |s| (s.daily_cap, s.max_concurrent) = (500, 200)).await;
    let mut claimed = Vec::new();
    while let Some(one) = office.claim(id).await {
        claimed.push(one);
    }
    office.wait(TimeDelta::milliseconds(1));
    let mut calls = Vec::new();
    let arm = least(&way, 8, async || {
        office.wait(TimeDelta::milliseconds(1));
        calls.push(office.arm(claimed.pop().unwrap()).await.unwrap().call());
    })
    .await;
    assert!(arm <= 5, "an arm takes {arm} round trips");

    let answered = || Reply::Answered { participant_sid: "PA_1".into(), sip_call_id: "SCL_1".into() };
    let record = least(&way, 8, async || office.reply(calls.pop().unwrap(), answered()).await).await;
    assert!(record <= 5, "a record takes {record} round trips");

    for one in claimed.drain(..) {
        office.wait(TimeDelta::milliseconds(1));
        calls.push(office.arm(one).await.unwrap().call());
    }
    assert!(calls.len() >= 64);
    // The first of them goes by itself.
    let together = least(&way, 2, async || {
        join_all(calls.drain(..32).map(|call| office.reply(call, answered()))).await;
    })
    .await;
    assert!(together <= 10, "32 records at once take {together} round trips");
}

#[derive(Clone, Copy)]
struct Somebody {
    owner: OwnerId,
    assistant: AssistantId,
}

async fn somebody(store: &Store, at: chrono::DateTime<chrono::Utc>) -> Somebody {
    let it = Somebody { owner: OwnerId(uuid::Uuid::new_v4()), assistant: AssistantId::fresh() };
    let row = AssistantRow {
        id: it.assistant,
        user_id: it.owner,
        name: "Sarah".into(),
        agent_name: None,
        prompt: "Hello".into(),
        language: "en".into(),
        created_at: at,
    };
    store.of(it.owner).write(Lane::Urgent, move |tx| Box::pin(async move { tx.insert_assistant(&row).await })).await.unwrap();
    it
}

/// Whom of two owners a store sees: the owner's filter stands in each question and lets them through.
async fn seen(store: &Store, both: &[Somebody; 2]) -> [bool; 2] {
    let mut seen = [false; 2];
    for (i, one) in both.iter().enumerate() {
        seen[i] = store.assistants(one.owner).await.unwrap().iter().any(|a| a.id == one.assistant);
    }
    seen
}

/// One connection for the questions of several, in turns and together, given up in the middle, is never somebody else's.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_connection_that_is_held_is_whosever_question_it_is() {
    let Some(db) = database().await else { return };
    let store = Store::open(&db.url).await.unwrap();
    let at = "2026-11-18T17:00:00Z".parse().unwrap();
    let both = [somebody(&store, at).await, somebody(&store, at).await];
    let wanted = [[true, false], [false, true], [true, true]];
    let held = store.at_once();
    let whose = |i: usize| [Some(both[0].owner), Some(both[1].owner), None][i % 3].map_or_else(|| held.whole(), |owner| held.of(owner));
    for i in 0..30 {
        assert_eq!(seen(&whose(i * 7 / 3), &both).await, wanted[(i * 7 / 3) % 3], "look {i}");
        if i % 4 == 3 {
            let store = whose(i);
            drop(tokio::time::timeout(Duration::from_micros(20 * u64::try_from(i).unwrap()), store.assistants(both[0].owner)).await);
        }
    }
    let looks = join_all((0..60).map(|i| {
        let store = whose(i);
        tokio::spawn(async move { (i, seen(&store, &both).await) })
    }));
    for look in looks.await {
        let (i, seen) = look.unwrap();
        assert_eq!(seen, wanted[i % 3], "look {i} of many");
    }
    // It goes back as the engine's.
    drop(whose(0).assistants(both[0].owner).await);
    let whole = store.whole();
    drop(held);
    for _ in 0..20 {
        assert_eq!(seen(&whole, &both).await, [true, true]);
    }
}

//! What happened before: calls found while typing, a number's history, promises, tags, and what the audit tells.

use dialdeck::{
    domain::{
        call::State,
        event::{CallEvent, Kind, Source, Target},
        id::CampaignId,
        outcome::{Outcome, Who},
    },
    store::{CallRow, CallSearch, CallUpdate, Height, NewEvent, Place},
};
use serde_json::json;

use super::{FOREIGN, House, facts, sorted};

databases!(
    calls_are_found_by_words_and_digits_before_and_after_they_are_indexed,
    calls_are_found_by_the_words_of_their_notes,
    calls_are_found_along_each_index_page_by_page,
    a_numbers_calls_are_told_newest_first,
    promised_calls_are_told_by_when_they_are_due,
    promised_calls_of_a_campaign_are_told,
    what_people_did_is_told_with_what_they_did_it_to,
    the_audit_only_grows,
    what_happened_to_campaigns_is_told_with_their_names,
    tags_are_counted_by_whom,
    news_are_what_moved_since,
    what_was_done_lately_is_told_with_names,
);

async fn promised_calls_of_a_campaign_are_told(house: House) {
    let h = house.ids;
    let late = house.queue(|c| (c.priority, c.dialable_at) = (1, h.after(900))).await;
    let soon = house.queue(|c| (c.priority, c.dialable_at, c.contact_name) = (1, h.after(60), FOREIGN.into())).await;
    house.queue(|_| {}).await;
    let other = house.campaign(|_| {}).await;
    house.queue_in(other, |c| c.priority = 1).await;
    let told = house.store.promised_in(h.campaign, 9).await.unwrap();
    assert_eq!(told.iter().map(|p| (p.id, p.due)).collect::<Vec<_>>(), [(soon.id, h.after(60)), (late.id, h.after(900))]);
    assert_eq!((told[0].contact_name.as_str(), house.store.promised_in(h.campaign, 1).await.unwrap().len()), (FOREIGN, 1));
    assert_eq!(tx!(house, |tx| tx.promised_in(h.campaign, 9).await?), told);
}

async fn what_people_did_is_told_with_what_they_did_it_to(house: House) {
    let h = house.ids;
    let call = house.dial(|c| c.contact_name = FOREIGN.into()).await;
    tx!(house, |tx| {
        tx.audit(h.after(1), h.owner, "Ana", "console", "campaign_edited", Some(h.campaign.0), &json!({ "changed": ["cap 5 to 6"] })).await?;
        tx.audit(h.after(2), h.owner, "Ana", "console", "contacts_imported", Some(h.file.0), &json!({ "imported": 7 })).await?;
        tx.audit(h.after(2), h.owner, "engine", "engine", "call_armed", Some(call.id.0), &json!({})).await?;
        tx.request_hangup(call.id, "Ben", "console", h.after(3)).await?;
        tx.add_do_not_call(h.owner, "+12025550188", "", "console", "Ana", h.after(4)).await?;
    });
    let told = house.store.deeds_between(h.owner, h.now, h.after(9)).await.unwrap();
    let told: Vec<_> = told.iter().map(|(of, l)| (of.as_deref().unwrap(), l.action.as_str(), l.actor.as_str())).collect();
    assert_eq!(told, [("Q4", "campaign_edited", "Ana"), ("leads.csv", "contacts_imported", "Ana"), (FOREIGN, "hung_up", "Ben")]);
    assert!(house.store.deeds_between(h.stranger, h.now, h.after(9)).await.unwrap().is_empty());
    assert!(house.store.deeds_between(h.owner, h.after(5), h.after(9)).await.unwrap().is_empty());
    assert_eq!(house.store.listed_between(h.owner, h.now, h.after(9)).await.unwrap(), [("Ana".to_owned(), 1)]);
    assert!(house.store.listed_between(h.owner, h.after(5), h.after(9)).await.unwrap().is_empty());
}

async fn names(house: &House, q: &CallSearch) -> Vec<String> {
    house.store.find_calls(q).await.unwrap().rows.into_iter().map(|r| r.call.contact_name).collect()
}

async fn calls_are_found_by_words_and_digits_before_and_after_they_are_indexed(house: House) {
    let h = house.ids;
    for (name, number) in [
        ("Jane Roe", "+12025550142"),
        ("Élodie O'Brien", "+12025550177"),
        ("Jan van Dam", "+12025550181"),
        ("名前 太郎", "+12125550142"),
        ("o&|!<-> (x):*", "+12125550100"),
    ] {
        house.dial(|c| (c.contact_name, c.phone_number) = (name.into(), number.into())).await;
    }
    house.queue(|c| c.contact_name = "Jane Waiting".into()).await;
    let other = house.campaign(|_| {}).await;
    let find = async |text: &str| sorted(names(&house, &CallSearch { text: text.into(), ..CallSearch::all(h.owner, 50) }).await);
    for indexed in [false, true] {
        if indexed {
            assert_eq!(tx!(house, |tx| [tx.index_calls(3).await?, tx.index_calls(500).await?, tx.index_calls(500).await?]), [3, 2, 0]);
        }
        for (text, wanted) in [
            ("jan", &["Jan van Dam", "Jane Roe"][..]),
            ("JAN da", &["Jan van Dam"]),
            ("ane", &[]),
            ("brien", &["Élodie O'Brien"]),
            ("ÉLO", &["Élodie O'Brien"]),
            ("elo", &[]),
            ("名", &["名前 太郎"]),
            ("太郎", &["名前 太郎"]),
            ("0142", &["Jane Roe", "名前 太郎"]),
            ("202 555 0142", &["Jane Roe"]),
            ("jane 0142", &["Jane Roe"]),
            ("jane 0143", &[]),
            ("o* OR \"jane\" -x & | ! <-> :* ( '", &[]),
            ("x", &["o&|!<-> (x):*"]),
        ] {
            assert_eq!(find(text).await, sorted(wanted.iter().map(|w| (*w).to_owned())), "{text} {indexed}");
        }
        assert_eq!(names(&house, &CallSearch { text: "jan".into(), campaign: Some(other), ..CallSearch::all(h.owner, 50) }).await, [] as [String; 0]);
        assert_eq!(names(&house, &CallSearch { text: "jan".into(), campaign: Some(h.campaign), ..CallSearch::all(h.owner, 50) }).await.len(), 2);
        assert!(names(&house, &CallSearch { text: "jan".into(), ..CallSearch::all(h.stranger, 50) }).await.is_empty());
        assert_eq!(house.store.find_calls(&CallSearch::all(h.owner, 50)).await.unwrap().unsearched, 0);
    }
    tx!(house, |tx| tx.forget_search().await?);
    assert_eq!(find("jan").await.len(), 2, "compared one by one again");
    assert_eq!(tx!(house, |tx| tx.index_calls(500).await?), 5);
}

/// The index only goes forward: a note that is written, changed or taken away behind it moves its call at once.
async fn calls_are_found_by_the_words_of_their_notes(house: House) {
    let h = house.ids;
    let mut calls = Vec::new();
    for name in ["Jane Roe", "Omar Haddad", "Third Party"] {
        calls.push(house.dial(|c| c.contact_name = name.into()).await);
    }
    let find = async |text: &str| sorted(names(&house, &CallSearch { text: text.into(), ..CallSearch::all(h.owner, 50) }).await);
    let note = async |call: usize, note: &str| {
        let was = house.call(calls[call].id).await;
        let row = CallRow { notes: note.to_owned(), ..was.clone() };
        tx!(house, |tx| tx.update_calls(&[CallUpdate { was: &was, row: &row }], h.now).await?);
    };
    let long = "x".repeat(4000);
    for indexed in [false, true] {
        if indexed {
            tx!(house, |tx| tx.index_calls(2).await?);
            assert_eq!(find("party").await, ["Third Party"], "not in the index yet, and found beside it");
        }
        note(0, "Second line:\nher THIRD try, große Firma '\"&|!:* 名前").await;
        note(1, FOREIGN).await;
        note(2, &long).await;
        for (text, wanted) in [
            ("third", &["Jane Roe", "Third Party"][..]),
            ("jane thir", &["Jane Roe"]),
            ("hird", &[]),
            ("GROSSE", &[]),
            ("große", &["Jane Roe"]),
            ("名前", &["Jane Roe", "Omar Haddad"]),
            ("zoë", &["Omar Haddad"]),
            (&long, &["Third Party"]),
        ] {
            assert_eq!(find(text).await, sorted(wanted.iter().map(|w| (*w).to_owned())), "{text} {indexed}");
        }
        note(0, "called back").await;
        assert_eq!((find("third").await, find("jane back").await), (vec!["Third Party".to_owned()], vec!["Jane Roe".to_owned()]), "{indexed}");
        note(0, "").await;
        assert_eq!((find("called").await.len(), find("jane").await.len()), (0, 1), "{indexed}");
        note(1, "").await;
        note(2, "").await;
    }
    tx!(house, |tx| tx.index_calls(500).await?);
    assert_eq!((find("third").await, find("xxx").await.len()), (vec!["Third Party".to_owned()], 0));
    note(2, "called back").await;
    assert!(names(&house, &CallSearch { text: "called".into(), ..CallSearch::all(h.stranger, 50) }).await.is_empty());
}

async fn calls_are_found_along_each_index_page_by_page(house: House) {
    let h = house.ids;
    let mut all = Vec::new();
    for i in 0..12 {
        let row = house.dial_at(h.after(i), |_| {}).await;
        let (state, outcome) = match i % 4 {
            0 => (State::Completed, Some(Outcome::Interested)),
            1 => (State::Busy, None),
            2 => (State::NoAnswer, None),
            _ => (State::Armed, None),
        };
        if state != State::Armed {
            house
                .end(&row, state, 100 + i, |r| {
                    (r.outcome, r.outcome_at) = (outcome, outcome.map(|_| h.after(200 - i)));
                    (r.outcome_who, r.outcome_by) = (outcome.map(|_| Who::Operator), outcome.map(|_| FOREIGN.to_owned()));
                })
                .await;
        }
        all.push(row.id);
    }
    let pages = async |q: CallSearch| {
        let (mut seen, mut after) = (Vec::new(), None);
        for _ in 0..20 {
            let page = house.store.find_calls(&CallSearch { after, limit: 2, ..q.clone() }).await.unwrap();
            seen.extend(page.rows.iter().map(|r| all.iter().position(|id| *id == r.call.id).unwrap()));
            after = page.next;
            if after.is_none() {
                break;
            }
        }
        seen
    };
    let any = CallSearch::all(h.owner, 2);
    assert_eq!(pages(any.clone()).await, (0..12).rev().collect::<Vec<_>>());
    assert_eq!(pages(CallSearch { from: Some(h.after(3)), until: Some(h.after(6)), ..any.clone() }).await, [5, 4, 3], "from then on, before then");
    assert_eq!(pages(CallSearch { outcome: Some(Outcome::Interested), ..any.clone() }).await, [0, 4, 8], "by when they were tagged");
    assert_eq!(
        pages(CallSearch { outcome: Some(Outcome::Interested), tagged_by: Some(FOREIGN.into()), campaign: Some(h.campaign), ..any.clone() }).await,
        [0, 4, 8]
    );
    assert!(pages(CallSearch { outcome: Some(Outcome::Interested), tagged_by: Some("Ana".into()), ..any.clone() }).await.is_empty());
    assert_eq!(pages(CallSearch { tagged_by: Some(FOREIGN.into()), ..any.clone() }).await, [0, 4, 8]);
    assert_eq!(pages(CallSearch { states: vec![State::Armed, State::Ringing], ..any.clone() }).await, [11, 7, 3], "on the line");
    assert_eq!(pages(CallSearch { states: vec![State::Busy, State::Failed], ..any.clone() }).await, [9, 5, 1], "few of many");
    assert_eq!(pages(CallSearch { states: vec![State::NoAnswer], ..any.clone() }).await, [10, 6, 2]);
    assert_eq!(pages(CallSearch { states: vec![State::NoAnswer], text: "contact".into(), from: Some(h.after(3)), ..any.clone() }).await, [10, 6]);
    assert_eq!(pages(CallSearch { campaign: Some(h.campaign), ..any.clone() }).await.len(), 12);
    assert!(pages(CallSearch { campaign: Some(CampaignId::fresh()), ..any.clone() }).await.is_empty());
    assert!(pages(CallSearch { owner: h.stranger, ..any.clone() }).await.is_empty());
    let page = house.store.find_calls(&any).await.unwrap();
    let first = &page.rows[0];
    assert_eq!(
        (first.dialled, first.country.as_str(), first.abandoned, first.outcome_by.clone(), first.call.campaign_name.as_str()),
        (12, "US", false, None, "Q4")
    );
    assert_eq!(page.next, Some(Place { at: h.after(10), dialled: 11 }));
}

async fn a_numbers_calls_are_told_newest_first(house: House) {
    let h = house.ids;
    let number = "+12025550142";
    let first = house.dial(|c| c.phone_number = number.into()).await;
    let first = house.end(&first, State::Busy, 10, |_| {}).await;
    let second = house.dial_at(h.after(20), |c| (c.phone_number, c.contact_name) = (number.into(), FOREIGN.into())).await;
    house.queue(|c| c.phone_number = number.into()).await;
    house.dial(|_| {}).await;
    let of = async |owner, number| house.store.calls_to(owner, number).await.unwrap().into_iter().map(|c| c.call.id).collect::<Vec<_>>();
    assert_eq!((of(h.owner, number).await, of(h.stranger, number).await, of(h.owner, "+1").await), (vec![second.id, first.id], vec![], vec![]));
    let one = house.store.dialled_call(h.owner, second.id).await.unwrap().unwrap();
    assert_eq!((one.dialled, one.call.contact_name.as_str(), one.call.armed_at), (2, FOREIGN, Some(h.after(20))));
    assert!(house.store.dialled_call(h.stranger, second.id).await.unwrap().is_none());
    let waiting = house.queue(|_| {}).await.id;
    assert!(house.store.dialled_call(h.owner, waiting).await.unwrap().is_none(), "not dialled");
}

async fn promised_calls_are_told_by_when_they_are_due(house: House) {
    let h = house.ids;
    let other = house.campaign(|c| c.name = FOREIGN.into()).await;
    let late = house.queue(|c| (c.priority, c.dialable_at) = (1, h.after(900))).await;
    let early = house.queue_in(other, |c| (c.priority, c.dialable_at, c.contact_name) = (1, h.after(-60), FOREIGN.into())).await;
    let claimed = house.queue(|c| (c.priority, c.dialable_at) = (1, h.after(-10))).await;
    let claimed = house.claim(&claimed).await;
    house.queue(|_| {}).await;
    let ids = |rows: Vec<dialdeck::store::PromisedCall>| rows.into_iter().map(|p| p.id).collect::<Vec<_>>();
    let rows = house.store.promised(h.owner, 500).await.unwrap();
    let p = &rows[0];
    assert_eq!(
        (p.campaign_id, p.campaign_name.as_str(), p.contact_name.as_str(), p.due, p.zones.as_str()),
        (other, FOREIGN, FOREIGN, h.after(-60), early.zones.as_str())
    );
    assert_eq!(ids(rows), [early.id, late.id]);
    assert_eq!((ids(house.store.promised(h.owner, 1).await.unwrap()), ids(house.store.promised(h.stranger, 9).await.unwrap())), (vec![early.id], vec![]));
    assert_eq!(ids(house.store.promised_to(h.owner, &claimed.phone_number).await.unwrap()), [claimed.id], "in the queue or being prepared");
    assert!(
        house.store.promised_to(h.stranger, &claimed.phone_number).await.unwrap().is_empty()
            && house.store.promised_to(h.owner, "+1").await.unwrap().is_empty()
    );
    let count = async |owner, campaign| {
        let c = house.store.count_promised(owner, campaign, h.now).await.unwrap();
        (c.due, c.next)
    };
    assert_eq!((count(h.owner, None).await, count(h.owner, Some(other)).await), ((1, Some(h.after(900))), (1, None)));
    assert_eq!((count(h.owner, Some(h.campaign)).await, count(h.stranger, None).await), ((0, Some(h.after(900))), (0, None)));
    tx!(house, |tx| {
        tx.break_promises(other).await?;
        tx.cancel_pending(other, "stopped", 500, h.now).await?;
        tx.cancel_pending(h.campaign, "stopped", 500, h.now).await?;
    });
    let missed = async |from, until| ids(house.store.missed_promises(h.owner, h.after(from), h.after(until)).await.unwrap());
    assert_eq!((missed(-900, 0).await, missed(-900, -60).await), (vec![early.id], vec![]), "taken off by a stop; the others somebody took back");
    let overdue = house.queue(|c| (c.priority, c.dialable_at) = (1, h.after(-30))).await;
    assert_eq!(missed(-60, 0).await, [early.id, overdue.id]);
    assert!(house.store.missed_promises(h.stranger, h.after(-900), h.now).await.unwrap().is_empty());
    assert_eq!(house.store.missed_promises(h.owner, h.after(-61), h.now).await.unwrap()[0].reason, "stopped");
}

async fn the_audit_only_grows(house: House) {
    let h = house.ids;
    let subject = uuid::Uuid::new_v4();
    assert_eq!((house.store.last_written().await.unwrap(), house.store.audit_of(h.owner, subject).await.unwrap().len()), (None, 0));
    let before = house.store.audit_height().await.unwrap();
    let details = json!({ "a": FOREIGN, "n": [null, 1.5] });
    let told = details.clone();
    tx!(house, |tx| {
        tx.audit(h.after(5), h.owner, FOREIGN, "console", "tested", Some(subject), &told).await?;
        tx.audit(h.after(3), h.owner, "", "", "other", Some(subject), &json!({})).await?;
        tx.audit(h.after(4), h.stranger, "", "", "tested", Some(subject), &json!({})).await?;
        // A letter that a database may not have costs no line.
        tx.audit(h.after(2), h.owner, "", "", "tested", None, &json!(["a\u{0}b"])).await?;
    });
    assert!(house.grown(house.store.audit_height().await.unwrap() - before, 4), "{before}");
    assert_eq!(house.store.last_written().await.unwrap(), Some(h.after(2)), "in the order it was written");
    let lines = house.store.audit_of(h.owner, subject).await.unwrap();
    let l = &lines[0];
    assert_eq!(
        (lines.len(), l.at, l.actor.as_str(), l.source.as_str(), l.action.as_str(), &l.details.0),
        (2, h.after(5), FOREIGN, "console", "tested", &details)
    );
    let last = async |action: &'static str| tx!(house, |tx| tx.last_audit(subject, action).await?);
    assert_eq!((last("tested").await, last("other").await, last("never").await), (Some(h.after(4)), Some(h.after(3)), None));
}

async fn what_happened_to_campaigns_is_told_with_their_names(house: House) {
    let h = house.ids;
    let (mine, subject) = (h.campaign.0, uuid::Uuid::new_v4());
    tx!(house, |tx| {
        for (at, action, subject) in [
            (1, "campaign_moved", Some(mine)),
            (2, "armed", Some(mine)),
            (3, "kill_switch_on", None),
            (4, "breaker_opened", Some(subject)),
            (9, "campaign_error", Some(mine)),
        ] {
            tx.audit(h.after(at), h.owner, "Zoë", "console", action, subject, &json!({ "at": at })).await?;
        }
        tx.audit(h.after(5), h.stranger, "", "", "campaign_moved", Some(mine), &json!({})).await?;
    });
    let lines = house.store.happened(h.owner, h.after(1), h.after(9)).await.unwrap();
    let told: Vec<_> = lines.iter().map(|(name, l)| (name.as_deref(), l.action.as_str(), l.at)).collect();
    assert_eq!(told, [(Some("Q4"), "campaign_moved", h.after(1)), (None, "kill_switch_on", h.after(3)), (None, "breaker_opened", h.after(4))], "oldest first");
    assert_eq!(lines[0].1.details.0, json!({ "at": 1 }));
    assert!(house.store.happened(h.owner, h.after(10), h.after(90)).await.unwrap().is_empty());
}

async fn tags_are_counted_by_whom(house: House) {
    let h = house.ids;
    for (seconds, outcome, who, by) in [
        (10, Outcome::Interested, Who::Operator, Some(FOREIGN)),
        (20, Outcome::Interested, Who::Operator, Some(FOREIGN)),
        (30, Outcome::Callback, Who::Operator, Some(FOREIGN)),
        (40, Outcome::WrongNumber, Who::Carrier, None),
        (90, Outcome::Interested, Who::Operator, Some(FOREIGN)),
    ] {
        house
            .talked(100, |r| (r.outcome, r.outcome_who, r.outcome_by, r.outcome_at) = (Some(outcome), Some(who), by.map(str::to_owned), Some(h.after(seconds))))
            .await;
    }
    let tags = house.store.tags_between(h.owner, h.after(10), h.after(90)).await.unwrap();
    assert!(tags.iter().all(|t| t.campaign_id == h.campaign));
    let seen = sorted(tags.into_iter().map(|t| (t.who, t.outcome.as_str(), t.n)));
    assert_eq!(seen, sorted([(String::new(), "wrong_number", 1), (FOREIGN.to_owned(), "callback", 1), (FOREIGN.to_owned(), "interested", 2)]));
    assert!(house.store.tags_between(h.stranger, h.now, h.after(90)).await.unwrap().is_empty());
}

async fn news_are_what_moved_since(house: House) {
    let h = house.ids;
    let start = house.store.height().await.unwrap();
    let none = house.store.news(h.owner, start, start).await.unwrap();
    assert_eq!((none.calls.len(), none.campaigns.len(), none.to), (0, 0, start));
    let [a, b, c] = [house.dial(|_| {}).await.id, house.dial(|_| {}).await.id, house.dial(|_| {}).await.id];
    let other = house.campaign(|_| {}).await;
    let event = |key: &str| CallEvent { key: key.into(), target: Target::None, source: Source::Poll, at: h.now, kind: Kind::Horizon, raw: json!({}) };
    let (one, two) = (event("1"), event("2"));
    tx!(house, |tx| {
        let moved = Some(State::Ringing);
        facts(tx, &[NewEvent { event: &one, call: Some(a), moved }, NewEvent { event: &two, call: Some(b), moved: None }], h.now).await?;
        tx.audit(h.now, h.owner, "", "", "test", Some(c.0), &json!({})).await?;
        tx.audit(h.now, h.owner, "", "", "test", Some(other.0), &json!({})).await?;
        tx.audit(h.now, h.stranger, "", "", "test", Some(b.0), &json!({})).await?;
        tx.audit(h.now, h.owner, "", "", "test", None, &json!({})).await?;
    });
    let end = house.store.height().await.unwrap();
    assert!(house.grown(end.events - start.events, 2) && house.grown(end.audit - start.audit, 4), "{start:?} {end:?}");
    let news = house.store.news(h.owner, start, end).await.unwrap();
    assert_eq!((sorted(super::ids(&news.calls)), news.to), (sorted([a, c]), end), "what moved, and what the audit names");
    assert_eq!(sorted(news.campaigns.iter().map(|c| c.id)), sorted([h.campaign, other]));
    let part = house.store.news(h.owner, Height { audit: end.audit, ..start }, end).await.unwrap();
    assert_eq!((super::ids(&part.calls), part.campaigns.len()), (vec![a], 1));
    assert!(house.store.news(h.stranger, start, end).await.unwrap().calls.is_empty());
    assert!(house.store.news(h.owner, end, end).await.unwrap().calls.is_empty());
}

async fn what_was_done_lately_is_told_with_names(house: House) {
    let h = house.ids;
    let tagged = house.talked(90, |r| (r.outcome, r.outcome_who, r.outcome_by) = (Some(Outcome::Callback), Some(Who::Operator), Some("ana".into()))).await;
    let by_agent = house.talked(91, |r| (r.outcome, r.outcome_who, r.outcome_by) = (Some(Outcome::Voicemail), Some(Who::Agent), Some("agent".into()))).await;
    let asides = house.store.asides(h.owner, h.after(-999), 500).await.unwrap();
    assert_eq!((asides[&tagged.id].tagged_by.as_deref(), asides[&tagged.id].again_at), (Some("ana"), None));
    assert!(!asides.contains_key(&by_agent.id), "an agent's word is nobody's tag");
    assert!(
        house.store.asides(h.owner, h.after(9999), 500).await.unwrap().is_empty() && house.store.asides(h.stranger, h.after(-999), 9).await.unwrap().is_empty()
    );
    tx!(house, |tx| {
        tx.audit(h.after(1), h.owner, "ana", "console", "outcome_set", Some(tagged.id.0), &json!({ "outcome": "callback" })).await?;
        tx.audit(h.after(2), h.owner, "ana", "console", "campaign_edited", Some(h.campaign.0), &json!({})).await?;
        tx.audit(h.after(3), h.owner, "engine", "engine", "call_armed", Some(tagged.id.0), &json!({})).await?;
        tx.audit(h.after(4), h.stranger, "eve", "console", "campaign_edited", Some(h.campaign.0), &json!({})).await?;
    });
    let deeds = house.store.deeds(h.owner, 0, i64::MAX).await.unwrap();
    let told: Vec<_> = deeds.iter().map(|d| (d.line.action.as_str(), d.call, d.contact_name.as_deref(), d.name.is_some())).collect();
    assert_eq!(told, [("outcome_set", Some(tagged.id), Some(tagged.contact_name.as_str()), true), ("campaign_edited", None, None, true)]);
    assert!(house.store.deeds(h.owner, deeds[1].id, i64::MAX).await.unwrap().is_empty(), "each once");
}

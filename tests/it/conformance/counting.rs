//! What is counted of calls before something is decided about them.

use dialdeck::{
    domain::{
        breaker::Answers,
        call::State,
        event::{CallEvent, Doubt, Kind, Source, Target},
        id::{CallId, CampaignId, ContactId, OwnerId},
        outcome::Outcome,
    },
    store::{NewCall, NewEvent, Recyclable, Rounds},
};

use super::{FOREIGN, House, facts, ids};

databases!(
    calls_go_round_again_when_they_ended_so,
    a_long_campaign_is_looked_at_window_by_window,
    answers_without_an_agent_are_counted,
    the_breaker_judges_the_last_dials,
    dials_and_facts_of_lately_are_told,
);

async fn calls_go_round_again_when_they_ended_so(house: House) {
    let h = house.ids;
    let missed = house.ended(State::NoAnswer, 10, |_| {}).await;
    let busy = house.ended(State::Busy, 20, |_| {}).await;
    let machine = house.talked(90, |r| r.outcome = Some(Outcome::Voicemail)).await;
    house.talked(90, |r| r.outcome = Some(Outcome::Interested)).await;
    house.ended(State::NoAnswer, 10, |r| r.outcome = Some(Outcome::DoNotCall)).await;
    house.ended(State::NoAnswer, 1000, |_| {}).await;
    let tried = house.dial(|c| c.attempt = 3).await;
    house.end(&tried, State::NoAnswer, 10, |_| {}).await;
    let bare = house.dial(|c| c.contact_id = None).await;
    house.end(&bare, State::NoAnswer, 10, |_| {}).await;
    let listed = house.ended(State::NoAnswer, 10, |_| {}).await.phone_number;
    // One whose contact has a later call.
    let who = ContactId::fresh();
    let first = house.dial(|c| c.contact_id = Some(who)).await;
    house.end(&first, State::NoAnswer, 10, |_| {}).await;
    house.queue(|c| c.contact_id = Some(who)).await;
    tx!(house, |tx| tx.add_do_not_call(h.owner, &listed, "", "test", "", h.now).await?);
    let last = house.queue(|_| {}).await.id;
    let all = Recyclable { no_answer: true, busy: true, voicemail: true, reason: None, attempts: 3, before: h.after(500) };
    let again = async |window, r: Recyclable| {
        let mut rows = tx!(house, |tx| tx.calls_to_recycle(h.campaign, window, &r).await?);
        rows.sort_by_key(|r| r.id);
        ids(&rows)
    };
    let nil = CallId(uuid::Uuid::nil());
    assert_eq!(again((nil, last), all).await, [missed.id, busy.id, machine.id]);
    assert_eq!(again((nil, last), Recyclable { no_answer: false, ..all }).await, [busy.id, machine.id]);
    assert_eq!(again((nil, last), Recyclable { busy: false, voicemail: false, ..all }).await, [missed.id]);
    assert_eq!(again((missed.id, machine.id), all).await, [busy.id, machine.id], "after the first, the last with it");
    assert_eq!(again((nil, last), Recyclable { attempts: 1, ..all }).await, []);
    assert_eq!(again((nil, last), Recyclable { before: h.after(9), ..all }).await, []);
    // The same as figures, whenever they ended.
    let rounds = async |attempts| house.store.rounds(h.owner, h.campaign, attempts, "missing").await.unwrap();
    let counted = Rounds { no_answer: 2, busy: 1, voicemail: 1, waiting: 1, looked_through: 8, ..Rounds::default() };
    assert_eq!((rounds(3).await, rounds(4).await.no_answer), (counted, 3), "the third attempt was the last of three");
    house.end(&house.queue(|_| {}).await, State::Failed, 10, |r| r.reason = "missing field naam".into()).await;
    assert_eq!((rounds(1).await.missing_field, rounds(1).await.no_answer), (1, 0));
    assert_eq!(house.store.rounds(OwnerId::fresh(), h.campaign, 3, "missing").await.unwrap(), Rounds::default(), "nobody else's");
}

async fn a_long_campaign_is_looked_at_window_by_window(house: House) {
    let h = house.ids;
    let end = async |after, limit| tx!(house, |tx| tx.end_of_window(h.campaign, after, limit).await?);
    let nil = CallId(uuid::Uuid::nil());
    assert_eq!(end(nil, 500).await, None);
    let calls: Vec<NewCall> = (0..501).map(|_| house.new_call(|_| {})).collect();
    let order: Vec<CallId> = calls.iter().map(|c| c.id).collect();
    tx!(house, |tx| tx.insert_calls(h.owner, h.campaign, &calls, h.now).await?);
    assert_eq!((end(nil, 500).await, end(order[499], 500).await, end(order[500], 500).await), (Some(order[499]), Some(order[500]), None));
}

async fn answers_without_an_agent_are_counted(house: House) {
    let h = house.ids;
    let outside = async |since, judged| house.store.without_agent(h.campaign, h.after(since), h.after(judged)).await.unwrap();
    let inside = async |since, judged| tx!(house, |tx| tx.without_agent(h.campaign, h.after(since), h.after(judged)).await?);
    house.talked(100, |_| {}).await;
    assert_eq!(outside(-1000, 0).await, Answers::default(), "none was without one");
    let silent = house.talked(200, |_| {}).await;
    let mark = async |id, was, at| tx!(house, |tx| tx.set_abandoned(id, was, h.after(at)).await?);
    assert!(!mark(silent.id, State::Answered, 300).await, "it has ended meanwhile");
    assert!(mark(silent.id, State::Completed, 300).await && !mark(silent.id, State::Completed, 301).await, "noted once");
    assert_eq!(house.call(silent.id).await.updated_at, h.after(300));
    assert!(!mark(CallId::fresh(), State::Completed, 1).await);
    // One that has just begun may be without an agent yet.
    let talking = house.dial(|_| {}).await;
    house.change(&talking, |r| (r.state, r.answered_at) = (State::Answered, Some(h.after(400)))).await;
    for _ in 0..10 {
        house.talked(300, |_| {}).await;
    }
    let counted = Answers { answered: 13, abandoned: 1, last: 10, silent: 0 };
    assert_eq!((outside(0, 350).await, inside(0, 350).await), (counted, counted));
    assert_eq!(outside(50, 350).await, Answers { answered: 12, ..counted }, "since then");
    assert_eq!(outside(350, 350).await, Answers { answered: 1, abandoned: 0, last: 0, silent: 0 });
    assert_eq!(inside(350, 400).await, Answers { answered: 1, abandoned: 0, last: 1, silent: 0 });
    assert_eq!(house.store.without_agent(CampaignId::fresh(), h.now, h.now).await.unwrap(), Answers::default());
}

async fn the_breaker_judges_the_last_dials(house: House) {
    let h = house.ids;
    let facts = async |trunk, doubt| tx!(house, |tx| tx.breaker_facts(h.owner, h.campaign, h.after(trunk), h.after(doubt), (h.after(-1000), h.now)).await?);
    let none = facts(0, 0).await;
    assert_eq!((none.ended, none.trunk_failed, none.trunk_reason.as_str(), none.unknown, none.answers), (0, 0, "", 0, Answers::default()));
    house.ended(State::Failed, 10, |r| (r.charged, r.reason, r.sip_code) = (false, FOREIGN.into(), Some(503))).await;
    house.ended(State::Failed, 11, |r| (r.charged, r.reason) = (false, "no route".into())).await;
    house.ended(State::Failed, 12, |r| r.reason = "theirs".into()).await;
    house.ended(State::NoAnswer, 13, |_| {}).await;
    let doubt = async |doubt| {
        let row = house.dial(|_| {}).await;
        house.change(&row, |r| (r.state, r.doubt) = (State::Unknown, Some(doubt))).await;
    };
    doubt(Doubt::Network).await;
    doubt(Doubt::Own).await;
    let silent = house.talked(14, |_| {}).await;
    assert!(tx!(house, |tx| tx.set_abandoned(silent.id, State::Completed, h.now).await?));
    let f = facts(0, -1).await;
    assert_eq!((f.ended, f.trunk_failed, f.unknown), (5, 2, 1), "what our own death left in doubt says nothing");
    assert_eq!((f.answers.answered, f.answers.abandoned), (1, 1));
    assert!([format!("503 {FOREIGN}"), "no route".to_owned()].contains(&f.trunk_reason), "{}", f.trunk_reason);
    assert_eq!(facts(10, 0).await.trunk_reason, "no route");
    assert_eq!((facts(12, 0).await.ended, facts(12, 0).await.trunk_reason, facts(0, 0).await.unknown), (2, String::new(), 0), "since then");
    for _ in 0..10 {
        house.ended(State::NoAnswer, 50, |_| {}).await;
    }
    let f = facts(0, -1).await;
    assert_eq!((f.ended, f.trunk_failed), (10, 0), "the last ones");
    let other = tx!(house, |tx| tx.breaker_facts(h.stranger, h.campaign, h.now, h.now, (h.now, h.now)).await?);
    assert_eq!(other.ended, 0);
}

async fn dials_and_facts_of_lately_are_told(house: House) {
    let h = house.ids;
    assert_eq!((house.store.first_dial().await.unwrap(), house.store.last_hook().await.unwrap()), (None, None));
    house.queue(|_| {}).await;
    house.dial_at(h.after(5), |_| {}).await;
    house.dial_at(h.after(1), |_| {}).await;
    assert_eq!(house.store.first_dial().await.unwrap(), Some(h.after(5)), "by the order of dials, which no clock can turn");
    house.ended(State::Failed, 10, |r| r.reason = FOREIGN.into()).await;
    house.ended(State::NoAnswer, 20, |_| {}).await;
    let last = async |owner, since, limit| {
        let rows = house.store.last_dials(owner, h.after(since), limit).await.unwrap();
        rows.into_iter().map(|d| (d.reason, d.completed_at)).collect::<Vec<_>>()
    };
    assert_eq!(last(h.owner, 0, 500).await, [(String::new(), h.after(20)), (FOREIGN.to_owned(), h.after(10))]);
    assert_eq!((last(h.owner, 10, 500).await.len(), last(h.owner, 0, 1).await.len(), last(h.stranger, 0, 500).await), (1, 1, vec![]));
    let since = async |owner, at| house.store.dials_since(owner, h.after(at)).await.unwrap();
    assert_eq!((since(h.owner, -1).await, since(h.owner, 1).await, since(h.owner, 5).await, since(h.stranger, -1).await), (4, 1, 0, 0));
    for (key, source, at) in [("a", Source::Twilio, 7), ("b", Source::Livekit, 3), ("c", Source::Poll, 9)] {
        let event = CallEvent { key: key.into(), target: Target::None, source, at: h.now, kind: Kind::Horizon, raw: serde_json::Value::Null };
        tx!(house, |tx| facts(tx, &[NewEvent { event: &event, call: None, moved: None }], h.after(at)).await?);
    }
    assert_eq!(house.store.last_hook().await.unwrap(), Some(h.after(7)), "by themselves: a poll is our own");
}

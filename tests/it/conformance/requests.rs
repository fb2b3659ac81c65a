//! What is asked of live calls, who acts on it, and what came of it.

use dialdeck::{
    domain::{
        call::State,
        id::{CallId, Incarnation, RequestId},
        request::{Fate, Kind, Verdict},
    },
    store::{NewRequest, StoreError},
};
use serde_json::json;

use super::{FOREIGN, House};

databases!(
    a_request_is_kept_as_it_was_asked,
    a_request_is_taken_and_finished_once,
    a_hang_up_is_asked_once_of_a_call_that_goes_on,
    every_line_of_a_campaign_is_hung_up,
    another_phone_is_judged_before_it_is_rung,
);

async fn ask(house: &House, call: CallId, kind: Kind, arguments: serde_json::Value, seconds: i64) -> RequestId {
    let (h, id) = (house.ids, RequestId::fresh());
    tx!(house, |tx| {
        let r = NewRequest { id, call, owner: h.owner, kind, arguments: &arguments, asked_by: FOREIGN, source: "console" };
        tx.insert_request(&r, h.after(seconds)).await?;
    });
    id
}

async fn a_request_is_kept_as_it_was_asked(house: House) {
    let h = house.ids;
    let (call, other) = (house.dial(|_| {}).await.id, house.queue(|_| {}).await.id);
    assert!(house.store.open_requests().await.unwrap().is_empty() && house.store.requests_of(call).await.unwrap().is_empty());
    let arguments = json!({ "phoneNumber": "+1555", FOREIGN: [1, null, { "a": FOREIGN }] });
    let late = ask(&house, call, Kind::Transfer, arguments.clone(), 9).await;
    let early = ask(&house, call, Kind::Listen, json!({}), 3).await;
    let theirs = ask(&house, other, Kind::Dispatch, json!({}), 5).await;
    let r = house.store.request(late).await.unwrap().unwrap();
    assert_eq!(
        (r.id, r.call_id, r.user_id, r.kind, r.arguments.0, r.asked_by.as_str(), r.at),
        (late, call, h.owner, Kind::Transfer, arguments, FOREIGN, h.after(9))
    );
    assert!(r.taken_by.is_none() && r.taken_at.is_none() && r.result.is_none() && r.done_at.is_none());
    assert_eq!(tx!(house, |tx| tx.request(early).await?).map(|r| r.kind), Some(Kind::Listen));
    assert!(house.store.request(RequestId::fresh()).await.unwrap().is_none() && tx!(house, |tx| tx.request(RequestId::fresh()).await?).is_none());
    let of = |rows: &[dialdeck::store::RequestRow]| rows.iter().map(|r| r.id).collect::<Vec<_>>();
    assert_eq!(of(&house.store.requests_of(call).await.unwrap()), [early, late]);
    assert_eq!(of(&tx!(house, |tx| tx.open_requests_of(call).await?)), [early, late]);
    let open = house.store.open_requests().await.unwrap();
    let seen: Vec<_> = open.iter().map(|o| (o.request.id, o.state, o.incarnation)).collect();
    assert_eq!(seen, [(early, State::Armed, Some(h.mine)), (theirs, State::Pending, None), (late, State::Armed, Some(h.mine))], "oldest first");
    let twice = try_tx!(house, |tx| {
        let r = NewRequest { id: late, call, owner: h.owner, kind: Kind::Listen, arguments: &json!({}), asked_by: "", source: "" };
        tx.insert_request(&r, h.now).await?;
    });
    assert!(matches!(twice, Err(StoreError::Unique)), "{twice:?}");
}

async fn a_request_is_taken_and_finished_once(house: House) {
    let h = house.ids;
    let call = house.dial(|_| {}).await.id;
    let id = ask(&house, call, Kind::Listen, json!({}), 1).await;
    let take = async |id, by| tx!(house, |tx| tx.take_request(id, by, h.after(2)).await?);
    let finish = async |id, words: &'static str| {
        let verdict = Verdict::new(Fate::Refused, words).with(json!({ "a": FOREIGN }));
        tx!(house, |tx| tx.finish_request(id, &verdict, h.after(3)).await?)
    };
    assert!(take(id, h.mine).await && !take(id, h.mine).await && !take(id, Incarnation::fresh()).await && !take(RequestId::fresh(), h.mine).await);
    assert!(finish(id, FOREIGN).await && !finish(id, "other").await && !finish(RequestId::fresh(), "").await);
    let r = house.store.request(id).await.unwrap().unwrap();
    assert_eq!((r.taken_by, r.taken_at, r.done_at), (Some(h.mine), Some(h.after(2)), Some(h.after(3))));
    let verdict = r.result.unwrap().0;
    assert_eq!((verdict.fate, verdict.words.as_str(), verdict.details), (Fate::Refused, FOREIGN, json!({ "a": FOREIGN })));
    assert!(tx!(house, |tx| tx.open_requests_of(call).await?).is_empty() && house.store.open_requests().await.unwrap().is_empty());
    let done = ask(&house, call, Kind::Listen, json!({}), 1).await;
    assert!(finish(done, "").await && !take(done, h.mine).await, "what is done is not taken");
}

async fn a_hang_up_is_asked_once_of_a_call_that_goes_on(house: House) {
    let h = house.ids;
    let call = house.dial(|_| {}).await;
    let id = call.id;
    let hang = async |id, at| tx!(house, |tx| tx.request_hangup(id, "Zoë", "test", h.after(at)).await?);
    assert!(hang(id, 5).await && !hang(id, 6).await && !hang(CallId::fresh(), 6).await);
    assert_eq!(house.call(id).await.hangup_requested_at, Some(h.after(5)));
    let request = house.store.requests_of(id).await.unwrap().remove(0);
    assert_eq!((request.kind, request.asked_by.as_str(), request.user_id, request.arguments.0), (Kind::Hangup, "Zoë", h.owner, json!({})));
    let done = Verdict::new(Fate::Done, "");
    let of = request.id;
    tx!(house, |tx| tx.finish_request(of, &done, h.after(7)).await?);
    assert!(hang(id, 8).await, "the one before is done");
    assert_eq!(house.call(id).await.hangup_requested_at, Some(h.after(5)), "the first of them");
    let row = house.call(id).await;
    house.end(&row, State::Completed, 9, |_| {}).await;
    assert!(!hang(id, 10).await, "it has ended");
    tx!(house, |tx| tx.reopen_hangups(id).await?);
    let open = tx!(house, |tx| tx.open_requests_of(id).await?);
    assert!(open.len() == 2 && open.iter().all(|r| r.done_at.is_none() && r.result.is_none()), "asked still");
}

async fn every_line_of_a_campaign_is_hung_up(house: House) {
    let h = house.ids;
    let other = house.campaign(|_| {}).await;
    let live = [house.dial(|_| {}).await.id, house.dial(|_| {}).await.id];
    let asked = house.dial(|_| {}).await.id;
    let elsewhere = house.queue_in(other, |_| {}).await;
    let elsewhere = house.claim(&elsewhere).await;
    house.arm(&elsewhere, |_| {}).await;
    house.queue(|_| {}).await;
    house.ended(State::Busy, 5, |_| {}).await;
    tx!(house, |tx| {
        tx.request_hangup(asked, "Zoë", "test", h.now).await?;
        tx.hang_up_campaign(h.campaign, FOREIGN, "console", h.after(1)).await?;
        tx.hang_up_campaign(h.campaign, FOREIGN, "console", h.after(2)).await?;
    });
    let open = house.store.open_requests().await.unwrap();
    let mut calls: Vec<_> = open.iter().map(|o| (o.request.call_id, o.request.asked_by.as_str(), o.request.at)).collect();
    calls.sort();
    assert_eq!(calls, [(live[0], FOREIGN, h.after(1)), (live[1], FOREIGN, h.after(1)), (asked, "Zoë", h.now)]);
}

async fn another_phone_is_judged_before_it_is_rung(house: House) {
    let h = house.ids;
    let call = house.dial(|_| {}).await;
    let waiting = house.queue(|_| {}).await;
    let facts = async |row: &dialdeck::store::CallRow, number: &'static str| {
        let row = row.clone();
        tx!(house, |tx| tx.phone_facts(&row, number).await?)
    };
    let f = facts(&call, "+15557").await;
    assert_eq!((f.on_do_not_call, f.number_live, f.countries.map(|c| c.0)), (false, false, Some(vec!["US".into(), "GB".into()])));
    assert!(facts(&waiting, "+15557").await.countries.is_none(), "over no trunk yet");
    tx!(house, |tx| {
        tx.add_do_not_call(h.owner, "+15557", "", "test", "", h.now).await?;
        tx.take_number("+15557", CallId::fresh(), h.now).await?;
    });
    let f = facts(&call, "+15557").await;
    assert_eq!((f.on_do_not_call, f.number_live), (true, true));
    let rung = async |number: &'static str| tx!(house, |tx| tx.is_being_rung(number).await?);
    assert!(!rung("+15557").await);
    let id = ask(&house, call.id, Kind::Listen, json!({ "phoneNumber": "+15557" }), 1).await;
    ask(&house, call.id, Kind::Transfer, json!({ "phoneNumber": "+15558" }), 1).await;
    assert!(rung("+15557").await && !rung("+15558").await && !rung("+1555").await);
    let done = Verdict::new(Fate::Done, "");
    tx!(house, |tx| tx.finish_request(id, &done, h.now).await?);
    assert!(!rung("+15557").await);
}

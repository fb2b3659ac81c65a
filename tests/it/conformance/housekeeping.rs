//! What is emptied and removed in slices.

use dialdeck::{
    domain::{
        call::State,
        campaign::Status,
        event::{CallEvent, Kind, Source, Target},
        id::{CallId, CampaignId},
        outcome::{Outcome, Report, Who},
        recording::{Maker, News, Stage},
        stats::Counts,
    },
    store::{Aged, NewEvent, Setting, StoreError},
};
use serde_json::json;

use super::{House, facts, ids, line_of};

databases!(
    campaigns_that_are_over_are_found_by_what_they_did_last,
    ended_calls_go_with_all_that_was_told_of_them,
    a_call_that_goes_on_is_not_removed,
    what_is_old_goes_from_the_oldest_on,
    keys_of_settings_are_read_in_slices,
);

async fn campaigns_that_are_over_are_found_by_what_they_did_last(house: House) {
    let h = house.ids;
    let over = async |at| house.store.campaigns_over(h.after(at)).await.unwrap();
    let is = async |at| tx!(house, |tx| tx.is_over(h.campaign, h.after(at)).await?);
    assert!(over(900).await.is_empty() && !is(900).await, "it has no calls");
    tx!(house, |tx| tx.add_counts(h.campaign, &Counts { total: 1, busy: 1, ..Counts::default() }).await?);
    assert_eq!((over(1).await, over(0).await, is(1).await, is(0).await), (vec![h.campaign], vec![], true, false));
    house.dial(|_| {}).await;
    assert_eq!((over(0).await, over(1).await), (vec![], vec![h.campaign]), "its last dial");
    assert!(house.store.over_but_pending().await.unwrap().is_empty());
    tx!(house, |tx| tx.add_counts(h.campaign, &Counts { pending: 1, ..Counts::default() }).await?);
    assert!(over(900).await.is_empty() && !is(900).await, "somebody waits");
    assert!(house.store.over_but_pending().await.unwrap().is_empty(), "it is not over");
    house.start(h.campaign).await;
    assert!(tx!(house, |tx| tx.move_campaign(h.campaign, Status::Running, Status::Completed, "", "", h.after(5)).await?));
    assert_eq!(house.store.over_but_pending().await.unwrap(), [h.campaign]);
    tx!(house, |tx| tx.delete_campaign(h.campaign, h.after(50)).await?);
    assert_eq!(
        (house.store.over_but_pending().await.unwrap(), over(51).await, over(50).await),
        (vec![h.campaign], vec![h.campaign], vec![]),
        "a deleted one waits for its time alone"
    );
    tx!(house, |tx| tx.add_counts(h.campaign, &Counts { processing: 1, ..Counts::default() }).await?);
    assert!(over(900).await.is_empty(), "somebody is on the line");
    assert!(!tx!(house, |tx| tx.is_over(CampaignId::fresh(), h.now).await?));
}

fn event(house: &House, key: &str) -> CallEvent {
    CallEvent { key: key.into(), target: Target::None, source: Source::Livekit, at: house.ids.now, kind: Kind::Horizon, raw: json!({}) }
}

/// A call with everything that can be told of one.
async fn storied(house: &House, key: &str) -> CallId {
    let h = house.ids;
    let call = house.talked(90, |_| {}).await.id;
    let (event, sid) = (event(house, key), format!("RE_{key}"));
    tx!(house, |tx| {
        let news = News {
            sid,
            call: Some(call),
            call_sid: None,
            maker: Maker::Twilio,
            stage: Stage::Completed,
            url: None,
            duration: None,
            reason: String::new(),
            at: h.now,
        };
        tx.put_recording(&news).await?;
        tx.ask_recording(call, h.now).await?;
        line_of(tx, call, Some(Outcome::Callback), None, "", Who::Agent, "", None, h.now).await?;
        tx.put_report(call, &Report { summary: Some("x".into()), ..Report::default() }, Who::Agent, "", h.now).await?;
        facts(tx, &[NewEvent { event: &event, call: Some(call), moved: None }], h.now).await?;
        tx.index_calls(500).await?;
    });
    call
}

/// How much is told of a call.
async fn told(house: &House, call: CallId) -> [usize; 5] {
    let s = &house.store;
    let due = s.recordings_due(house.ids.now).await.unwrap();
    [
        s.outcomes(call).await.unwrap().len(),
        usize::from(s.report(call).await.unwrap().is_some()),
        s.timeline(call).await.unwrap().len(),
        s.requests_of(call).await.unwrap().len(),
        usize::from(due.contains(&call)),
    ]
}

async fn ended_calls_go_with_all_that_was_told_of_them(house: House) {
    let h = house.ids;
    let live = house.dial(|_| {}).await;
    tx!(house, |tx| tx.request_hangup(live.id, "", "", h.now).await?);
    let asked = house.end(&live, State::Completed, 90, |_| {}).await.id;
    let (gone, kept) = (storied(&house, "a").await, storied(&house, "b").await);
    let late = house.ended(State::Busy, 200, |_| {}).await.id;
    let over = async |window, before| {
        let mut rows = tx!(house, |tx| tx.calls_over(h.campaign, window, h.after(before)).await?);
        rows.sort_by_key(|r| r.id);
        ids(&rows)
    };
    let nil = CallId(uuid::Uuid::nil());
    assert_eq!(over((nil, late), 200).await, [asked, gone, kept], "ended before then");
    assert_eq!((over((asked, gone), 200).await, over((nil, late), 90).await), (vec![gone], vec![]));
    assert_eq!((told(&house, gone).await, told(&house, asked).await), ([1, 1, 1, 0, 1], [0, 0, 0, 1, 0]));
    tx!(house, |tx| {
        tx.remove_calls(&[]).await?;
        tx.remove_calls(&[asked, gone]).await?;
    });
    for id in [asked, gone] {
        assert!(house.store.any_call(id).await.unwrap().is_none());
        assert_eq!(told(&house, id).await, [0; 5]);
    }
    assert_eq!((told(&house, kept).await, house.store.recordings(&house.call(kept).await).await.unwrap().len()), ([1, 1, 1, 0, 1], 1));
    let found = house.store.find_calls(&dialdeck::store::CallSearch { text: "contact".into(), ..dialdeck::store::CallSearch::all(h.owner, 50) }).await.unwrap();
    assert_eq!(found.rows.iter().map(|r| r.call.id).collect::<Vec<_>>(), [late, kept], "words do not find it any more");
}

async fn a_call_that_goes_on_is_not_removed(house: House) {
    let ended = storied(&house, "a").await;
    let live = house.dial(|_| {}).await.id;
    let refused = try_tx!(house, |tx| tx.remove_calls(&[ended, live]).await?);
    assert!(matches!(refused, Err(StoreError::Busy(_))), "it was read as ended, and is not: {refused:?}");
    assert!(try_tx!(house, |tx| tx.remove_calls(&[CallId::fresh()]).await?).is_err(), "nor is it there");
    assert_eq!((house.call(live).await.state, told(&house, ended).await), (State::Armed, [1, 1, 1, 0, 1]), "nothing is removed then");
}

async fn what_is_old_goes_from_the_oldest_on(house: House) {
    let h = house.ids;
    let of = house.talked(90, |_| {}).await.id;
    for i in 0..5 {
        let (event, key) = (event(&house, &format!("e{i}")), format!("k{i}"));
        tx!(house, |tx| {
            facts(tx, &[NewEvent { event: &event, call: Some(of), moved: None }], h.after(i)).await?;
            tx.take_key(h.owner, &key, "", h.after(i), h.after(i), h.after(i)).await?;
            tx.audit(h.after(i), h.owner, "", "", "test", Some(of.0), &json!({})).await?;
            let news = News {
                sid: key,
                call: (i == 0).then_some(of),
                call_sid: Some("CA".into()),
                maker: Maker::Twilio,
                stage: Stage::Completed,
                url: None,
                duration: None,
                reason: String::new(),
                at: h.after(i),
            };
            tx.put_recording(&news).await?;
        });
    }
    let remove = async |what, before, limit| tx!(house, |tx| tx.remove_aged(what, h.after(before), limit).await?);
    for what in [Aged::Keys, Aged::Events] {
        assert_eq!([remove(what, 0, 500).await, remove(what, 3, 2).await, remove(what, 3, 2).await, remove(what, 3, 2).await], [0, 2, 1, 0], "{what:?}");
    }
    let left = tx!(house, |tx| (tx.kept_reply(h.owner, "k2").await?.is_some(), tx.kept_reply(h.owner, "k3").await?.is_some()));
    assert_eq!((left, house.store.timeline(of).await.unwrap().len()), ((false, true), 2));
    assert_eq!([remove(Aged::Recordings, 3, 500).await, remove(Aged::Recordings, 900, 500).await], [2, 2], "of calls that never became known");
    assert_eq!(house.store.recordings(&house.call(of).await).await.unwrap().len(), 1);
    let height = house.store.audit_height().await.unwrap();
    assert_eq!([remove(Aged::Audit, 900, 2).await, remove(Aged::Audit, 900, 500).await, remove(Aged::Audit, 900, 500).await], [2, 2, 0]);
    assert_eq!((house.store.audit_height().await.unwrap(), house.store.audit_of(h.owner, of.0).await.unwrap().len()), (height, 1), "the newest line stays");
}

async fn keys_of_settings_are_read_in_slices(house: House) {
    let notes: Vec<CampaignId> = (0..5).map(|_| CampaignId::fresh()).collect();
    let of = notes.clone();
    tx!(house, |tx| {
        for id in of {
            tx.put_setting(Setting::CampaignNote(id), "x").await?;
        }
        tx.put_setting(Setting::Terms, "x").await?;
    });
    let keys: Vec<String> = notes.iter().map(|id| format!("{}{id}", Setting::NOTES)).collect();
    let read = async |after: &str, limit| house.store.setting_keys(Setting::NOTES, after, limit).await.unwrap();
    assert_eq!((read("", 3).await, read(&keys[2], 500).await), (keys[..3].to_vec(), keys[3..].to_vec()));
    assert_eq!((read(&keys[4], 500).await.len(), house.store.setting_keys("100%_", "", 9).await.unwrap().len()), (0, 0));
    let some = keys[..2].to_vec();
    tx!(house, |tx| {
        tx.remove_settings(&[]).await?;
        tx.remove_settings(&some).await?;
    });
    assert_eq!((read("", 500).await, house.store.setting(Setting::Terms).await.unwrap().as_deref()), (keys[2..].to_vec(), Some("x")));
}

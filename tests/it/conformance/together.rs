//! Two programs on one database, as two hosts are: what one has read, the other may have changed meanwhile.

use std::collections::BTreeSet;

use chrono::Duration;
use dialdeck::{
    domain::id::{CallId, Incarnation},
    store::{Armed, CallRow, CallUpdate, Lane, NewCall, Store, StoreError},
};

use super::{House, ids, sorted};

databases!(each_call_is_claimed_by_one_and_the_cap_holds_for_both, what_the_other_has_moved_is_not_written_over, what_one_commits_the_other_hears_of,);

/// One of the two that claims and arms until nothing is left; answers what it armed.
async fn dialler(house: &House, store: &Store, mine: Incarnation, cap: i64) -> (Vec<CallId>, Vec<CallId>) {
    let h = house.ids;
    let (mut claimed, mut armed) = (Vec::new(), Vec::new());
    loop {
        let claim = store.write(Lane::Urgent, move |tx| Box::pin(async move { tx.claim(h.campaign, "shared", 7, mine, Duration::seconds(30), h.now).await }));
        let rows: Vec<CallRow> = claim.await.unwrap();
        if rows.is_empty() {
            return (claimed, armed);
        }
        claimed.extend(ids(&rows));
        for row in rows {
            let arm = Armed { incarnation: mine, cap, ..house.armed(&row) };
            let job = store.write(Lane::Urgent, move |tx| Box::pin(async move { if tx.arm(&arm).await? { Ok(()) } else { Err(StoreError::Broken) } }));
            armed.extend(job.await.is_ok().then_some(row.id));
        }
    }
}

async fn each_call_is_claimed_by_one_and_the_cap_holds_for_both(house: House) {
    let h = house.ids;
    let calls: Vec<NewCall> = (0..60).map(|_| house.new_call(|c| c.zones = "shared".into())).collect();
    let all: BTreeSet<CallId> = calls.iter().map(|c| c.id).collect();
    tx!(house, |tx| tx.insert_calls(h.owner, h.campaign, &calls, h.now).await?);
    let other = house.other().await;
    let ((mine, rang), (theirs, rang_there)) = tokio::join!(dialler(&house, &house.store, h.mine, 25), dialler(&house, &other, Incarnation::fresh(), 25));
    assert_eq!(mine.len() + theirs.len(), 60, "each by one of them");
    assert_eq!(mine.iter().chain(&theirs).copied().collect::<BTreeSet<_>>(), all);
    assert_eq!(rang.len() + rang_there.len(), 25, "the day's cap is both's");
    let day = other.campaign_day(h.campaign, h.now.date_naive()).await.unwrap().unwrap();
    assert_eq!((day.used, other.trunks().await.unwrap()[0].live), (25, 25));
    let dialled = sorted(other.calls_after(h.campaign, None, 500).await.unwrap().iter().filter(|c| c.armed_at.is_some()).map(|c| c.id));
    assert_eq!(dialled, sorted([rang, rang_there].concat()));
}

async fn what_the_other_has_moved_is_not_written_over(house: House) {
    let h = house.ids;
    let other = house.other().await;
    let was = house.dial(|_| {}).await;
    let ended = house.end(&was, dialdeck::domain::call::State::Completed, 30, |_| {}).await;
    let late = was.clone();
    let refused = other.write(Lane::Urgent, move |tx| {
        Box::pin(async move {
            let row = CallRow { reason: "too late".into(), ..late.clone() };
            tx.update_calls(&[CallUpdate { was: &late, row: &row }], h.after(60)).await
        })
    });
    assert!(matches!(refused.await, Err(StoreError::Busy(_))));
    assert_eq!(format!("{:?}", other.any_call(was.id).await.unwrap().unwrap()), format!("{ended:?}"));
    let noted = other.write(Lane::Urgent, move |tx| Box::pin(async move { tx.set_abandoned(was.id, was.state, h.now).await }));
    assert!(!noted.await.unwrap());
}

async fn what_one_commits_the_other_hears_of(house: House) {
    let other = house.other().await;
    let mut bell = other.bell();
    let mut seen = 0;
    other.watch_others(&mut seen).await.unwrap();
    bell.borrow_and_update();
    tx!(house, |tx| tx.put_setting(dialdeck::store::Setting::Probe, "1").await?);
    // By its own bell, or by the timer's look.
    other.watch_others(&mut seen).await.unwrap();
    tokio::time::timeout(std::time::Duration::from_mins(1), bell.changed()).await.unwrap().unwrap();
    assert_eq!(other.setting(dialdeck::store::Setting::Probe).await.unwrap().as_deref(), Some("1"));
}

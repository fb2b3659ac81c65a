//! What the tagging desk shows: the queue with what the agent says, who tags, and how fast.

use dialdeck::{
    domain::{
        call::State,
        id::CallId,
        outcome::{Outcome, Report, Who},
        stats::Counts,
    },
    store::TagPace,
};

use super::{FOREIGN, House, line_of};

databases!(
    the_queue_goes_on_behind_a_place_with_what_the_agent_says,
    what_waits_is_counted_and_since_when,
    the_last_word_of_the_agent_stands,
    who_tags_and_how_fast,
);

async fn the_queue_goes_on_behind_a_place_with_what_the_agent_says(house: House) {
    let h = house.ids;
    let late = house.talked(200, |_| {}).await;
    let same = [house.talked(100, |_| {}).await, house.talked(100, |_| {}).await];
    house.talked(50, |r| r.outcome = Some(Outcome::Callback)).await;
    house.ended(State::Busy, 60, |_| {}).await;
    let told = late.id;
    let report = Report { summary: Some(FOREIGN.into()), answered_by: Some("machine".into()), transcript: vec![] };
    tx!(house, |tx| tx.put_report(told, &report, Who::Agent, "", h.now).await?);
    let queue = async |owner, after, limit| house.store.tagging_queue(owner, after, limit).await.unwrap();
    let all = queue(h.owner, None, 500).await;
    assert_eq!(all.iter().map(|t| t.call.id).collect::<Vec<_>>(), [same[0].id, same[1].id, late.id]);
    assert_eq!((all[0].summary.clone(), all[0].answered_by.clone(), all[0].zones.as_str()), (None, None, same[0].zones.as_str()));
    assert_eq!((all[2].summary.as_deref(), all[2].answered_by.as_deref(), all[2].call.campaign_name.as_str()), (Some(FOREIGN), Some("machine"), "Q4"));
    let place = |i: usize| Some((all[i].call.completed_at.unwrap(), all[i].call.id));
    assert_eq!(queue(h.owner, place(0), 1).await.iter().map(|t| t.call.id).collect::<Vec<_>>(), [same[1].id], "of one moment, by their ids");
    assert_eq!((queue(h.owner, place(2), 500).await.len(), queue(h.stranger, None, 500).await.len()), (0, 0));
}

async fn what_waits_is_counted_and_since_when(house: House) {
    let h = house.ids;
    assert_eq!(house.store.untagged(h.owner).await.unwrap(), (0, None));
    house.talked(200, |_| {}).await;
    house.talked(100, |_| {}).await;
    let other = house.campaign(|_| {}).await;
    tx!(house, |tx| {
        tx.add_counts(h.campaign, &Counts { untagged: 2, ..Counts::default() }).await?;
        tx.add_counts(other, &Counts { untagged: 3, ..Counts::default() }).await?;
    });
    assert_eq!(house.store.untagged(h.owner).await.unwrap(), (5, Some(h.after(100))));
    assert_eq!(house.store.untagged(h.stranger).await.unwrap(), (0, None));
}

async fn the_last_word_of_the_agent_stands(house: House) {
    let h = house.ids;
    let [a, b, c] = [house.talked(90, |_| {}).await.id, house.talked(91, |_| {}).await.id, house.talked(92, |_| {}).await.id];
    assert_eq!(house.store.agent_word(a).await.unwrap(), None);
    tx!(house, |tx| {
        line_of(tx, a, Some(Outcome::Voicemail), None, "first", Who::Agent, "", Some(0.5), h.after(1)).await?;
        line_of(tx, a, Some(Outcome::Callback), None, FOREIGN, Who::Agent, "", None, h.after(2)).await?;
        line_of(tx, a, Some(Outcome::Interested), None, "mine", Who::Operator, "Zoë", None, h.after(3)).await?;
        line_of(tx, b, None, None, "", Who::Agent, "", Some(0.9), h.after(4)).await?;
    });
    let word = house.store.agent_word(a).await.unwrap().unwrap();
    assert_eq!((word.outcome, word.note.as_str(), word.confidence, word.at), (Some(Outcome::Callback), FOREIGN, None, h.after(2)));
    let word = house.store.agent_word(b).await.unwrap().unwrap();
    assert_eq!((word.outcome, word.note.as_str(), word.confidence), (None, "", Some(0.9)));
    let reasons = house.store.agent_reasons(&[a, b, c, CallId::fresh()]).await.unwrap();
    assert_eq!((reasons.len(), reasons[&a].as_str()), (1, FOREIGN), "where it gave one");
    assert!(house.store.agent_reasons(&[]).await.unwrap().is_empty());
}

async fn who_tags_and_how_fast(house: House) {
    let h = house.ids;
    let tag = async |seconds: i64, who, by: &str| {
        house
            .talked(90, |r| {
                (r.outcome, r.outcome_who, r.outcome_by, r.outcome_at) = (Some(Outcome::Interested), Some(who), Some(by.into()), Some(h.after(seconds)));
            })
            .await;
    };
    let pace = async |owner, by: &str, from, until| house.store.tag_pace(owner, by, h.after(from), h.after(until)).await.unwrap();
    assert_eq!((pace(h.owner, FOREIGN, 0, 9000).await, house.store.taggers(h.owner).await.unwrap()), (TagPace::default(), Vec::<String>::new()));
    for seconds in [100, 110, 130, 1000, 1004] {
        tag(seconds, Who::Operator, FOREIGN).await;
    }
    tag(105, Who::Operator, "Ana").await;
    tag(106, Who::Agent, "robot").await;
    tag(107, Who::Operator, "").await;
    // Gaps of 10, 20 and 4 seconds; who pauses longer does something else.
    let p = pace(h.owner, FOREIGN, 0, 9000).await;
    assert_eq!(p.tags, 5);
    let each = p.seconds_each.unwrap();
    assert!((each - 34.0 / 3.0).abs() < 0.001, "{each}");
    let p = pace(h.owner, FOREIGN, 110, 1000).await;
    assert_eq!((p.tags, p.seconds_each.map(f64::round)), (2, Some(20.0)), "from then on, and before then");
    assert_eq!(pace(h.owner, "Ana", 0, 9000).await, TagPace { tags: 1, seconds_each: None });
    assert_eq!(pace(h.stranger, FOREIGN, 0, 9000).await, TagPace::default());
    assert_eq!(super::sorted(house.store.taggers(h.owner).await.unwrap()), super::sorted(["Ana".to_owned(), FOREIGN.to_owned()]));
    assert!(house.store.taggers(h.stranger).await.unwrap().is_empty());
    let since = async |owner, at| house.store.tagging_since(owner, h.after(at)).await.unwrap().into_iter().map(|t| (t.who, t.last_at)).collect::<Vec<_>>();
    assert_eq!(since(h.owner, 0).await, [(FOREIGN.to_owned(), h.after(1004)), ("Ana".to_owned(), h.after(105))], "the latest first");
    assert_eq!((since(h.owner, 1004).await.len(), since(h.owner, 1005).await.len(), since(h.stranger, 0).await.len()), (1, 0, 0));
}

//! A tag taken back, through the desk's border: what stood before stands again, with the promise that went with it,
//! and nobody takes back what another has said.

use chrono::{DateTime, TimeDelta, Utc};
use dialdeck::{
    desk::{Actor, DeskError, SetOutcome, Tagged, UndoDoNotCall},
    domain::{
        call::State,
        event::{End, Kind, Leave, LegStatus, Reply, Source},
        id::{CallId, CampaignId},
        outcome::{Outcome, Who},
    },
    store::{CallFilter, CallRow},
};

use crate::support::{csv_of, office::Office};

fn left() -> Kind {
    Kind::LegLeft { sid: "PA_1".into(), reason: Leave::ClientInitiated, status: Some(LegStatus::Hangup), call_sid: None }
}

const TESTER: &str = "tester";

/// An office with one call that was answered and is over, of a campaign over so many.
async fn answered(contacts: usize) -> (Office, CampaignId, CallId) {
    let (office, campaign) = Office::calling(csv_of(contacts), |_| {}).await;
    let call = office.dial(campaign).await.unwrap();
    office.reply(call, Reply::Answered { participant_sid: "PA_1".into(), sip_call_id: "SCL_1".into() }).await;
    office.wait(TimeDelta::seconds(20));
    office.tell(call, "left", Source::Livekit, left()).await;
    assert_eq!(office.call(call).await.state, State::Completed);
    (office, campaign, call)
}

fn person(office: &Office, name: &str) -> Actor {
    Actor { name: name.into(), ..office.actor.clone() }
}

async fn tag(office: &Office, who: &str, call: CallId, outcome: Option<Outcome>, at: Option<DateTime<Utc>>) -> Tagged {
    office.wait(TimeDelta::seconds(1));
    let set = SetOutcome { call, outcome, notes: None, who: Who::Operator, confidence: None, callback_at: at, expected: None };
    office.desk.set_outcome(person(office, who), set).await.unwrap()
}

async fn take_back(office: &Office, who: &str, call: CallId, expected: Option<Outcome>) -> Result<Tagged, DeskError> {
    office.wait(TimeDelta::seconds(1));
    office.desk.take_back(person(office, who), call, Some(expected), UndoDoNotCall::Lift).await
}

/// What waits of the contact of a call: attempts with their priority and moment.
async fn waiting(office: &Office, campaign: CampaignId, call: CallId) -> Vec<(i64, DateTime<Utc>)> {
    let contact = office.call(call).await.contact_id;
    let rows = office.store.calls(campaign, &CallFilter::default(), 1000, 0).await.unwrap().rows;
    let of = |r: &&CallRow| r.contact_id == contact && r.state == State::Pending;
    rows.iter().filter(of).map(|r| (r.priority, r.dialable_at)).collect()
}

#[tokio::test]
async fn a_promise_comes_back_with_the_tag_that_made_it() {
    let (office, campaign, call) = answered(2).await;
    let tuesday = office.now() + TimeDelta::days(2);
    tag(&office, TESTER, call, Some(Outcome::Callback), Some(tuesday)).await;
    assert_eq!(waiting(&office, campaign, call).await, [(1, tuesday)]);
    for slip in [Some(Outcome::NotInterested), None, Some(Outcome::WrongNumber), Some(Outcome::DoNotCall)] {
        tag(&office, TESTER, call, slip, None).await;
        assert_eq!(waiting(&office, campaign, call).await, [], "{slip:?}");
        let done = take_back(&office, TESTER, call, slip).await.unwrap();
        assert_eq!((done.call.outcome, done.call.outcome_by.as_deref()), (Some(Outcome::Callback), Some(TESTER)), "{slip:?}");
        assert_eq!(waiting(&office, campaign, call).await, [(1, tuesday)], "{slip:?}");
        assert!(done.promise.is_some_and(|p| p.at == tuesday && p.words.contains("to be called")), "{slip:?}");
    }
    let done = take_back(&office, TESTER, call, Some(Outcome::Callback)).await.unwrap();
    assert_eq!((done.call.outcome, waiting(&office, campaign, call).await), (None, vec![]));
    let nothing = take_back(&office, TESTER, call, None).await.unwrap_err().to_string();
    assert!(nothing.contains("no tag to take back"), "{nothing}");
    assert_eq!(office.row(campaign).await.counts.pending, 1, "the other contact alone");
}

#[tokio::test]
async fn the_moment_that_was_taken_back_is_not_kept() {
    let (office, campaign, call) = answered(1).await;
    let days = |n| office.now() + TimeDelta::days(n);
    let (sunday, monday, tonight) = (days(2), days(3), office.now() + TimeDelta::hours(5));
    for at in [sunday, monday, tonight] {
        tag(&office, TESTER, call, Some(Outcome::Callback), Some(at)).await;
    }
    assert_eq!(waiting(&office, campaign, call).await, [(1, tonight)]);
    for at in [monday, sunday] {
        take_back(&office, TESTER, call, Some(Outcome::Callback)).await.unwrap();
        assert_eq!(waiting(&office, campaign, call).await, [(1, at)]);
    }
    take_back(&office, TESTER, call, Some(Outcome::Callback)).await.unwrap();
    assert_eq!(waiting(&office, campaign, call).await, []);
    // The history tells a tag from what took it back, and which moment each had.
    let lines = office.store.outcomes(call).await.unwrap();
    let told: Vec<_> = lines.iter().map(|l| (l.value.is_some(), l.undoes, l.callback_at)).collect();
    let (first, second, third) = (lines[0].id, lines[1].id, lines[2].id);
    assert_eq!(
        told,
        [
            (true, None, Some(sunday)),
            (true, None, Some(monday)),
            (true, None, Some(tonight)),
            (true, Some(third), Some(monday)),
            (true, Some(second), Some(sunday)),
            (false, Some(first), None),
        ]
    );
}

#[tokio::test]
async fn what_another_has_said_since_stands() {
    let (office, _, call) = answered(1).await;
    tag(&office, "ana", call, Some(Outcome::Interested), None).await;
    tag(&office, "bo", call, Some(Outcome::NotInterested), None).await;
    let refused = take_back(&office, "ana", call, Some(Outcome::Interested)).await.unwrap_err();
    assert!(matches!(&refused, DeskError::Conflict(w) if w.contains("bo set it to \"not interested\" meanwhile: nothing was taken back")), "{refused}");
    // Nor by somebody who does not say what: it is not theirs.
    let blind = office.desk.take_back(person(&office, "ana"), call, None, UndoDoNotCall::Lift).await;
    assert!(matches!(blind, Err(DeskError::Conflict(_))), "{blind:?}");
    assert_eq!(office.call(call).await.outcome, Some(Outcome::NotInterested));
    // Bo's own goes, and ana's stands as ana's.
    let done = take_back(&office, "bo", call, Some(Outcome::NotInterested)).await.unwrap().call;
    assert_eq!((done.outcome, done.outcome_by.as_deref()), (Some(Outcome::Interested), Some("ana")));
    take_back(&office, "ana", call, Some(Outcome::Interested)).await.unwrap();
    assert_eq!(office.call(call).await.outcome, None);
}

#[tokio::test]
async fn a_do_not_call_taken_back_at_once_gives_the_number_its_calls_again() {
    let (office, campaign, call) = answered(2).await;
    let number = office.call(call).await.phone_number;
    // The number waits in another campaign too.
    let (source, _) = office.import(format!("name,phone\nAna Lima,{number}\n")).await;
    let other = office.started(source, |_| {}).await;
    let pending = || async { (office.row(campaign).await.counts.pending, office.row(other).await.counts.pending) };
    assert_eq!(pending().await, (1, 1));
    tag(&office, TESTER, call, Some(Outcome::DoNotCall), None).await;
    assert_eq!(pending().await, (1, 0));
    take_back(&office, TESTER, call, Some(Outcome::DoNotCall)).await.unwrap();
    assert_eq!(pending().await, (1, 1), "it waits in the other campaign again");
    tag(&office, TESTER, call, Some(Outcome::DoNotCall), None).await;
    office.wait(TimeDelta::seconds(11));
    let late = take_back(&office, TESTER, call, Some(Outcome::DoNotCall)).await.unwrap_err().to_string();
    assert!(late.contains("stays on the do-not-call list"), "{late}");
    assert_eq!((pending().await, office.call(call).await.outcome), ((1, 0), Some(Outcome::DoNotCall)));
    assert!(office.store.listed(office.actor.owner, &number).await.unwrap().is_some());
}

#[tokio::test]
async fn an_attempt_that_a_slip_took_away_waits_again_at_its_hour() {
    let (office, campaign) = Office::calling(csv_of(1), |s| s.retry.max_attempts = 3).await;
    let call = office.dial(campaign).await.unwrap();
    office.reply(call, Reply::Ended { end: End::NoAnswer, sip_code: Some(480), reason: "no answer".into() }).await;
    let before = waiting(&office, campaign, call).await;
    assert_eq!(before.len(), 1, "another attempt");
    tag(&office, TESTER, call, Some(Outcome::WrongNumber), None).await;
    assert_eq!(waiting(&office, campaign, call).await, []);
    take_back(&office, TESTER, call, Some(Outcome::WrongNumber)).await.unwrap();
    assert_eq!(waiting(&office, campaign, call).await, before);
}

#[tokio::test]
async fn a_callback_told_while_the_call_goes_on_is_one_step() {
    let (office, campaign) = Office::calling(csv_of(1), |_| {}).await;
    let call = office.dial(campaign).await.unwrap();
    office.reply(call, Reply::Answered { participant_sid: "PA_1".into(), sip_call_id: "SCL_1".into() }).await;
    tag(&office, TESTER, call, Some(Outcome::Callback), None).await;
    office.tell(call, "left", Source::Livekit, left()).await;
    let at = office.now() + TimeDelta::hours(2);
    assert!(tag(&office, TESTER, call, Some(Outcome::Callback), Some(at)).await.promise.is_some());
    assert_eq!(waiting(&office, campaign, call).await, [(1, at)]);
    let lines = office.store.outcomes(call).await.unwrap();
    assert_eq!(lines.iter().map(|l| l.callback_at).collect::<Vec<_>>(), [Some(at)], "one tag, with its moment");
    take_back(&office, TESTER, call, Some(Outcome::Callback)).await.unwrap();
    assert_eq!((office.call(call).await.outcome, waiting(&office, campaign, call).await), (None, vec![]));
}

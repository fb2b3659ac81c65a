//! The tagging desk: keys in, screen out.

use chrono::Duration;
use dialdeck::{
    console::{Effect, Msg, State},
    desk::{ContactClock, TagCard, TaggingDesk},
    domain::{
        call::State as CallState,
        id::CallId,
        outcome::{Line, Outcome},
    },
    store::{AgentWord, FoundCall, PaneRow, TagPace, Tagging},
};

use crate::console::{blank, now, press, row, screen, snapshot, uuid};

/// A call that waits, with what the agent says of it.
pub fn waits(n: u128, name: &str, minutes: i64, says: Option<(Outcome, f64)>) -> PaneRow {
    let mut row = row(n, name, CallState::Completed, 160);
    row.completed_at = Some(now() - Duration::minutes(minutes));
    row.suggestion = says.map(|s| s.0);
    row.suggestion_confidence = says.map(|s| s.1);
    row
}

fn found(call: PaneRow) -> FoundCall {
    FoundCall {
        dialled: 1,
        call,
        country: "US".into(),
        zones: "America/New_York".into(),
        outcome_who: None,
        outcome_by: None,
        outcome_at: None,
        abandoned: false,
        promised: None,
    }
}

pub fn desk() -> State {
    let mut state = blank();
    let mut look = snapshot();
    look.to_tag = vec![
        waits(1, "Ana Lima", 4, Some((Outcome::Callback, 0.91))),
        waits(2, "Tomas Reyes", 3, Some((Outcome::Voicemail, 0.97))),
        waits(3, "Lars Olsen", 2, Some((Outcome::NotInterested, 0.64))),
        waits(4, "Chloe Shah", 1, None),
        waits(5, "Ravi Demir", 1, Some((Outcome::Interested, 0.95))),
    ];
    state.update(Msg::Data(Box::new(look)));
    state.resize(120, 40);
    state
}

/// What the database says of a call.
fn judge(state: &mut State, call: PaneRow) {
    let head = TaggingDesk {
        waiting: 5,
        oldest: Some(now() - Duration::minutes(4)),
        pace: TagPace { tags: 31, seconds_each: Some(6.2) },
        others: vec![Tagging { who: "ana".into(), last_at: now() }],
        ..TaggingDesk::default()
    };
    let mut before = row(77, "Ana Lima", CallState::NoAnswer, 0);
    before.campaign_name = "Renewals".into();
    let line = |role: &str, text: &str| Line { role: role.into(), text: text.into(), at: None };
    let card = TagCard {
        word: Some(AgentWord { outcome: call.suggestion, note: "asked to be called on Tuesday at three".into(), confidence: Some(0.91), at: now() }),
        report: None,
        last_words: vec![line("user", "Can you call me tuesday at three?"), line("agent", "Of course.\u{1b}[31m")],
        earlier: vec![found(before)],
        card: None,
        clock: ContactClock { place: "America/New_York".into(), time: "10:42".into() },
        promised: Vec::new(),
        keeps: None,
        listed: None,
        call: found(call),
    };
    state.update(Msg::Judging(Box::new(head), Some(Box::new(card))));
}

pub fn tags(effects: &[Effect]) -> Vec<(String, Option<Outcome>)> {
    let tag = |e: &Effect| if let Effect::Tag { name, outcome, .. } = e { Some((name.clone(), *outcome)) } else { None };
    effects.iter().filter_map(tag).collect()
}

/// The database has taken all of them.
pub fn taken(state: &mut State, effects: Vec<Effect>) {
    for effect in effects {
        if let Effect::Tag { call, name, outcome, previous, .. } = effect {
            state.update(Msg::Tagged { call, name, outcome, previous, undone: false, result: Ok(None) });
        }
    }
}

#[test]
fn it_shows_the_call_under_the_cursor_and_what_helps_to_judge_it() {
    let mut state = desk();
    let asked = press(&mut state, "OO");
    assert!(asked.iter().any(|e| matches!(e, Effect::Judge(Some(_)))), "{asked:?}");
    let call = state.selected().expect("the oldest has the cursor").clone();
    assert_eq!(call.contact_name, "Ana Lima");
    judge(&mut state, call);
    for (w, h) in [(80, 24), (120, 40)] {
        insta::assert_snapshot!(format!("judging_{w}x{h}"), screen(&mut state, w, h));
    }
    let left = press(&mut state, "\u{1b}");
    assert!(left.contains(&Effect::Judge(None)), "nothing is read for a desk that is left: {left:?}");
}

/// News of another call are not shown under this one's name.
#[test]
fn a_card_that_comes_late_is_not_anothers() {
    let mut state = desk();
    press(&mut state, "OO");
    let first = state.selected().unwrap().clone();
    press(&mut state, "j");
    assert_eq!(state.selected().unwrap().contact_name, "Tomas Reyes");
    judge(&mut state, first);
    let text = screen(&mut state, 120, 40);
    assert!(text.contains("loading...") && !text.contains("Tuesday at three"), "{text}");
}

#[test]
fn enter_takes_what_the_agent_says_and_goes_on_to_the_next() {
    let mut state = desk();
    press(&mut state, "OOj");
    let effects = press(&mut state, "\n");
    assert_eq!(tags(&effects), [("Tomas Reyes".to_owned(), Some(Outcome::Voicemail))]);
    assert_eq!(state.selected().map(|r| r.contact_name.as_str()), Some("Lars Olsen"), "on to the oldest that was not passed by");
    state.now += chrono::Duration::seconds(1);
    press(&mut state, "g");
    // A callback asks when.
    assert!(tags(&press(&mut state, "\n")).is_empty());
    assert!(state.dialog.is_some());
}

#[test]
fn the_story_has_a_key_of_its_own_where_the_agent_says_nothing() {
    let mut state = desk();
    press(&mut state, "OOjjj");
    assert_eq!(state.selected().unwrap().contact_name, "Chloe Shah");
    let effects = press(&mut state, "\n");
    assert!(tags(&effects).is_empty());
    assert!(state.dialog.is_none() && screen(&mut state, 120, 40).contains("the agent says nothing of this call"));
    assert!(press(&mut state, "S").contains(&Effect::Show(Some(CallId(uuid(4))))));
}

#[test]
fn what_the_agent_is_sure_of_is_taken_at_once_after_a_question_and_taken_back_by_one_key() {
    let mut state = desk();
    press(&mut state, "OO");
    assert!(tags(&press(&mut state, "A")).is_empty(), "it asks");
    let text = screen(&mut state, 120, 40);
    assert!(text.contains("y tags 2 calls, each with its own word"), "{text}");
    assert!(!text.contains("\"callback\": "), "a callback has its own hour: {text}");
    let effects = press(&mut state, "y");
    assert_eq!(tags(&effects), [("Tomas Reyes".into(), Some(Outcome::Voicemail)), ("Ravi Demir".into(), Some(Outcome::Interested))]);
    taken(&mut state, effects);
    assert!(screen(&mut state, 120, 40).contains("tagged 2 calls: Tomas Reyes \"voicemail\", Ravi Demir \"interested\" - u takes them all back"));
    let back = press(&mut state, "u");
    let names: Vec<_> =
        back.iter().filter_map(|e| if let Effect::UndoTag { name, previous, .. } = e { Some((name.as_str(), *previous)) } else { None }).collect();
    assert_eq!(names, [("Tomas Reyes", None), ("Ravi Demir", None)]);
}

#[test]
fn ten_calls_with_ten_keys() {
    let mut state = blank();
    let mut look = snapshot();
    look.to_tag = (1..=10).map(|n| waits(n, &format!("Person {n:02}"), 20 - i64::try_from(n).unwrap(), None)).collect();
    state.update(Msg::Data(Box::new(look)));
    state.resize(80, 24);
    press(&mut state, "OO");
    let mut all = Vec::new();
    for key in ["1", "2", "4", "5", "6", "1", "2", "4", "5", "6"] {
        let effects = press(&mut state, key);
        all.extend(tags(&effects));
        taken(&mut state, effects);
    }
    let names: Vec<&str> = all.iter().map(|t| t.0.as_str()).collect();
    assert_eq!(names, (1..=10).map(|n| format!("Person {n:02}")).collect::<Vec<_>>(), "each its own call, the oldest first");
}

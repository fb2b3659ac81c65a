//! Whom a key acts on: the person under the bar when it was pressed, and nobody else, whatever happens to the
//! rows meanwhile.

use std::sync::Arc;

use chrono::{DateTime, Duration, Utc};
use crossterm::event::{KeyCode, KeyEvent, KeyModifiers};
use dialdeck::{
    clock::{SharedClock, SystemClock},
    console::{self, Effect, Msg, Pane, Snapshot, State},
    desk::{Actor, SetOutcome},
    domain::{
        call::State as CallState,
        event::{Kind, Leave, LegStatus, Reply, Source},
        id::CallId,
        outcome::{Outcome, Who},
    },
    store::PaneRow,
    telemetry::Ring,
    telephony::simulator::die,
};

use crate::{
    console::{blank, now, press, row, screen, snapshot, state, uuid},
    support::{csv_of, office::Office},
};

fn call(n: u128) -> CallId {
    CallId(uuid(n))
}

fn show(s: &mut State, live: Vec<PaneRow>, to_tag: Vec<PaneRow>) -> Vec<Effect> {
    s.update(Msg::Data(Box::new(Snapshot { live, to_tag, ..snapshot() })))
}

/// The one call that was tagged, and with what.
fn tagged(effects: &[Effect]) -> Option<(CallId, Option<Outcome>)> {
    match effects {
        [] => None,
        [Effect::Tag { call, outcome, .. }] => Some((*call, *outcome)),
        other => panic!("{other:?}"),
    }
}

/// The line with the bar.
fn under_the_bar(s: &mut State, width: u16, height: u16) -> Option<String> {
    screen(s, width, height).lines().find_map(|l| l.split_once("│▌")).map(|(_, row)| row.to_owned())
}

fn last_lines(s: &mut State, width: u16, height: u16) -> String {
    let shown = screen(s, width, height);
    let lines: Vec<&str> = shown.lines().collect();
    lines[lines.len().saturating_sub(5)..].join("\n")
}

/// D1: a call that turns busy under the cursor keeps it; the next key does not go to a person on the line.
#[test]
fn a_call_that_ends_under_the_cursor_keeps_it() {
    let mut s = blank();
    let mut rows =
        vec![row(42, "Jane Roe", CallState::Answered, 60), row(51, "Omar Haddad", CallState::Answered, 30), row(81, "L. Okafor", CallState::Ringing, 3)];
    show(&mut s, rows.clone(), vec![]);
    press(&mut s, "jjf");
    assert!(s.follow && under_the_bar(&mut s, 120, 40).unwrap().contains("L. Okafor"));
    rows[2] = row(81, "L. Okafor", CallState::Busy, 3);
    show(&mut s, rows.clone(), vec![]);
    assert!(under_the_bar(&mut s, 120, 40).unwrap().contains("L. Okafor"));
    assert!(last_lines(&mut s, 120, 40).contains("▌L. Okafor ..0181"), "the footer names the same person");
    assert_eq!(tagged(&press(&mut s, "4")), Some((call(81), Some(Outcome::DoNotCall))));
    // Following, the view stays on the live calls: whoever is out of it gets no tag.
    let mut many: Vec<PaneRow> = (100..130).map(|n| row(n, &format!("Person {n}"), CallState::Answered, 60)).collect();
    many.push(row(82, "Mei Tan", CallState::Busy, 3));
    let mut s = blank();
    show(&mut s, many, vec![]);
    press(&mut s, "Gf");
    assert!(under_the_bar(&mut s, 80, 24).is_none());
    assert_eq!(press(&mut s, "4"), []);
    assert!(last_lines(&mut s, 80, 24).contains("Mei Tan is not on the screen"), "{}", last_lines(&mut s, 80, 24));
    press(&mut s, "j");
    assert!(under_the_bar(&mut s, 80, 24).unwrap().contains("Mei Tan"), "j goes there, not past it");
}

/// D2: the key that corrects a tag goes to the call that was tagged.
#[test]
fn a_second_key_corrects_the_first() {
    let mut s = blank();
    let bob = row(51, "Bob Once", CallState::Answered, 30);
    let ann = row(39, "Ana Lima", CallState::Completed, 160);
    show(&mut s, vec![bob.clone(), ann.clone()], vec![]);
    press(&mut s, "jf");
    assert_eq!(tagged(&press(&mut s, "4")), Some((call(39), Some(Outcome::DoNotCall))));
    let outcome = Some(Outcome::DoNotCall);
    s.update(Msg::Tagged { call: call(39), name: "Ana Lima".into(), outcome, previous: None, undone: false, result: Ok(None) });
    show(&mut s, vec![bob, PaneRow { outcome, ..ann }], vec![]);
    assert_eq!(tagged(&press(&mut s, "6")), Some((call(39), Some(Outcome::WrongNumber))));
}

/// D3: `3` on a live call asks, so that what is typed next is no command; the moment counts from the end.
#[test]
fn a_callback_on_a_live_call_is_asked_and_kept_at_its_end() {
    let mut s = blank();
    let mut ann = row(51, "Ann", CallState::Answered, 30);
    show(&mut s, vec![ann.clone()], vec![]);
    assert_eq!(press(&mut s, "3"), []);
    assert!(screen(&mut s, 80, 24).contains("Call Ann back"));
    let effects = press(&mut s, "+2h\n");
    assert_eq!(effects, [Effect::Tag { call: call(51), name: "Ann".into(), outcome: Some(Outcome::Callback), previous: None, callback_at: None }]);
    let outcome = Some(Outcome::Callback);
    s.update(Msg::Tagged { call: call(51), name: "Ann".into(), outcome, previous: None, undone: false, result: Ok(None) });
    assert!(last_lines(&mut s, 120, 40).contains("+2h from its end on"));
    ann.outcome = outcome;
    assert_eq!(show(&mut s, vec![ann.clone()], vec![]), [], "it goes on");
    press(&mut s, "q");
    assert!(screen(&mut s, 120, 40).contains("promised a callback"), "leaving says what is lost");
    press(&mut s, "\u{1b}");
    (ann.state, ann.completed_at) = (CallState::Completed, Some(now() + Duration::minutes(7)));
    s.now = now() + Duration::minutes(8);
    let promised: DateTime<Utc> = now() + Duration::minutes(7) + Duration::hours(2);
    // Inside the campaign's window, which closes at 17:00 on the fixed day: the next morning.
    let effects = show(&mut s, vec![ann.clone()], vec![]);
    let [Effect::Tag { call: of, outcome, callback_at: Some(at), previous, .. }] = effects.as_slice() else { panic!("{effects:?}") };
    assert!((*of, *outcome, *previous) == (call(51), Some(Outcome::Callback), Some(Outcome::Callback)) && *at >= promised, "{at}");
    assert_eq!(show(&mut s, vec![ann], vec![]), [], "once");
}

/// D4: a campaign like another has its days.
#[test]
fn a_copied_campaign_keeps_its_days() {
    let mut s = state();
    let mut data = snapshot();
    data.campaigns[0].row.calling_days.0 = vec!["monday".into(), "wednesday".into(), "saturday".into()];
    data.assistants = crate::console::assistants();
    data.sources = crate::console::sources();
    s.update(Msg::Data(Box::new(data)));
    press(&mut s, "CNSpring");
    s.update(Msg::Key(KeyEvent::new(KeyCode::Up, KeyModifiers::NONE)));
    let shown = screen(&mut s, 120, 40);
    assert!(shown.contains("Mon - Wed - - Sat -"), "{shown}");
    let effects = press(&mut s, "c");
    let [Effect::Create { values, start: false }] = effects.as_slice() else { panic!("{effects:?}") };
    assert_eq!(values.settings.calling_days.names().collect::<Vec<_>>(), ["monday", "wednesday", "saturday"]);
}

/// D5: tag keys act on calls only, where the call can be seen; elsewhere they say where they work.
#[test]
fn digits_act_only_where_the_call_is() {
    for (focus, keys) in [(Pane::Campaigns, "C"), (Pane::Events, "E")] {
        let mut s = state();
        press(&mut s, keys);
        assert_eq!(s.focus, focus);
        for key in ["1", "4", "0", "H", "n", "r"] {
            // Of campaigns `r` queues many again: it asks whom.
            if (focus, key) == (Pane::Campaigns, "r") {
                continue;
            }
            assert_eq!(press(&mut s, key), [], "{key}");
            assert!(s.dialog.is_none() && s.saving.is_empty());
            let told = last_lines(&mut s, 80, 24);
            assert!(told.contains("go to live calls (L) or outcomes (O)"), "{key}: {told}");
        }
    }
}

#[test]
fn a_held_key_tags_one_call_and_never_the_next() {
    let mut s = blank();
    let queue: Vec<PaneRow> = (30..50).map(|n| row(n, &format!("Person {n}"), CallState::Completed, 60)).collect();
    show(&mut s, vec![], queue);
    press(&mut s, "O");
    let mut effects = Vec::new();
    for i in 0..60 {
        // The delay before a key repeats, then its rate.
        s.now += Duration::milliseconds(if i == 1 { 500 } else { 33 });
        effects.extend(s.update(Msg::Key(KeyEvent::new(KeyCode::Char('1'), KeyModifiers::NONE))));
    }
    let calls: Vec<_> = effects.iter().filter_map(|e| if let Effect::Tag { call, .. } = e { Some(*call) } else { None }).collect();
    assert_eq!(calls, [call(30), call(31)], "the first press, and at most one of its repeats");
}

#[test]
fn ten_calls_are_tagged_with_ten_keys_each_under_the_bar() {
    let mut s = blank();
    let queue: Vec<PaneRow> = (30..40).map(|n| row(n, &format!("Person {n}"), CallState::Completed, 60)).collect();
    show(&mut s, vec![], queue);
    press(&mut s, "O");
    for (n, key) in (30..40).zip("1212512126".chars()) {
        assert!(under_the_bar(&mut s, 80, 24).unwrap().contains(&format!("Person {n}")));
        assert_eq!(tagged(&press(&mut s, &key.to_string())).map(|t| t.0), Some(call(n)));
    }
    // Too soon after the cursor went on by itself, a key was meant for the call before.
    let mut s = blank();
    show(&mut s, vec![], (30..33).map(|n| row(n, &format!("Person {n}"), CallState::Completed, 60)).collect());
    press(&mut s, "O1");
    s.now += Duration::milliseconds(200);
    assert_eq!(s.update(Msg::Key(KeyEvent::new(KeyCode::Char('2'), KeyModifiers::NONE))), []);
    assert!(last_lines(&mut s, 80, 24).contains("2 was not taken: the cursor had just gone on to Person 31"));
    assert_eq!(tagged(&press(&mut s, "2")).map(|t| t.0), Some(call(31)));
}

#[test]
fn keys_faster_than_hands_do_nothing_on_the_deck() {
    let mut s = state();
    press(&mut s, "C");
    let mut effects = Vec::new();
    s.now += Duration::seconds(5);
    for c in "jjjjjjjjppppxxxxPPPP".chars() {
        s.now += Duration::milliseconds(2);
        effects.extend(s.update(Msg::Key(KeyEvent::new(KeyCode::Char(c), KeyModifiers::NONE))));
    }
    assert_eq!(effects, [], "after eight keys in 100 ms none acts");
    assert!(s.dialog.is_none());
    assert!(last_lines(&mut s, 80, 24).contains("faster than hands"));
    assert_eq!(s.update(Msg::Paste("1234\nPq".into())), [], "neither does what the terminal calls a paste");
    assert!(!press(&mut s, "P").is_empty(), "hands are heard again");
}

/// Two consoles on one call: whoever comes later is told, keeps the undo of their own, and tags nobody else.
#[test]
fn a_call_that_another_operator_tagged_is_nobodys_target() {
    let mut s = blank();
    let queue: Vec<PaneRow> = (30..33).map(|n| row(n, &format!("Person {n}"), CallState::Completed, 60)).collect();
    show(&mut s, vec![], queue.clone());
    press(&mut s, "O");
    // The other's tag is seen first: the row is gone, and the cursor is on nobody.
    show(&mut s, vec![], queue[1..].to_vec());
    assert_eq!(press(&mut s, "1"), []);
    assert!(under_the_bar(&mut s, 80, 24).is_none());
    assert!(last_lines(&mut s, 80, 24).contains("no call is selected: j takes one"));
    press(&mut s, "j");
    // Or the database says it: the row is as it was, and the words stay beside the next that goes well.
    assert_eq!(tagged(&press(&mut s, "1")).map(|t| t.0), Some(call(31)));
    let why = "ana set it to \"callback\" meanwhile".to_owned();
    let interested = Some(Outcome::Interested);
    s.update(Msg::Tagged { call: call(31), name: "Person 31".into(), outcome: interested, previous: None, undone: false, result: Err(why) });
    s.update(Msg::Tagged { call: call(32), name: "Person 32".into(), outcome: interested, previous: None, undone: false, result: Ok(None) });
    let told = last_lines(&mut s, 80, 24);
    assert!(told.contains("Person 31: ana set it to \"callback\" meanwhile") && told.contains("tagged Person 32"), "{told}");
    let effects = press(&mut s, "u");
    assert!(matches!(effects.as_slice(), [Effect::UndoTag { call: of, .. }] if *of == call(32)), "{effects:?}");
    assert!(last_lines(&mut s, 80, 24).contains("taking back Person 32 \"interested\""), "it says whose");
}

/// Two consoles over one database, the second's picture a moment old: the earlier tag stands, the later is told whose
/// it was.
#[tokio::test]
async fn two_consoles_on_one_call_of_one_database() {
    let (office, id) = Office::calling(csv_of(1), |_| {}).await;
    let call = office.dial(id).await.unwrap();
    office.reply(call, Reply::Answered { participant_sid: "PA_1".into(), sip_call_id: "SCL_1".into() }).await;
    let left = Kind::LegLeft { sid: "PA_1".into(), reason: Leave::ClientInitiated, status: Some(LegStatus::Hangup), call_sid: None };
    office.tell(call, "left", Source::Livekit, left).await;
    let clock: SharedClock = Arc::new(SystemClock::new());
    let ring = Ring::new(clock);
    let look = async || console::look(&office.desk, &office.actor, &ring, office.now(), true).await.unwrap();
    let (mut ana, mut tom) = (blank(), blank());
    for s in [&mut ana, &mut tom] {
        s.now = office.now();
        s.update(Msg::Data(Box::new(look().await)));
        press(s, "O");
    }
    let told = async |s: &mut State, name: &str, key: &str| {
        let effects = press(s, key);
        let [Effect::Tag { call, name: person, outcome, previous, callback_at }] = effects.as_slice() else { panic!("{effects:?}") };
        let (call, outcome, previous, callback_at) = (*call, *outcome, *previous, *callback_at);
        let set = SetOutcome { call, outcome, notes: None, who: Who::Operator, confidence: None, callback_at, expected: Some(previous) };
        let actor = Actor { name: name.into(), ..office.actor.clone() };
        let result = office.desk.set_outcome(actor, set).await.map(|_| None).map_err(|e| e.to_string());
        s.update(Msg::Tagged { call, name: person.clone(), outcome, previous, undone: false, result });
        last_lines(s, 120, 40)
    };
    assert!(told(&mut ana, "ana", "1").await.contains("\"interested\" - u undoes"));
    let words = told(&mut tom, "tom", "2").await;
    assert!(words.contains("ana set it to \"interested\" meanwhile"), "{words}");
    assert_eq!(office.call(call).await.outcome, Some(Outcome::Interested));
    // And on the next look it is nobody's target any more.
    tom.update(Msg::Data(Box::new(look().await)));
    assert_eq!(press(&mut tom, "2"), []);
}

/// Rows keep their places while keys are pressed, and are put in order a second after the last.
#[test]
fn rows_do_not_move_under_a_finger() {
    let mut s = blank();
    let mut rows: Vec<PaneRow> = (30..33).map(|n| row(n, &format!("Person {n}"), CallState::Ringing, 60)).collect();
    show(&mut s, rows.clone(), vec![]);
    let order = |s: &State| s.live_rows().iter().map(|r| r.id).collect::<Vec<_>>();
    press(&mut s, "j");
    (rows[2].state, rows[2].answered_at) = (CallState::Answered, Some(now()));
    rows.push(row(99, "Newcomer", CallState::Answered, 5));
    show(&mut s, rows, vec![]);
    assert_eq!(order(&s), [call(30), call(31), call(32), call(99)]);
    assert!(s.next_tick(s.now) <= std::time::Duration::from_secs(1));
    s.now += Duration::milliseconds(1001);
    assert!(s.tick());
    assert_eq!(order(&s), [call(99), call(32), call(30), call(31)]);
    assert_eq!(s.live, Some(call(31)), "the cursor went with its row");
}

#[test]
fn marked_calls_are_tagged_together_and_many_only_after_a_question() {
    let mut s = blank();
    let queue: Vec<PaneRow> = (30..40).map(|n| row(n, &format!("Person {n}"), CallState::Completed, 60)).collect();
    show(&mut s, vec![], queue);
    press(&mut s, "O j ");
    assert!(screen(&mut s, 80, 24).contains("2 marked"));
    let effects = press(&mut s, "5");
    let calls: Vec<_> = effects.iter().filter_map(|e| if let Effect::Tag { call, .. } = e { Some(*call) } else { None }).collect();
    assert_eq!(calls, [call(30), call(32)]);
    assert!(s.marks.of(s.focus).is_empty());
    press(&mut s, "       ");
    assert_eq!(press(&mut s, "5"), [], "more than five asks");
    assert!(screen(&mut s, 80, 24).contains("Tag 7 calls?") || screen(&mut s, 80, 24).contains("Tag 6 calls?"));
    assert!(press(&mut s, "y").len() > 5);
}

/// Rows that arrive, end and sort elsewhere, from a seed.
struct Churn {
    dice: u64,
    next: u128,
    rows: Vec<PaneRow>,
}

impl Churn {
    fn roll(&mut self, of: u64) -> u64 {
        self.dice = die(self.dice);
        (self.dice >> 16) % of
    }

    /// A fiftieth of a second: one thing happens to somebody.
    fn go_on(&mut self, at: DateTime<Utc>) {
        if self.rows.len() < 60 && self.roll(2) == 0 {
            self.next += 1;
            let mut new = row(self.next, &format!("Person {}", self.next), CallState::Ringing, 0);
            (new.armed_at, new.ringing_at) = (Some(at), Some(at));
            self.rows.push(new);
            return;
        }
        let i = usize::try_from(self.roll(self.rows.len().max(1) as u64)).unwrap();
        let Some(r) = self.rows.get_mut(i) else { return };
        match r.state {
            CallState::Ringing if self.dice.is_multiple_of(4) => (r.state, r.completed_at) = (CallState::Busy, Some(at)),
            CallState::Ringing => (r.state, r.answered_at) = (CallState::Answered, Some(at)),
            CallState::Answered => (r.state, r.completed_at) = (CallState::Completed, Some(at)),
            _ => drop(self.rows.remove(i)),
        }
    }

    fn look(&self, at: DateTime<Utc>) -> Snapshot {
        let to_tag = self.rows.iter().filter(|r| r.state == CallState::Completed && r.outcome.is_none()).cloned().collect();
        Snapshot { at, live: self.rows.clone(), to_tag, ..snapshot() }
    }
}

/// Rows arrive, end and re-sort at 50 a second for a minute while tags are typed, in both panes, following or
/// not: every tag is on the call that was under the bar when the key was pressed.
#[test]
fn every_tag_is_on_the_call_under_the_bar_while_rows_rush_by() {
    for seed in 1..=4 {
        let mut s = blank();
        let mut churn = Churn { dice: seed, next: 1000, rows: Vec::new() };
        let (mut tags, mut refused) = (0, 0);
        let mut key_at = now();
        for tick in 0..3000 {
            let at = now() + Duration::milliseconds(20 * tick);
            churn.go_on(at);
            s.now = at;
            s.update(Msg::Data(Box::new(churn.look(at))));
            if at < key_at {
                continue;
            }
            key_at = at + Duration::milliseconds(i64::try_from(320 + churn.roll(300)).unwrap());
            let key = ['1', '2', '4', '5', '6', 'j', 'k', 'g', 'f', 'O', 'L', 'j', '4', '1'][usize::try_from(churn.roll(14)).unwrap()];
            let shown = under_the_bar(&mut s, 100, 30).filter(|_| s.focus != Pane::Events);
            let mut effects = s.update(Msg::Key(KeyEvent::new(KeyCode::Char(key), KeyModifiers::NONE)));
            effects.retain(|e| !matches!(e, Effect::Judge(_)));
            match effects.as_slice() {
                [] => refused += u32::from(key.is_ascii_digit()),
                [Effect::Tag { call, name, outcome, previous, .. }] => {
                    let shown = shown.unwrap_or_else(|| panic!("{name} was tagged, and nobody was under the bar"));
                    assert!(shown.contains(name.as_str()), "{name} was tagged under the bar of: {shown}");
                    tags += 1;
                    let done = Msg::Tagged { call: *call, name: name.clone(), outcome: *outcome, previous: *previous, undone: false, result: Ok(None) };
                    if let Some(r) = churn.rows.iter_mut().find(|r| r.id == *call) {
                        r.outcome = *outcome;
                    }
                    s.update(done);
                }
                other => panic!("{other:?}"),
            }
        }
        assert!(tags > 15, "seed {seed}: {tags} tags, {refused} refused: nothing was proven");
    }
}

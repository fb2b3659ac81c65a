//! What a supervisor is told, and what the keys that were said do: commands by their names, the way back from an end, why
//! nothing is dialled, and two who tag together.

use chrono::{Duration, TimeDelta};
use crossterm::event::{KeyCode, KeyEvent, KeyModifiers};
use dialdeck::{
    console::{Effect, Ending, Msg, Question, Snapshot, State, setup::Setup},
    desk::{self, TaggingDesk},
    domain::{
        call::State as CallState,
        id::{CallId, CampaignId},
        outcome::Outcome,
    },
    store::Tagging,
};

use crate::{
    console::{blank, now, press, row, screen, snapshot, state, uuid},
    support::pty::flat,
};

fn code(s: &mut State, code: KeyCode) -> Vec<Effect> {
    s.now += Duration::milliseconds(400);
    s.update(Msg::Key(KeyEvent::new(code, KeyModifiers::NONE)))
}

fn shown(s: &mut State) -> String {
    flat(&screen(s, 120, 40))
}

#[test]
fn enter_does_what_was_named_and_never_the_nearest_guess() {
    let mut s = state();
    let before = (s.focus, s.live, s.campaign);
    for typed in ["trends", "end call", "stop everything", "paus", "sto"] {
        assert_eq!(press(&mut s, &format!(":{typed}\n")), [], "{typed}");
        assert!(s.dialog.is_some(), "{typed}: what was typed stays");
        assert!(shown(&mut s).contains(&format!("nothing is called \"{typed}\"")), "{typed}: {}", shown(&mut s));
        press(&mut s, "\u{1b}");
        assert_eq!((s.focus, s.live, s.campaign), before, "{typed}");
    }
    press(&mut s, ":paus\n");
    assert!(shown(&mut s).contains("near: pause"), "{}", shown(&mut s));
    // What was moved onto is done.
    code(&mut s, KeyCode::Down);
    code(&mut s, KeyCode::Enter);
    assert!(s.dialog.is_none());
    // Enter on nothing leads nowhere.
    let mut s = state();
    assert_eq!(press(&mut s, ":\n"), []);
    assert!(s.dialog.is_none());
    // Letters that begin no other name it.
    press(&mut s, ":freez\n");
    assert!(s.frozen.is_some());
}

#[test]
fn stop_all_says_what_it_may_mean() {
    let mut s = state();
    press(&mut s, ":stop all\n");
    let said = shown(&mut s);
    assert!(said.contains("c stops 1 campaign: \"Q4 Sales\"") && said.contains("kill switch: nothing is dialled on any host"), "{said}");
    assert_eq!(press(&mut s, "c"), [Effect::Stop { campaign: CampaignId(uuid(10)), name: "Q4 Sales".into(), hang_up: false }]);
    press(&mut s, ":stop all\nk");
    assert!(shown(&mut s).contains("Type STOP:"));
}

#[test]
fn an_end_is_told_and_can_be_taken_back() {
    let mut s = state();
    press(&mut s, "q");
    assert!(shown(&mut s).contains("d dial no more"), "{}", shown(&mut s));
    let effects = press(&mut s, "d");
    assert_eq!(effects, [Effect::Leave(Ending::Drain)]);
    assert_eq!(s.leave(Ending::Drain), None, "the last calls are waited for");
    let said = shown(&mut s);
    assert!(said.contains("ENDING") && said.contains("nothing new is dialled") && said.contains("q to stay, or to leave now"), "{said}");
    assert!(!said.contains("1 running"), "{said}");
    // Nothing is begun meanwhile.
    assert_eq!(press(&mut s, "Cjs"), []);
    assert!(shown(&mut s).contains("this screen is ending and dials no more"), "{}", shown(&mut s));
    press(&mut s, "qs");
    assert!(s.leaving.is_none() && s.dialog.is_none());
    let said = shown(&mut s);
    assert!(said.contains("campaigns that run dial again") && !said.contains("ENDING"), "{said}");
    // What the other process says of its own end stands on a screen that looks on.
    let lead = tokio::sync::watch::Sender::new(Some("calls go on in another process on x.db: this screen looks on, and steers".to_owned()));
    s.options.following = lead.subscribe();
    s.update(Msg::Data(Box::new(Snapshot { health: desk::ENDING.to_owned(), ..snapshot() })));
    assert!(shown(&mut s).contains("the process that dials is ending"), "{}", shown(&mut s));
    // That it dials from here on is said, and stays until Esc.
    lead.send_replace(None);
    s.update(Msg::Resize);
    s.now += Duration::seconds(5);
    s.update(Msg::Data(Box::new(Snapshot { at: s.now, ..snapshot() })));
    assert!(shown(&mut s).contains("this one has taken over, and campaigns that run dial from here on. P pauses all"), "{}", shown(&mut s));
}

#[test]
fn a_number_is_said_as_people_say_it_once_its_country_is_known() {
    let mut s = state();
    s.options.region = None;
    assert_eq!(press(&mut s, ":dnc 2065550188\n"), []);
    assert!(shown(&mut s).contains("of which country is 2065550188? :country US"), "{}", shown(&mut s));
    press(&mut s, "\u{1b}");
    assert_eq!(press(&mut s, ":country xx\n"), []);
    assert!(shown(&mut s).contains("is no country"));
    assert_eq!(press(&mut s, "\u{1b}:country us\n"), [Effect::Country("US".into())]);
    press(&mut s, ":dnc 2065550188\n");
    assert!(shown(&mut s).contains("+1 206 555 0188: no campaign calls this number again"), "{}", shown(&mut s));
    press(&mut s, "\u{1b}");
    // Off the list only with a reason, and only for whom may.
    press(&mut s, ":allow 2065550188\n");
    assert_eq!(press(&mut s, "\n"), []);
    assert!(shown(&mut s).contains("say why"), "{}", shown(&mut s));
    let effects = press(&mut s, "he called us back\n");
    assert!(
        matches!(effects.as_slice(), [Effect::Setup(Setup::Allow { number, reason })] if number.as_str() == "+12065550188" && reason == "he called us back")
    );
    assert_eq!(Setup::Backup("x.db".into()).needs(), dialdeck::domain::role::Role::Admin);
    s.dialog = None;
    assert_eq!(press(&mut s, ":backup /x/y.db\n"), [Effect::Setup(Setup::Backup("/x/y.db".into()))]);
}

/// A desk with calls to tag: of the first the agent says nothing, of the others what is given.
fn tagging(says: &[Option<Outcome>]) -> State {
    let mut s = blank();
    let calls = says.iter().enumerate().map(|(i, word)| {
        let i = i64::try_from(i).unwrap();
        let mut call = row(u128::try_from(40 + i).unwrap(), &format!("Person {i}"), CallState::Completed, 60);
        (call.suggestion, call.suggestion_confidence) = (*word, word.map(|_| 0.82));
        call.completed_at = Some(now() - TimeDelta::minutes(30 - i));
        call
    });
    s.update(Msg::Data(Box::new(Snapshot { live: vec![], to_tag: calls.collect(), ..snapshot() })));
    press(&mut s, "OO");
    s.update(Msg::Judging(Box::default(), None));
    s
}

fn call(n: u128) -> CallId {
    CallId(uuid(n))
}

#[test]
fn enter_takes_the_agents_word_asks_for_never_and_opens_nothing() {
    let mut s = tagging(&[None, Some(Outcome::DoNotCall), Some(Outcome::Voicemail)]);
    press(&mut s, "g");
    assert_eq!(press(&mut s, "\n"), []);
    assert!(s.dialog.is_none() && shown(&mut s).contains("the agent says nothing of this call"), "{}", shown(&mut s));
    press(&mut s, "S");
    assert!(s.dialog.is_some(), "its story has a key of its own");
    press(&mut s, "\u{1b}j");
    assert_eq!(press(&mut s, "\n"), [], "never again is asked for");
    assert!(shown(&mut s).contains("the agent says \"do not call\", 82 % sure"), "{}", shown(&mut s));
    let effects = press(&mut s, "y");
    assert!(matches!(effects.as_slice(), [Effect::Tag { call: c, outcome: Some(Outcome::DoNotCall), .. }] if *c == call(41)), "{effects:?}");
}

/// What was passed by waits until the others are through.
#[test]
fn a_call_that_was_passed_by_waits_for_the_next_round() {
    let mut s = tagging(&[None, None, None, None]);
    press(&mut s, "gj");
    let tag = |s: &mut State| {
        let effects = press(s, "5");
        assert_eq!(effects.len(), 1, "{effects:?}");
        s.queue
    };
    assert_eq!(tag(&mut s), Some(call(42)), "not back to the one that was passed by");
    assert_eq!(tag(&mut s), Some(call(43)));
    assert_eq!(tag(&mut s), Some(call(40)), "now it is its turn");
}

#[test]
fn without_auto_next_the_tagged_call_stays_under_the_cursor() {
    let mut s = tagging(&[None, None]);
    press(&mut s, "ga");
    assert_eq!(press(&mut s, "5").len(), 1);
    let told = Msg::Tagged { call: call(40), name: "Person 0".into(), outcome: Some(Outcome::Voicemail), previous: None, undone: false, result: Ok(None) };
    s.update(told);
    let mut left = Snapshot { live: vec![], ..snapshot() };
    left.to_tag = s.data.to_tag.iter().filter(|r| r.id != call(40)).cloned().collect();
    s.update(Msg::Data(Box::new(left.clone())));
    assert_eq!(s.queue, Some(call(40)), "it can be corrected");
    let effects = press(&mut s, "6");
    assert!(matches!(effects.as_slice(), [Effect::Tag { call: c, outcome: Some(Outcome::WrongNumber), .. }] if *c == call(40)), "{effects:?}");
}

/// Two consoles over the same queue: neither goes on to the call that the other goes on to, and what one tags the other
/// is told by name.
#[test]
fn two_who_tag_do_not_go_on_to_the_same_call() {
    let mut consoles = ["ana", "tom"].map(|me| {
        let mut s = tagging(&[None, None, None, None, None, None]);
        let other = if me == "ana" { "tom" } else { "ana" };
        s.actor.name = me.into();
        let others = vec![Tagging { who: other.into(), last_at: now() }];
        s.update(Msg::Judging(Box::new(TaggingDesk { others, ..TaggingDesk::default() }), None));
        s
    });
    let [ana, tom] = &mut consoles;
    press(ana, "g");
    press(tom, "gj");
    for _ in 0..2 {
        assert_ne!(ana.queue, tom.queue);
        let tagged = [ana.queue, tom.queue];
        press(ana, "5");
        press(tom, "5");
        assert_ne!(ana.queue, tom.queue, "after {tagged:?}");
        let left: Vec<_> = ana.data.to_tag.iter().filter(|r| !tagged.contains(&Some(r.id))).cloned().collect();
        for s in [&mut *ana, &mut *tom] {
            s.saving.clear();
            s.update(Msg::Data(Box::new(Snapshot { live: vec![], to_tag: left.clone(), ..snapshot() })));
            // The hand rests.
            s.now += Duration::seconds(1);
        }
    }
    // What the other tags while it is under the cursor is said, and by whom.
    let mine = ana.queue.unwrap();
    let left: Vec<_> = ana.data.to_tag.iter().filter(|r| r.id != mine).cloned().collect();
    ana.update(Msg::Data(Box::new(Snapshot { live: vec![], to_tag: left, ..snapshot() })));
    assert!(shown(ana).contains("was just tagged by tom"), "{}", shown(ana));
}

#[test]
fn the_agents_word_is_found_at_the_desk_and_all_that_are_shown_are_marked() {
    let mut s = tagging(&[Some(Outcome::Voicemail), None, Some(Outcome::Voicemail), Some(Outcome::Interested)]);
    press(&mut s, "/voicemail\n");
    assert_eq!(s.queue_rows().iter().map(|r| r.id).collect::<Vec<_>>(), [call(40), call(42)]);
    press(&mut s, "*");
    let effects = press(&mut s, "5");
    assert_eq!(effects.len(), 2, "{effects:?}");
}

#[test]
fn who_is_found_is_under_the_cursor_and_esc_gives_it_back() {
    let mut s = state();
    press(&mut s, "L");
    s.live = None;
    press(&mut s, "/shah\n");
    assert_eq!(s.live, Some(call(33)), "with one hit the key that keeps the filter takes it");
    press(&mut s, "\u{1b}");
    let stood = s.queue;
    press(&mut s, "O/zzzz");
    assert_eq!(s.queue, None);
    press(&mut s, "\u{1b}");
    assert_eq!(s.queue, stood);
}

/// Another tags the call while its callback is typed: the box says it, and what was typed is kept.
#[test]
fn a_callback_that_is_being_typed_hears_of_another_tag() {
    let mut s = tagging(&[None, None]);
    press(&mut s, "g3+2h");
    let mut new = snapshot();
    new.live = vec![];
    new.to_tag = s.data.to_tag.clone();
    let mut tagged = new.to_tag.remove(0);
    tagged.outcome = Some(Outcome::Voicemail);
    new.live.push(tagged);
    s.update(Msg::Data(Box::new(new)));
    let said = shown(&mut s);
    assert!(said.contains("was just tagged \"voicemail\" by another") && said.contains("+2h"), "{said}");
    let effects = press(&mut s, "\n");
    assert!(matches!(effects.as_slice(), [Effect::Tag { previous: Some(Outcome::Voicemail), outcome: Some(Outcome::Callback), .. }]), "{effects:?}");
}

#[test]
fn a_bare_word_of_an_outcome_or_an_end_is_no_name() {
    let mut s = state();
    press(&mut s, "K");
    for (typed, outcome, states, text) in [
        ("interested", Some(Outcome::Interested), 0, ""),
        ("not interested lima", Some(Outcome::NotInterested), 0, "lima"),
        ("no answer", None, 1, ""),
        ("busyman", None, 0, "busyman"),
    ] {
        let effects = press(&mut s, typed);
        let asked = effects.iter().rev().find_map(|e| if let Effect::Ask(Question::Calls(search)) = e { Some(search) } else { None });
        let search = asked.expect("each letter asks");
        assert_eq!((search.outcome, search.states.len().min(1), search.text.as_str()), (outcome, states, text), "{typed}");
        for _ in 0..typed.len() {
            code(&mut s, KeyCode::Backspace);
        }
    }
}

//! What a supervisor is told, and what the keys that were said do: commands by their names, the way back from an end, why
//! nothing is dialled, and two who tag together.

use std::{path::Path, sync::Arc};

use chrono::{Duration, TimeDelta};
use crossterm::event::{KeyCode, KeyEvent, KeyModifiers};
use dialdeck::{
    console::{
        Effect, Ending, Msg, Outside, Question, Snapshot, State,
        setup::{self, Done, Setup},
        why,
    },
    desk::{self, TaggingDesk},
    domain::{
        call::State as CallState,
        campaign::Settings,
        id::{CallId, CampaignId},
        outcome::Outcome,
        phone::PhoneNumber,
    },
    store::{Setting, Store, Tagging},
};

use crate::{
    console::{blank, now, press, row, screen, snapshot, state, uuid},
    support::{Options, World, csv_of, office::Office, pty::flat},
};

fn code(s: &mut State, code: KeyCode) -> Vec<Effect> {
    s.now += Duration::milliseconds(400);
    s.update(Msg::Key(KeyEvent::new(code, KeyModifiers::NONE)))
}

/// The tags among the effects: whose, what, and what was there before.
fn tags(effects: &[Effect]) -> Vec<(CallId, Option<Outcome>, Option<Outcome>)> {
    let tag = |e: &Effect| if let Effect::Tag { call, outcome, previous, .. } = e { Some((*call, *outcome, *previous)) } else { None };
    effects.iter().filter_map(tag).collect()
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
    assert_eq!(tags(&press(&mut s, "\n")), []);
    assert!(s.dialog.is_none() && shown(&mut s).contains("the agent says nothing of this call"), "{}", shown(&mut s));
    press(&mut s, "S");
    assert!(s.dialog.is_some(), "its story has a key of its own");
    press(&mut s, "\u{1b}j");
    assert_eq!(tags(&press(&mut s, "\n")), [], "never again is asked for");
    assert!(shown(&mut s).contains("the agent says \"do not call\", 82 % sure"), "{}", shown(&mut s));
    let effects = press(&mut s, "y");
    assert_eq!(tags(&effects), [(call(41), Some(Outcome::DoNotCall), None)]);
}

/// What was passed by waits until the others are through.
#[test]
fn a_call_that_was_passed_by_waits_for_the_next_round() {
    let mut s = tagging(&[None, None, None, None]);
    press(&mut s, "gj");
    let tag = |s: &mut State| {
        let effects = press(s, "5");
        assert_eq!(tags(&effects).len(), 1, "{effects:?}");
        // The hand rests.
        s.now += Duration::seconds(1);
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
    assert_eq!(tags(&press(&mut s, "5")).len(), 1);
    let told = Msg::Tagged { call: call(40), name: "Person 0".into(), outcome: Some(Outcome::Voicemail), previous: None, undone: false, result: Ok(None) };
    s.update(told);
    let mut left = Snapshot { live: vec![], ..snapshot() };
    left.to_tag = s.data.to_tag.iter().filter(|r| r.id != call(40)).cloned().collect();
    s.update(Msg::Data(Box::new(left.clone())));
    assert_eq!(s.queue, Some(call(40)), "it can be corrected");
    let effects = press(&mut s, "6");
    assert_eq!(tags(&effects), [(call(40), Some(Outcome::WrongNumber), Some(Outcome::Voicemail))]);
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
    let tagged: Vec<CallId> = tags(&effects).iter().map(|t| t.0).collect();
    assert_eq!(tagged, [call(40), call(42)]);
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
    assert_eq!(tags(&effects), [(call(40), Some(Outcome::Callback), Some(Outcome::Voicemail))]);
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

/// All that is in the way at once, in the order of mending, each with the key of this console; places as cities, with who
/// closed them until when.
#[tokio::test]
async fn why_names_all_that_is_in_the_way_with_its_key() {
    let csv = "name,phone\nAna,+12135550142\nBea,+12135550143\nCem,+12125550144\n".to_owned();
    let change = |s: &mut Settings| (s.daily_cap, s.start_hour, s.end_hour) = (1, 1, 2);
    let (office, id) = Office::calling(csv, change).await;
    let (place, until) = ("us-ca".to_owned(), office.now() + TimeDelta::hours(5));
    office.desk.close_place(office.actor.clone(), place, Some(until), "Wildfire day".into()).await.unwrap();
    office.desk.pause(office.actor.clone(), id).await.unwrap();
    let (row, why) = (office.row(id).await, office.why(id).await);
    let gates: Vec<&str> = why.obstacles.iter().map(|c| c.gate.word()).collect();
    assert_eq!(gates.iter().filter(|g| **g != "engine").copied().collect::<Vec<_>>(), ["state", "hours"], "{gates:?}");
    let lines = why::lines(&why, &[], &row, office.now());
    let mut s = state();
    s.update(Msg::Why { title: "Why: Q4 Sales".into(), lines });
    let said = shown(&mut s);
    for words in
        ["p resumes it", "e changes its hours", "Los Angeles US-CA closed by tester (Wildfire day) until", "New York", "could be called now by the law"]
    {
        assert!(said.contains(words), "{words}: {said}");
    }
    assert!(!said.contains('`') && !said.contains("0 invalid") && !said.contains("America/"), "{said}");
    // Whoever closed it stands in the line of all systems as well.
    let law = office.desk.systems(office.actor.owner).await.unwrap().into_iter().find(|l| l.name == "law").unwrap();
    assert!(law.fact.contains("California (US-CA), closed by tester until") && law.fact.contains("Wildfire day"), "{}", law.fact);
}

#[tokio::test]
async fn a_backup_and_a_number_that_may_be_called_again_need_no_shell() {
    let office = Office::open(|_| {}).await;
    let outside: Arc<dyn Outside> = Arc::new(crate::systems::beyond(&office, Path::new("/nowhere")));
    let carry = |setup: Setup| setup::carry_out(&office.desk, office.actor.clone(), Some(outside.clone()), setup);
    let path = office.base.dir.path().join("copy.db");
    let Ok(Done::Said(words)) = carry(Setup::Backup(path.clone())).await else { panic!("no backup") };
    assert!(words.contains("is a backup") && Store::open_existing(&format!("sqlite:{}", path.display())).await.is_ok(), "{words}");
    assert!(carry(Setup::Backup(path)).await.unwrap_err().words.contains("is there already and stays as it is"));
    assert!(office.store.setting(Setting::LastBackup).await.unwrap().is_some());
    let number = PhoneNumber::parse("+12025550142", None).unwrap().number;
    office.desk.add_do_not_call(office.actor.clone(), number.clone(), String::new()).await.unwrap();
    let allow = |reason: &str| carry(Setup::Allow { number: number.clone(), reason: reason.into() });
    assert!(allow(" ").await.is_err(), "nobody comes off the list without a reason");
    assert!(office.store.listed(office.actor.owner, number.as_str()).await.unwrap().is_some());
    assert_eq!(allow("he asked for it").await, Ok(Done::Said("+1 202 555 0142 is off the do-not-call list: it may be called again".into())));
    assert!(office.store.listed(office.actor.owner, number.as_str()).await.unwrap().is_none());
}

/// An end that is held keeps everything from being begun, and lets it go on once it is taken back.
#[tokio::test]
async fn an_engine_that_is_held_dials_nobody_until_it_is_let_go() {
    let mut world = World::new(Options::default()).await;
    let id = world.running(csv_of(60), |s| s.max_concurrent = 3).await;
    let limit = std::time::Duration::from_secs(20);
    world.until("a dial", limit, async || world.row(id).await.counts.dials > 0).await;
    let hold = world.hold();
    hold.send_replace(true);
    let said = async |words: Option<&str>| world.store.setting(Setting::EngineHealth).await.unwrap().as_deref() == words;
    world.until("its words", limit, || said(Some(desk::ENDING))).await;
    world.until("the end of the last calls", limit, async || world.row(id).await.counts.processing == 0).await;
    let dials = world.row(id).await.counts.dials;
    // Without the hold others would be on the line long ago.
    let from = world.clock.now();
    world.until("a minute", limit, async || world.clock.now() - from > TimeDelta::seconds(60)).await;
    assert_eq!(world.row(id).await.counts.dials, dials);
    hold.send_replace(false);
    world.until("another dial", limit, async || world.row(id).await.counts.dials > dials).await;
    world.until("no words", limit, || said(None)).await;
}

//! How the screen looks: what stands out, what recedes, and that nothing is drawn over its neighbour.

use std::{collections::HashMap, path::Path, sync::Arc};

use chrono::Duration;
use dialdeck::{
    console::{self, Depth, Detail, Msg, Snapshot, State, draw},
    desk::{Entry, EntryId, Fact, Party},
    domain::{
        call::State as CallState,
        event::{Kind, Leave, Reply, Source},
        id::CallId,
        outcome::Outcome,
    },
    store::{EventRow, PaneRow},
};
use ratatui::{
    Terminal,
    backend::TestBackend,
    buffer::{Buffer, Cell},
};

use crate::{
    console::{assistants, blank, now, options, press, row, screen, snapshot, sources, state, uuid},
    judging::waits,
};

fn dark() -> State {
    let dark = console::theme::load("dark", Path::new("/nonexistent"), Depth::True);
    let mut s = console::open(options(), blank().actor, dark, now());
    s.update(Msg::Data(Box::new(snapshot())));
    s
}

fn painted(s: &mut State, w: u16, h: u16) -> Buffer {
    s.resize(w, h);
    let mut terminal = Terminal::new(TestBackend::new(w, h)).unwrap();
    terminal.draw(|frame| draw(frame, s)).unwrap();
    terminal.backend().buffer().clone()
}

/// The first cell of some words.
fn cell<'a>(buffer: &'a Buffer, words: &str) -> &'a Cell {
    let (w, h) = (buffer.area.width, buffer.area.height);
    let letters: Vec<String> = words.chars().map(String::from).collect();
    let stands = |x: u16, y: u16| letters.iter().zip(x..).all(|(l, x)| x < w && buffer[(x, y)].symbol() == l);
    let found = (0..h).flat_map(|y| (0..w).map(move |x| (x, y))).find(|(x, y)| stands(*x, *y));
    &buffer[found.unwrap_or_else(|| panic!("\"{words}\" is not on the screen"))]
}

#[test]
fn what_lies_behind_a_dialog_recedes_and_what_cannot_be_taken_back_is_red() {
    let mut s = dark();
    let before = cell(&painted(&mut s, 120, 40), "dialdeck").clone();
    press(&mut s, "x");
    let open = painted(&mut s, 120, 40);
    let (behind, title, words) = (cell(&open, "dialdeck"), cell(&open, "Stop \""), cell(&open, "keep calls"));
    let of = |role: &str| s.theme.style(role);
    assert!(behind.fg != before.fg && behind.modifier.is_empty(), "{behind:?}");
    assert_eq!(Some(title.fg), of("error").fg);
    assert!(words.bg != behind.bg && Some(words.fg) == of("text_dim").fg, "{words:?}");
    press(&mut s, "\u{1b}");
    assert_eq!(cell(&painted(&mut s, 120, 40), "dialdeck"), &before, "and comes back");
    // A theme is chosen by how the screen looks in it.
    press(&mut s, "T");
    assert_eq!(cell(&painted(&mut s, 120, 40), "dialdeck").fg, before.fg);
}

#[test]
fn the_rooms_that_are_not_on_the_deck_are_named_where_their_keys_work() {
    let last = |s: &mut State, w: u16, h: u16| screen(s, w, h).lines().last().unwrap().to_owned();
    let mut s = state();
    assert!(last(&mut s, 160, 40).contains("K calls  B people  A systems"), "{}", last(&mut s, 160, 40));
    assert!(screen(&mut s, 80, 24).contains("K B A more rooms"));
    press(&mut s, "K");
    assert!(!last(&mut s, 160, 40).contains("people"), "letters go into the field: {}", last(&mut s, 160, 40));
}

#[test]
fn a_filter_is_typed_on_the_frame_of_its_own_pane() {
    let mut s = state();
    press(&mut s, "L/jo");
    let shown = screen(&mut s, 160, 40);
    let line = shown.lines().find(|l| l.contains("/ jo")).unwrap_or_else(|| panic!("{shown}"));
    assert!(line.contains("Enter keeps") && line.contains("╯╰"), "{line}");
}

/// The line of the screen that has some words, and the one below it.
fn line_of(s: &mut State, (w, h): (u16, u16), words: &str) -> [String; 2] {
    let all = screen(s, w, h);
    let at = all.lines().position(|l| l.contains(words)).unwrap_or_else(|| panic!("no \"{words}\"\n{all}"));
    [at, at + 1].map(|i| all.lines().nth(i).unwrap_or_default().to_owned())
}

#[test]
fn the_form_says_what_is_wrong_below_its_field_and_scolds_nobody_who_has_written_nothing() {
    for size in [(120, 40), (80, 24), (60, 15)] {
        let mut s = state();
        s.update(Msg::Data(Box::new(Snapshot { assistants: assistants(), sources: sources(), ..snapshot() })));
        press(&mut s, "N");
        let empty = screen(&mut s, size.0, size.1);
        assert!(empty.contains("A name, and here stands") && !empty.contains("is needed"), "{empty}");
        assert!(size.1 < 24 || empty.contains("such as Q4 Sales"), "{empty}");
        press(&mut s, "Winter\t\t\t\t");
        assert!(!screen(&mut s, size.0, size.1).contains("such as"), "who has a name needs no example");
        s.update(Msg::Paste("x".to_owned()));
        for _ in 0..7 {
            press(&mut s, "\t");
        }
        press(&mut s, "c");
        let [field, below] = line_of(&mut s, size, "9-17x");
        assert!(field.contains("Hours") && below.contains("write 9-17 or 9:30-17:00"), "{field}\n{below}");
    }
}

#[test]
fn the_field_under_the_cursor_and_what_the_keys_do_are_seen_on_the_smallest_screen() {
    let mut s = state();
    press(&mut s, "NWinter");
    for label in ["Assistant", "Contacts", "Days", "Hours", "Time zone", "Daily cap", "At once", "Delay", "Attempts", "Script"] {
        press(&mut s, "\t");
        let all = screen(&mut s, 60, 15);
        assert!(all.lines().any(|l| l.contains(&format!("▌ {label}"))), "{label} is out of sight\n{all}");
    }
    press(&mut s, "\t");
    assert!(screen(&mut s, 60, 15).contains("c creates it idle"), "{}", screen(&mut s, 60, 15));
}

#[test]
fn the_hour_names_both_ends_of_its_scale() {
    let mut s = dark();
    let [top, _] = line_of(&mut s, (160, 40), "dials 500");
    let [_, lowest] = line_of(&mut s, (160, 40), "0 ██");
    assert!(top.contains(" 12 ") && lowest.contains("failed 15"), "{top}\n{lowest}");
}

#[test]
fn at_80_columns_the_keys_after_the_digits_are_offered() {
    let mut s = state();
    let all = screen(&mut s, 80, 24);
    let line = all.lines().rev().nth(1).unwrap_or_default().to_owned();
    assert!(line.contains("1 yes") && line.contains("Enter"), "{line}");
}

#[test]
fn the_help_has_three_columns_where_they_fit_and_the_focus_is_told_by_weight() {
    let mut s = dark();
    let frames = painted(&mut s, 120, 40);
    let bold = |words: &str| cell(&frames, words).modifier.contains(ratatui::style::Modifier::BOLD);
    assert!(bold("╭ L ") && !bold("╭ E "), "the frame of the focus alone is bold");
    press(&mut s, "?");
    let all = screen(&mut s, 200, 60);
    assert!(all.contains("Commands with words") && all.contains("delete NAME") && !all.contains("j k scroll"), "{all}");
}

#[test]
fn the_room_of_the_events_names_the_keys_that_work_in_it_and_no_other() {
    let mut s = state();
    press(&mut s, "EE");
    let line = screen(&mut s, 160, 40).lines().rev().nth(1).unwrap_or_default().to_owned();
    for words in ["+ more", "- fewer", "z back to the deck"] {
        assert!(line.contains(words), "{words}: {line}");
    }
    assert!(!line.contains("lines") && !line.contains("whole screen"), "{line}");
}

#[test]
fn while_letters_go_into_the_field_the_way_to_the_calls_begins_with_enter() {
    let mut s = state();
    press(&mut s, "K");
    assert!(screen(&mut s, 200, 60).contains("Enter, then j takes a call"), "{}", screen(&mut s, 200, 60));
    press(&mut s, "\n");
    let left = screen(&mut s, 200, 60);
    assert!(left.contains("j takes a call") && !left.contains("Enter, then"), "{left}");
}

#[test]
fn the_palette_is_as_tall_as_the_screen_allows_and_begins_with_what_was_used_last() {
    let mut s = state();
    press(&mut s, ":");
    let rows = |shown: &str| {
        let at = |words: &str| shown.lines().position(|l| l.contains(words)).unwrap_or_else(|| panic!("{words}: {shown}"));
        at("Tab completes") - at(" Everything ") - 2
    };
    let (low, tall) = (screen(&mut s, 80, 24), screen(&mut s, 200, 60));
    assert!(tall.contains("1-27 of ") && low.contains("1-14 of "), "{low}\n{tall}");
    assert_eq!((rows(&low), rows(&tall)), (14, 27));
    press(&mut s, "\u{1b}:theme mono\n:");
    let shown = screen(&mut s, 120, 40);
    let first = shown.lines().skip_while(|l| !l.contains(" Everything ")).nth(2).unwrap_or_default();
    assert!(first.contains("│  theme "), "what was used last stands first: {first}\n{shown}");
}

#[test]
fn no_picture_behind_a_dialog_shows_through_it() {
    let mut s = dark();
    let ground = cell(&painted(&mut s, 160, 40), "dials 500").bg;
    let two = |buffer: &Buffer| {
        buffer.content().iter().filter(|c| c.bg != ground && ('\u{2581}'..='\u{2587}').contains(&c.symbol().chars().next().unwrap_or(' '))).count()
    };
    assert!(two(&painted(&mut s, 160, 40)) > 0, "the answered part stands on the dials");
    press(&mut s, "?");
    assert_eq!(two(&painted(&mut s, 160, 40)), 0);
}

#[test]
fn the_prompt_of_a_callback_shows_its_field_and_both_its_keys() {
    let mut s = dark();
    press(&mut s, "L3");
    let shown = painted(&mut s, 120, 40);
    assert_eq!(cell(&shown, "When?").bg, s.theme.selection(true).bg.unwrap_or_default(), "the field stands on a ground of its own");
    assert!(screen(&mut s, 120, 40).contains("Enter promises it   Esc back"));
    press(&mut s, "15:00");
    assert_eq!(cell(&painted(&mut s, 120, 40), "15:00_").bg, s.theme.selection(true).bg.unwrap_or_default());
}

/// Two calls of which the agent is sure, and why.
fn queue() -> Snapshot {
    let to_tag = vec![waits(1, "Ana Lima", 4, Some((Outcome::Callback, 0.91))), waits(2, "Tomas Reyes", 3, Some((Outcome::Voicemail, 0.97)))];
    let reasons: HashMap<_, _> = [(CallId(uuid(1)), "asked to be called on Tuesday".to_owned())].into();
    Snapshot { to_tag, reasons: reasons.into(), ..snapshot() }
}

#[test]
fn the_queue_says_why_where_there_is_room_and_only_its_age_is_late() {
    let mut s = dark();
    s.update(Msg::Data(Box::new(queue())));
    for (keys, size) in [("OO", (80, 24)), ("\u{1b}", (200, 60))] {
        press(&mut s, keys);
        let line = screen(&mut s, size.0, size.1).lines().find(|l| l.contains("callback?")).unwrap_or_default().to_owned();
        assert!(line.contains("4 m  callback?     91 %  asked to be called on"), "{size:?} {line}");
    }
    let shown = painted(&mut s, 200, 60);
    let (name, age) = (cell(&shown, "Ana Lima              "), cell(&shown, "4 m  callback?"));
    assert_ne!(name.fg, age.fg, "four minutes are late, and the name is no alarm");
}

#[test]
fn the_keys_beside_the_digits_have_the_colour_of_keys() {
    let mut s = dark();
    s.update(Msg::Data(Box::new(queue())));
    press(&mut s, "OO");
    let shown = painted(&mut s, 120, 40);
    let key = s.theme.style("key").fg;
    assert_eq!(Some(cell(&shown, "A tags all it is").fg), key);
    assert_ne!(Some(cell(&shown, "tags all it is").fg), key);
}

#[test]
fn figures_stand_in_one_order_and_a_filtered_board_says_of_how_many() {
    let mut s = state();
    for width in [120, 200] {
        let line = screen(&mut s, width, 60).lines().nth(1).unwrap_or_default().to_owned();
        let at = |words: &str| line.find(words).unwrap_or_else(|| panic!("{words}: {line}"));
        assert!(at("answered") < at("to tag") && at("to tag") < at("abandoned"), "{line}");
    }
    press(&mut s, "L/okafor\n");
    assert!(screen(&mut s, 120, 40).contains("L Live calls, 1 of 5"), "{}", screen(&mut s, 120, 40));
    press(&mut s, "\u{1b}");
    assert!(screen(&mut s, 120, 40).contains("L Live calls 3 "));
}

#[test]
fn numbers_that_are_not_shown_leave_their_room_to_what_is_said() {
    let mut s = state();
    let head = |s: &mut State| screen(s, 80, 24).lines().find(|l| l.contains("contact")).unwrap_or_default().to_owned();
    press(&mut s, "L");
    let whole = head(&mut s);
    press(&mut s, "M");
    let masked = head(&mut s);
    let says = |line: &str| line.find("agent").unwrap_or_else(|| panic!("{line}"));
    assert!(says(&masked) + 5 < says(&whole) || masked.contains("campaign") && !whole.contains("campaign"), "{whole}\n{masked}");
}

#[test]
fn the_help_is_searched_and_one_key_leaves_it() {
    let mut s = state();
    press(&mut s, "?/callback");
    let shown = screen(&mut s, 120, 40);
    assert!(shown.contains("/ callback_") && shown.contains(" 3 "), "{shown}");
    assert!(!shown.contains("pause or resume"), "what says nothing of it is not there: {shown}");
    press(&mut s, "zzz");
    assert!(screen(&mut s, 120, 40).contains("No key and no command says so."));
    press(&mut s, "\u{1b}");
    assert!(s.dialog.is_none(), "nothing is lost by leaving: one key is enough");
}

#[test]
fn of_a_call_that_nobody_took_the_story_says_so_once() {
    let event = |id: i64, kind, s| {
        let at = now() - Duration::seconds(s);
        EventRow { id, source: Source::Dial, kind: sqlx::types::Json(kind), at, received_at: at, applied: None }
    };
    let gone = Kind::LegLeft { sid: "PA_1".into(), reason: Leave::UserUnavailable, status: None, call_sid: None };
    let call = PaneRow { reason: "no answer".into(), answered_at: None, ..row(33, "R. Shah", CallState::NoAnswer, 0) };
    let timeline = vec![event(1, gone, 30), event(2, Kind::Reply(Reply::TimedOut { reason: String::new() }), 29)];
    let mut s = state();
    s.live = Some(CallId(uuid(33)));
    s.resize(120, 40);
    press(&mut s, "L");
    s.update(Msg::Detail(Box::new(Detail { row: call, timeline, outcomes: vec![], audit: vec![] })));
    let shown = screen(&mut s, 120, 40);
    assert!(shown.contains("no answer") && shown.contains("rang until its time was over"), "{shown}");
    assert!(!shown.contains("no answer: no answer") && !shown.contains("could not be reached"), "{shown}");
    press(&mut s, "\nd");
    assert!(screen(&mut s, 120, 40).contains("could not be reached"), "with details all is told");
}

#[test]
fn what_happened_to_calls_stands_in_columns_where_they_fit() {
    let who = Party { call: CallId(uuid(33)), name: "Ravi Shah".into(), number: "+12025550133".into(), campaign: "Renewals".into() };
    let failed =
        |code, reason: &str| Fact::Ended { who: who.clone(), state: CallState::Failed, talked: None, rang: None, code, reason: reason.into(), again_at: None };
    let entry = |n, fact| Arc::new(Entry { id: EntryId { at: now(), step: 2, of: n }, fact });
    let facts = vec![entry(1, failed(Some(503), "Service Unavailable")), entry(2, Fact::Answered { who: who.clone(), rang: Some(9) })];
    let mut s = state();
    s.update(Msg::Data(Box::new(Snapshot { happened: Arc::new(facts), ..snapshot() })));
    press(&mut s, "EE");
    let lines = |shown: String| ["answered", "failed "].map(|w| shown.lines().find(|l| l.contains(w) && l.contains("..0133")).unwrap_or_default().to_owned());
    let [answered, failed] = lines(screen(&mut s, 120, 40));
    let at = |line: &str, words: &str| line.find(words).unwrap_or_else(|| panic!("{words}: {line}"));
    assert_eq!(at(&answered, "Renewals"), at(&failed, "Renewals"));
    assert_eq!(at(&answered, "rang 9 s"), at(&failed, "service unavailable (503)"));
    let [answered, failed] = lines(screen(&mut s, 80, 24));
    assert!(answered.contains("..0133, rang 9 s") && failed.contains("..0133: service unavailable (503)"), "{answered}\n{failed}");
}

#[test]
fn what_a_room_comes_to_is_said_once() {
    let mut s = state();
    press(&mut s, "A");
    s.update(Msg::Answer(console::Question::Systems, Ok(console::Answer::Systems(vec![dialdeck::domain::system::System::good("clock", "zones")]))));
    let shown = screen(&mut s, 120, 40);
    assert_eq!(shown.matches("Ready to call: all 1 well").count(), 1, "{shown}");
    assert!(shown.contains("deck › A All systems"), "{shown}");
}

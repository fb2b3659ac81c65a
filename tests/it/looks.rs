//! How the screen looks: what stands out, what recedes, and that nothing is drawn over its neighbour.

use std::path::Path;

use dialdeck::console::{self, Depth, Msg, Snapshot, State, draw};
use ratatui::{
    Terminal,
    backend::TestBackend,
    buffer::{Buffer, Cell},
};

use crate::console::{assistants, blank, now, options, press, screen, snapshot, sources, state};

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

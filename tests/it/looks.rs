//! How the screen looks: what stands out, what recedes, and that nothing is drawn over its neighbour.

use std::path::Path;

use dialdeck::console::{self, Depth, Msg, State, draw};
use ratatui::{
    Terminal,
    backend::TestBackend,
    buffer::{Buffer, Cell},
};

use crate::console::{blank, now, options, press, screen, snapshot, state};

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

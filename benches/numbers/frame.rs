use std::{cell::Cell, io::Write, rc::Rc, time::Instant};

use chrono::Duration;
use crossterm::event::{KeyCode, KeyEvent, KeyModifiers};
use dialdeck::{
    console::{self, ConsoleOptions, Depth, Msg, Painter, Theme, draw, look},
    telemetry::Ring,
};
use ratatui::{Terminal, TerminalOptions, Viewport, layout::Rect};

use crate::{quantiles, setup};

const FRAMES: usize = 5000;

/// A terminal that only counts.
struct Sink(Rc<Cell<usize>>);

impl Write for Sink {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.set(self.0.get() + bytes.len());
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

pub fn run() {
    setup::runtime().block_on(async {
        let bench = setup::Bench::new().await;
        bench.fill(1_000_000, 900_000, 60).await;
        let ring = Ring::new(bench.clock.clone());
        let mut times = Vec::new();
        let mut snapshot = None;
        for _ in 0..50 {
            let started = Instant::now();
            snapshot = Some(look(&bench.desk, &bench.actor, &ring, bench.clock.now(), true).await.unwrap());
            times.push(started.elapsed());
        }
        println!("reading what it shows (its own thread): {}", quantiles(times));
        let theme = Theme::parse("dark", include_str!("../../themes/dark.toml"), Depth::True).unwrap();
        let mut state = console::open(options(), bench.actor.clone(), theme, bench.clock.now());
        state.resize(200, 60);
        state.update(Msg::Data(Box::new(snapshot.unwrap())));
        let written = Rc::new(Cell::new(0));
        let area = Rect::new(0, 0, 200, 60);
        let options = TerminalOptions { viewport: Viewport::Fixed(area) };
        let mut terminal = Terminal::with_options(Painter::new(Sink(written.clone())), options).unwrap();
        let mut times = Vec::with_capacity(FRAMES);
        for i in 0..FRAMES {
            // Every second frame a key, every frame a tenth of a second: selection and ages move.
            if i % 2 == 0 {
                let key = if i / 100 % 2 == 0 { 'j' } else { 'k' };
                state.update(Msg::Key(KeyEvent::new(KeyCode::Char(key), KeyModifiers::NONE)));
            }
            state.now += Duration::milliseconds(100);
            let started = Instant::now();
            terminal.draw(|frame| draw(frame, &state)).unwrap();
            times.push(started.elapsed());
        }
        println!("drawing it at 200x60:                   {}   (target median 600 us); {} bytes a frame", quantiles(times), written.get() / FRAMES);
    });
}

fn options() -> ConsoleOptions {
    ConsoleOptions {
        theme: "dark".into(),
        color: "truecolor".into(),
        read_only: false,
        role: dialdeck::domain::role::Role::Admin,
        mask: 0,
        ages: dialdeck::config::Ages::default(),
        simulated: false,
        known: None,
        following: tokio::sync::watch::Sender::new(None).subscribe(),
        broken: tokio::sync::watch::Sender::new(None).subscribe(),
        themes_folder: "/nonexistent".into(),
        keys_file: "/nonexistent/keys.toml".into(),
        zone: dialdeck::domain::zone::Zone::utc(),
        region: None,
        filter: String::new(),
        ascii: false,
        outside: None,
        plain: false,
        port: tokio::sync::watch::Sender::new(None).subscribe(),
        drain: dialdeck::console::Drain::default(),
        keeper: None,
        session: dialdeck::console::SessionOptions::default(),
    }
}

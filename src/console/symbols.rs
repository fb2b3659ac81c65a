//! Glyphs: one cell each, in a set that the terminal can show. Rooms take every mark, border and bar from here.

use std::borrow::Cow;

use ratatui::symbols::border;

use crate::domain::call::State;

type Glyph = Cow<'static, str>;

macro_rules! symbols {
    ($($(#[$doc:meta])* $name:ident = $unicode:literal, $ascii:literal);+ $(;)?) => {
        /// The glyphs of one set, single ones replaced where a theme says so.
        #[derive(Debug, Clone, PartialEq, Eq)]
        pub struct Symbols {
            $($(#[$doc])* pub $name: Glyph,)+
            /// How far a cell is filled, from nothing to all of it.
            pub gauge: &'static [&'static str],
            /// How high a column is, from nothing to all of it.
            pub spark: &'static [&'static str],
            pub border: Border,
            /// Nothing but ASCII.
            pub ascii: bool,
        }

        impl Symbols {
            #[must_use]
            pub fn unicode() -> Self {
                Self {
                    $($name: Cow::Borrowed($unicode),)+
                    gauge: &[" ", "▏", "▎", "▍", "▌", "▋", "▊", "▉", "█"],
                    spark: &[" ", "▁", "▂", "▃", "▄", "▅", "▆", "▇", "█"],
                    border: Border::Rounded,
                    ascii: false,
                }
            }

            #[must_use]
            pub fn ascii() -> Self {
                Self {
                    $($name: Cow::Borrowed($ascii),)+
                    gauge: &[".", "#"],
                    spark: &[" ", ".", ":", "-", "=", "+", "*", "#"],
                    border: Border::Ascii,
                    ascii: true,
                }
            }

            /// Whether a theme may set a symbol of this name.
            #[must_use]
            pub fn has(name: &str) -> bool {
                matches!(name, "set" | "border" $(| stringify!($name))+)
            }

            /// With one glyph replaced; what is not one cell wide, or no ASCII where nothing else is, is left.
            #[must_use]
            pub fn with(mut self, name: &str, glyph: &str) -> Self {
                if name == "border" {
                    self.border = Border::named(glyph).filter(|b| !self.ascii || matches!(b, Border::Ascii | Border::None)).unwrap_or(self.border);
                    return self;
                }
                if unicode_width::UnicodeWidthStr::width(glyph) != 1 || glyph.chars().any(char::is_control) || (self.ascii && !glyph.is_ascii()) {
                    return self;
                }
                match name {
                    $(stringify!($name) => self.$name = Cow::Owned(glyph.to_owned()),)+
                    _ => {}
                }
                self
            }

            #[cfg(test)]
            fn all(&self) -> Vec<&str> {
                vec![$(self.$name.as_ref()),+]
            }
        }
    };
}

symbols!(
    idle = "○", "o";
    running = "●", "*";
    paused = "◐", "~";
    completed = "✓", "v";
    error = "✗", "x";
    queued = "·", ".";
    dialling = "·", ".";
    ringing = "◔", "~";
    on_call = "●", "*";
    ended = "✓", "v";
    failed = "✗", "x";
    /// All is well there.
    good = "●", "*";
    warning = "!", "!";
    bad = "✗", "x";
    /// Nothing there yet.
    unset = "○", "o";
    /// Left of the row that keys act on.
    cursor = "▌", ">";
    /// A history where there was nothing.
    base = "▁", "_";
    /// On rows that are marked.
    mark = "◆", "#";
    /// Left of the row under the cursor of a pane without the focus.
    resting = "▏", ":";
    /// The empty part of a gauge.
    track = "░", ".";
    /// Parts of a bar of contacts, each with a look of its own.
    called = "█", "#";
    on_line = "█", "*";
    waits = "▒", "=";
    closed = "░", "-";
    refused = "✗", "x";
    spent = "·", ".";
    /// A tag on its way to the database.
    saving = "~", "~";
    /// Where something was cut.
    more = "…", ">";
    up = "▲", "^";
    down = "▼", "v";
    /// Between a room and what is in it.
    crumb = "›", ">";
);

/// What panes are framed with.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Border {
    Plain,
    Rounded,
    Thick,
    Double,
    Ascii,
    None,
}

/// `+-|`.
const ASCII: border::Set<'static> = border::Set {
    top_left: "+",
    top_right: "+",
    bottom_left: "+",
    bottom_right: "+",
    vertical_left: "|",
    vertical_right: "|",
    horizontal_top: "-",
    horizontal_bottom: "-",
};

impl Border {
    fn named(name: &str) -> Option<Self> {
        Some(match name {
            "plain" => Self::Plain,
            "rounded" => Self::Rounded,
            "thick" => Self::Thick,
            "double" => Self::Double,
            "ascii" => Self::Ascii,
            "none" => Self::None,
            _ => return None,
        })
    }

    #[must_use]
    pub fn set(self) -> border::Set<'static> {
        match self {
            Self::Plain => border::PLAIN,
            Self::Rounded => border::ROUNDED,
            Self::Thick => border::THICK,
            Self::Double => border::DOUBLE,
            Self::Ascii => ASCII,
            Self::None => border::EMPTY,
        }
    }
}

impl Symbols {
    /// How a call stands: its glyph, and the role of its colour.
    #[must_use]
    pub fn of_call(&self, call: State) -> (&str, &'static str) {
        match call {
            State::Answered => (&self.on_call, "call_answered"),
            State::Ringing => (&self.ringing, "call_calling"),
            State::Armed | State::Dialing => (&self.dialling, "call_dialling"),
            State::Pending | State::Claimed => (&self.queued, "call_pending"),
            State::Unknown | State::Unresolved => ("?", "warn"),
            State::Completed => (&self.ended, "call_completed"),
            State::Busy | State::NoAnswer | State::Canceled => (&self.failed, "call_completed"),
            State::Rejected | State::WrongNumber | State::Failed | State::Unsent | State::Refused | State::NotPlaced => (&self.failed, "call_failed"),
        }
    }

    /// Those of a theme, or ASCII where the terminal has no others.
    #[must_use]
    pub fn fitting(theme: &Self, ascii: bool) -> Self {
        if ascii && !theme.ascii { Self::ascii() } else { theme.clone() }
    }
}

/// Whether nothing but ASCII can be shown: the locale is not UTF-8, or the terminal is none that draws more.
#[must_use]
pub fn ascii_only() -> bool {
    ascii_by(|name| std::env::var(name).unwrap_or_default())
}

fn ascii_by(var: impl Fn(&str) -> String) -> bool {
    let locale = ["LC_ALL", "LC_CTYPE", "LANG"].into_iter().map(&var).find(|v| !v.is_empty()).unwrap_or_default().to_ascii_lowercase();
    let term = var("TERM");
    // The Linux console knows its 512 glyphs, without circles and eighths.
    let poor = matches!(term.as_str(), "dumb" | "linux" | "ansi" | "cons25" | "sun") || term.starts_with("vt");
    poor || !(locale.contains("utf-8") || locale.contains("utf8"))
}

#[cfg(test)]
mod tests {
    use unicode_width::UnicodeWidthStr;

    use super::*;

    #[test]
    fn every_glyph_is_one_cell_and_the_ascii_set_is_ascii() {
        for set in [Symbols::unicode(), Symbols::ascii()] {
            let glyphs = set.all().into_iter().chain(set.gauge.iter().copied()).chain(set.spark.iter().copied());
            for glyph in glyphs {
                assert_eq!(glyph.width(), 1, "{glyph:?}");
                assert!(!set.ascii || glyph.is_ascii(), "{glyph:?}");
            }
        }
    }

    #[test]
    fn a_theme_replaces_single_glyphs_but_not_by_what_tears_the_columns() {
        let set = Symbols::unicode().with("running", "▶").with("paused", "ＷＷ").with("error", "\u{1b}").with("border", "plain").with("nonsense", "x");
        assert_eq!((set.running.as_ref(), set.paused.as_ref(), set.error.as_ref(), set.border), ("▶", "◐", "✗", Border::Plain));
        let set = Symbols::ascii().with("running", "▶").with("border", "rounded").with("idle", "-");
        assert_eq!((set.running.as_ref(), set.border, set.idle.as_ref()), ("*", Border::Ascii, "-"));
    }

    #[test]
    fn ascii_where_locale_or_terminal_have_no_more() {
        let of = |lang: &str, term: &str| {
            ascii_by(|name| match name {
                "LANG" => lang.to_owned(),
                "TERM" => term.to_owned(),
                _ => String::new(),
            })
        };
        assert!(!of("en_US.UTF-8", "xterm-256color") && !of("C.utf8", "tmux"));
        for (lang, term) in
            [("C", "xterm-256color"), ("", "xterm"), ("de_DE.ISO-8859-1", "xterm"), ("en_US.UTF-8", "vt100"), ("en_US.UTF-8", "linux"), ("en_US.UTF-8", "dumb")]
        {
            assert!(of(lang, term), "{lang} {term}");
        }
        assert!(ascii_by(|name| if name == "LC_ALL" { "C".into() } else { "en_US.UTF-8".into() }), "LC_ALL goes first");
    }
}

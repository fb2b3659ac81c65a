//! How many colours the terminal has.

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Depth {
    None,
    Ansi16,
    Ansi256,
    True,
}

/// Terminals that have all colours, whether or not `COLORTERM` came along with them.
const TRUE: [&str; 6] = ["-direct", "kitty", "alacritty", "ghostty", "wezterm", "foot"];

impl Depth {
    /// By `--color`, then `NO_COLOR`, then what the terminal says of itself.
    #[must_use]
    pub fn detect(flag: &str) -> Self {
        Self::of(flag, |name| std::env::var(name).unwrap_or_default())
    }

    fn of(flag: &str, var: impl Fn(&str) -> String) -> Self {
        match flag {
            "never" => return Self::None,
            "16" => return Self::Ansi16,
            "256" => return Self::Ansi256,
            "truecolor" => return Self::True,
            _ => {}
        }
        let term = var("TERM");
        if !var("NO_COLOR").is_empty() || term == "dumb" || term.starts_with("vt") {
            return Self::None;
        }
        // What a terminal of these names lacks no variable of another program gives it.
        if term == "linux" || term.ends_with("-16color") {
            return Self::Ansi16;
        }
        if matches!(var("COLORTERM").as_str(), "truecolor" | "24bit") || TRUE.iter().any(|t| term.contains(t)) {
            Self::True
        } else if term.contains("256color") {
            Self::Ansi256
        } else {
            Self::Ansi16
        }
    }
}

#[cfg(test)]
mod tests {
    use super::Depth;

    #[test]
    fn a_terminal_gets_the_colours_it_has() {
        let of = |flag: &str, term: &str, colorterm: &str, no_color: &str| {
            Depth::of(flag, |name| match name {
                "TERM" => term.to_owned(),
                "COLORTERM" => colorterm.to_owned(),
                "NO_COLOR" => no_color.to_owned(),
                _ => String::new(),
            })
        };
        assert_eq!(of("auto", "xterm-256color", "truecolor", ""), Depth::True);
        assert_eq!(of("auto", "xterm-256color", "", ""), Depth::Ansi256);
        assert_eq!(of("auto", "xterm-kitty", "", ""), Depth::True);
        for term in ["linux", "xterm-16color", "xterm"] {
            assert_eq!(of("auto", term, "", ""), Depth::Ansi16, "{term}");
        }
        assert_eq!(of("auto", "linux", "truecolor", ""), Depth::Ansi16);
        for term in ["vt100", "vt220", "dumb"] {
            assert_eq!(of("auto", term, "truecolor", ""), Depth::None, "{term}");
        }
        assert_eq!(of("auto", "xterm-256color", "truecolor", "1"), Depth::None);
        assert_eq!(of("16", "xterm-256color", "truecolor", "1"), Depth::Ansi16, "who asks for colours gets them");
    }
}

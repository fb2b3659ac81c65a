//! What of a value may be shown: never a password, not even one inside a URL.

use super::SECRETS;

/// A value for a screen or a complaint.
#[must_use]
pub fn shown(key: &str, text: &str) -> String {
    if SECRETS.contains(&key) && !text.is_empty() {
        return "***".to_owned();
    }
    without_login(text).replace(char::is_control, " ")
}

/// A text without the login of the URLs in it, and without what their query calls secret.
#[must_use]
pub fn without_login(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for (i, part) in text.split(',').enumerate() {
        out.push_str(if i > 0 { "," } else { "" });
        let (front, query) = part.split_once('?').map_or((part, None), |(f, q)| (f, Some(q)));
        // The password may hold any letter: the host begins behind the last "@" before its path, where
        // there is one, else behind the last of all.
        let start = front.find("://").map_or(0, |n| n + 3);
        let authority = start + front[start..].find('/').unwrap_or(front.len() - start);
        let at = front[start..authority].rfind('@').or_else(|| front[start..].rfind('@')).map(|n| start + n);
        match at {
            Some(at) => out.extend([&front[..start], "***", &front[at..]]),
            None => out.push_str(front),
        }
        if let Some(query) = query {
            let pairs: Vec<String> = query.split('&').map(pair).collect();
            out.extend(["?", &pairs.join("&")]);
        }
    }
    out
}

fn pair(pair: &str) -> String {
    let secret = |name: &str| ["pass", "pwd", "secret", "token", "key", "auth"].iter().any(|w| name.to_ascii_lowercase().contains(w));
    match pair.split_once('=') {
        Some((name, _)) if secret(name) => format!("{name}=***"),
        _ => pair.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_value_is_one_line_of_a_screen() {
        assert_eq!(shown("livekit.api_key", "a\nb\u{1b}[2J"), "a b [2J");
    }

    #[test]
    fn no_password_is_shown() {
        for (text, want) in [
            ("postgres://ana:hunter2@db.example/x", "postgres://***@db.example/x"),
            ("postgres:ana:hunter2@db.example", "***@db.example"),
            ("wss://k:hunter2@a.example", "wss://***@a.example"),
            ("wss://k:hun@ter2@a.example:7880", "wss://***@a.example:7880"),
            ("postgres://ana:hun/ter2@db.example/x", "postgres://***@db.example/x"),
            ("https://a.example/?token=hunter2&x=1", "https://a.example/?token=***&x=1"),
            ("sqlite:/srv/a.db?mode=rwc", "sqlite:/srv/a.db?mode=rwc"),
            ("wss://a.example", "wss://a.example"),
            ("127.0.0.1:4000", "127.0.0.1:4000"),
        ] {
            assert_eq!(without_login(text), want);
        }
        assert_eq!((shown("auth.jwt_secret", "hunter2"), shown("auth.jwt_secret", "")), ("***".to_owned(), String::new()));
    }
}

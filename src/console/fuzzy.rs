//! Finds what somebody means from a few of its letters, in their order.

/// How well a text answers to some letters, the more the better; `None` if it does not.
#[must_use]
pub fn score(letters: &str, text: &str) -> Option<i64> {
    let text: Vec<char> = text.chars().flat_map(char::to_lowercase).collect();
    let (mut total, mut from, mut run) = (0i64, 0, 0i64);
    for c in letters.chars().filter(|c| !c.is_whitespace()).flat_map(char::to_lowercase) {
        let at = from + text[from..].iter().position(|t| *t == c)?;
        run = if at == from && from > 0 { run + 1 } else { 0 };
        let begins = at == 0 || !text[at - 1].is_alphanumeric();
        total += 1 + 3 * run + if begins { 6 } else { 0 } + if at == 0 { 4 } else { 0 };
        from = at + 1;
    }
    // Of two that answer alike the shorter was meant.
    Some(total * 100 - i64::try_from(text.len()).unwrap_or(0))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_nearest_answers_first() {
        let best = |letters: &str, of: &[&'static str]| of.iter().copied().max_by_key(|t| score(letters, t).unwrap_or(i64::MIN)).unwrap();
        assert_eq!(best("pa", &["import", "pause", "pause-all", "page-down"]), "pause");
        assert_eq!(best("pall", &["pause", "pause-all", "page-up"]), "pause-all");
        assert_eq!(best("ren", &["Spring", "Q4 Renewals", "do-not-call"]), "Q4 Renewals");
        assert_eq!(score("xyz", "pause"), None);
        assert!(score("", "pause").is_some());
    }
}

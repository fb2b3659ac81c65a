//! Finds what somebody means from a few of its letters, in their order.

/// What a name that begins with the letters as they are is worth more.
const BEGINS: i64 = 100;

/// How well a text answers to some letters, the more the better; `None` if it does not.
#[must_use]
pub fn score(letters: &str, text: &str) -> Option<i64> {
    let found = places(letters, text)?;
    let text: Vec<char> = text.chars().map(small).collect();
    let (mut total, mut from, mut run) = (0i64, 0, 0i64);
    for at in found.iter().copied() {
        run = if at == from && from > 0 { run + 1 } else { 0 };
        let begins = at == 0 || !text[at - 1].is_alphanumeric();
        total += 1 + 3 * run + if begins { 6 } else { 0 } + if at == 0 { 4 } else { 0 };
        from = at + 1;
    }
    if found.len() > 1 && found.iter().enumerate().all(|(i, at)| i == *at) {
        total += BEGINS;
    }
    // Of two that answer alike the shorter was meant.
    Some(total * 100 - i64::try_from(text.len()).unwrap_or(0))
}

/// Which letters of a text answer, by their number; `None` if it does not.
#[must_use]
pub fn places(letters: &str, text: &str) -> Option<Vec<usize>> {
    let text: Vec<char> = text.chars().map(small).collect();
    let mut from = 0;
    let mut found = Vec::new();
    for c in letters.chars().filter(|c| !c.is_whitespace()).map(small) {
        let at = from + text[from..].iter().position(|t| *t == c)?;
        found.push(at);
        from = at + 1;
    }
    Some(found)
}

/// One small letter for each, so that they are counted alike.
fn small(c: char) -> char {
    c.to_lowercase().next().unwrap_or(c)
}

/// Whether a text holds some letters in their order, each behind the one before or at the beginning of a word. Both
/// in small letters; fewer than three letters would be found everywhere.
#[must_use]
pub fn near(letters: &str, text: &str) -> bool {
    let (letters, text): (Vec<char>, Vec<char>) = (letters.chars().collect(), text.chars().collect());
    let begins = |at: usize| at == 0 || !text[at - 1].is_alphanumeric();
    letters.len() >= 3 && (0..text.len()).any(|at| begins(at) && follows(&letters, &text, at, &begins))
}

/// Whether the letters stand there, from `at` on.
fn follows(letters: &[char], text: &[char], at: usize, begins: &impl Fn(usize) -> bool) -> bool {
    let Some((first, rest)) = letters.split_first() else { return true };
    if text.get(at) != Some(first) {
        return false;
    }
    rest.is_empty() || follows(rest, text, at + 1, begins) || (at + 2..text.len()).any(|next| begins(next) && follows(rest, text, next, begins))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_near_begins_words() {
        for (letters, text, want) in [
            ("jroe", "jane roe", true),
            ("winb", "win-back", true),
            ("q4s", "q4 sales", true),
            ("omha", "omar haddad", true),
            ("ana", "mauritania", false),
            ("ane", "jane roe", false),
            ("jo", "jane o", false),
            ("jroex", "jane roe", false),
        ] {
            assert_eq!(near(letters, text), want, "{letters} in {text}");
        }
        // Long texts of one letter are no trap.
        assert!(!near(&"a ".repeat(12).replace(' ', ""), &"a ".repeat(11)));
    }

    #[test]
    fn the_nearest_answers_first() {
        let best = |letters: &str, of: &[&'static str]| of.iter().copied().max_by_key(|t| score(letters, t).unwrap_or(i64::MIN)).unwrap();
        assert_eq!(best("pa", &["import", "pause", "pause-all", "page-down"]), "pause");
        assert_eq!(best("pall", &["pause", "pause-all", "page-up"]), "pause-all");
        assert_eq!(best("pau", &["page-up", "pause-all"]), "pause-all", "the letters as they are go before those that are scattered");
        assert_eq!(places("pu", "Page-Up"), Some(vec![0, 5]));
        assert_eq!(best("ren", &["Spring", "Q4 Renewals", "do-not-call"]), "Q4 Renewals");
        assert_eq!(score("xyz", "pause"), None);
        assert!(score("", "pause").is_some());
    }
}

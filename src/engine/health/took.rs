//! How long LiveKit takes to answer, as it is shown: the last answer's time, and another only when it is plainly another.
//! A figure that is never the same twice would be drawn for ever.

use chrono::Duration;

#[derive(Default)]
pub struct Took {
    last: Option<i64>,
    told: Option<i64>,
}

impl Took {
    pub fn is(&mut self, took: Duration) {
        self.last = Some(took.num_milliseconds().clamp(0, 60_000));
    }

    /// What is to be told now: it differs by a quarter, and by what one feels.
    pub fn news(&mut self) -> Option<i64> {
        let last = self.last?;
        let same = |told: i64| (last - told).abs() < (told / 4).max(3);
        if self.told.is_some_and(same) {
            return None;
        }
        self.told = Some(last);
        Some(last)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_figure_that_hardly_moves_is_told_once() {
        let mut took = Took::default();
        assert_eq!(took.news(), None);
        let mut told = Vec::new();
        for ms in [44, 46, 40, 52, 56, 90, 3, 1] {
            took.is(Duration::milliseconds(ms));
            told.extend(took.news());
        }
        assert_eq!(told, [44, 56, 90, 3]);
    }
}
